"""Oh-LoRA's face: property scores in, a picture out. Knows neither the language model nor the terminal."""
