"""Reads from a reply which expression suits it: a linear classifier over the reply's features.

The classifier's folder is its own model: weights as safetensors, sizes and settings in a JSON beside them. It belongs
to one sentence-transformers model, whose fingerprint it holds. Knows no faces and no scores.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llm.errors import ModelFolderError
from llm.expressions.cues import CUES
from llm.expressions.features import Encoder, Scales, features
from llm.expressions.labelled import EXPRESSIONS

WEIGHTS_FILE = "classifier.safetensors"
CONFIG_FILE = "classifier.json"
REFIT = "python -m llm.expressions.fit"
# The files of a sentence-transformers folder on which its vectors and word pieces depend.
_MODEL_FILES = ("model.safetensors", "tokenizer.json", "config.json", "modules.json", "1_Pooling/config.json")


@dataclass(frozen=True)
class Reading:
    """An expression, one of ``EXPRESSIONS``, and its probability (0 to 1) as the classifier sees it."""

    expression: str
    probability: float


@dataclass(frozen=True)
class Classifier:
    """The weights of a multinomial logistic regression over ``features``.

    Attributes:
        weight: float32, shape (features, expressions).
        bias: float32, shape (expressions,).
        vocabulary: the word pieces that count, int32, shape (pieces,).
        scales: of the features.
        encoder: the fingerprint of the sentence-transformers folder that it was fitted with.
    """

    weight: np.ndarray
    bias: np.ndarray
    vocabulary: np.ndarray
    scales: Scales
    encoder: str

    def save(self, folder: Path, notes: dict[str, Any] | None = None) -> None:
        """Writes the weights and the config; ``notes`` stand in the config for people."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        tensors = {"weight": self.weight, "bias": self.bias, "vocabulary": self.vocabulary}
        save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, folder / WEIGHTS_FILE)
        config = {
            "expressions": list(EXPRESSIONS),
            "cues": list(CUES),
            "scales": asdict(self.scales),
            "encoder": self.encoder,
            "notes": notes or {},
        }
        text = json.dumps(config, ensure_ascii=False, indent=1) + "\n"
        (folder / CONFIG_FILE).write_text(text, encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path) -> Classifier:
        """
        Raises:
            ModelFolderError: a file is missing or broken, or was written for other expressions or cues.
        """
        from safetensors.numpy import load_file

        try:
            config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
            tensors = load_file(folder / WEIGHTS_FILE)
            same = tuple(config["expressions"]) == EXPRESSIONS and tuple(config["cues"]) == tuple(CUES)
            found = cls(
                tensors["weight"], tensors["bias"], tensors["vocabulary"], Scales(**config["scales"]), config["encoder"]
            )
        except Exception as error:  # every way in which a file can be broken: the libraries raise many types
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
            raise ModelFolderError(f"표정을 읽는 모델을 읽지 못했어요: {folder} ({reason})") from error
        least = len(CUES) + (len(found.vocabulary) if found.scales.pieces else 0)
        if (
            not same
            or found.weight.ndim != 2
            or found.weight.shape[0] < least
            or found.bias.shape != (len(EXPRESSIONS),)
        ):
            raise ModelFolderError(
                f"표정을 읽는 모델이 지금의 단서와 맞지 않아요: {folder} - {REFIT} 로 다시 맞춰 주세요."
            )
        return found


class ExpressionReader:
    """A classifier with the sentence-transformers model that it was fitted with."""

    def __init__(self, encoder: Encoder, classifier: Classifier) -> None:
        self.encoder = encoder
        self.classifier = classifier

    @classmethod
    def load(cls, folder: Path, encoder_folder: Path, encoder: Encoder | None = None) -> ExpressionReader:
        """
        Args:
            folder: of the classifier.
            encoder_folder: of the sentence-transformers model that it belongs to.
            encoder: that model where it is loaded already, so that it need not be loaded twice.

        Raises:
            ModelFolderError: either is missing or broken, or the classifier was fitted with another model.
        """
        classifier = Classifier.load(folder)
        if classifier.encoder != fingerprint(encoder_folder):
            raise ModelFolderError(
                f"표정을 읽는 모델이 {encoder_folder.name} 과 맞지 않아요: {REFIT} 로 다시 맞춰 주세요."
            )
        if encoder is None:
            from llm.memory_mechanism.retriever import MemoryRetriever

            encoder = MemoryRetriever.load(encoder_folder).encoder
        return cls(encoder, classifier)

    def read(self, reply: str) -> Reading:
        """The expression that suits ``reply`` best."""
        chances = self.probabilities([reply])[0]
        best = int(chances.argmax())
        return Reading(EXPRESSIONS[best], float(chances[best]))

    def probabilities(self, replies: list[str]) -> np.ndarray:
        """How likely each expression is for each reply: shape (replies, expressions), rows sum to 1."""
        fitted = self.classifier
        rows = features(self.encoder, replies, fitted.vocabulary, fitted.scales)
        return softmax(rows @ fitted.weight + fitted.bias)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Scores of shape (rows, expressions) to probabilities."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def fingerprint(encoder_folder: Path) -> str:
    """What tells one sentence-transformers model from another: a hash of the files that its vectors depend on.

    Raises:
        ModelFolderError: one of them is missing or unreadable.
    """
    digest = hashlib.sha256()
    try:
        for name in _MODEL_FILES:
            digest.update(hashlib.sha256(_plain_lines(encoder_folder / name)).digest())
    except OSError as error:
        raise ModelFolderError(f"기억 검색 모델의 파일이 없어요: {error.filename}") from error
    return digest.hexdigest()


def _plain_lines(path: Path) -> bytes:
    """A file's bytes; a JSON's without the carriage returns that a checkout on Windows may add."""
    found = path.read_bytes()
    return found if path.suffix != ".json" else found.replace(b"\r\n", b"\n")
