"""Chooses how to sample: whose replies does she give to prompts that the base's training kept out?

    python -m llm.fine_tuning.kept_prompts [--model FOLDER] [--temperature 0.5 …] [--classifier-weight 0.5 …]

Every kept prompt (``train_talk --kept-prompts``) belongs to a family, and so does every reply of the conversations. The
family of the reply that hers is nearest to, by pairs of letters, should be the prompt's own. Choosing by this keeps the
evaluation for measuring. Knows the conversations; knows nothing of training.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch

from llm.fine_tuning.conversations import Family, Pair, keep_prompts, kept_pairs, load_families
from llm.fine_tuning.evaluate import MODEL, answer
from llm.fine_tuning.particles import attach
from llm.language_model import LanguageModel

KEPT = 0.02  # as train_talk keeps them
_SEED = 20261


@dataclass(frozen=True)
class Figures:
    """Shares (0 to 1) over the kept prompts.

    ``own_family``: replies nearest to one of the prompt's family; ``unsaved``: prompts with nothing to remember whose
    reply wrote nothing down; ``saved``: prompts with something to remember whose reply wrote just that.
    """

    own_family: float
    unsaved: float
    saved: float


def letter_pairs(text: str) -> set[str]:
    """Pairs of neighbouring letters of ``text`` without its blanks."""
    bare = "".join(text.split())
    return {bare[i : i + 2] for i in range(len(bare) - 1)}


class ReplyIndex:
    """Finds the family of the hand-written reply that a text is nearest to (most shared letter pairs, Dice)."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families: list[str] = []
        self._sizes: list[int] = []
        self._having: dict[str, list[int]] = defaultdict(list)
        for family in families:
            empty = {name: "" for name in family.slots}
            for reply in family.replies:
                pairs = letter_pairs(attach(reply, empty))
                for pair in pairs:
                    self._having[pair].append(len(self._families))
                self._families.append(family.name)
                self._sizes.append(len(pairs))

    def nearest(self, text: str) -> str | None:
        """The family's name, or None where no reply shares a pair with ``text``."""
        pairs = letter_pairs(text)
        shared = Counter(index for pair in pairs for index in self._having.get(pair, ()))
        if not shared:
            return None
        best = max(shared, key=lambda index: 2 * shared[index] / (len(pairs) + self._sizes[index]))
        return self._families[best]


def measure(model: LanguageModel, pairs: Sequence[Pair], index: ReplyIndex, seed: int = 1) -> Figures:
    """One reply to each of ``pairs``."""
    generator = torch.Generator().manual_seed(seed)
    own, unsaved, saved = [], [], []
    for pair in pairs:
        reply = answer(model, pair.prompt, pair.memory, generator)
        own.append(index.nearest(reply.text) == pair.family)
        written = [str(memory.item) for memory in reply.memories]
        if pair.save is None:
            unsaved.append(not written)
        else:
            saved.append(written == [pair.save])
    return Figures(*(sum(found) / max(1, len(found)) for found in (own, unsaved, saved)))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=MODEL, help="folder of the adapter or model")
    parser.add_argument("--temperature", type=float, nargs="+", help="by default the model's own")
    parser.add_argument("--classifier-weight", type=float, nargs="+", help="by default the model's own")
    parser.add_argument("--every", type=int, default=1, help="ask only every n-th of the prompts")
    options = parser.parse_args(argv)
    families = load_families()
    _, kept = keep_prompts(families, KEPT)
    pairs = sorted(kept_pairs(kept, _SEED), key=lambda pair: pair.family or "")[:: options.every]
    index = ReplyIndex(families)
    model = LanguageModel.load(options.model)
    tried = {name: getattr(options, name) or [getattr(model, name)] for name in ("temperature", "classifier_weight")}
    titles = [*(name.replace("_", " ") for name in tried), f"own family ({len(pairs)})"]
    print(f"| {' | '.join(titles)} | nothing written | right memory written |")
    for settings in product(*tried.values()):
        for name, value in zip(tried, settings, strict=True):
            setattr(model, name, value)
        found = measure(model, pairs, index)
        figures = " | ".join(f"{share:.3f}" for share in (found.own_family, found.unsaved, found.saved))
        print(f"| {' | '.join(map(str, settings))} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
