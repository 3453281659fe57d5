"""Labelling a folder: the table, the bar's company of named files, and every way in which it can go wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_and_segmentation.label_file import LABELS_FILE, read_labels
from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.segmentation import label_images as command
from stylegan_and_segmentation.segmentation.property_scores import MEASURE_NAMES
from stylegan_and_segmentation.segmentation.score_statistics import (
    STATISTICS_FILE,
    ScoreStatistics,
    read_statistics,
)


class RedIsSkin:
    """A parser that knows one thing; like the real one it is handed a picture and answers with a map."""

    def parse(self, rgb: np.ndarray) -> np.ndarray:
        return np.where(rgb[..., 0] > 128, int(FaceClass.SKIN), int(FaceClass.BACKGROUND)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "load_face_parser", lambda *_: RedIsSkin())
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for index, name in enumerate(["a.png", "more/둘.png"]):
        picture = np.full((60, 60, 3), (0, 40 + 60 * index, 0), np.uint8)
        picture[20:50, 20:40] = (255, 0, 0)
        Image.fromarray(picture).save(folder / name)
    Image.new("RGB", (30, 30)).save(folder / "sky.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    ScoreStatistics(np.zeros(8), np.full(8, 2.0)).save(tmp_path / STATISTICS_FILE)
    return folder


def test_table_and_skipped_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(folder), "--statistics", str(folder.parent / STATISTICS_FILE)]) == 0
    files, labels = read_labels(folder / LABELS_FILE)
    assert files == ["a.png", "more/둘.png"]
    # Green of 40 and 100, weighed by 0.587, over a deviation of 2.
    assert labels[:, 5] == pytest.approx([40 * 0.587 / 2, 100 * 0.587 / 2], abs=1e-3)
    header = (folder / LABELS_FILE).read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == ",".join(["file", *MEASURE_NAMES])
    printed = capsys.readouterr()
    assert "2장" in printed.out
    assert "broken.jpg" in printed.err and "sky.png" in printed.err and "Traceback" not in printed.err


def test_own_statistics(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine" / "labels.csv"
    out.parent.mkdir()
    assert command.main([str(folder), "--fit", "--out", str(out)]) == 0
    _, labels = read_labels(out)
    assert labels[:, 5] == pytest.approx([-1.0, 1.0]) and labels[:, 0] == pytest.approx([0.0, 0.0])
    assert read_statistics(out.with_name(STATISTICS_FILE)).mean[5] == pytest.approx(70 * 0.587, abs=1e-3)


def test_interruption_keeps_what_is_done(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient(RedIsSkin):
        calls = 0

        def parse(self, rgb: np.ndarray) -> np.ndarray:
            self.calls += 1
            if self.calls > 1:
                raise KeyboardInterrupt
            return super().parse(rgb)

    monkeypatch.setattr(command, "load_face_parser", lambda *_: Impatient())
    assert command.main([str(folder), "--fit"]) == 0
    assert read_labels(folder / LABELS_FILE)[0] == ["a.png"]
    assert "멈췄어요" in capsys.readouterr().out


def test_what_cannot_be_used_is_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    Image.new("RGB", (30, 30)).save(tmp_path / "empty" / "sky.png")
    for arguments in (
        [str(folder), "--statistics", str(tmp_path / "none.json")],
        [str(tmp_path / "none"), "--fit"],
        [str(tmp_path / "empty"), "--fit"],
        [str(folder), "--fit", "--out", str(tmp_path / "none" / "l.csv")],
    ):
        assert command.main(arguments) == 1
        error = [line for line in capsys.readouterr().err.splitlines() if line and "그림:" not in line]
        assert not any("Traceback" in line for line in error) and error[-1]


def test_missing_parser(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path), "--fit", "--parser", str(tmp_path / "none")]) == 1
    assert "얼굴 파싱 모델" in capsys.readouterr().err
