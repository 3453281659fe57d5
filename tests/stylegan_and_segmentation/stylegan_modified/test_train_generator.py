"""A run of two steps, its resumption and its export; and the training's parts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_and_segmentation.contact_sheet import IDENTITY_NAME, RESTING
from stylegan_and_segmentation.label_file import write_labels
from stylegan_and_segmentation.painter import FacePainter
from stylegan_and_segmentation.portrait import rendered_set
from stylegan_and_segmentation.portrait.rendered_set import VARIATION_NAMES, drawn_variations, render_set
from stylegan_and_segmentation.properties import PropertyScores
from stylegan_and_segmentation.segmentation.property_net import PropertyNet, PropertyNetConfig
from stylegan_and_segmentation.segmentation.property_net_file import save_property_net
from stylegan_and_segmentation.segmentation.woman_net import LOOKS
from stylegan_and_segmentation.stylegan_modified import generator_training
from stylegan_and_segmentation.stylegan_modified.encoder import Encoder, EncoderConfig, sample_z
from stylegan_and_segmentation.stylegan_modified.generator import Generator, GeneratorConfig
from stylegan_and_segmentation.stylegan_modified.generator_file import load_generator, save_generator
from stylegan_and_segmentation.stylegan_modified.generator_training import TrainingConfig, share_gradients
from stylegan_and_segmentation.stylegan_modified.losses import (
    PictureLoss,
    area_weights,
    prior_loss,
    score_loss,
    texture,
)
from stylegan_and_segmentation.stylegan_modified.starting_point import (
    fresh_generator,
    live_features,
    louder_z,
    widened_generator,
)
from stylegan_and_segmentation.stylegan_modified.train_generator import main
from stylegan_and_segmentation.training_run import CHECKPOINT_FILE

ROOT = Path(__file__).resolve().parents[3]


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
    monkeypatch.setattr(generator_training, "IDENTITY_CANDIDATES", 2)
    monkeypatch.setattr(generator_training, "sheet_rows", lambda: [[RESTING]])
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


def test_labelled_pictures_and_a_property_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator_training, "IDENTITY_CANDIDATES", 2)
    monkeypatch.setattr(generator_training, "sheet_rows", lambda: [[RESTING]])
    random = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        Image.fromarray(random.integers(0, 256, (300, 280, 3), dtype=np.uint8)).save(tmp_path / name)
    write_labels(tmp_path / "labels.csv", ["a.png", "b.png"], random.normal(size=(2, 7)))
    torch.manual_seed(0)
    save_property_net(PropertyNet(PropertyNetConfig(2, 3, 2)), tmp_path / "net")
    out, exported = tmp_path / "run", tmp_path / "face"
    common = ["--out", str(out), "--labels", str(tmp_path / "labels.csv"), "--property-net", str(tmp_path / "net"),
              "--batch", "2", "--fmap-base", "512", "--fmap-max", "8"]  # fmt: skip
    main([*common, "--steps", "3", "--export", str(exported)])
    settings = json.loads((out / "training.json").read_text(encoding="utf-8"))["training"]
    assert settings["images"] == 2 and settings["property_weight"] > 0.0
    last = json.loads((out / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["resolution"] == 256 and last["properties"] > 0.0
    assert FacePainter.load(exported, exported / IDENTITY_NAME).paint(PropertyScores()).shape == (256, 256, 3)
    (tmp_path / "b.png").unlink()
    with pytest.raises(SystemExit, match=r"b\.png"):
        main([*common, "--steps", "4"])


def test_going_on_from_a_generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator_training, "sheet_rows", lambda: [[RESTING]])
    torch.manual_seed(3)
    size = GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=1, fmap_base=256, fmap_max=4)
    before = Generator(size)
    save_generator(before, tmp_path / "face")
    Image.new("RGB", (256, 256), (200, 100, 50)).save(tmp_path / "a.png")
    write_labels(tmp_path / "labels.csv", ["a.png"], np.zeros((1, 7)))
    out = tmp_path / "run"
    common = ["--out", str(out), "--labels", str(tmp_path / "labels.csv"), "--init", str(tmp_path / "face")]
    main([*common, "--steps", "1", "--batch", "1", "--learning-rate", "0.001"])
    settings = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert settings["generator"]["w_dim"] == 8 and settings["training"]["growth"] == [[256, 1.0]]
    after = torch.load(out / CHECKPOINT_FILE, weights_only=True)["generator"]
    moved = {key: (value - after[key]).abs().max() for key, value in before.state_dict().items()}
    assert 0.0 < float(moved["synthesis.output6.weight"]) < 0.01  # one small step from where it was
    assert float(moved["synthesis.layer12.apply_noise.weight"]) > 0.0
    with pytest.raises(SystemExit, match="none"):
        main([*common, "--steps", "1", "--init", str(tmp_path / "none")])


@pytest.mark.parametrize(
    ("asked", "named"),
    [(["--z-gain", "4"], "--z-gain"), (["--labels", "labels.csv", "--woman-net", "net"], "--woman-net")],
)
def test_an_option_that_would_do_nothing_is_refused(asked: list[str], named: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=rf"{named}.*빼 주세요"):
        main(["--out", str(tmp_path / "run"), *asked])
    assert not (tmp_path / "run").exists()


def test_growing_again_from_a_generator_leaves_deaf_features_deaf(tmp_path: Path) -> None:
    size = GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=1, fmap_base=256, fmap_max=4)
    before = fresh_generator(size)
    with torch.no_grad():
        before.mapping.dense0.weight[:, 3:8] = 0.0
    assert live_features(before) == 3
    save_generator(before, tmp_path / "face")
    Image.new("RGB", (256, 256), (200, 100, 50)).save(tmp_path / "a.png")
    write_labels(tmp_path / "labels.csv", ["a.png"], np.zeros((1, 7)))
    out = tmp_path / "run"
    main(["--out", str(out), "--labels", str(tmp_path / "labels.csv"), "--init", str(tmp_path / "face"), "--grow",
          "--steps", "9", "--batch", "1"])  # fmt: skip
    settings = json.loads((out / "training.json").read_text(encoding="utf-8"))["training"]
    assert settings["growth"] == [[128, 0.12], [256, 1.0]] and settings["live_z"] == 3
    after = torch.load(out / CHECKPOINT_FILE, weights_only=True)["generator"]["mapping.dense0.weight"]
    assert float(after[:, 3:8].abs().max()) == 0.0 and float(after[:, :3].abs().min()) > 0.0


def test_a_widened_generator_draws_the_same() -> None:
    size = {"z_dim": 8, "w_dim": 8, "mapping_layers": 1, "resolution": 16}
    torch.manual_seed(0)
    narrow = fresh_generator(GeneratorConfig(**size, fmap_base=64, fmap_max=8))
    wide = widened_generator(narrow, GeneratorConfig(**size, fmap_base=128, fmap_max=12))
    assert wide.config.channels(16) == 2 * narrow.config.channels(16)
    z, label = torch.randn(2, 8), torch.randn(2, 7)
    assert torch.allclose(narrow(z, label), wide(z, label), atol=1e-5)
    for wrong in ({"fmap_base": 32, "fmap_max": 12}, {"fmap_base": 128, "fmap_max": 12, "w_dim": 16}):
        with pytest.raises(ValueError, match="widened"):
            widened_generator(narrow, GeneratorConfig(**{**size, **wrong}))


def test_a_louder_z_moves_w_more() -> None:
    torch.manual_seed(0)
    generator = fresh_generator(GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=1, resolution=16))
    z, others, label = torch.randn(64, 8), torch.randn(64, 8), torch.randn(64, 7)

    def moved() -> float:
        return float((generator.mapping(z, label) - generator.mapping(others, label)).norm().detach())

    before, heard = moved(), generator.mapping.dense0.weight[:, 8:].clone()
    assert louder_z(generator, 4.0) is generator
    assert moved() > 2 * before and torch.equal(generator.mapping.dense0.weight[:, 8:], heard)


def test_widening_what_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator_training, "sheet_rows", lambda: [[RESTING]])
    save_generator(
        fresh_generator(GeneratorConfig(8, 8, mapping_layers=1, fmap_base=256, fmap_max=4)), tmp_path / "face"
    )
    Image.new("RGB", (256, 256), (200, 100, 50)).save(tmp_path / "a.png")
    write_labels(tmp_path / "labels.csv", ["a.png"], np.zeros((1, 7)))
    main(["--out", str(tmp_path / "run"), "--labels", str(tmp_path / "labels.csv"), "--init", str(tmp_path / "face"),
          "--fmap-base", "512", "--z-gain", "3", "--steps", "1", "--batch", "1"])  # fmt: skip
    settings = json.loads((tmp_path / "run" / "training.json").read_text(encoding="utf-8"))["generator"]
    assert (settings["fmap_base"], settings["fmap_max"], settings["w_dim"]) == (512, 4, 8)


def test_known_variations_are_the_first_features_of_z(portraits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator_training, "IDENTITY_CANDIDATES", 2)
    monkeypatch.setattr(generator_training, "sheet_rows", lambda: [[RESTING]])
    size = GeneratorConfig(w_dim=8, mapping_layers=1, fmap_base=512, fmap_max=8)
    training = generator_training.GeneratorTraining(TrainingConfig(images=3, batch=2), size, portraits, Two())
    images, labels, known = training.batch(256, torch.Generator().manual_seed(0))
    drawn = drawn_variations(rendered_set.read_set(portraits, 3))
    assert images.shape == (2, 3, 256, 256) and labels.shape == (2, 7)
    assert all((row == drawn).all(axis=1).any() for row in known.numpy())
    seen = []
    training.generator.mapping.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].detach()))
    training.train_step()
    assert any(torch.equal(row, torch.from_numpy(one)) for row in seen[0][:, : drawn.shape[1]] for one in drawn)
    training.step = 4200  # grown
    z, _ = training.choose_identity()
    assert not z[: drawn.shape[1]].any() and z[drawn.shape[1] :].std() > 0.3


class Sees(torch.nn.Module):
    """A woman net that sees in every picture what it was told."""

    def __init__(self, looks: torch.Tensor) -> None:
        super().__init__()
        self.looks = looks

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.looks + 0.0 * images.mean()


def test_looks_that_are_read_wrongly_cost(portraits: Path) -> None:
    size = GeneratorConfig(w_dim=8, mapping_layers=1, fmap_base=512, fmap_max=8)
    config = TrainingConfig(images=3, batch=3, growth=((256, 1.0),))
    costs = []
    for off in (0.0, 1.0):
        training = generator_training.GeneratorTraining(config, size, portraits, Two())
        _, _, known = training.batch(256, training._random())
        training.woman_net = Sees(known[:, [VARIATION_NAMES.index(name) for name in LOOKS]] + off)
        costs.append(training.train_step()["looks"])
    assert costs == pytest.approx([0.0, 0.75])


class Two:
    """The first of two processes; the other one's gradients are all 3."""

    device, process_index = torch.device("cpu"), 0

    def reduce(self, tensor: torch.Tensor, reduction: str) -> torch.Tensor:
        assert reduction == "mean"
        return (tensor + 3.0) / 2.0


