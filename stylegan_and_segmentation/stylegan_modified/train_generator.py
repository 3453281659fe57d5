"""Trains a generator as the decoder of a conditional VAE: on the drawn portraits, or on labelled pictures.

    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/face --steps 4200
    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/face --resume
    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/face --export-only
    python -m stylegan_and_segmentation.stylegan_modified.train_generator --out runs/mine --labels MINE/labels.csv

With --labels it learns from a user's own pictures, as label_images labels them.

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
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from ..contact_sheet import EMBEDDED_FOLDER, IDENTITY_NAME, draw_sheet, sheet_rows
from ..errors import FaceError
from ..identity_file import write_identity
from ..label_file import LabelledPictures, read_labelled_pictures
from ..painter import FacePainter
from ..portrait.rendered_set import DEFAULT_FOLDER, RenderedSet, read_set, render_set
from ..segmentation.property_net import PropertyNet
from ..segmentation.property_net_file import EMBEDDED_PROPERTY_NET, load_property_net
from .encoder import Encoder, EncoderConfig, sample_z
from .generator import Generator, GeneratorConfig
from .generator_file import save_generator
from .losses import PictureLoss, prior_loss, property_loss
from .starting_point import fresh_generator, loaded_generator, trained_tensors

CHECKPOINT_FILE = "checkpoint.pt"
EMBEDDED_SIZE = GeneratorConfig(w_dim=256, mapping_layers=4, fmap_base=4096, fmap_max=128)
IDENTITY_CANDIDATES = 24  # z vectors that the identity is chosen from
IDENTITY_PICTURES = 9  # that the identity has to draw well


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
    property_weight: float = 0.05  # of the scores' error, as a PropertyNet reads them, where one is given
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
        pictures: labelled pictures of the size's resolution, or a folder of rendered portraits, which may still be
            filling.
        device: where the networks go.
        property_net: reads the scores of what is drawn, on the same device; it is not trained.
        start: the generator to go on from, of the given size; by default a fresh one.
    """

    def __init__(
        self,
        config: TrainingConfig,
        size: GeneratorConfig,
        pictures: Path | LabelledPictures,
        device: torch.device,
        property_net: PropertyNet | None = None,
        start: Generator | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.size, self.device, self.property_net = config, size, device, property_net
        self.generator = (start or fresh_generator(size)).to(device)
        self.encoder = Encoder(EncoderConfig(size.z_dim, size.label_dim)).to(device)
        self.ema = copy.deepcopy(self.generator).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self._parameter_groups(), betas=(0.9, 0.99), eps=1e-8)
        self.random = torch.Generator().manual_seed(config.seed)
        self.losses = {
            resolution: PictureLoss(resolution, config.gradient_weight).to(device) for resolution, _ in config.growth
        }
        self.step = 0
        self.portraits = pictures if isinstance(pictures, Path) else None
        self.set: RenderedSet | LabelledPictures | None = None if isinstance(pictures, Path) else pictures

    def _parameter_groups(self) -> list[dict[str, Any]]:
        config = self.config
        mapping = [layer for name, layer in self.generator.mapping.named_parameters() if "dense" in name]
        rest = [tensor for name, tensor in trained_tensors(self.generator) if ".dense" not in name]
        return [
            {"params": mapping, "base": config.learning_rate * config.mapping_speed},
            {"params": rest, "base": config.learning_rate},
            {"params": list(self.encoder.parameters()), "base": config.encoder_learning_rate},
        ]

    def batch(self, resolution: int) -> tuple[Tensor, Tensor]:
        """Random pictures (N, 3, r, r) in [-1, 1] and their labels (N, 7)."""
        config = self.config
        if self.portraits and (
            self.set is None or (len(self.set) < config.images and self.step % config.checkpoint_every == 0)
        ):
            self.set = read_set(self.portraits, config.images)
        rows = torch.randint(len(self.set), (config.batch,), generator=self.random).numpy()
        return self._images(self.set.rgb[rows], resolution), torch.from_numpy(self.set.labels[rows]).to(self.device)

    def _images(self, rgb: np.ndarray, resolution: int) -> Tensor:
        images = torch.from_numpy(rgb).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        if images.shape[-1] == resolution:
            return images
        return F.interpolate(images, size=(resolution, resolution), mode="area")

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
        losses = {"picture": picture.item(), "prior": prior.item(), "resolution": resolution}
        if self.property_net is not None and resolution == self.size.resolution:
            properties = property_loss(self.property_net(drawn.float()), labels)
            loss = loss + config.property_weight * properties
            losses["properties"] = properties.item()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            self.generator.mapping.dense0.weight[:, config.live_z : self.size.z_dim] = 0.0
        self._average(w)
        self.step += 1
        return losses

    @torch.no_grad()
    def _average(self, w: Tensor) -> None:
        keep = min(self.config.ema, (self.step + 1.0) / (self.step + 10.0))
        for (_, average), (_, current) in zip(trained_tensors(self.ema), trained_tensors(self.generator), strict=True):
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
        """Her z: of samples around what the encoder sees, the one that draws best.

        What it has to draw are portraits without variation, or some of the labelled pictures.

        Returns:
            z, float32 (z_dim,), and figures: its mean and deviation over the features, and its mean
            difference from the pictures, in [0, 1] units.
        """
        generator = self.grown()
        rgb, values = self._identity_pictures()
        labels = torch.from_numpy(values).to(self.device)
        images = self._images(rgb, generator.config.resolution)
        mu, log_variance = self.encoder(images, labels)
        mu, log_variance = mu.mean(dim=0, keepdim=True), log_variance.mean(dim=0, keepdim=True)
        random = torch.Generator().manual_seed(self.config.seed)
        candidates = sample_z(mu.expand(IDENTITY_CANDIDATES, -1), log_variance.expand(IDENTITY_CANDIDATES, -1), random)
        errors = [float((generator(z.expand(len(labels), -1), labels) - images).abs().mean()) / 2.0 for z in candidates]
        best = int(np.argmin(errors))
        z = candidates[best].float().cpu().numpy()
        return z, {"mean": float(z.mean()), "deviation": float(z.std()), "difference": errors[best]}

    def _identity_pictures(self) -> tuple[np.ndarray, np.ndarray]:
        """Pictures uint8 (N, r, r, 3) that show the woman to choose, and their labels (N, 7)."""
        if self.portraits is None:
            rows = np.unique(np.linspace(0, len(self.set) - 1, IDENTITY_PICTURES).astype(int))
            return self.set.rgb[rows], self.set.labels[rows]
        from ..portrait.drawing import draw_portrait  # skia, at the very end

        portraits = [draw_portrait(scores, supersampling=2) for row in sheet_rows()[:3] for scores in row[::2]]
        labels = [portrait.scores.label() for portrait in portraits]
        return np.stack([portrait.rgb for portrait in portraits]), np.stack(labels)

    def export(self, folder: Path) -> dict[str, float]:
        """Writes config, weights (float16) and identity for the program; returns the identity's figures."""
        folder.mkdir(parents=True, exist_ok=True)
        z, figures = self.choose_identity()
        save_generator(self.grown(), folder, torch.float16)
        write_identity(folder / IDENTITY_NAME, z)
        return figures


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    defaults = TrainingConfig()
    parser = argparse.ArgumentParser(description="그린 초상화나 라벨을 매긴 그림으로 얼굴 생성 모델을 학습합니다.")
    parser.add_argument("--out", type=Path, required=True, help="체크포인트와 견본을 둘 폴더")
    parser.add_argument("--images", type=int, default=defaults.images, help="학습용 초상화 수")
    parser.add_argument("--portraits", type=Path, default=DEFAULT_FOLDER, help="그려 둔 초상화 폴더")
    parser.add_argument("--labels", type=Path, help="초상화 대신 배울 그림들의 라벨 파일 (label_images가 쓴 것)")
    parser.add_argument(
        "--property-net", type=Path, nargs="?", const=EMBEDDED_PROPERTY_NET, help="점수의 오차를 잴 속성 점수 모델 폴더"
    )
    parser.add_argument("--property-weight", type=float, default=defaults.property_weight, help="점수의 오차의 무게")
    parser.add_argument("--no-render", action="store_true", help="초상화를 더 그리지 않고 있는 것만 씁니다")
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--batch", type=int, default=defaults.batch)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--prior-weight", type=float, default=defaults.prior_weight, help="z를 N(0, 1)로 당기는 힘")
    parser.add_argument("--init", type=Path, help="이어서 배울 생성 모델 (폴더, 또는 공개 모델의 .pth 파일)")
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
    try:
        _train(args)
    except FaceError as error:  # files that the user named
        sys.exit(str(error))


