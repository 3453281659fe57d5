"""Trains the embedded generator as the decoder of a conditional VAE on the drawn portraits.

    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/face --steps 4200
    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/face --resume
    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/face --export-only

The generator grows as StyleGAN's does: a first part of the steps at 64 pixels, then 128, then 256, each with
that resolution's own output layer. The stored noise images are trained too; they hold what is the same in
every picture. An average of the weights over the last steps (EMA) is what gets exported.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from ..contact_sheet import EMBEDDED_FOLDER, IDENTITY_NAME, draw_sheet, sheet_rows
from ..identity_file import write_identity
from ..painter import FacePainter
from ..portrait.rendered_set import DEFAULT_FOLDER, RenderedSet, read_set, render_set
from .encoder import Encoder, EncoderConfig, sample_z
from .generator import Generator, GeneratorConfig
from .generator_file import save_generator
from .losses import PictureLoss, prior_loss

CHECKPOINT_FILE = "checkpoint.pt"
EMBEDDED_SIZE = GeneratorConfig(w_dim=256, mapping_layers=4, fmap_base=4096, fmap_max=128)
IDENTITY_CANDIDATES = 24  # z vectors that the identity is chosen from


@dataclass(frozen=True)
class TrainingConfig:
    """All that decides a run; printed at its start and saved beside its checkpoint."""

    images: int = 2400  # drawn portraits
    steps: int = 4200
    batch: int = 6
    learning_rate: float = 1.5e-2  # of Adam, falling to a twentieth along a cosine
    encoder_learning_rate: float = 1e-3
    mapping_speed: float = 40.0  # the mapping's learning rate; its stored weights are 100 times what they act
    warmup: int = 60  # steps
    growth: tuple[tuple[int, float], ...] = (
        (64, 0.30),
        (128, 0.58),
        (256, 1.0),
    )  # resolution, until this share
    gradient_weight: float = 1.0
    prior_weight: float = 0.1  # so strong that z holds what the label does not say, and no expression
    live_z: int = 16  # features of z that the mapping listens to; the others it ignores, so z stays N(0, I)
    ema: float = 0.997
    bf16: bool = False  # convolutions in bfloat16, faster where the processor has AMX
    seed: int = 0
    checkpoint_every: int = 200  # steps

    def resolution(self, step: int) -> int:
        """At which resolution a step trains."""
        return next(resolution for resolution, end in self.growth if step < end * self.steps or end >= 1.0)


class Training:
    """A run: generator, encoder, their optimiser and what has been done so far.

    Args:
        config: the run's settings.
        size: the generator's; its resolution must be that of the last growth stage.
        portraits: a folder of rendered portraits, which may still be filling.
        device: where the networks go.
    """

    def __init__(self, config: TrainingConfig, size: GeneratorConfig, portraits: Path, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config, self.size, self.device, self.portraits = config, size, device, portraits
        self.generator = Generator(size).to(device)
        _prepare_for_training(self.generator)
        self.encoder = Encoder(EncoderConfig(size.z_dim, size.label_dim)).to(device)
        self.ema = copy.deepcopy(self.generator).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self._parameter_groups(), betas=(0.9, 0.99), eps=1e-8)
        self.random = torch.Generator().manual_seed(config.seed)
        self.losses = {
            resolution: PictureLoss(resolution, config.gradient_weight).to(device) for resolution, _ in config.growth
        }
        self.step = 0
        self.set: RenderedSet | None = None

    def _parameter_groups(self) -> list[dict[str, Any]]:
        config = self.config
        mapping = [layer for name, layer in self.generator.mapping.named_parameters() if "dense" in name]
        rest = [tensor for name, tensor in _trained(self.generator) if ".dense" not in name]
        return [
            {"params": mapping, "base": config.learning_rate * config.mapping_speed},
            {"params": rest, "base": config.learning_rate},
            {"params": list(self.encoder.parameters()), "base": config.encoder_learning_rate},
        ]

    def batch(self, resolution: int) -> tuple[Tensor, Tensor]:
        """Random pictures (N, 3, r, r) in [-1, 1] and their labels (N, 7)."""
        if self.set is None or (len(self.set) < self.config.images and self.step % self.config.checkpoint_every == 0):
            self.set = read_set(self.portraits, self.config.images)
        rows = torch.randint(len(self.set), (self.config.batch,), generator=self.random).numpy()
        images = torch.from_numpy(self.set.rgb[rows]).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        if images.shape[-1] != resolution:
            images = F.interpolate(images, size=(resolution, resolution), mode="area")
        return images, torch.from_numpy(self.set.labels[rows]).to(self.device)

    def train_step(self) -> dict[str, float]:
        """One optimiser step; returns the losses."""
        config, resolution = self.config, self.config.resolution(self.step)
        rate = min(1.0, (self.step + 1) / max(1, config.warmup))
        rate *= 0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * self.step / config.steps))
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * rate
        images, labels = self.batch(resolution)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bf16):
            mu, log_variance = (values.float() for values in self.encoder(images, labels))
        w = self.generator.mapping(sample_z(mu, log_variance, self.random), labels)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bf16):
            drawn = self.generator.synthesis(w, resolution)
        picture = self.losses[resolution](drawn.float(), images)
        prior = prior_loss(mu, log_variance)
        loss = picture + config.prior_weight * prior
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            self.generator.mapping.dense0.weight[:, config.live_z : self.size.z_dim] = 0.0
        self._average(w)
        self.step += 1
        return {"picture": picture.item(), "prior": prior.item(), "resolution": resolution}

    @torch.no_grad()
    def _average(self, w: Tensor) -> None:
        keep = min(self.config.ema, (self.step + 1.0) / (self.step + 10.0))
        for average, current in zip(_tensors(self.ema), _tensors(self.generator), strict=True):
            average.lerp_(current, 1.0 - keep)
        self.ema.truncation.w_avg.lerp_(w.detach().mean(dim=0), 1.0 - keep)

    def save(self, folder: Path) -> None:
        """Writes the checkpoint; the old one stays until the new one is whole."""
        state = {
            "step": self.step,
            "size": asdict(self.size),
            "generator": self.generator.state_dict(),
            "ema": self.ema.state_dict(),
            "encoder": self.encoder.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": self.random.get_state(),
        }
        partial = folder / (CHECKPOINT_FILE + ".partial")
        torch.save(state, partial)
        os.replace(partial, folder / CHECKPOINT_FILE)

    def load(self, folder: Path) -> None:
        """Goes on from a checkpoint.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is of another size.
        """
        state = torch.load(folder / CHECKPOINT_FILE, map_location=self.device, weights_only=True)
        if state["size"] != asdict(self.size):
            raise ValueError(f"the checkpoint in {folder} has another size: {state['size']}")
        self.generator.load_state_dict(state["generator"])
        self.ema.load_state_dict(state["ema"])
        self.encoder.load_state_dict(state["encoder"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.random.set_state(state["random"].cpu())
        self.step = state["step"]

    def grown(self) -> Generator:
        """The averaged generator as far as it has grown: the whole one in the last stage."""
        resolution = self.config.resolution(max(0, self.step - 1))
        if resolution == self.size.resolution:
            return self.ema
        values = {**asdict(self.size), "resolution": resolution}
        small = Generator(GeneratorConfig(**values)).to(self.device)
        state = self.ema.state_dict()
        small.load_state_dict({key: state[key] for key in small.state_dict()})
        return small

    def sample_sheet(self) -> np.ndarray:
        """A contact sheet of the averaged generator, from a fixed z."""
        z = torch.randn(self.size.z_dim, generator=torch.Generator().manual_seed(self.config.seed)).numpy()
        return draw_sheet(FacePainter(self.grown(), z, noise=0.0).paint)

    @torch.inference_mode()
    def choose_identity(self) -> tuple[np.ndarray, dict[str, float]]:
        """Her z: of samples around the portrait without variation, the one that draws it best.

        Returns:
            z, float32 (z_dim,), and figures: its mean and deviation over the features, and its mean
            difference from the portraits, in [0, 1] units.
        """
        from ..portrait.drawing import draw_portrait  # skia, at the very end

        generator = self.grown()
        resolution = generator.config.resolution
        portraits = [draw_portrait(scores, supersampling=2) for row in sheet_rows()[:3] for scores in row[::2]]
        labels = torch.from_numpy(np.stack([portrait.scores.label() for portrait in portraits])).to(self.device)
        images = torch.from_numpy(np.stack([portrait.rgb for portrait in portraits])).to(self.device)
        images = F.interpolate(
            images.permute(0, 3, 1, 2).float() / 127.5 - 1.0, size=(resolution, resolution), mode="area"
        )
        mu, log_variance = self.encoder(images, labels)
        mu, log_variance = mu.mean(dim=0, keepdim=True), log_variance.mean(dim=0, keepdim=True)
        random = torch.Generator().manual_seed(self.config.seed)
        candidates = sample_z(mu.expand(IDENTITY_CANDIDATES, -1), log_variance.expand(IDENTITY_CANDIDATES, -1), random)
        errors = [float((generator(z.expand(len(labels), -1), labels) - images).abs().mean()) / 2.0 for z in candidates]
        best = int(np.argmin(errors))
        z = candidates[best].float().cpu().numpy()
        return z, {"mean": float(z.mean()), "deviation": float(z.std()), "difference": errors[best]}

    def export(self, folder: Path) -> dict[str, float]:
        """Writes config, weights (float16) and identity for the program; returns the identity's figures."""
        folder.mkdir(parents=True, exist_ok=True)
        z, figures = self.choose_identity()
        save_generator(self.grown(), folder, torch.float16)
        write_identity(folder / IDENTITY_NAME, z)
        return figures


