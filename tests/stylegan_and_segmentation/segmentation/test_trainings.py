"""The trainings in the small: steps, a checkpoint, its resumption, figures and an export that its loader reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.segmentation import train_face_parser, train_property_net, train_woman_net
from stylegan_and_segmentation.segmentation.parser_file import load_face_parser
from stylegan_and_segmentation.segmentation.property_net_file import load_property_net
from stylegan_and_segmentation.segmentation.score_statistics import STATISTICS_FILE, read_statistics
from stylegan_and_segmentation.segmentation.train_face_parser import confusion, intersection_over_union
from stylegan_and_segmentation.segmentation.woman_net import LOOKS
from stylegan_and_segmentation.segmentation.woman_net_file import load_woman_net


def arguments(out: Path, portraits: Path, *more: str) -> list[str]:
    return ["--out", str(out), "--portraits", str(portraits), "--no-render", "--images", "24", "--held-out", "8",
            "--checkpoint-every", "2", *more]  # fmt: skip


def logged(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_property_net(portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, exported = tmp_path / "run", tmp_path / "net"
    common = arguments(out, portraits, "--batch", "8", "--width", "4", "--hidden", "8", "--learning-rate", "0.01")
    train_property_net.main([*common, "--steps", "2"])
    assert json.loads((out / "training.json").read_text(encoding="utf-8"))["network"]["width"] == 4
    train_property_net.main([*common, "--steps", "40", "--resume", "--export", str(exported)])
    lines = logged(out)
    assert [line["step"] for line in lines][:3] == [2, 4, 6] and lines[-1]["step"] == 40
    assert lines[-1]["background_mean"] > 0.9  # the one score that these pictures show
    assert '"background_mean"' in capsys.readouterr().out
    assert not list(out.glob("*.partial"))
    assert load_property_net(exported)(torch.zeros(1, 3, 256, 256)).shape == (1, 7)
    with pytest.raises(RuntimeError, match="size mismatch"):
        train_property_net.main([*common, "--steps", "41", "--resume", "--width", "5"])


def test_woman_net(portraits: Path, tmp_path: Path) -> None:
    out, exported = tmp_path / "run", tmp_path / "net"
    common = arguments(out, portraits, "--batch", "8", "--width", "4", "--hidden", "8", "--learning-rate", "0.01")
    train_woman_net.main([*common, "--steps", "60", "--export", str(exported)])
    last = logged(out)[-1]
    assert last["skin_warmth"] > 0.8 and set(LOOKS) <= set(last)  # the one look that these pictures show
    assert load_woman_net(exported)(torch.zeros(1, 3, 256, 256)).shape == (1, len(LOOKS))


def test_face_parser(portraits: Path, tmp_path: Path) -> None:
    out, exported = tmp_path / "run", tmp_path / "embedded" / "face_parser"
    common = arguments(out, portraits, "--batch", "2", "--hidden-sizes", "4", "4", "8", "8", "--decoder", "8",
                       "--stride", "4")  # fmt: skip
    train_face_parser.main([*common, "--steps", "2"])
    train_face_parser.main([*common, "--steps", "4", "--resume", "--export", str(exported)])
    lines = logged(out)
    assert [line["step"] for line in lines] == [2, 4]
    assert 0.0 < lines[-1]["mean_iou"] < 1.0 and set(lines[-1]) >= {kind.name.lower() for kind in FaceClass}
    parser = load_face_parser(exported)
    assert parser.parse(np.zeros((256, 256, 3), np.uint8)).shape == (256, 256)
    statistics = read_statistics(exported.parent / STATISTICS_FILE)
    assert np.isfinite(statistics.mean).all()
    alone = tmp_path / "alone" / "face_parser"
    alone.parent.mkdir()
    train_face_parser.main([*common, "--statistics-only", "--export", str(alone)])
    assert np.array_equal(read_statistics(alone.parent / STATISTICS_FILE).mean, statistics.mean)
    assert not alone.exists()
    with pytest.raises(SystemExit):
        train_face_parser.main([*common, "--statistics-only"])


def test_resuming_without_a_checkpoint_is_an_error(portraits: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        train_property_net.main(arguments(tmp_path, portraits, "--steps", "1", "--resume"))


def test_intersection_over_union() -> None:
    wanted = np.array([[0, 0, 1, 1]])
    found = np.array([[0, 1, 1, 1]], np.uint8)
    values = intersection_over_union(confusion(found, wanted))
    assert values[:2] == pytest.approx([1 / 2, 2 / 3]) and np.isnan(values[2:]).all()
