"""Tables of labels and the pictures they speak of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_and_segmentation.errors import LabelFileError
from stylegan_and_segmentation.label_file import (
    picture_files,
    read_labelled_pictures,
    read_labels,
    read_picture,
    write_labels,
)
from stylegan_and_segmentation.properties import PROPERTY_NAMES

HEADER = ",".join(["file", *PROPERTY_NAMES])


def test_round_trip_with_more_columns(tmp_path: Path) -> None:
    scores = np.arange(16.0).reshape(2, 8) / 10.0
    write_labels(tmp_path / "l.csv", ["가.png", "안/b, c.png"], scores, (*PROPERTY_NAMES, "nose_turn"))
    files, labels = read_labels(tmp_path / "l.csv")
    assert files == ["가.png", "안/b, c.png"] and labels.dtype == np.float32
    assert np.allclose(labels, scores[:, :7])
    assert (tmp_path / "l.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert not list(tmp_path.glob("*.partial"))


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    names = ["mine", *reversed(PROPERTY_NAMES), "file"]
    (tmp_path / "l.csv").write_text(",".join(names) + "\nx,7,6,5,4,3,2,1,a.png\n\n", encoding="utf-8")
    files, labels = read_labels(tmp_path / "l.csv")
    assert files == ["a.png"] and labels.tolist() == [[1, 2, 3, 4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("text", "part"),
    [("", "file"), (HEADER, "그림이 없어요"), (HEADER.replace("mouth,", ""), "mouth"),
     (HEADER + "\na.png,1\n", "2번째"), (HEADER + "\na.png,1,2,3,4,5,6,7\nb.png,1,2,x,4,5,6,7\n", "3번째"),
     (HEADER + "\na,1,2,3,4,5,6,nan\n", "2번째")],
)  # fmt: skip
def test_broken_tables(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "l.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LabelFileError, match=part) as caught:
        read_labels(tmp_path / "l.csv")
    assert "\n" not in str(caught.value)


def test_missing_and_unwritable(tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match="없어요"):
        read_labels(tmp_path / "l.csv")
    with pytest.raises(LabelFileError, match="쓸 수 없어요"):
        write_labels(tmp_path / "nowhere" / "l.csv", ["a"], np.zeros((1, 7)))


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.PNG", "in/a.jpg", "notes.txt", "in/labels.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [path.relative_to(tmp_path).as_posix() for path in picture_files(tmp_path)] == ["b.PNG", "in/a.jpg"]
    with pytest.raises(LabelFileError, match="없어요"):
        picture_files(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelFileError, match="그림이 없어요"):
        picture_files(tmp_path / "empty")


def test_pictures_are_read_as_rgb(tmp_path: Path) -> None:
    Image.new("L", (3, 2), 7).save(tmp_path / "grey.png")
    assert read_picture(tmp_path / "grey.png").tolist() == [[[7, 7, 7]] * 3] * 2
    Image.new("RGBA", (2048, 512), (1, 2, 3, 4)).save(tmp_path / "large.png")
    assert read_picture(tmp_path / "large.png").shape == (256, 1024, 3)
    for content in (b"", b"\x89PNG\r\n\x1a\nbroken", (tmp_path / "grey.png").read_bytes()[:40]):
        (tmp_path / "broken.png").write_bytes(content)
        with pytest.raises(LabelFileError, match=r"broken\.png"):
            read_picture(tmp_path / "broken.png")


def test_labelled_pictures(tmp_path: Path) -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    picture[:, 5:15] = 200  # the middle
    Image.fromarray(picture).save(tmp_path / "a.png")
    write_labels(tmp_path / "l.csv", ["a.png"], np.ones((1, 7)))
    read = read_labelled_pictures(tmp_path / "l.csv", 5)
    assert len(read) == 1 and read.rgb.shape == (1, 5, 5, 3) and (read.rgb == 200).all()
    write_labels(tmp_path / "l.csv", ["a.png", "b.png", "c.png"], np.ones((3, 7)))
    with pytest.raises(LabelFileError, match=r"b\.png.*외 1개"):
        read_labelled_pictures(tmp_path / "l.csv", 5)
