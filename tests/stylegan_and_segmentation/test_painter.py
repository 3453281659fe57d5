"""FacePainter on a generator of known answers, and on the embedded one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_and_segmentation.contact_sheet import (
    EMBEDDED_FOLDER,
    IDENTITY_NAME,
    RESTING,
    draw_sheet,
    sheet_rows,
)
from stylegan_and_segmentation.identity_file import write_identity
from stylegan_and_segmentation.painter import FacePainter, Look
from stylegan_and_segmentation.properties import PropertyScores
from stylegan_and_segmentation.stylegan_modified.generator import Generator, GeneratorConfig
from stylegan_and_segmentation.stylegan_modified.generator_file import save_generator

TINY = GeneratorConfig(w_dim=32, mapping_layers=2, resolution=16, fmap_base=128, fmap_max=16)


def tiny_painter(seed: int, noise: float = 0.15) -> FacePainter:
    torch.manual_seed(0)
    generator = Generator(TINY).eval()
    identity = np.linspace(-1.0, 1.0, 512).astype(np.float32)
    return FacePainter(generator, identity, noise, torch.Generator().manual_seed(seed))


def test_picture_form() -> None:
    picture = tiny_painter(0).paint(PropertyScores())
    assert picture.dtype == np.uint8 and picture.shape == (16, 16, 3) and picture.flags.c_contiguous


def test_a_seed_repeats_a_run_of_pictures() -> None:
    first, again, other = tiny_painter(3), tiny_painter(3), tiny_painter(4)
    runs = [[painter.paint(RESTING) for _ in range(2)] for painter in (first, again, other)]
    assert all(np.array_equal(a, b) for a, b in zip(runs[0], runs[1], strict=True))
    assert not np.array_equal(runs[0][0], runs[0][1])
    assert not np.array_equal(runs[0][0], runs[2][0])


def test_a_painter_can_begin_anew() -> None:
    painter = tiny_painter(3)
    first = [painter.paint(RESTING) for _ in range(2)]
    painter.reseed(3)
    assert all(np.array_equal(picture, painter.paint(RESTING)) for picture in first)


def test_a_picture_is_what_its_look_draws() -> None:
    scores = PropertyScores(eyes=1.0, mouth=-0.5)
    painter, again = tiny_painter(3), tiny_painter(3)
    look = painter.look(scores)
    assert look.z.shape == (512,) and look.z.dtype == np.float32 and look.eyes == 1.0
    picture = painter.draw(look)
    assert np.array_equal(picture, again.paint(scores)) and np.array_equal(picture, painter.draw(look))
    assert not np.array_equal(picture, painter.draw(look.with_eyes(-3.0)))


def test_the_way_from_look_to_look() -> None:
    start = Look(np.zeros(4, np.float32), PropertyScores(eyes=-1.0, pose=2.0))
    end = Look(np.ones(4, np.float32), PropertyScores(eyes=1.0, mouth=4.0))
    middle = start.toward(end, 0.25)
    assert middle.z.tolist() == [0.25] * 4 and middle.z.dtype == np.float32
    assert middle.scores == PropertyScores(eyes=-0.5, mouth=1.0, pose=1.5)
    assert start.with_eyes(2.0).scores == PropertyScores(eyes=2.0, pose=2.0)
    for share, whole in ((0.0, start), (1.0, end)):
        found = start.toward(end, share)
        assert found.scores == whole.scores and np.array_equal(found.z, whole.z)


def test_global_randomness_is_left_alone() -> None:
    painter = tiny_painter(0)
    torch.manual_seed(5)
    expected = torch.randn(1)
    torch.manual_seed(5)
    painter.paint(RESTING)
    assert torch.equal(torch.randn(1), expected)


class Bright(torch.nn.Module):
    """A generator that answers far beyond the range: red too bright, green too dark, blue in the middle."""

    config = TINY

    def __init__(self) -> None:
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))

    def forward(self, z: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return torch.tensor([1.3, -1.3, 0.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16)


def test_values_beyond_the_range_are_clipped() -> None:
    picture = FacePainter(Bright(), np.zeros(512, np.float32)).paint(PropertyScores())
    assert picture[0, 0].tolist() == [255, 0, 128]


def test_identity_must_fit() -> None:
    with pytest.raises(ValueError, match="identity"):
        FacePainter(Generator(TINY), np.zeros(10, np.float32))


def test_load(tmp_path: Path) -> None:
    save_generator(Generator(TINY), tmp_path)
    write_identity(tmp_path / "z.csv", np.zeros(512, np.float32))
    painter = FacePainter.load(tmp_path, tmp_path / "z.csv", seed=1)
    assert painter.resolution == 16
    assert painter.paint(RESTING).shape == (16, 16, 3)


def test_contact_sheet_holds_every_picture() -> None:
    rows = sheet_rows()
    sheet = draw_sheet(tiny_painter(0).paint)
    assert sheet.shape == (16 * len(rows), 16 * len(rows[0]), 3)


@pytest.fixture(scope="module")
def embedded() -> FacePainter:
    return FacePainter.load(EMBEDDED_FOLDER, EMBEDDED_FOLDER / IDENTITY_NAME)


def test_embedded_face_follows_the_label(embedded: FacePainter) -> None:
    def difference(scores: PropertyScores) -> float:
        pictures = [embedded.paint(scores).astype(float) for _ in range(2)]
        resting = [embedded.paint(RESTING).astype(float) for _ in range(2)]
        return float(np.abs(np.mean(pictures, axis=0) - np.mean(resting, axis=0)).mean())

    nothing = difference(RESTING)  # what the noise alone does
    assert difference(PropertyScores(eyes=1.6, mouth=1.6, pose=-1.2)) > 1.5 * nothing
    assert difference(PropertyScores(eyes=-1.2, mouth=-1.2, pose=3.6)) > 3.0 * nothing


def test_embedded_picture_is_256_pixels_wide_and_no_flat_colour(embedded: FacePainter) -> None:
    picture = embedded.paint(RESTING)
    assert picture.shape == (256, 256, 3)
    assert picture.std() > 20.0
