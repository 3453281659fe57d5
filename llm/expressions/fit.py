"""Fits the classifier that reads expressions, with the embedded sentence-transformers model.

python -m llm.expressions.fit           fits with the settings below and writes the weights (some seconds)
python -m llm.expressions.fit --choose  compares ways and settings on the labelled replies (minutes), and writes nothing

Run it whenever ``llm/models/embedded/memory_sbert``, the examples or the cues have changed: the weights belong to them.
What is compared is compared by cross-validation over ``training`` and ``validation``; ``evaluation`` is never read,
but to make sure that none of it is fitted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from llm.expressions.cues import CUES, cue_features
from llm.expressions.features import Encoder, Scales, embeddings, piece_features, pieces_of, side_by_side
from llm.expressions.labelled import EXPRESSIONS, Labelled, load_examples, load_labelled, overlap
from llm.expressions.reader import Classifier, fingerprint

EMBEDDED = Path(__file__).resolve().parent.parent / "models" / "embedded"
FOLDS = 5
LEAST_SEEN = 3  # a word piece of one or two replies says nothing about others


@dataclass(frozen=True)
class Settings:
    """How the classifier is fitted.

    Attributes:
        scales: how much embedding and pieces weigh against the cues.
        decay: of the squared weights.
        example_weight: how much a typical example counts against a labelled reply of a real conversation; the
            examples are spread evenly over the expressions, the conversations as a chat is.
        steps: of L-BFGS, at most.
    """

    scales: Scales = Scales(embedding=0.8, pieces=4.0)
    decay: float = 3e-4
    example_weight: float = 0.3
    steps: int = 80


@dataclass(frozen=True)
class Material:
    """What is fitted on, as numbers.

    Attributes:
        target: the expression's place in ``EXPRESSIONS``, shape (replies,).
        example: whether the reply is a typical example rather than one of a conversation, shape (replies,).
    """

    embedded: np.ndarray
    pieces: np.ndarray
    cues: np.ndarray
    target: np.ndarray
    example: np.ndarray

    def features(self, scales: Scales) -> np.ndarray:
        return side_by_side(self.embedded, self.pieces, self.cues, scales)


def fitting_rows() -> tuple[list[Labelled], list[Labelled]]:
    """The examples and the conversations' replies that are fitted on.

    Raises:
        ValueError: one of them is also in the evaluation.
    """
    examples, heard = load_examples(), load_labelled("training") + load_labelled("validation")
    common = overlap(examples + heard, load_labelled("evaluation"))
    if common:
        raise ValueError(f"these stand in the evaluation too: {common}")
    return examples, heard


def vocabulary_of(encoder: Encoder, replies: Sequence[str]) -> np.ndarray:
    """The word pieces that stand in at least ``LEAST_SEEN`` of the replies: int32, ascending."""
    found, counts = np.unique([piece for reply in replies for piece in pieces_of(encoder, reply)], return_counts=True)
    return found[counts >= LEAST_SEEN].astype(np.int32)


def material_of(
    encoder: Encoder, examples: Sequence[Labelled], heard: Sequence[Labelled], vocabulary: np.ndarray
) -> Material:
    rows = [*examples, *heard]
    replies = [row.reply for row in rows]
    return Material(
        embeddings(encoder, replies),
        piece_features(encoder, replies, vocabulary),
        np.stack([cue_features(reply) for reply in replies]),
        np.array([EXPRESSIONS.index(row.expression) for row in rows]),
        np.arange(len(rows)) < len(examples),
    )


def fit(rows: np.ndarray, target: np.ndarray, importance: np.ndarray, decay: float, steps: int) -> tuple:
    """The weight (features, expressions) and bias (expressions,) that minimise weighted cross-entropy + decay."""
    import torch

    x, y = torch.tensor(rows, dtype=torch.float32), torch.tensor(target)
    share = torch.tensor(importance / importance.sum(), dtype=torch.float32)
    weight = torch.zeros(x.shape[1], len(EXPRESSIONS), requires_grad=True)
    bias = torch.zeros(len(EXPRESSIONS), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        each = torch.nn.functional.cross_entropy(x @ weight + bias, y, reduction="none")
        value = (share * each).sum() + decay * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weight.detach().numpy(), bias.detach().numpy()


def fitted(material: Material, settings: Settings, rows: np.ndarray | None = None) -> tuple:
    """Weight and bias from the replies at ``rows``, all by default."""
    rows = np.arange(len(material.target)) if rows is None else rows
    importance = np.where(material.example[rows], settings.example_weight, 1.0)
    return fit(
        material.features(settings.scales)[rows], material.target[rows], importance, settings.decay, settings.steps
    )


def by_classifier(settings: Settings) -> Callable[[Material, np.ndarray, np.ndarray], np.ndarray]:
    """A way to predict the expressions of some replies from others."""

    def predict(material: Material, known: np.ndarray, asked: np.ndarray) -> np.ndarray:
        weight, bias = fitted(material, settings, known)
        return (material.features(settings.scales)[asked] @ weight + bias).argmax(axis=1)

    return predict


def by_nearest(neighbours: int) -> Callable[[Material, np.ndarray, np.ndarray], np.ndarray]:
    """A way to predict by the most similar embeddings, each of which votes by its similarity."""

    def predict(material: Material, known: np.ndarray, asked: np.ndarray) -> np.ndarray:
        similarity = material.embedded[asked] @ material.embedded[known].T
        nearest = np.argsort(-similarity, axis=1)[:, :neighbours]
        votes = np.zeros((len(asked), len(EXPRESSIONS)))
        for row, places in enumerate(nearest):
            np.add.at(votes[row], material.target[known[places]], np.exp(10 * similarity[row, places]))
        return votes.argmax(axis=1)

    return predict


def cross_validated(material: Material, predict: Callable, seed: int = 0) -> tuple[float, float]:
    """Accuracy and mean F1 over the expressions, on the conversations' replies; the examples are always known."""
    heard = np.flatnonzero(~material.example)
    shuffled = np.random.default_rng(seed).permutation(heard)
    found = np.zeros(len(material.target), dtype=int)
    for fold in np.array_split(shuffled, FOLDS):
        known = np.setdiff1d(np.arange(len(material.target)), fold)
        found[fold] = predict(material, known, fold)
    return accuracy_and_f1(material.target[heard], found[heard])


