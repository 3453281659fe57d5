"""Which expression suits a reply: labelled replies, cues in the text, and a small classifier over both."""