def test_processes_share_their_gradients() -> None:
    tensors = [torch.zeros(2, 3, requires_grad=True), torch.zeros(1, requires_grad=True), torch.zeros(4)]
    (tensors[0].sum() + 5.0 * tensors[1].sum()).backward()
    share_gradients(tensors, Two())
    assert torch.equal(tensors[0].grad, torch.full((2, 3), 2.0)) and float(tensors[1].grad) == 4.0
    assert tensors[2].grad is None


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="no gloo")
def test_two_processes_train_one_generator(tmp_path: Path) -> None:
    size = GeneratorConfig(z_dim=8, w_dim=8, mapping_layers=1, fmap_base=256, fmap_max=4)
    save_generator(fresh_generator(size), tmp_path / "face")
    Image.new("RGB", (256, 256), (200, 100, 50)).save(tmp_path / "a.png")
    write_labels(tmp_path / "labels.csv", ["a.png"], np.zeros((1, 7)))
    module = "stylegan_and_segmentation.stylegan_modified.train_generator"
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2",
              "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "-m", module,
              "--out", str(tmp_path / "run"), "--labels", str(tmp_path / "labels.csv"),
              "--init", str(tmp_path / "face"), "--steps", "2", "--batch", "1", "--learning-rate", "0.001",
              "--export", str(tmp_path / "out")]  # fmt: skip
    ended = subprocess.run(launch, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count('"exported"') == 1  # one of the two writes
    steps = [json.loads(line)["step"] for line in (tmp_path / "run" / "log.jsonl").read_text("utf-8").splitlines()]
    assert steps == [2]
    assert load_generator(tmp_path / "out").config == size


def test_score_loss() -> None:
    labels = torch.randn(4, 7)
    assert float(score_loss(labels, labels)) == 0.0
    near, far = float(score_loss(labels + 0.1, labels)), float(score_loss(labels + 2.0, labels))
    assert near == pytest.approx(0.01, rel=1e-3) and far == pytest.approx(1.75, rel=1e-3)


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


def test_texture_counts_detail_wherever_it_lies() -> None:
    stripes = torch.zeros(1, 3, 64, 64)
    stripes[..., ::2] = 1.0
    elsewhere, smooth = 1.0 - stripes, torch.full_like(stripes, 0.5)
    assert texture(stripes).shape == (1, 3, 7, 7) and float(texture(smooth).abs().max()) == pytest.approx(0.0, abs=1e-6)
    assert torch.allclose(texture(stripes), texture(elsewhere), atol=1e-6)
    without, with_texture = PictureLoss(64, texture_weight=0.0), PictureLoss(64, texture_weight=1.0)
    cost = [float(with_texture(drawn, stripes) - without(drawn, stripes)) for drawn in (elsewhere, smooth)]
    assert cost[0] == pytest.approx(0.0, abs=1e-6) and cost[1] == pytest.approx(2.0 / 3.0, rel=1e-4)


def test_chequers_are_no_stripes_of_as_much_detail() -> None:
    stripes, chequers = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    stripes[..., ::2] = 1.0
    chequers[..., ::2, ::2] = chequers[..., 1::2, 1::2] = 0.5
    assert torch.allclose(texture(stripes)[:, :2].sum(dim=1), texture(chequers)[:, :2].sum(dim=1), atol=1e-6)
    across, down, mixed = (float(filtered.mean()) for filtered in texture(chequers)[0])
    assert across == pytest.approx(down) and mixed == pytest.approx(across)
    assert [float(filtered.mean()) for filtered in texture(stripes)[0]] == pytest.approx([2.0, 0.0, 0.0], abs=1e-6)


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