def accuracy_and_f1(target: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Share of right answers, and the mean over the expressions of the harmonic mean of precision and recall."""
    scores = []
    for place in range(len(EXPRESSIONS)):
        both = np.sum((target == place) & (found == place))
        scores.append(2 * both / max(np.sum(target == place) + np.sum(found == place), 1))
    return float(np.mean(target == found)), float(np.mean(scores))


def choose(material: Material) -> None:
    """Prints how the ways and settings compare."""
    print(f"{'':44}accuracy   mean F1")
    ways: dict[str, Callable] = {f"nearest {n} by similarity": by_nearest(n) for n in (5, 15)}
    for embedding, pieces in ((5.3, 0), (0, 0), (0.8, 0), (0, 4), (0.8, 4), (1.6, 4), (0.8, 6)):
        name = f"classifier, embedding {embedding:g}, pieces {pieces:g}"
        ways[name] = by_classifier(Settings(scales=Scales(embedding, pieces)))
    for name, predict in ways.items():
        accuracy, f1 = cross_validated(material, predict)
        print(f"{name:44}{accuracy:8.3f}{f1:10.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="답에서 표정을 읽는 모델을 맞춥니다.")
    parser.add_argument("--sbert", type=Path, default=EMBEDDED / "memory_sbert", help="기억 검색 S-BERT 폴더")
    parser.add_argument("--out", type=Path, default=EMBEDDED / "expression", help="쓸 폴더")
    parser.add_argument("--choose", action="store_true", help="여러 방법과 설정을 견주어 보고 끝냅니다")
    args = parser.parse_args()

    from llm.memory_mechanism.retriever import MemoryRetriever

    encoder = MemoryRetriever.load(args.sbert).encoder
    examples, heard = fitting_rows()
    vocabulary = vocabulary_of(encoder, [row.reply for row in examples + heard])
    material = material_of(encoder, examples, heard, vocabulary)
    print(
        f"{len(examples)} examples, {len(heard)} replies of conversations, {len(vocabulary)} pieces, {len(CUES)} cues"
    )
    if args.choose:
        choose(material)
        return
    settings = Settings()
    print(settings)
    weight, bias = fitted(material, settings)
    notes = {"settings": asdict(settings), "examples": len(examples), "heard": len(heard)}
    Classifier(weight, bias, vocabulary, settings.scales, fingerprint(args.sbert)).save(args.out, notes)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
