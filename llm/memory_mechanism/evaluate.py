"""Measures a memory retriever on hand-written prompts that its training never saw.

    python -m llm.memory_mechanism.evaluate [--model FOLDER] [--validation]

The question is the product's: among all lines of a user's memory file, is the right line first and at or above the
threshold, and does a prompt that needs none get none? Knows no training.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.retriever import BATCH, Encoder, MemoryRetriever
from llm.memory_mechanism.training_pairs import EVALUATION, SAME_KEY, bare, key_overlap, load_pairs, unseen_keys

EMBEDDED = Path(__file__).parents[1] / "models" / "embedded" / "memory_sbert"
COMBINATIONS = 30  # (memory, prompt) combinations whose 900 pairs are compared with the overlap of their keys
SMALL_FILE, LARGE_FILE = 8, 200  # lines of a memory file
SEED = 2026


@dataclass(frozen=True)
class Case:
    """A memory key with values it may have and prompts that need it; ``seen_key``: training knew the key."""

    key: str
    values: tuple[str, ...]
    prompts: tuple[str, ...]
    seen_key: bool


@dataclass(frozen=True)
class _Scores:
    """Similarity of every prompt (those of the cases, then those that need none) with every memory line."""

    matrix: np.ndarray  # (prompts, lines)
    prompt_keys: tuple[str, ...]  # of the cases' prompts alone
    line_keys: tuple[str, ...]
    seen: np.ndarray  # (prompts of the cases,) bool


def evaluation_set(folder: Path = EVALUATION) -> tuple[list[Case], list[str]]:
    """The hand-written cases and the prompts that need no memory."""
    cases = []
    for line in (folder / "retrieval.jsonl").read_text(encoding="utf-8").splitlines():
        if line.strip():
            fields = json.loads(line)
            cases.append(Case(fields["key"], tuple(fields["values"]), tuple(fields["prompts"]), fields["seen_key"]))
    lines = (folder / "no_memory.txt").read_text(encoding="utf-8").splitlines()
    return cases, [line.strip() for line in lines if line.strip()]


def validation_set(keys_kept: float = 0.0) -> tuple[list[Case], list[str]]:
    """The same kind of set from the part of the training data that training leaves out."""
    pairs = load_pairs(held_out=True, keys_kept=keys_kept)
    unseen = unseen_keys(keys_kept)
    prompts: dict[str, list[str]] = {}
    for prompt, key in pairs.asking:
        prompts.setdefault(key, []).append(prompt)
    cases = [
        Case(key, tuple(values[:8]), tuple(prompts.get(key, ())), key not in unseen)
        for key, values in pairs.values.items()
    ]
    return cases, list(pairs.needless)


def score(encoder: Encoder, cases: Sequence[Case], needless: Sequence[str]) -> _Scores:
    """Embeds every prompt and every line once and compares all with all."""
    options = {"convert_to_numpy": True, "show_progress_bar": False, "batch_size": BATCH}
    lines = [Memory(case.key, value) for case in cases for value in case.values]
    asked = [(prompt, case) for case in cases for prompt in case.prompts]
    documents = np.asarray(encoder.encode_document([line.item for line in lines], **options), dtype=np.float32)
    queries = np.asarray(encoder.encode_query([p for p, _ in asked] + list(needless), **options), dtype=np.float32)
    documents, queries = (m / np.linalg.norm(m, axis=1, keepdims=True).clip(1e-12) for m in (documents, queries))
    return _Scores(
        matrix=queries @ documents.T,
        prompt_keys=tuple(case.key for _, case in asked),
        line_keys=tuple(line.key for line in lines),
        seen=np.array([case.seen_key for _, case in asked], dtype=bool),
    )


def _draw_files(scores: _Scores, size: int, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """For every case prompt, ``rounds`` files of one right line and ``size - 1`` lines of other keys.

    Returns:
        the right line's score and the best score of the others, both (prompts, rounds).
    """
    rng = np.random.default_rng(SEED)
    names = np.array([SAME_KEY.get(key, key) for key in scores.line_keys])
    keys = _numbered(names)
    right, others = [], []
    for row, key in enumerate(scores.prompt_keys):
        alike = names == SAME_KEY.get(key, key)
        same, rest = np.flatnonzero(alike), np.flatnonzero(~alike)
        for _ in range(rounds):
            chosen = _lines_of_a_file(rest, keys, size - 1, rng)
            right.append(scores.matrix[row, rng.choice(same)])
            others.append(scores.matrix[row, chosen].max())
    shape = (len(scores.prompt_keys), rounds)
    return np.array(right).reshape(shape), np.array(others).reshape(shape)


def _numbered(names: np.ndarray) -> np.ndarray:
    """A number for each name, the same for the same: numbers compare much faster than texts."""
    return np.unique(names, return_inverse=True)[1]


def _lines_of_a_file(rest: np.ndarray, keys: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """``size`` lines drawn from ``rest``: of different keys where there are enough of them."""
    order = rng.permutation(rest)
    _, first = np.unique(keys[order], return_index=True)
    distinct = order[np.sort(first)]
    more = order[~np.isin(order, distinct)]
    return np.concatenate([distinct, more])[:size]


def _best_of_files(scores: _Scores, size: int, rounds: int) -> np.ndarray:
    """For every prompt that needs none, the best score in ``rounds`` random files: (prompts, rounds)."""
    rng = np.random.default_rng(SEED + 1)
    keys = _numbered(np.array(scores.line_keys))
    rows = scores.matrix[len(scores.prompt_keys) :]
    lines = np.arange(len(keys))
    files = [_lines_of_a_file(lines, keys, size, rng) for _ in range(rounds)]
    return np.stack([rows[:, file].max(axis=1) for file in files], axis=1)


def _pair_errors(scores: _Scores, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """(similarity, key overlap) of all pairs of ``COMBINATIONS`` combinations, over ``rounds`` draws."""
    rng = random.Random(SEED)
    prompts_of: dict[str, list[int]] = {}
    lines_of: dict[str, list[int]] = {}
    for row, key in enumerate(scores.prompt_keys):
        prompts_of.setdefault(key, []).append(row)
    for column, key in enumerate(scores.line_keys):
        lines_of.setdefault(key, []).append(column)
    found, target = [], []
    for _ in range(rounds):
        keys = rng.sample(sorted(prompts_of), min(COMBINATIONS, len(prompts_of)))
        rows = [rng.choice(prompts_of[key]) for key in keys]
        columns = [rng.choice(lines_of[key]) for key in keys]
        found.append(scores.matrix[np.ix_(rows, columns)].ravel())
        target.append([key_overlap(a, b) for a in keys for b in keys])
    return np.concatenate(found), np.concatenate(target)


def choose_threshold(encoder: Encoder, cases: Sequence[Case], needless: Sequence[str]) -> float:
    """The similarity at which three things go best together: the right line is found, a prompt that needs none gets
    none, and a prompt whose line the file lacks gets none."""
    scores = score(encoder, cases, needless)
    right, others = _draw_files(scores, SMALL_FILE, 4)
    none = _best_of_files(scores, SMALL_FILE, 16)
    candidates = np.arange(0.2, 0.95, 0.005)
    gains = [((right > others) & (right >= t)).mean() + (none < t).mean() + (others < t).mean() for t in candidates]
    best = np.flatnonzero(np.array(gains) >= max(gains) - 1e-3)
    return float(candidates[best].mean())


def measure(encoder: Encoder, threshold: float, cases: Sequence[Case], needless: Sequence[str]) -> dict[str, float]:
    """The figures of the table, name -> value; rates are 0 to 1."""
    scores = score(encoder, cases, needless)
    found, target = _pair_errors(scores, 20)
    figures = {
        "pair_correlation": float(np.corrcoef(found, target)[0, 1]),
        "pair_mse": float(((found - target) ** 2).mean()),
        "pair_mae": float(np.abs(found - target).mean()),
    }
    for size, rounds in ((SMALL_FILE, 8), (LARGE_FILE, 2)):
        right, others = _draw_files(scores, size, rounds)
        hit = (right > others) & (right >= threshold)
        figures[f"right_of_{size}"] = float(hit.mean())
        figures[f"right_of_{size}_first"] = float((right > others).mean())
        for part, rows in (("seen", scores.seen), ("unseen", ~scores.seen)):
            if rows.any():
                figures[f"right_of_{size}_{part}_keys"] = float(hit[rows].mean())
        figures[f"none_without_the_line_of_{size}"] = float((others < threshold).mean())
        if len(needless):
            figures[f"none_of_{size}"] = float((_best_of_files(scores, size, 2 * rounds) < threshold).mean())
    return figures


_ROWS = (
    ("pairs against key overlap: correlation", "pair_correlation", "0.6259"),
    ("pairs: mean squared error", "pair_mse", "0.0880"),
    ("pairs: mean absolute error", "pair_mae", "0.1681"),
    ("right line among 8, at the threshold", "right_of_8", ""),
    ("  keys that training saw", "right_of_8_seen_keys", ""),
    ("  keys that training never saw", "right_of_8_unseen_keys", ""),
    ("  first, whatever the threshold", "right_of_8_first", ""),
    ("right line among 200, at the threshold", "right_of_200", ""),
    ("  keys that training saw", "right_of_200_seen_keys", ""),
    ("  keys that training never saw", "right_of_200_unseen_keys", ""),
    ("  first, whatever the threshold", "right_of_200_first", ""),
    ("prompt needs none, gets none of 8", "none_of_8", ""),
    ("prompt needs none, gets none of 200", "none_of_200", ""),
    ("the needed line is missing, gets none of 8", "none_without_the_line_of_8", ""),
)


def table(figures: dict[str, float], threshold: float) -> str:
    lines = [f"| figure (threshold {threshold:.3f}) | published | this model |", "|---|---|---|"]
    for title, name, published in _ROWS:
        if name in figures:
            value = f"{figures[name]:.4f}" if name.startswith("pair") else f"{figures[name]:.1%}"
            lines.append(f"| {title} | {published} | {value} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=EMBEDDED, help="sentence-transformers folder")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--validation", action="store_true", help="the part of the training data kept for validation")
    arguments = parser.parse_args(argv)
    retriever = MemoryRetriever.load(arguments.model, arguments.device)
    if arguments.validation or not (EVALUATION / "retrieval.jsonl").is_file():
        config = arguments.model / "retriever_config.json"
        kept = json.loads(config.read_text(encoding="utf-8"))["keys_kept"] if config.is_file() else 0.0
        cases, needless = validation_set(kept)
        print("validation part of the training data")
    else:
        cases, needless = evaluation_set()
        trained = {bare(prompt) for prompt, _ in load_pairs().asking}
        shared = sum(bare(prompt) in trained for case in cases for prompt in case.prompts)
        print(f"hand-written evaluation; prompts that training also has: {shared}")
    prompts = sum(len(case.prompts) for case in cases)
    print(f"{len(cases)} keys, {prompts} prompts, {len(needless)} prompts that need none\n")
    print(table(measure(retriever.encoder, retriever.threshold, cases, needless), retriever.threshold))


if __name__ == "__main__":
    main()
