"""Trains the topic classifier on the conversations' prompts: some minutes on one CPU core.

    python -m llm.fine_tuning.train_topics --out llm/models/embedded/base

It goes into the folder of the base whose topics it tells, after ``train_talk`` or ``average_bases``, or after a family
was added. As there, one prompt in fifty is kept out to see how well families of unknown prompts are told. Knows the
conversations; knows no language model.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.nn import functional
from tqdm import tqdm

from llm.fine_tuning.conversations import (
    Family,
    Pair,
    keep_prompts,
    kept_pairs,
    load_families,
    load_values,
    training_pairs,
)
from llm.prompt import render_prompt, split_prompt
from llm.topic_classifier import TopicClassifier, ngram_hash, ngrams, pack
from llm.training import add_options

CONFIG_FILE = "topic_training.json"
_SLOT = re.compile(r"\{\w+\}(?:\([^)]*\))?")
_SPREAD = 0.05  # standard deviation of the vectors before training
_GAIN = 8.0  # what their mean is multiplied by in training: means of many are small


@dataclass(frozen=True)
class TopicConfig:
    """Everything that decides a run; saved beside the weights as ``CONFIG_FILE``."""

    out: str
    dimensions: int = 128  # of the n-grams' vectors, even
    least: int = 3  # prompts that an n-gram has to stand in
    most: int = 192000  # n-grams that are stored: those that move the scores most, and most often
    epochs: int = 8
    batch: int = 128
    learning_rate: float = 6e-3
    dropout: float = 0.5  # chance of each n-gram to be left out
    smoothing: float = 0.1  # label smoothing: share of the target that is spread over all families
    slot_fills: int = 2  # values that a prompt with a slot gets
    invented: float = 0.3  # share of made-up values
    kept_prompts: float = 0.02  # share of the prompts that are never trained on, as in train_talk
    seed: int = 20261
    threads: int = 0  # CPU threads; 0 leaves the choice to torch


class Network(torch.nn.Module):
    """The classifier while it learns: the mean of the n-grams' vectors, then a linear layer."""

    def __init__(self, ngrams_known: int, dimensions: int, families: int) -> None:
        super().__init__()
        self.vectors = torch.nn.EmbeddingBag(ngrams_known, dimensions, mode="mean", sparse=True)
        torch.nn.init.normal_(self.vectors.weight, std=_SPREAD)
        self.output = torch.nn.Linear(dimensions, families)

    def forward(self, places: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
        """Scores (prompts, families) of prompts whose n-grams are ``places`` (all,), the first of each at ``starts``
        (prompts,)."""
        return self.output(self.vectors(places, starts) * _GAIN)


def hashes(pair: Pair) -> list[int]:
    """Of the n-grams of a pair's prompt and memory."""
    return [ngram_hash(gram) for gram in ngrams(*_as_read(pair))]


def _as_read(pair: Pair) -> tuple[str, str | None]:
    """What was said, and the memory before it, as the language model has the classifier read them."""
    given, said = split_prompt(render_prompt(pair.prompt, pair.memory))
    return said, given


def count_ngrams(families: Sequence[Family]) -> Counter[int]:
    """In how many of the families' prompts each n-gram (its hash) stands, slots left empty."""
    counts: Counter[int] = Counter()
    for family in families:
        for prompt in family.prompts:
            counts.update(set(hashes(Pair(_SLOT.sub("", prompt), "", memory=family.memory))))
    return counts


def train(config: TopicConfig, families: Sequence[Family]) -> TopicClassifier:
    """A classifier that tells ``families``' prompts apart."""
    rng = random.Random(config.seed)
    counts = count_ngrams(families)
    known = sorted(gram for gram, count in counts.items() if count >= config.least)
    place = {gram: number for number, gram in enumerate(known)}
    number = {family.name: i for i, family in enumerate(families)}
    pairs = training_pairs(
        families, load_values(), 1, config.seed, slot_fills=config.slot_fills, invented=config.invented
    )
    rows, targets = [], []
    for pair in pairs:
        found = array("i", (place[gram] for gram in hashes(pair) if gram in place))
        if found:
            rows.append(found)
            targets.append(number[pair.family or ""])
    network = Network(len(known), config.dimensions, len(families))
    vectors = torch.optim.SparseAdam(list(network.vectors.parameters()), lr=config.learning_rate)
    others = torch.optim.Adam(network.output.parameters(), lr=config.learning_rate)
    steps = config.epochs * -(-len(rows) // config.batch)
    with tqdm(total=steps, desc="topics") as bar:
        for order in (rng.sample(range(len(rows)), len(rows)) for _ in range(config.epochs)):
            for start in range(0, len(order), config.batch):
                for group in (*vectors.param_groups, *others.param_groups):
                    group["lr"] = config.learning_rate * (1 - bar.n / steps)
                chosen = order[start : start + config.batch]
                scores = network(*_left_in([rows[i] for i in chosen], config.dropout))
                wanted = torch.tensor([targets[i] for i in chosen])
                loss = functional.cross_entropy(scores, wanted, label_smoothing=config.smoothing)
                for optimizer in (vectors, others):
                    optimizer.zero_grad()
                loss.backward()
                for optimizer in (vectors, others):
                    optimizer.step()
                bar.update()
                bar.set_postfix(loss=f"{loss.item():.2f}", refresh=False)
    return _stored(network, known, [counts[gram] for gram in known], families, config.most)


def _left_in(rows: Sequence[array[int]], dropout: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The n-grams of ``rows`` one after another without those that are left out, and where each row begins."""
    places = torch.tensor([place for row in rows for place in row])
    starts = torch.tensor([0, *map(len, rows)]).cumsum(0)[:-1]
    left = torch.rand(len(places)) >= dropout
    before = torch.cat([torch.zeros(1, dtype=torch.long), left.cumsum(0)])
    return places[left], before[starts]


def _stored(
    network: Network, known: list[int], counts: list[int], families: Sequence[Family], most: int
) -> TopicClassifier:
    vectors = network.vectors.weight.detach()
    moves = vectors.norm(dim=1) * torch.tensor(counts, dtype=torch.float32).log1p()
    kept = moves.topk(min(most, len(moves))).indices.sort().values
    return TopicClassifier(
        tuple(family.name for family in families),
        torch.tensor(known)[kept],
        *pack(vectors[kept]),
        network.output.weight.detach() * _GAIN,
        network.output.bias.detach(),
    )


def told(classifier: TopicClassifier, pairs: Sequence[Pair]) -> Iterator[bool]:
    """Of each of ``pairs`` whether its family is the likeliest."""
    for pair in pairs:
        scores = classifier.scores(*_as_read(pair))
        yield classifier.families[int(scores.argmax())] == pair.family


def main(argv: list[str] | None = None) -> None:
    config = _parse(argv)
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    print(json.dumps(asdict(config), indent=1))
    families, kept = keep_prompts(load_families(), config.kept_prompts)
    classifier = train(config, families)
    asked = kept_pairs(kept, config.seed)
    if asked:
        print(f"families of {len(asked):,} kept prompts told {sum(told(classifier, asked)) / len(asked):.3f}")
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    classifier.save(out)
    made = {name: value for name, value in asdict(config).items() if name != "out"}
    (out / CONFIG_FILE).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"saved {out}")


def _parse(argv: list[str] | None) -> TopicConfig:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder of the base whose topics are told")
    add_options(parser, TopicConfig, but=("out",))
    options = parser.parse_args(argv)
    if options.dimensions % 2 or options.dimensions < 2:
        parser.error(f"--dimensions 는 2 이상의 짝수여야 해요: {options.dimensions}")
    return TopicConfig(**vars(options))


if __name__ == "__main__":
    main()
