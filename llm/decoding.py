"""Writing a reply token by token: what it holds so far, and the scores of what may come next.

Knows the network and the reply parser; knows nothing of sampling and of what may never be said.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from tokenizers.decoders import DecodeStream
from transformers import PreTrainedModel

from llm.reply import ReplyParser

_ROWS = 16  # endings that are weighed at once: each holds a copy of all before it


class Draft:
    """A reply in the making.

    ``given`` is the memory that stands before the prompt, or None; ``value`` the value that the reply speaks of, which
    is that of the memory that it wrote down, else of ``given``, else empty; ``value_tokens`` its tokens behind a blank
    and without one.
    """

    def __init__(self, given: str | None = None) -> None:
        self.given = given
        self.value = ""
        self.value_tokens: Sequence[list[int]] = ()
        self.text = DecodeStream(skip_special_tokens=False)
        self.parser = ReplyParser()
        self.spoken: list[int] = []  # tokens since the last bracket
        self.said = False  # a letter or a digit stands outside of brackets
        self.tail = ""  # the last characters
        self.done = False


class Decoder:
    """The model's scores for the next token after one prompt, step by step."""

    def __init__(self, model: PreTrainedModel, ids: Sequence[int]) -> None:
        self.model = model
        self._unread = list(ids)
        self._cache = None

    def append(self, token: int) -> None:
        """Goes on after ``token``."""
        self._unread.append(token)

    def scores(self) -> torch.Tensor:
        """Logarithms of the next token's probabilities, (vocabulary,), fp32, once after each ``append``."""
        ids = torch.tensor([self._unread], device=self.model.device)
        out = self.model(input_ids=ids, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self._cache, self._unread = out.past_key_values, []
        return out.logits[0, -1].float().log_softmax(-1)

    def fork(self) -> Decoder:
        """Another decoder that stands where this one stands; what one is told the other never hears."""
        fork = Decoder(self.model, self._unread)
        fork._cache = copy.deepcopy(self._cache)
        return fork

    def weigh(self, endings: Sequence[Sequence[int]]) -> torch.Tensor:
        """How likely each of ``endings`` is to come next: the logarithms of their probabilities, (endings,), fp32.

        Stands where ``scores`` may be asked, and is no step.
        """
        parts = [endings[start : start + _ROWS] for start in range(0, len(endings), _ROWS)]
        return torch.cat([self._weigh(part) for part in parts])

    def _weigh(self, endings: Sequence[Sequence[int]]) -> torch.Tensor:
        cache = copy.deepcopy(self._cache)
        if cache is not None:
            cache.batch_repeat_interleave(len(endings))
        longest = max(len(tokens) for tokens in endings)
        # padding stands on the right, where causal attention never looks
        rows = [[*self._unread, *tokens, *([0] * (longest - len(tokens)))] for tokens in endings]
        ids = torch.tensor(rows, device=self.model.device)
        out = self.model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=longest + 1)
        chosen = ids[:, len(self._unread) :].unsqueeze(-1)
        scores = out.logits[:, :-1].float().log_softmax(-1).gather(-1, chosen).squeeze(-1)
        return torch.stack([row[: len(tokens)].sum() for row, tokens in zip(scores, endings, strict=True)])
