"""FaceParser: a picture in, its parsing map out. Knows no scores and no files (`parser_file.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from transformers import SegformerForSemanticSegmentation

from ..portrait.parsing import FaceClass

PAIRS = ((FaceClass.LEFT_EYE, FaceClass.RIGHT_EYE), (FaceClass.LEFT_BROW, FaceClass.RIGHT_BROW))


@dataclass(frozen=True)
class ParserInput:
    """What a parser's network wants to see."""

    height: int = 512  # pixels; pictures are resized to this, whatever their shape
    width: int = 512
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # of ImageNet, for values in [0, 1]
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def pixels(self, rgb: Tensor) -> Tensor:
        """Pictures uint8 (N, h, w, 3) to the network's input, float32 (N, 3, height, width)."""
        x = rgb.permute(0, 3, 1, 2).float() / 255.0
        if x.shape[2:] != (self.height, self.width):
            x = F.interpolate(x, (self.height, self.width), mode="bilinear", antialias=True, align_corners=False)
        mean, std = (torch.tensor(values, device=x.device).view(1, 3, 1, 1) for values in (self.mean, self.std))
        return (x - mean) / std


class FaceParser:
    """Parses faces with a SegFormer.

    Args:
        network: in eval mode.
        classes: the class of each of the network's outputs; several may share one.
        wanted: what the network wants to see.

    Raises:
        ValueError: the classes do not fit the network.
    """

    def __init__(
        self, network: SegformerForSemanticSegmentation, classes: Sequence[FaceClass], wanted: ParserInput
    ) -> None:
        if len(classes) != network.config.num_labels:
            raise ValueError(f"the network has {network.config.num_labels} outputs, got {len(classes)} classes")
        self.network = network
        self.classes = tuple(classes)
        self.wanted = wanted
        self._device = next(network.parameters()).device
        self._index = torch.tensor([int(kind) for kind in classes], device=self._device)

    def parse(self, rgb: np.ndarray) -> np.ndarray:
        """The parsing map of a picture: uint8, (h, w), values of `FaceClass`.

        Args:
            rgb: uint8, (h, w, 3).

        Raises:
            ValueError: the picture has another form.
        """
        return self.parse_batch(rgb[None])[0]

    @torch.inference_mode()
    def parse_batch(self, rgb: np.ndarray) -> np.ndarray:
        """The parsing maps of pictures of one size: uint8, (N, h, w).

        Args:
            rgb: uint8, (N, h, w, 3).

        Raises:
            ValueError: the pictures have another form.
        """
        if rgb.ndim != 4 or rgb.shape[3] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"pictures must be uint8 of shape (N, h, w, 3), got {rgb.dtype} {rgb.shape}")
        pixels = self.wanted.pixels(torch.from_numpy(np.ascontiguousarray(rgb)).to(self._device))
        maps = self.merge(self.network(pixel_values=pixels).logits).argmax(dim=1).to(torch.uint8).cpu().numpy()
        return np.stack([_resized(_sides_of_the_picture(found), rgb.shape[1:3]) for found in maps])

    def merge(self, logits: Tensor) -> Tensor:
        """Logits (N, outputs, r, s) to probabilities of the eleven classes, (N, 11, height, width)."""
        logits = F.interpolate(
            logits.float(), (self.wanted.height, self.wanted.width), mode="bilinear", align_corners=False
        )
        shares = logits.softmax(dim=1)
        merged = shares.new_zeros(len(shares), len(FaceClass), *shares.shape[2:])
        return merged.index_add_(1, self._index, shares)


def _sides_of_the_picture(parsing_map: np.ndarray) -> np.ndarray:
    """The map with left and right as the picture shows them: data sets disagree on whose left is meant."""
    for left, right in PAIRS:
        columns = [(parsing_map == kind).any(axis=0).nonzero()[0] for kind in (left, right)]
        if len(columns[0]) and len(columns[1]):
            if columns[0].mean() <= columns[1].mean():
                return parsing_map
            swapped = np.arange(len(FaceClass), dtype=np.uint8)
            for one, other in PAIRS:
                swapped[[one, other]] = other, one
            return swapped[parsing_map]
    return parsing_map


def _resized(parsing_map: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if parsing_map.shape == tuple(shape):
        return parsing_map
    height, width = shape
    return np.asarray(Image.fromarray(parsing_map).resize((width, height), Image.Resampling.NEAREST))
