"""The conditional StyleGAN generator that draws her face, and its training."""
