"""Training and evaluation of the language model. Chatting never imports this package."""