def _prepare_for_training(generator: Generator) -> None:
    """Starting values that suit reconstruction: calm outputs, and noise images ready to be learned."""
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("apply_noise.weight"):
                parameter.normal_(0.0, 0.1)
            if "output" in name and name.endswith("weight"):
                parameter.mul_(0.3)
    for name, buffer in generator.named_buffers():
        if name.endswith("apply_noise.noise"):
            buffer.requires_grad_(True)


def _trained(generator: Generator) -> list[tuple[str, Tensor]]:
    """Parameters and noise images."""
    noise = [(name, buffer) for name, buffer in generator.named_buffers() if name.endswith("apply_noise.noise")]
    return [*generator.named_parameters(), *noise]


def _tensors(generator: nn.Module) -> list[Tensor]:
    return [tensor for _, tensor in _trained(generator)]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    defaults = TrainingConfig()
    parser = argparse.ArgumentParser(description="그린 초상화로 내장 얼굴 생성 모델을 학습합니다.")
    parser.add_argument("--out", type=Path, required=True, help="체크포인트와 견본을 둘 폴더")
    parser.add_argument("--images", type=int, default=defaults.images, help="학습용 초상화 수")
    parser.add_argument("--portraits", type=Path, default=DEFAULT_FOLDER, help="그려 둔 초상화 폴더")
    parser.add_argument("--no-render", action="store_true", help="초상화를 더 그리지 않고 있는 것만 씁니다")
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--batch", type=int, default=defaults.batch)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--prior-weight", type=float, default=defaults.prior_weight, help="z를 N(0, 1)로 당기는 힘")
    parser.add_argument("--fmap-base", type=int, default=EMBEDDED_SIZE.fmap_base, help="생성 모델의 크기")
    parser.add_argument("--fmap-max", type=int, default=EMBEDDED_SIZE.fmap_max)
    parser.add_argument("--bf16", action="store_true", help="bfloat16으로 계산합니다 (AMX가 있는 CPU나 GPU)")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--checkpoint-every", type=int, default=defaults.checkpoint_every)
    parser.add_argument("--device", default="cpu", help="cpu 또는 cuda")
    parser.add_argument("--threads", type=int, default=1, help="CPU 스레드 수")
    parser.add_argument("--resume", action="store_true", help="체크포인트에서 이어서 학습합니다")
    parser.add_argument("--export", type=Path, nargs="?", const=EMBEDDED_FOLDER, help="학습이 끝나면 모델을 쓸 폴더")
    parser.add_argument("--export-only", action="store_true", help="학습하지 않고 체크포인트를 내보내기만 합니다")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    args = parse_arguments(arguments)
    torch.set_num_threads(args.threads)
    config = TrainingConfig(
        images=args.images,
        steps=args.steps,
        batch=args.batch,
        learning_rate=args.learning_rate,
        prior_weight=args.prior_weight,
        bf16=args.bf16,
        seed=args.seed,
        checkpoint_every=args.checkpoint_every,
    )
    size = GeneratorConfig(**{**asdict(EMBEDDED_SIZE), "fmap_base": args.fmap_base, "fmap_max": args.fmap_max})
    args.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"training": asdict(config), "generator": asdict(size)}, indent=2)
    print(text, flush=True)
    training = Training(config, size, args.portraits, torch.device(args.device))
    if args.resume or args.export_only:
        training.load(args.out)
    if not args.export_only:
        (args.out / "training.json").write_text(text + "\n", encoding="utf-8")
        if not args.no_render:
            render_set(args.portraits, args.images)
        _run(training, args.out)
    if args.export_only or args.export:
        folder = args.export or EMBEDDED_FOLDER
        print(
            json.dumps({"exported": str(folder), "step": training.step, **training.export(folder)}),
            flush=True,
        )


def _run(training: Training, out: Path) -> None:
    """Trains to the last step; log.jsonl, sample sheets and checkpoints on the way."""
    config = training.config
    with (
        (out / "log.jsonl").open("a", encoding="utf-8") as log,
        tqdm(total=config.steps, initial=training.step, desc="generator", mininterval=5.0) as bar,
    ):
        started = time.monotonic()
        while training.step < config.steps:
            losses = training.train_step()
            bar.update()
            last = training.step == config.steps
            if training.step % 20 == 0 or last:
                bar.set_postfix(losses, refresh=False)
                line = {"step": training.step, "seconds": round(time.monotonic() - started, 1), **losses}
                log.write(json.dumps(line) + "\n")
                log.flush()
            if training.step % config.checkpoint_every == 0 or last:
                training.save(out)
                Image.fromarray(training.sample_sheet()).save(out / f"sheet_{training.step:06d}.png")


if __name__ == "__main__":
    main()
