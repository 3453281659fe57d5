"""Writing several replies side by side, token by token: what each holds, and the scores of what may come next.

Knows the network and the reply parser; knows nothing of sampling and of what may never be said.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers.decoders import DecodeStream
from transformers import PreTrainedModel

from llm.reply import ReplyParser


class Draft:
    """One reply in the making."""

    def __init__(self) -> None:
        self.text = DecodeStream(skip_special_tokens=False)
        self.parser = ReplyParser()
        self.pieces: list[str] = []  # what is to be shown
        self.spoken: list[int] = []  # tokens since the last bracket
        self.said = False  # a letter or a digit stands outside of brackets
        self.tail = ""  # the last characters
        self.done = False
        self._scores: list[float] = []

    def weigh(self, score: float) -> None:
        """Counts the next token by the logarithm of its probability, unless the draft is done."""
        if not self.done:
            self._scores.append(score)

    @property
    def score(self) -> float:
        """How likely it is: the mean logarithm of its tokens' probabilities."""
        return sum(self._scores) / max(1, len(self._scores))


class Decoder:
    """The model's scores for the next token of several drafts after one prompt, step by step."""

    def __init__(self, model: PreTrainedModel, ids: list[int], drafts: int = 1) -> None:
        self.model = model
        self.step = torch.tensor([ids] * drafts, device=model.device)
        self.cache = None

    def scores(self) -> torch.Tensor:
        """Logarithms of the next token's probabilities, (drafts, vocabulary), fp32."""
        out = self.model(input_ids=self.step, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.cache = out.past_key_values
        return out.logits[:, -1].float().log_softmax(-1)

    def append(self, tokens: Sequence[int]) -> None:
        """Goes on after one token for each draft."""
        self.step = torch.tensor([[token] for token in tokens], device=self.model.device)
