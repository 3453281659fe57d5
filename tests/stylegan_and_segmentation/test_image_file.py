"""Pictures on disk: replaced whole, also when somebody holds the file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_and_segmentation import image_file
from stylegan_and_segmentation.errors import FaceError, ImageFileError
from stylegan_and_segmentation.image_file import write_image

RED = np.full((8, 8, 3), (250, 10, 10), np.uint8)
BLUE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_new_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "오로라 얼굴.png"
    for picture in (RED, BLUE, RED):
        write_image(path, picture)
        assert np.array_equal(read(path), picture)
    assert names(tmp_path) == [path.name]


def test_an_open_reader_keeps_the_whole_old_picture(tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    write_image(path, BLUE)
    old = path.read_bytes()
    if os.name == "nt":
        pytest.skip("an open file cannot be replaced on Windows; see the locked test")
    with path.open("rb") as reader:
        start = reader.read(100)
        write_image(path, RED)
        assert start + reader.read() == old


class Locked:
    """os.replace that is refused a number of times, as Windows does while a viewer holds the file."""

    def __init__(self, times: int) -> None:
        self.times, self.calls, self.real = times, 0, os.replace

    def __call__(self, source: Path, target: Path) -> None:
        self.calls += 1
        if self.calls <= self.times:
            raise PermissionError(13, "held", str(target))
        self.real(source, target)


def test_a_short_lock_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, locked = tmp_path / "face.png", Locked(2)
    write_image(path, RED)
    monkeypatch.setattr(image_file.os, "replace", locked)
    write_image(path, BLUE)
    assert locked.calls == 3
    assert np.array_equal(read(path), BLUE) and names(tmp_path) == ["face.png"]


@pytest.mark.parametrize(("old", "new"), [(RED, BLUE), (BLUE, RED)])
def test_a_long_lock_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: np.ndarray, new: np.ndarray
) -> None:
    path = tmp_path / "face.png"
    write_image(path, old)
    monkeypatch.setattr(image_file.os, "replace", Locked(10**6))
    write_image(path, new, retry_seconds=0.1)
    assert np.array_equal(read(path), new) and names(tmp_path) == ["face.png"]


def test_a_file_that_nobody_may_write_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "face.png"
    write_image(path, RED)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "held", str(path))

    monkeypatch.setattr(image_file.os, "replace", refuse)
    monkeypatch.setattr(image_file, "_overwrite", refuse)
    with pytest.raises(ImageFileError, match="face.png") as caught:
        write_image(path, BLUE, retry_seconds=0.1)
    assert isinstance(caught.value, FaceError) and "\n" not in str(caught.value)
    monkeypatch.undo()
    assert np.array_equal(read(path), RED) and names(tmp_path) == ["face.png"]


def test_missing_folder_and_folder_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError, match="none"):
        write_image(tmp_path / "none" / "face.png", RED)
    (tmp_path / "face.png").mkdir()
    with pytest.raises(ImageFileError, match="face.png"):
        write_image(tmp_path / "face.png", RED)
    assert names(tmp_path) == ["face.png"]


@pytest.mark.parametrize("picture", [RED.astype(np.float32), RED[..., 0], RED[..., :2]])
def test_only_pictures_are_written(tmp_path: Path, picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        write_image(tmp_path / "face.png", picture)
    assert names(tmp_path) == []
