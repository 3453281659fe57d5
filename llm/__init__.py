"""Oh-LoRA's language: prompts, replies, the model that writes them, and her memory."""
