"""Finds the remembered line that fits what the user said, by sentence embeddings. Knows no file and no replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from llm.errors import ModelFolderError
from llm.memory_mechanism.memory import Memory

THRESHOLD = 0.6  # published
THRESHOLD_FILE = "retriever.json"  # beside the model's weights, where training chose another threshold
TIE = 1e-4  # scores nearer than this mean the same; the newer line wins
# Lines of one key differ by their values alone: for a prompt that names none of them, 99 of 100 pairs of the validation
# part lie nearer than this, and which is the higher says nothing.
TIE_OF_ONE_KEY = 0.03
BATCH = 64


class Encoder(Protocol):
    """What the retriever needs of a sentence-transformers model."""

    def encode_query(self, inputs: list[str], **kwargs: object) -> np.ndarray: ...

    def encode_document(self, inputs: list[str], **kwargs: object) -> np.ndarray: ...


@dataclass(frozen=True)
class Recall:
    """A memory that fits a prompt and its cosine similarity."""

    memory: Memory
    score: float


class MemoryRetriever:
    """Embeds prompts and memories; each distinct memory is embedded once."""

    def __init__(self, encoder: Encoder, threshold: float = THRESHOLD) -> None:
        self.encoder = encoder
        self.threshold = threshold
        self._embeddings: dict[Memory, np.ndarray] = {}
        self._memories: tuple[Memory, ...] = ()
        # (dimensions, memories), columns of length one: as rows, the product takes twice as long.
        self._matrix = np.zeros((0, 0), dtype=np.float32)

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> MemoryRetriever:
        """The sentence-transformers model in ``folder``, with the threshold stored beside it or the published 0.6.

        Raises:
            ModelFolderError: the folder lacks a file or holds a broken one.
        """
        if not (folder / "modules.json").is_file():
            raise ModelFolderError(f"기억 검색 모델 폴더에 modules.json 이 없어요: {folder}")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()
        try:
            encoder = SentenceTransformer(str(folder), device=device, local_files_only=True)
            _refuse_missing(folder / "model.safetensors", encoder[0].auto_model)
            stored = folder / THRESHOLD_FILE
            threshold = json.loads(stored.read_text(encoding="utf-8"))["threshold"] if stored.is_file() else THRESHOLD
            return cls(encoder, float(threshold))
        except Exception as error:  # every way in which a file can be broken: the library raises many types
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
            raise ModelFolderError(
                f"기억 검색 모델을 읽지 못했어요: {folder} - 파일이 빠졌거나 깨졌어요. 다시 받아 주세요. ({reason})"
            ) from error

    def best(
        self, prompt: str, memories: Sequence[Memory], suits: Callable[[Memory], bool] = lambda memory: True
    ) -> Recall | None:
        """The memory most similar to ``prompt`` among those at or above the threshold that suit; of equals the last.

        Only memories not seen before are embedded: a turn over an unchanged file embeds the prompt alone.

        Args:
            suits: whether a memory may be recalled now; asked from the most similar one down, until one may.
        """
        scores = self.scores(prompt, memories)
        near = np.flatnonzero(scores >= self.threshold)
        near = near[np.argsort(-scores[near], kind="stable")]
        best = next((place for place in near if suits(memories[place])), None)
        if best is None:
            return None
        top, key = scores[best], memories[best].key
        newer = np.flatnonzero(scores[best + 1 :] >= max(self.threshold, top - TIE_OF_ONE_KEY)) + best + 1
        for place in newer[::-1]:  # from the newest on, so that most often the first one is it
            tie = TIE_OF_ONE_KEY if memories[place].key == key else TIE
            if scores[place] >= top - tie and suits(memories[place]):
                best = place
                break
        return Recall(memories[best], float(scores[best]))

    def scores(self, prompt: str, memories: Sequence[Memory]) -> np.ndarray:
        """Cosine similarity (-1 to 1) of ``prompt`` with each of ``memories``, shape (memories,)."""
        if not memories:
            return np.zeros(0, dtype=np.float32)
        self._embed(tuple(memories))
        query = self.encoder.encode_query([prompt], convert_to_numpy=True, show_progress_bar=False)[0]
        return _unit(np.asarray(query, dtype=np.float32)) @ self._matrix

    def _embed(self, memories: tuple[Memory, ...]) -> None:
        if memories == self._memories:
            return
        known = {memory: self._embeddings[memory] for memory in memories if memory in self._embeddings}
        new = [memory for memory in dict.fromkeys(memories) if memory not in known]
        if new:
            rows = self.encoder.encode_document(
                [memory.item for memory in new], convert_to_numpy=True, show_progress_bar=False, batch_size=BATCH
            )
            known.update(zip(new, (_unit(np.asarray(row, dtype=np.float32)) for row in rows), strict=True))
        self._embeddings = known  # what the file no longer holds is forgotten
        self._matrix = np.ascontiguousarray(np.stack([known[memory] for memory in memories]).T)
        self._memories = memories


def _refuse_missing(weights: Path, model: Any) -> None:
    """Weights that a file lacks would be random ones: sentence-transformers fills them in and says nothing."""
    from safetensors import safe_open

    with safe_open(weights, framework="pt") as file:
        found = {name.removeprefix(f"{model.base_model_prefix}.") for name in file.keys()}  # noqa: SIM118
    # Mean pooling has no use for the pooler; files with and without it are about.
    missing = sorted(name for name in set(model.state_dict()) - found if not name.startswith("pooler."))
    if missing:
        raise ValueError(f"{weights.name} 파일에 {missing[0]} 등 {len(missing)}개가 없어요")


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