def _train(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    start = loaded_generator(args.init) if args.init else None
    fresh = GeneratorConfig(**{**asdict(EMBEDDED_SIZE), "fmap_base": args.fmap_base, "fmap_max": args.fmap_max})
    size = start.config if start else fresh
    pictures = read_labelled_pictures(args.labels, size.resolution) if args.labels else args.portraits
    property_net = load_property_net(args.property_net, args.device) if args.property_net else None
    config = TrainingConfig(
        images=len(pictures) if args.labels else args.images,
        steps=args.steps,
        batch=args.batch,
        learning_rate=args.learning_rate,
        prior_weight=args.prior_weight,
        property_weight=args.property_weight if property_net else 0.0,
        bf16=args.bf16,
        seed=args.seed,
        checkpoint_every=args.checkpoint_every,
        # A grown generator does not grow again, and listens to as much of z as it did.
        **({"growth": ((size.resolution, 1.0),), "live_z": size.z_dim} if start else {}),
    )
    args.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"training": asdict(config), "generator": asdict(size)}, indent=2)
    print(text, flush=True)
    training = Training(config, size, pictures, torch.device(args.device), property_net, start)
    if args.resume or args.export_only:
        training.load(args.out)
    if not args.export_only:
        (args.out / "training.json").write_text(text + "\n", encoding="utf-8")
        if not args.no_render and not args.labels:
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
