"""The training of a generator as the decoder of a conditional VAE: its settings, its steps, its checkpoints.

The generator grows as StyleGAN's does: a first part of the steps at 64 pixels, then 128, then 256, each with
that resolution's own output layer. The stored noise images are trained too; they hold what is the same in
every picture. The first features of z are a drawn portrait's variation, which is known and standard normal: the
encoder learns to find it and the generator to draw it (a semi-supervised VAE: Kingma et al., 2014); the others are
the encoder's own. An average of the weights over the last steps (EMA) is what gets exported.

Several processes train one generator: each takes a batch of its own, and all take the mean of their gradients.
Knows no command line.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..contact_sheet import IDENTITY_NAME, draw_sheet, sheet_rows
from ..identity_file import write_identity
from ..label_file import LabelledPictures
from ..painter import FacePainter
from ..portrait.rendered_set import VARIATION_NAMES, RenderedSet, drawn_variations, read_set
from ..segmentation.property_net import PropertyNet
from ..segmentation.woman_net import LOOK_COLUMNS, WomanNet
from ..training_run import read_checkpoint, write_checkpoint
from .encoder import Encoder, EncoderConfig, sample_z
from .generator import Generator, GeneratorConfig
from .generator_file import save_generator
from .losses import PictureLoss, prior_loss, score_loss
from .starting_point import fresh_generator, trained_tensors

EMBEDDED_SIZE = GeneratorConfig(w_dim=256, mapping_layers=4, fmap_base=12288, fmap_max=192)
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
    texture_weight: float = 0.0  # of the amount of detail; early in a training it makes hair up where there is none
    prior_weight: float = 0.1  # so strong that z holds what the label does not say, and no expression
    property_weight: float = 0.05  # of the scores' error, as a PropertyNet reads them, where one is given
    looks_weight: float = 0.05  # of the looks' error, as a WomanNet reads them, where one is given
    guidance_weight: float = 0.1  # of how far the encoder's first features are from the variation of a drawn portrait
    live_z: int = 16  # features of z that the mapping listens to; the others it ignores, so z stays N(0, I)
    ema: float = 0.997
    bf16: bool = False  # convolutions in bfloat16, faster where the processor has AMX
    seed: int = 0
    checkpoint_every: int = 200  # steps

    def resolution(self, step: int) -> int:
        """At which resolution a step trains."""
        return next(resolution for resolution, end in self.growth if step < end * self.steps or end >= 1.0)


class Processes(Protocol):
    """The processes that train together; accelerate's Accelerator is one, also where it is alone."""

    device: torch.device  # of this process
    process_index: int

    def reduce(self, tensor: Tensor, reduction: str) -> Tensor:
        """The tensor's mean over all processes ("mean")."""


