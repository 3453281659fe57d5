"""The rendered set: shards on disk, read back as they were drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylegan_and_segmentation.portrait import rendered_set
from stylegan_and_segmentation.portrait.drawing import Variation, draw_portrait
from stylegan_and_segmentation.portrait.rendered_set import draw_labels, read_set, render_set, shard_path
from stylegan_and_segmentation.properties import PropertyScores


@pytest.fixture(scope="module")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("portraits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendered_set, "SHARD_SIZE", 3)
        render_set(folder, 3, supersampling=1)
    return folder


def test_set_is_read_back(portraits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered_set, "SHARD_SIZE", 3)
    read = read_set(portraits, 2)
    assert len(read) == 2 and read.rgb.shape == (2, 256, 256, 3) and read.labels.shape == (2, 7)
    assert read.parsing_maps is None
    with pytest.raises(FileNotFoundError):
        read_set(portraits, 2, seed=9)


def test_parsing_maps_are_those_of_the_pictures(portraits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered_set, "SHARD_SIZE", 3)
    read = read_set(portraits, 3, parsing_maps=True)
    for index in range(3):
        portrait = draw_portrait(
            PropertyScores.from_label(read.labels[index]), Variation.from_vector(read.variations[index]), 1
        )
        assert np.array_equal(read.rgb[index], portrait.rgb)
        assert np.array_equal(read.parsing_maps[index], portrait.parsing_map)


def test_shard_without_parsing_maps_is_named(tmp_path: Path) -> None:
    path = shard_path(tmp_path, 0, 0)
    np.savez(path, rgb=np.zeros((1, 4, 4, 3)), labels=np.zeros((1, 7)), variations=np.zeros((1, 8)))
    assert len(read_set(tmp_path, 1)) == 1
    with pytest.raises(ValueError, match=path.name):
        read_set(tmp_path, 1, parsing_maps=True)


def test_labels_cover_the_chats_range() -> None:
    labels = draw_labels(4000, np.random.default_rng(0))
    assert labels.shape == (4000, 7) and labels.dtype == np.float32
    for column, low, high in ((0, -2.5, 3.6), (3, -1.2, 3.6), (4, -1.2, 3.6)):
        assert labels[:, column].min() < low and labels[:, column].max() > high
