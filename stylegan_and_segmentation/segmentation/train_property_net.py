"""Trains the PropertyNet on drawn portraits, whose true scores are their labels.

    python -m stylegan_and_segmentation.segmentation.train_property_net --out runs/property_net --export FOLDER

Half of the pictures are softened and all get a little noise, so that a generator's softer pictures are read as well.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..figures import correlation
from ..portrait.rendered_set import RenderedSet
from ..properties import PROPERTY_NAMES
from .portrait_training import PortraitTraining, TrainingConfig, argument_parser, carry_out, prepare
from .property_net import PropertyNet, PropertyNetConfig
from .property_net_file import save_property_net

DEFAULTS = TrainingConfig(images=300, held_out=100, steps=280, batch=24, learning_rate=2e-3)
NOISE = 0.03  # deviation of the noise, for values in [-1, 1]
EVALUATION_BATCH = 50


def to_images(rgb: np.ndarray, device: torch.device) -> Tensor:
    """Pictures uint8 (N, h, w, 3) as the network takes them: float32 (N, 3, h, w), in [-1, 1]."""
    return torch.from_numpy(rgb).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def as_a_generator_draws(images: Tensor, random: torch.Generator) -> Tensor:
    """Pictures (N, 3, h, w), half of them softened by a random amount, all with a little noise."""
    soft = torch.rand(len(images), 1, 1, 1, generator=random) < 0.5
    amount = torch.rand(len(images), 1, 1, 1, generator=random) * soft
    blurred = F.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    images = torch.lerp(images, blurred, amount.to(images.device))
    return images + NOISE * torch.randn(images.shape, generator=random).to(images.device)


class PropertyNetTraining(PortraitTraining):
    """Learns labels from pictures."""

    network: PropertyNet

    def loss(self, portraits: RenderedSet) -> Tensor:
        images = as_a_generator_draws(to_images(portraits.rgb, self.device), self.random)
        labels = torch.from_numpy(portraits.labels).to(self.device)
        return F.smooth_l1_loss(self.network(images).float(), labels, beta=0.5)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Correlation with the true values, for each property."""
        self.network.eval()
        rgb = self.held_out.rgb
        scores = np.concatenate(
            [
                self.network(to_images(rgb[start : start + EVALUATION_BATCH], self.device)).cpu().numpy()
                for start in range(0, len(rgb), EVALUATION_BATCH)
            ]
        )
        return {
            name: round(correlation(scores[:, column], self.held_out.labels[:, column]), 4)
            for column, name in enumerate(PROPERTY_NAMES)
        }

    def export(self, folder: Path) -> None:
        save_property_net(self.network, folder)


def main(arguments: list[str] | None = None) -> None:
    parser = argument_parser("그린 초상화로 속성 점수 모델을 학습합니다.", DEFAULTS)
    size = PropertyNetConfig()
    parser.add_argument("--width", type=int, default=size.width, help="첫 층의 채널 수")
    parser.add_argument("--hidden", type=int, default=size.hidden, help="영역마다 있는 전결합 층의 너비")
    args = parser.parse_args(arguments)
    size = PropertyNetConfig(width=args.width, hidden=args.hidden)
    config = prepare(args, asdict(size))
    training = PropertyNetTraining(PropertyNet(size), config, args.portraits, torch.device(args.device))
    carry_out(training, args)


if __name__ == "__main__":
    main()
