"""Training pairs as rows of token ids of which only the answer is learned. Knows tokenizers; knows no model."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerBase

from llm.fine_tuning.conversations import Pair
from llm.fine_tuning.topics import topic_ids
from llm.prompt import OTHER_TOPIC, render_prompt, render_reply

IGNORED = -100  # the label that the loss passes over
_MAX_TOKENS = 128  # of a training text; longer ones are cut at their start
_OPENING_TOKENS = 4  # how many first tokens of an answer a weight on its opening concerns
_OPENING_CUT = 6  # tokens of an answer of which only the opening is learned
_AT_ONCE = 20000  # texts that are tokenized at a time


class AnswerRows(Dataset):
    """Token ids of prompt and reply; the labels of the prompt are ignored.

    Args:
        pairs: what stands in the rows.
        tokenizer: of the model that is trained.
        opening_share: share of the pairs of which only the answer's opening is learned.
        noise: chance of each word of a prompt to be left out, and of each token to be another one, so that no single
            word decides. Words that share a letter with a memory that is written stay, and with a memory to read or to
            write no token is another one.
        cuts: chance of a prompt to be cut at each letter before it is tokenized: every one with a memory to read or to
            write, half of the others. A tokenizer joins a value's last letter to what follows (홍|시야); in other
            pieces the value can be seen, and an unknown word's parts.
        seed: the same seed gives the same rows.

    Where the tokenizer has topics (``topics.py``), every answer begins with one, which is learned too; the topic of a
    pair that belongs to none of our families is given but not learned.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        tokenizer: PreTrainedTokenizerBase,
        opening_share: float = 0.0,
        noise: float = 0.0,
        cuts: float = 0.0,
        seed: int = 0,
    ) -> None:
        rng = random.Random(seed)
        topics = topic_ids(tokenizer)
        other = tokenizer.convert_tokens_to_ids(OTHER_TOPIC) if topics else IGNORED
        self.topics = [topics.get(pair.family or "", other) for pair in pairs]
        self._other = other
        frame = set(tokenizer.all_special_ids) | set(tokenizer(render_prompt(""))["input_ids"])
        frame |= {*topics.values(), other}
        words = [token for token in range(len(tokenizer)) if token not in frame]
        self.prompts: list[array[int]] = []
        self.replies: list[array[int]] = []
        for start in range(0, len(pairs), _AT_ONCE):
            part = pairs[start : start + _AT_ONCE]
            texts = [render_prompt(_leave_out(pair.prompt, pair.save or "", noise, rng), pair.memory) for pair in part]
            prompts = _encode(tokenizer, texts)
            replies = _encode(tokenizer, [render_reply(pair.reply, pair.save) for pair in part])
            for pair, text, prompt, reply in zip(part, texts, prompts, replies, strict=True):
                remembers = pair.save is not None or pair.memory is not None
                if cuts and (remembers or rng.random() < 0.5):
                    prompt = [token for ids in _encode(tokenizer, _cut(text, cuts, rng)) for token in ids]
                if noise and not remembers:
                    for place, token in enumerate(prompt):
                        if rng.random() < noise and token not in frame:
                            prompt[place] = rng.choice(words)
                cut = pair.save is None and rng.random() < opening_share
                self.prompts.append(array("i", prompt))
                self.replies.append(array("i", reply[:_OPENING_CUT] if cut else reply))

    def __len__(self) -> int:
        return len(self.prompts)

    def __getitem__(self, index: int) -> dict[str, Any]:
        prompt, reply, topic = self.prompts[index], self.replies[index], self.topics[index]
        about = [] if topic == IGNORED else [topic]
        ids = [*prompt, *about, *reply][-_MAX_TOKENS:]
        learned = [IGNORED if token == self._other else token for token in about]
        labels = [*([IGNORED] * len(prompt)), *learned, *reply][-_MAX_TOKENS:]
        return {"input_ids": ids, "labels": labels}


def _leave_out(text: str, kept: str, chance: float, rng: random.Random) -> str:
    """``text`` without some of its words, but with those that share a letter with ``kept`` and at least one."""
    words = text.split(" ")
    left = [word for word in words if set(word) & set(kept) or rng.random() >= chance]
    return " ".join(left or words)


def _cut(text: str, chance: float, rng: random.Random) -> list[str]:
    """``text`` in pieces, each cut standing between two Hangul syllables."""
    pieces = [text[:1]]
    for before, letter in zip(text, text[1:], strict=False):
        if "가" <= before <= "힣" and "가" <= letter <= "힣" and rng.random() < chance:
            pieces.append(letter)
        else:
            pieces[-1] += letter
    return pieces


def _encode(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    return tokenizer(texts, add_special_tokens=False)["input_ids"]


class Padding:
    """Pads a batch on the right to its longest row."""

    def __init__(self, pad_token: int) -> None:
        self.pad_token = pad_token

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        gaps = [longest - len(row["input_ids"]) for row in rows]
        return {
            "input_ids": torch.tensor(
                [row["input_ids"] + [self.pad_token] * gap for row, gap in zip(rows, gaps, strict=True)]
            ),
            "labels": torch.tensor([row["labels"] + [IGNORED] * gap for row, gap in zip(rows, gaps, strict=True)]),
            "attention_mask": torch.tensor(
                [[1] * len(row["input_ids"]) + [0] * gap for row, gap in zip(rows, gaps, strict=True)]
            ),
        }


def answer_weights(
    labels: torch.Tensor, opening_weight: float, topics: torch.Tensor | None = None, topic_weight: float = 1.0
) -> torch.Tensor:
    """What each token counts in the loss, same shape as ``labels`` (rows, tokens).

    0 where nothing is learned, ``topic_weight`` for the tokens named in ``topics`` (any,), ``opening_weight`` for an
    answer's first tokens, which decide how it goes on, else 1.
    """
    answered = labels != IGNORED
    opening = answered & (answered.cumsum(dim=1) <= _OPENING_TOKENS)
    weights = answered.float() + (opening_weight - 1) * opening.float()
    return (
        weights if topics is None else weights.masked_fill(torch.isin(labels, topics.to(labels.device)), topic_weight)
    )
