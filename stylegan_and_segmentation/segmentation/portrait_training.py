"""What training the face parser and the PropertyNet have in common: portraits in, checkpoints and figures out.

Training only. The held-out portraits are drawn from a seed of their own, so no training sees them.
"""

from __future__ import annotations

import argparse
import json
import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..portrait.rendered_set import DEFAULT_FOLDER, RenderedSet, read_set, render_set
from ..training_run import read_checkpoint, run, write_checkpoint

HELD_OUT_SEED = 7001  # of the portraits that figures are measured on


@dataclass(frozen=True)
class TrainingConfig:
    """All that decides a run; printed at its start and saved beside its checkpoint."""

    images: int = 800  # drawn portraits to learn from
    held_out: int = 100  # drawn portraits to measure on
    steps: int = 1000
    batch: int = 8
    learning_rate: float = 1e-3  # of AdamW, falling to zero along a cosine
    weight_decay: float = 1e-2
    warmup: int = 50  # steps
    bf16: bool = False  # layers in bfloat16, faster where the processor has it
    seed: int = 0
    checkpoint_every: int = 200  # steps


class PortraitTraining(ABC):
    """A run: a network, its optimiser, the portraits and what has been done so far.

    Args:
        network: what is trained; it is moved to the device.
        config: the run's settings.
        portraits: the folder of rendered portraits.
        device: where the network goes.

    Raises:
        FileNotFoundError: portraits to learn from or to measure on are missing.
    """

    def __init__(self, network: nn.Module, config: TrainingConfig, portraits: Path, device: torch.device) -> None:
        self.network, self.config, self.device = network.to(device), config, device
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.99)
        )
        self.random = torch.Generator().manual_seed(config.seed)
        self.learned = read_set(portraits, config.images, parsing_maps=True)
        self.held_out = read_set(portraits, config.held_out, seed=HELD_OUT_SEED, parsing_maps=True)
        self.step = 0

    @abstractmethod
    def loss(self, portraits: RenderedSet) -> Tensor:
        """The loss of a batch, a scalar."""

    @abstractmethod
    def evaluate(self) -> dict[str, float]:
        """Figures on the held-out portraits."""

    @abstractmethod
    def export(self, folder: Path) -> None:
        """Writes the network in the form that its loader reads."""

    def train_step(self) -> dict[str, float]:
        """One optimiser step; returns the loss."""
        config = self.config
        rate = min(1.0, (self.step + 1) / max(1, config.warmup))
        rate *= 0.5 * (1.0 + math.cos(math.pi * self.step / config.steps))
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * rate
        self.network.train()
        rows = torch.randint(len(self.learned), (config.batch,), generator=self.random).numpy()
        batch = RenderedSet(*(getattr(self.learned, name)[rows] for name in ("rgb", "labels", "variations")),
                            self.learned.parsing_maps[rows])  # fmt: skip
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bf16):
            loss = self.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.step += 1
        return {"loss": float(loss.detach())}

    def save(self, folder: Path) -> None:
        """Writes the checkpoint; the old one stays until the new one is whole."""
        write_checkpoint(
            folder,
            {
                "step": self.step,
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "random": self.random.get_state(),
            },
        )

    def review(self, folder: Path) -> dict[str, float]:
        """Figures on the held-out portraits; no files."""
        return self.evaluate()

    def load(self, folder: Path) -> None:
        """Goes on from a checkpoint.

        Raises:
            FileNotFoundError: there is none.
            RuntimeError: it is of another network.
        """
        state = read_checkpoint(folder, self.device)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.random.set_state(state["random"].cpu())
        self.step = state["step"]


def argument_parser(description: str, defaults: TrainingConfig) -> argparse.ArgumentParser:
    """The options that both trainings have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, required=True, help="체크포인트와 기록을 둘 폴더")
    parser.add_argument("--images", type=int, default=defaults.images, help="학습할 초상화 수")
    parser.add_argument("--held-out", type=int, default=defaults.held_out, help="따로 두고 재어 볼 초상화 수")
    parser.add_argument("--portraits", type=Path, default=DEFAULT_FOLDER, help="그려 둔 초상화 폴더")
    parser.add_argument("--no-render", action="store_true", help="초상화를 더 그리지 않고 있는 것만 씁니다")
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--batch", type=int, default=defaults.batch)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--bf16", action="store_true", help="bfloat16으로 계산합니다")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--checkpoint-every", type=int, default=defaults.checkpoint_every)
    parser.add_argument("--device", default="cpu", help="cpu 또는 cuda")
    parser.add_argument("--threads", type=int, default=1, help="CPU 스레드 수")
    parser.add_argument("--resume", action="store_true", help="체크포인트에서 이어서 학습합니다")
    parser.add_argument("--export", type=Path, help="학습이 끝나면 모델을 쓸 폴더")
    return parser


def training_config(args: argparse.Namespace) -> TrainingConfig:
    """The settings that the options ask for."""
    names = ("images", "held_out", "steps", "batch", "learning_rate", "bf16", "seed", "checkpoint_every")
    return TrainingConfig(**{name: getattr(args, name) for name in names})


def prepare(args: argparse.Namespace, size: dict[str, Any]) -> TrainingConfig:
    """Prints and saves the settings, and draws the portraits that are missing."""
    config = training_config(args)
    torch.set_num_threads(args.threads)
    torch.manual_seed(config.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"training": asdict(config), "network": size}, indent=2)
    print(text, flush=True)
    (args.out / "training.json").write_text(text + "\n", encoding="utf-8")
    if not args.no_render:
        render_set(args.portraits, config.images)
        render_set(args.portraits, config.held_out, seed=HELD_OUT_SEED)
    return config


def carry_out(training: PortraitTraining, args: argparse.Namespace) -> None:
    """Trains, measures and exports as the options ask."""
    if args.resume:
        training.load(args.out)
    run(training, args.out, type(training.network).__name__)
    print(json.dumps({"step": training.step, **training.evaluate()}, indent=2), flush=True)
    if args.export:
        training.export(args.export)
        print(json.dumps({"exported": str(args.export)}), flush=True)
