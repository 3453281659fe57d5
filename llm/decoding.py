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
        self._weights: list[float] = []

    def weigh(self, weight: float) -> None:
        """Counts the next token, unless the draft is done."""
        if not self.done:
            self._weights.append(weight)

    @property
    def score(self) -> float:
        """How good it is: the mean weight of its tokens."""
        return sum(self._weights) / max(1, len(self._weights))


class Decoder:
    """The model's scores for the next token of several drafts, step by step, as they are and with guidance.

    With guidance as many rows again see the same tokens but for the prompt, whose frame alone is left to them.
    """

    def __init__(self, model: PreTrainedModel, ids: list[int], frame: int, guidance: float, drafts: int = 1) -> None:
        self.model, self.guidance, self.drafts = model, guidance, drafts
        hidden = len(ids) - frame
        guided = guidance != 1 and hidden > 0
        self.step = torch.tensor([ids] * drafts * (2 if guided else 1), device=model.device)
        self.seen = None
        if guided:
            self.seen = torch.ones_like(self.step)
            self.seen[drafts:, :hidden] = 0
        self.cache = None

    def scores(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logarithms of probabilities (drafts, vocabulary), fp32: as they are, what the prompt adds, guided."""
        mask = {} if self.seen is None else {"attention_mask": self.seen}
        out = self.model(input_ids=self.step, past_key_values=self.cache, use_cache=True, logits_to_keep=1, **mask)
        self.cache = out.past_key_values
        scores = out.logits[:, -1].float().log_softmax(-1)
        if self.seen is None:
            return scores, torch.zeros_like(scores), scores
        with_prompt, without = scores[: self.drafts], scores[self.drafts :]
        gain = with_prompt - without
        return with_prompt, gain, without + self.guidance * gain

    def append(self, tokens: Sequence[int]) -> None:
        """Goes on after one token for each draft."""
        rows = torch.tensor([[token] for token in tokens], device=self.model.device)
        self.step = rows.repeat(len(self.step) // self.drafts, 1)
        if self.seen is not None:
            self.seen = torch.cat([self.seen, torch.ones_like(self.step)], dim=1)
