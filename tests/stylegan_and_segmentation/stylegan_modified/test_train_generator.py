"""A run of two steps, its resumption and its export; and the training's parts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stylegan_and_segmentation.contact_sheet import IDENTITY_NAME, RESTING
from stylegan_and_segmentation.painter import FacePainter
from stylegan_and_segmentation.portrait import rendered_set
from stylegan_and_segmentation.portrait.rendered_set import render_set
from stylegan_and_segmentation.properties import PropertyScores
from stylegan_and_segmentation.stylegan_modified import train_generator
from stylegan_and_segmentation.stylegan_modified.encoder import Encoder, EncoderConfig, sample_z
from stylegan_and_segmentation.stylegan_modified.losses import PictureLoss, area_weights, prior_loss
from stylegan_and_segmentation.stylegan_modified.train_generator import TrainingConfig, main


@pytest.fixture(scope="module")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("portraits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendered_set, "SHARD_SIZE", 3)
        render_set(folder, 3, supersampling=1)
    return folder


def test_two_steps_resume_and_export(
    portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_generator, "IDENTITY_CANDIDATES", 2)
    monkeypatch.setattr(train_generator, "sheet_rows", lambda: [[RESTING]])
    out, exported = tmp_path / "run", tmp_path / "embedded"
    common = ["--out", str(out), "--portraits", str(portraits), "--no-render", "--images", "3",
              "--batch", "2", "--fmap-base", "512", "--fmap-max", "8"]  # fmt: skip
    main([*common, "--steps", "2"])
    assert json.loads((out / "training.json").read_text(encoding="utf-8"))["training"]["steps"] == 2
    assert '"fmap_base": 512' in capsys.readouterr().out
    assert (out / "sheet_000002.png").is_file()
    main([*common, "--steps", "3", "--resume", "--export", str(exported)])
    steps = [json.loads(line)["step"] for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert steps == [2, 3]
    assert not list(out.glob("*.partial"))
    painter = FacePainter.load(exported, exported / IDENTITY_NAME)
    assert painter.paint(PropertyScores()).shape == (256, 256, 3)
    with pytest.raises(ValueError, match="size"):
        main([*common[:-2], "--steps", "3", "--resume", "--fmap-max", "16"])


def test_resuming_without_a_checkpoint_is_an_error(portraits: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        main(["--out", str(tmp_path), "--portraits", str(portraits), "--no-render", "--steps", "1", "--resume"])


def test_growth_reaches_the_full_resolution() -> None:
    config = TrainingConfig(steps=100)
    assert [config.resolution(step) for step in (0, 29, 30, 57, 58, 99, 100)] == [
        64,
        64,
        128,
        128,
        256,
        256,
        256,
    ]


def test_picture_loss() -> None:
    loss, picture = PictureLoss(64), torch.rand(1, 3, 64, 64)
    assert float(loss(picture, picture)) == 0.0
    eyes, corner = picture.clone(), picture.clone()
    eyes[..., 28:32, 28:32] += 0.5
    corner[..., 2:6, 2:6] += 0.5
    assert float(loss(eyes, picture)) > 2.0 * float(loss(corner, picture)) > 0.0
    assert float(area_weights(256).mean()) == pytest.approx(1.0)


def test_prior_loss_is_zero_only_for_the_standard_normal() -> None:
    zero = torch.zeros(2, 4)
    assert float(prior_loss(zero, zero)) == 0.0
    assert float(prior_loss(zero + 1.0, zero)) == pytest.approx(0.5)
    assert float(prior_loss(zero, zero - 1.0)) > 0.0


def test_encoder_and_sampling() -> None:
    encoder = Encoder(EncoderConfig(input_resolution=16, width=4, hidden=8))
    mu, log_variance = encoder(torch.zeros(2, 3, 64, 64), torch.zeros(2, 7))
    assert mu.shape == log_variance.shape == (2, 512)
    z = sample_z(torch.zeros(1, 20000), torch.full((1, 20000), np.log(4.0)), torch.Generator().manual_seed(0))
    assert float(z.std()) == pytest.approx(2.0, rel=0.05)
