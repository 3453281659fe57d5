"""The face parser: maps out of logits, whatever the network calls its classes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.segmentation.class_names import class_of, missing_classes
from stylegan_and_segmentation.segmentation.face_parser import FaceParser, ParserInput

CELEBA = [
    "background", "skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear",
    "mouth", "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth",
]  # fmt: skip
PLAIN = ParserInput(32, 32, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class ColourNetwork(nn.Module):
    """Answers with the class that a pixel's red value names: red = class * 10, at a quarter of the size."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.config = SimpleNamespace(num_labels=labels)
        self.unused = nn.Parameter(torch.zeros(1))
        self.seen: Tensor | None = None

    def forward(self, pixel_values: Tensor) -> SimpleNamespace:
        self.seen = pixel_values
        red = (pixel_values[:, :1, ::4, ::4] * 25.5).round()
        wanted = torch.arange(self.config.num_labels).view(1, -1, 1, 1)
        return SimpleNamespace(logits=(red == wanted) * 20.0)


def picture(parsing_map: np.ndarray) -> np.ndarray:
    return np.repeat((parsing_map * 10).astype(np.uint8)[..., None], 3, axis=2)


def test_map_has_the_pictures_size() -> None:
    parser = FaceParser(ColourNetwork(11), list(FaceClass), PLAIN)
    wanted = np.zeros((64, 96), np.uint8)
    wanted[:, 48:] = FaceClass.HAIR
    found = parser.parse(picture(wanted))
    assert found.shape == (64, 96) and found.dtype == np.uint8
    assert (found == wanted).mean() > 0.8 and (found[:, :36] == 0).all()
    assert parser.network.seen.shape == (1, 3, 32, 32)
    assert parser.parse_batch(np.stack([picture(wanted)] * 3)).shape == (3, 64, 96)


def test_other_forms_are_refused() -> None:
    parser = FaceParser(ColourNetwork(11), list(FaceClass), PLAIN)
    for wrong in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3))):
        with pytest.raises(ValueError, match="uint8"):
            parser.parse(wrong)
    with pytest.raises(ValueError, match="outputs"):
        FaceParser(ColourNetwork(11), list(FaceClass)[:5], PLAIN)


def test_left_is_the_pictures_left() -> None:
    parser = FaceParser(ColourNetwork(11), list(FaceClass), PLAIN)
    mirrored = np.full((32, 32), int(FaceClass.SKIN), np.uint8)
    mirrored[8:16, 0:8], mirrored[8:16, 24:32] = FaceClass.RIGHT_EYE, FaceClass.LEFT_EYE
    mirrored[0:8, 0:8], mirrored[0:8, 24:32] = FaceClass.RIGHT_BROW, FaceClass.LEFT_BROW
    found = parser.parse(picture(mirrored))
    assert found[11, 3] == FaceClass.LEFT_EYE and found[11, 28] == FaceClass.RIGHT_EYE
    assert found[3, 3] == FaceClass.LEFT_BROW and found[3, 28] == FaceClass.RIGHT_BROW
    assert np.array_equal(parser.parse(picture(found)), found)


def test_classes_that_are_one_of_ours_add_up() -> None:
    classes = [class_of(name) for name in CELEBA]
    parser = FaceParser(ColourNetwork(19), classes, PLAIN)
    logits = torch.full((1, 19, 8, 8), -20.0)
    logits[:, CELEBA.index("hair")] = 1.0  # likelier than any one of the next three, less likely than their sum
    for name in ("neck", "cloth", "hat"):
        logits[:, CELEBA.index(name)] = 0.5
    shares = parser.merge(logits)
    assert shares.shape == (1, 11, 32, 32) and torch.allclose(shares.sum(dim=1), torch.ones(1, 32, 32))
    assert (shares.argmax(dim=1) == FaceClass.BACKGROUND).all()


def test_names_of_the_usual_parsers() -> None:
    lapa = [
        "background", "skin", "left eyebrow", "right-eyebrow", "Left_Eye", "right eye",
        "nose", "upper lip", "inner mouth", "lower lip", "hair",
    ]  # fmt: skip
    assert [class_of(name) for name in lapa] == list(FaceClass)
    assert [class_of(kind.name) for kind in FaceClass] == list(FaceClass)
    assert class_of("ear_r") == FaceClass.BACKGROUND and class_of("r_ear") == FaceClass.SKIN
    assert not missing_classes(class_of(name) for name in CELEBA)
    assert class_of("building") is None and class_of("") is None
    assert missing_classes([FaceClass.SKIN])[:2] == ["background", "left_brow"]


def test_pixels_are_normalised() -> None:
    wanted = ParserInput(16, 16, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    assert torch.allclose(
        wanted.pixels(torch.full((1, 8, 8, 3), 255, dtype=torch.uint8)), torch.full((1, 3, 16, 16), 2.0)
    )
