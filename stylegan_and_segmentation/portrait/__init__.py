"""The drawn portrait of Oh-LoRA: training pictures with their parsing maps and true property values."""
