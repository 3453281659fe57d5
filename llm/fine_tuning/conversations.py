"""The hand-written conversations and how they become training pairs.

A *family* (one line of a file in ``conversations/``) holds prompts that mean the same and replies of which each fits
each of its prompts. Slots such as ``{food}`` are filled from ``values/food.txt``. Knows the files and the prompt
format; knows no tokenizer and no model.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from llm.fine_tuning.particles import attach
from llm.memory_mechanism.memory import split_leading_memories

CONVERSATIONS = Path(__file__).parent / "conversations"
VALUES = Path(__file__).parent / "values"
HELD_OUT_FRACTION = 0.1  # of each slot's values: evaluation asks with them, training never sees them
# Slots that stand in keys (``{relation} 이름``): short closed lists, of which none is held out and none made up.
KEY_SLOTS = frozenset({"relation", "elder", "pet_kind", "day"})

_SLOT = re.compile(r"\{(\w+)")


@dataclass(frozen=True)
class Family:
    """Prompts and replies that fit each other.

    ``memory`` is a remembered item (``key: value``) that stands before the prompt, ``save`` one that she writes down;
    both may hold slots.
    """

    name: str
    prompts: tuple[str, ...]
    replies: tuple[str, ...]
    memory: str | None = None
    save: str | None = None

    @cached_property
    def slots(self) -> tuple[str, ...]:
        texts = [self.memory or "", self.save or "", *self.prompts, *self.replies]
        return tuple(sorted({name for text in texts for name in _SLOT.findall(text)}))


@dataclass(frozen=True)
class Pair:
    """One training example: what stands in the prompt and what she answers; ``family`` is the one it comes from."""

    prompt: str
    reply: str
    memory: str | None = None
    save: str | None = None
    family: str | None = None


def load_families(folder: Path = CONVERSATIONS) -> list[Family]:
    """Every family of every ``*.jsonl`` file in ``folder``, in the order of file names and lines.

    Raises:
        ValueError: a line that is no family, with its file and line number.
    """
    families = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                try:
                    families.append(_family(json.loads(line)))
                except (KeyError, TypeError, ValueError) as error:
                    raise ValueError(f"{path.name}:{number}: no family of prompts and replies ({error})") from error
    return families


def _family(fields: Mapping[str, Any]) -> Family:
    for texts in (fields["prompts"], fields["replies"]):
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise TypeError("prompts and replies must be lists of texts")
    if not all(isinstance(fields.get(name, ""), str) for name in ("memory", "save")):
        raise TypeError("memory and save must be texts")
    return Family(
        name=str(fields["family"]),
        prompts=tuple(fields["prompts"]),
        replies=tuple(fields["replies"]),
        memory=fields.get("memory"),
        save=fields.get("save"),
    )


def load_values(folder: Path = VALUES, held_out: bool = False) -> dict[str, list[str]]:
    """Slot name -> values. ``held_out`` gives the tenth that is kept for evaluation, else the nine tenths for training.

    Which value belongs where depends on its own spelling alone, so a list may grow without moving any. None
    of the ``KEY_SLOTS``' is kept.
    """
    values = {}
    for path in sorted(folder.glob("*.txt")):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        values[path.stem] = [v for v in lines if (path.stem not in KEY_SLOTS and is_held_out(v)) == held_out]
    return values


def is_held_out(value: str) -> bool:
    """Whether ``value`` is kept for evaluation."""
    return zlib.crc32(value.encode("utf-8")) % 1000 < HELD_OUT_FRACTION * 1000


def plain_texts(families: Sequence[Family]) -> Iterator[str]:
    """Every hand-written sentence with its slots emptied: text for a tokenizer to learn from."""
    for family in families:
        empty = {name: "" for name in family.slots}
        for text in (*family.prompts, *family.replies, *(t for t in (family.memory, family.save) if t)):
            yield attach(text, empty)


def keep_prompts(families: Sequence[Family], share: float) -> tuple[list[Family], list[Family]]:
    """The families with the prompts to train on, and those with the kept ones; the spelling alone decides which.

    A family whose prompts would all be kept loses none.
    """
    training, kept = [], []
    for family in families:
        out = tuple(p for p in family.prompts if zlib.crc32(f"kept {p}".encode()) % 1000 < share * 1000)
        if 0 < len(out) < len(family.prompts):
            kept.append(replace(family, prompts=out))
            family = replace(family, prompts=tuple(p for p in family.prompts if p not in out))
        training.append(family)
    return training, kept


def training_pairs(
    families: Sequence[Family],
    values: Mapping[str, Sequence[str]],
    rounds: int,
    seed: int,
    slot_fills: int = 3,
    invented: float = 0.2,
    distractors: float = 0.1,
    typing: float = 0.3,
) -> list[Pair]:
    """Every prompt of every family once a round, each time with another reply, in a random order.

    Args:
        families: as loaded.
        values: what the slots are filled with.
        rounds: how often every prompt comes.
        seed: the same seed gives the same pairs.
        slot_fills: how many values a prompt with slots gets each round.
        invented: share of the values that are made up, of the halves of two others or of any syllables, so that
            she learns to copy rather than to recite.
        distractors: share of the prompts without a memory that get one which they do not ask for, so that she learns
            to leave it alone. Twice as many do where a memory of the same kind may be recalled, and half of these
            get one of that kind: she writes down a second favourite dish when she is reminded of the first.
        typing: share of the prompts that are typed carelessly: without blanks, without the end mark, called by name.
    """
    rng = random.Random(seed)
    memories = [f.memory for f in families if f.memory]
    alike = [_near(family, memories) for family in families]
    pairs = []
    for _ in range(rounds):
        turn = []
        for family, near in zip(families, alike, strict=True):
            distracted = distractors * (1 + bool(near)) if _may_be_distracted(family) else 0.0
            replies: list[str] = []
            for prompt in family.prompts:
                for _ in range(slot_fills if family.slots else 1):
                    if not replies:
                        replies = rng.sample(family.replies, len(family.replies))
                    chosen = {
                        name: rng.choice(values[name]) if name in KEY_SLOTS else _value(values[name], invented, rng)
                        for name in family.slots
                    }
                    pair = _fill(family, prompt, replies.pop(), chosen)
                    if pair.memory is None and rng.random() < distracted:
                        kind = near if near and rng.random() < 0.5 else memories
                        pair = replace(pair, memory=_fill_text(rng.choice(kind), values, rng))
                    if rng.random() < typing:
                        pair = replace(pair, prompt=_typed_carelessly(pair.prompt, rng))
                    turn.append(pair)
        rng.shuffle(turn)
        pairs += turn
    return pairs


def kept_pairs(kept: Sequence[Family], seed: int) -> list[Pair]:
    """The prompts that training leaves out (``keep_prompts``), each once, with values that training never saw.

    A slot of so few values that none is kept for evaluation is filled with the others.
    """
    trained, unseen = load_values(), load_values(held_out=True)
    values = {name: unseen[name] or trained[name] for name in trained}
    return training_pairs(kept, values, 1, seed, slot_fills=1, invented=0.0, distractors=0.0, typing=0.0)


def _value(values: Sequence[str], invented: float, rng: random.Random) -> str:
    value = rng.choice(values)
    if rng.random() >= invented or not all("가" <= c <= "힣" or c == " " for c in value):
        return value  # numbers, dates and Latin names stay as they are
    other = rng.choice(values)
    if rng.random() < 0.5:
        made = value[: (len(value) + 1) // 2] + other[len(other) // 2 :]
    else:
        drawn = (rng.choice(rng.choice(values)) for _ in value)
        made = "".join(new if "가" <= new <= "힣" and c != " " else c for c, new in zip(value, drawn, strict=True))
    made = " ".join(made.split())
    return value if is_held_out(made) or len(made) < 2 else made


def _fill(family: Family, prompt: str, reply: str, chosen: Mapping[str, str]) -> Pair:
    typed, text = split_leading_memories(attach(prompt, chosen))
    if typed:  # the program saves what the user brackets, and the bracket reaches the model as a memory
        return Pair(text, attach(reply, chosen), memory=typed[-1].item, family=family.name)
    return Pair(
        text,
        attach(reply, chosen),
        memory=attach(family.memory, chosen) if family.memory else None,
        save=attach(family.save, chosen) if family.save else None,
        family=family.name,
    )


def _fill_text(template: str, values: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    return attach(template, {name: rng.choice(values[name]) for name in _SLOT.findall(template)})


def _may_be_distracted(family: Family) -> bool:
    """Families that say "you have not told me yet" must never stand behind the very memory that was asked for."""
    return not family.name.startswith("memory_none_unknown")


def _near(family: Family, memories: Sequence[str]) -> list[str]:
    """Those of ``memories`` that have the key of what ``family`` writes down, or a slot of it."""
    key, slots = (family.save or "").split(":")[0], set(family.slots)
    return [m for m in memories if m.split(":")[0] == key or not slots.isdisjoint(_SLOT.findall(m))]


def _typed_carelessly(prompt: str, rng: random.Random) -> str:
    if len(prompt) < 4:
        return prompt
    kind = rng.random()
    if kind < 0.4:
        return prompt.replace(" ", "")
    if kind < 0.7:
        return prompt.rstrip("?!.~ ") or prompt
    return prompt if prompt.startswith(("로라", "오로라")) else f"로라야 {prompt}"
