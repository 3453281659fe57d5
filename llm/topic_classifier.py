"""What a prompt is about, by its letters: a linear classifier over n-grams that seconds the language model's judgement.

A small language model that has read little overlooks what a word that it never saw shares with those it knows; runs of
letters show it. The mean of the n-grams' vectors, then one linear layer: Joulin et al. 2016, "Bag of Tricks for
Efficient Text Classification". Knows its weights, of which the vectors are stored in four bits; knows no tokenizer and
no language model. Writes nothing: what she says is the language model's.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from llm.errors import ModelFolderError

FILE = "topic_classifier.safetensors"
RETRAIN = "python -m llm.fine_tuning.train_topics"

_LONGEST = 4  # letters of an n-gram
_MEMORY = "\n"  # begins an n-gram of the memory's key: no prompt holds it
_HALF = 8  # a vector's numbers are stored as -8 … 7 times its scale
_SIGNED = 1 << 31  # hashes are stored as signed numbers
_RANKS = {"hashes": 1, "codes": 2, "scales": 1, "weight": 2, "bias": 1}  # of the tensors in a file


def ngrams(text: str, memory: str | None = None) -> list[str]:
    """The n-grams of what the user said and of the key of the memory (``key: value``) that stands before it.

    Runs of one to four letters without regard to blanks, of which ``^`` and ``$`` mark the ends, and whole words.
    """
    found = _ngrams(text)
    if memory:
        found += [_MEMORY + gram for gram in ("", *_ngrams(memory.partition(":")[0]))]
    return found


def _ngrams(text: str) -> list[str]:
    words = text.casefold().split()
    letters = f"^{''.join(words)}$"
    runs = [letters[i : i + n] for n in range(1, _LONGEST + 1) for i in range(len(letters) - n + 1)]
    return runs + [f" {word} " for word in words]


def ngram_hash(gram: str) -> int:
    """The number (0 to 2³² - 1) that an n-gram is known by."""
    return zlib.crc32(gram.encode("utf-8"))


def pack(vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``vectors`` (rows, an even number of columns) in four bits.

    Of some scales each row gets the one that it loses least with.

    Returns:
        codes, uint8, (rows, columns / 2), two numbers in each; scales, fp16, (rows,).
    """
    largest = vectors.abs().amax(dim=1, keepdim=True).clamp(min=1e-6) / (_HALF - 1)
    best, least = largest, torch.full_like(largest, torch.inf)
    for share in (1.0, 0.9, 0.8, 0.7, 0.6):
        scales = (largest * share).half().float()
        lost = (_rounded(vectors, scales) * scales - vectors).square().sum(dim=1, keepdim=True)
        best, least = torch.where(lost < least, scales, best), torch.minimum(lost, least)
    stored = (_rounded(vectors, best) + _HALF).to(torch.uint8)
    return stored[:, ::2] | stored[:, 1::2] << 4, best.squeeze(1).half()


def _rounded(vectors: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    return (vectors / scales).round().clamp(-_HALF, _HALF - 1)


def unpack(codes: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """The vectors (rows, columns), fp32, that ``pack`` was given, nearly."""
    numbers = torch.stack([codes & 15, codes >> 4], dim=2).flatten(1)
    return (numbers.float() - _HALF) * scales.float().unsqueeze(1)


@dataclass(frozen=True)
class TopicClassifier:
    """The weights of the classifier.

    Attributes:
        families: what its scores are of, in their order.
        hashes: of the n-grams that it knows, ascending, int64, (n-grams,).
        codes, scales: their vectors as ``pack`` gives them.
        weight: fp32, (families, dimensions).
        bias: fp32, (families,).
    """

    families: tuple[str, ...]
    hashes: torch.Tensor
    codes: torch.Tensor
    scales: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor

    def scores(self, text: str, memory: str | None = None) -> torch.Tensor:
        """How likely it is that each family is meant: logarithms, fp32, (families,).

        Args:
            text: what the user said.
            memory: what stands before it as ``key: value``, or None.
        """
        asked = torch.tensor([ngram_hash(gram) for gram in ngrams(text, memory)], dtype=torch.long)
        places = torch.searchsorted(self.hashes, asked).clamp(max=len(self.hashes) - 1)
        places = places[self.hashes[places] == asked]
        scores = self.bias
        if len(places):
            scores = scores + self.weight @ unpack(self.codes[places], self.scales[places]).mean(dim=0)
        return scores.log_softmax(-1)

    def save(self, folder: Path) -> None:
        """Writes ``FILE`` into ``folder``."""
        tensors = {
            "hashes": (self.hashes - _SIGNED).int(),
            "codes": self.codes,
            "scales": self.scales,
            "weight": self.weight.half(),
            "bias": self.bias.half(),
        }
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()},
            folder / FILE,
            metadata={"families": json.dumps(self.families)},
        )

    @classmethod
    def load(cls, folder: Path) -> TopicClassifier | None:
        """The classifier in ``folder``, or None where there is none.

        Raises:
            ModelFolderError: it is broken, or its parts do not fit each other.
        """
        if not (folder / FILE).is_file():
            return None
        try:
            with safe_open(folder / FILE, framework="pt") as file:
                families = tuple(json.loads(file.metadata()["families"]))
                found = {name: file.get_tensor(name).clone() for name in _RANKS}  # Windows locks mapped files
        except Exception as error:  # every way in which a file can be broken: the libraries raise many types
            raise ModelFolderError(
                f"화제 분류기가 깨졌어요: {folder / FILE} - {RETRAIN} 로 다시 만들어 주세요."
            ) from error
        if not _fit(families, found):
            raise ModelFolderError(
                f"화제 분류기의 크기가 맞지 않아요: {folder / FILE} - {RETRAIN} 로 다시 만들어 주세요."
            )
        return cls(
            families,
            found["hashes"].long() + _SIGNED,
            found["codes"],
            found["scales"],
            found["weight"].float(),
            found["bias"].float(),
        )


def _fit(families: Sequence[str], found: dict[str, torch.Tensor]) -> bool:
    """Whether the tensors of a file have the shapes that its families and each other ask for."""
    if any(found[name].dim() != rank for name, rank in _RANKS.items()):
        return False
    ngrams_known, half = found["codes"].shape
    return (
        ngrams_known > 0
        and found["hashes"].shape == found["scales"].shape == (ngrams_known,)
        and found["weight"].shape == (len(families), 2 * half)
        and found["bias"].shape == (len(families),)
    )
