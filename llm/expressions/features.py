"""A reply as numbers: its sentence embedding, its word pieces and its cues, side by side.

The embedding tells what it is about, the pieces which words it uses, the cues how it is written. Knows the
sentence-transformers model that is handed in; knows no files and no weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from llm.expressions.cues import cue_features

BATCH = 64


class Encoder(Protocol):
    """What is needed of a sentence-transformers model."""

    tokenizer: Any

    def encode_document(self, inputs: list[str], **kwargs: object) -> np.ndarray: ...


@dataclass(frozen=True)
class Scales:
    """How much the parts of a reply weigh against its cues, which are 0 or 1; 0 leaves a part out.

    Attributes:
        embedding: the length of the embedding.
        pieces: the length of the vector of word pieces.
    """

    embedding: float
    pieces: float


def embeddings(encoder: Encoder, replies: Sequence[str]) -> np.ndarray:
    """The sentence embeddings, of length one: float32, shape (replies, dimensions)."""
    rows = encoder.encode_document(
        list(replies), convert_to_numpy=True, show_progress_bar=False, batch_size=min(BATCH, len(replies))
    )
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def pieces_of(encoder: Encoder, reply: str) -> list[int]:
    """The tokenizer's word pieces in ``reply``, each once."""
    return sorted(set(encoder.tokenizer(reply, add_special_tokens=False)["input_ids"]))


def piece_features(encoder: Encoder, replies: Sequence[str], vocabulary: Sequence[int]) -> np.ndarray:
    """Which pieces of ``vocabulary`` stand in each reply: float32, shape (replies, vocabulary).

    A reply with n pieces, known or not, has 1 / sqrt(n) for each that is known, so that long and short replies weigh
    the same.
    """
    column = {int(piece): at for at, piece in enumerate(vocabulary)}
    found = np.zeros((len(replies), len(column)), dtype=np.float32)
    for row, reply in enumerate(replies):
        pieces = pieces_of(encoder, reply)
        for piece in pieces:
            if piece in column:
                found[row, column[piece]] = len(pieces) ** -0.5
    return found


def features(encoder: Encoder, replies: Sequence[str], vocabulary: Sequence[int], scales: Scales) -> np.ndarray:
    """Embedding, pieces and cues side by side: float32, shape (replies, dimensions + vocabulary + cues)."""
    cues = np.stack([cue_features(reply) for reply in replies])
    return side_by_side(
        embeddings(encoder, replies) if scales.embedding else None,
        piece_features(encoder, replies, vocabulary) if scales.pieces else None,
        cues,
        scales,
    )


def side_by_side(
    embedded: np.ndarray | None, pieces: np.ndarray | None, cues: np.ndarray, scales: Scales
) -> np.ndarray:
    """The parts, scaled; those whose scale is 0 are left out."""
    parts = [cues]
    if scales.pieces:
        parts.insert(0, pieces * np.float32(scales.pieces))
    if scales.embedding:
        parts.insert(0, embedded * np.float32(scales.embedding))
    return np.concatenate(parts, axis=1)
