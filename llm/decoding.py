"""Writing a reply token by token: what it holds so far, and the scores of what may come next.

Knows the network and the reply parser; knows nothing of sampling and of what may never be said.
"""

from __future__ import annotations

import torch
from tokenizers.decoders import DecodeStream
from transformers import PreTrainedModel

from llm.reply import ReplyParser


class Draft:
    """A reply in the making."""

    def __init__(self) -> None:
        self.text = DecodeStream(skip_special_tokens=False)
        self.parser = ReplyParser()
        self.spoken: list[int] = []  # tokens since the last bracket
        self.said = False  # a letter or a digit stands outside of brackets
        self.tail = ""  # the last characters
        self.done = False


class Decoder:
    """The model's scores for the next token after one prompt, step by step."""

    def __init__(self, model: PreTrainedModel, ids: list[int]) -> None:
        self.model = model
        self._step = torch.tensor([ids], device=model.device)
        self._cache = None

    def scores(self) -> torch.Tensor:
        """Logarithms of the next token's probabilities, (vocabulary,), fp32."""
        out = self.model(input_ids=self._step, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self._cache = out.past_key_values
        return out.logits[0, -1].float().log_softmax(-1)

    def append(self, token: int) -> None:
        """Goes on after ``token``."""
        self._step = torch.tensor([[token]], device=self.model.device)
