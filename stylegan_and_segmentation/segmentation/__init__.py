"""From pictures to parsing maps and property scores: what the generator's labels and its evaluation rest on."""