class GeneratorTraining:
    """A run: generator, encoder, their optimiser and what has been done so far.

    Args:
        config: the run's settings.
        size: the generator's; its resolution must be that of the last growth stage.
        pictures: labelled pictures of the size's resolution, or a folder of rendered portraits, which may still be
            filling.
        processes: those that train together; its device is where the networks go.
        property_net: reads the scores of what is drawn, on the same device; it is not trained.
        woman_net: reads the looks of what is drawn, likewise; of use where the pictures' variations are known.
        start: the generator to go on from, of the given size; by default a fresh one.
    """

    def __init__(
        self,
        config: TrainingConfig,
        size: GeneratorConfig,
        pictures: Path | LabelledPictures,
        processes: Processes,
        property_net: PropertyNet | None = None,
        start: Generator | None = None,
        woman_net: WomanNet | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.size, self.processes, self.property_net = config, size, processes, property_net
        self.woman_net = woman_net
        self.device = device = processes.device
        self.generator = (start or fresh_generator(size)).to(device)
        self.encoder = Encoder(EncoderConfig(size.z_dim, size.label_dim)).to(device)
        self.ema = copy.deepcopy(self.generator).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self._parameter_groups(), betas=(0.9, 0.99), eps=1e-8)
        self.losses = {
            resolution: PictureLoss(resolution, config.gradient_weight, config.texture_weight).to(device)
            for resolution, _ in config.growth
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

    def batch(self, resolution: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Random pictures (N, 3, r, r) in [-1, 1], their labels (N, 7), and their variations (N, V).

        V is 0 where no variation is known, as of a user's own pictures.
        """
        config = self.config
        if self.portraits and (
            self.set is None or (len(self.set) < config.images and self.step % config.checkpoint_every == 0)
        ):
            self.set = read_set(self.portraits, config.images)
        rows = torch.randint(len(self.set), (config.batch,), generator=random).numpy()
        known = np.zeros((len(rows), 0), np.float32)
        if isinstance(self.set, RenderedSet):
            known = drawn_variations(self.set)[rows, : self.config.live_z]
        labels = torch.from_numpy(self.set.labels[rows]).to(self.device)
        return self._images(self.set.rgb[rows], resolution), labels, torch.from_numpy(known).to(self.device)

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
        random = self._random()
        images, labels, known = self.batch(resolution, random)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bf16):
            mu, log_variance = (values.float() for values in self.encoder(images, labels))
        count = known.shape[1]
        z = torch.cat([known, sample_z(mu, log_variance, random)[:, count:]], dim=1)
        w = self.generator.mapping(z, labels)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bf16):
            drawn = self.generator.synthesis(w, resolution)
        drawn = drawn.float()
        picture = self.losses[resolution](drawn, images)
        prior = prior_loss(mu[:, count:], log_variance[:, count:])
        loss = picture + config.prior_weight * prior
        if count:
            loss = loss + config.guidance_weight * (mu[:, :count] - known).square().mean()
        losses = {"picture": picture.item(), "prior": prior.item(), "resolution": resolution}
        if self.property_net is not None and resolution == self.size.resolution:
            properties = score_loss(self.property_net(drawn), labels)
            loss = loss + config.property_weight * properties
            losses["properties"] = properties.item()
        if self.woman_net is not None and count == len(VARIATION_NAMES) and resolution == self.size.resolution:
            looks = score_loss(self.woman_net(drawn), known[:, LOOK_COLUMNS])
            loss = loss + config.looks_weight * looks
            losses["looks"] = looks.item()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        share_gradients(self._trained(), self.processes)
        self.optimizer.step()
        with torch.no_grad():
            self.generator.mapping.dense0.weight[:, config.live_z : self.size.z_dim] = 0.0
        self._average(w)
        self.step += 1
        return losses

    def _random(self) -> torch.Generator:
        """This step's randomness: a resumed run draws what it would have drawn, each process something else."""
        seed = np.random.SeedSequence([self.config.seed, self.processes.process_index, self.step])
        return torch.Generator().manual_seed(int(seed.generate_state(1, np.uint64)[0] >> 1))

    def _trained(self) -> list[Tensor]:
        return [tensor for group in self.optimizer.param_groups for tensor in group["params"]]

    @torch.no_grad()
    def _average(self, w: Tensor) -> None:
        keep = min(self.config.ema, (self.step + 1.0) / (self.step + 10.0))
        for (_, average), (_, current) in zip(trained_tensors(self.ema), trained_tensors(self.generator), strict=True):
            average.lerp_(current, 1.0 - keep)
        self.ema.truncation.w_avg.lerp_(w.detach().mean(dim=0), 1.0 - keep)

    def save(self, folder: Path) -> None:
        """Writes the checkpoint; the old one stays until the new one is whole."""
        write_checkpoint(
            folder,
            {
                "step": self.step,
                "size": asdict(self.size),
                "generator": self.generator.state_dict(),
                "ema": self.ema.state_dict(),
                "encoder": self.encoder.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
        )

    def review(self, folder: Path) -> dict[str, float]:
        """Draws a sample sheet into the run's folder; no figures."""
        Image.fromarray(self.sample_sheet()).save(folder / f"sheet_{self.step:06d}.png")
        return {}

    def load(self, folder: Path) -> None:
        """Goes on from a checkpoint.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is of another size.
        """
        state = read_checkpoint(folder, self.device)
        if state["size"] != asdict(self.size):
            raise ValueError(f"the checkpoint in {folder} has another size: {state['size']}")
        self.generator.load_state_dict(state["generator"])
        self.ema.load_state_dict(state["ema"])
        self.encoder.load_state_dict(state["encoder"])
        self.optimizer.load_state_dict(state["optimizer"])
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
        if self.portraits:
            candidates[:, : min(len(VARIATION_NAMES), self.config.live_z)] = (
                0.0  # she is who is drawn without variation
            )
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

        portraits = [draw_portrait(scores, supersampling=3) for row in sheet_rows()[:3] for scores in row[::2]]
        labels = [portrait.scores.label() for portrait in portraits]
        return np.stack([portrait.rgb for portrait in portraits]), np.stack(labels)

    def export(self, folder: Path) -> dict[str, float]:
        """Writes config, weights (float16) and identity for the program; returns the identity's figures."""
        folder.mkdir(parents=True, exist_ok=True)
        z, figures = self.choose_identity()
        save_generator(self.grown(), folder, torch.float16)
        write_identity(folder / IDENTITY_NAME, z)
        return figures


def share_gradients(tensors: Iterable[Tensor], processes: Processes) -> None:
    """Gives every process the mean of all processes' gradients.

    Wrapping the networks (DistributedDataParallel) would leave out the noise images, which are buffers.
    """
    gradients = [tensor.grad for tensor in tensors if tensor.grad is not None]
    if not gradients:
        return
    mean = processes.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
    for gradient, part in zip(gradients, mean.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
