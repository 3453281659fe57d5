"""Trains the WomanNet on drawn portraits: from pictures of random labels to the variations that they were drawn with.

    python -m stylegan_and_segmentation.segmentation.train_woman_net --out runs/woman_net --export FOLDER

Pictures of the evaluation are not among them. Half are softened and all get a little noise, so that a generator's
softer pictures are read as well.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..figures import correlation
from ..portrait.rendered_set import RenderedSet, drawn_variations
from .portrait_training import PortraitTraining, TrainingConfig, argument_parser, carry_out, prepare
from .property_net import PropertyNetConfig
from .train_property_net import as_a_generator_draws, to_images
from .woman_net import LOOK_COLUMNS, LOOKS, WomanNet, looks
from .woman_net_file import save_woman_net

DEFAULTS = TrainingConfig(images=600, held_out=100, steps=400, batch=16, learning_rate=2e-3)


def true_looks(portraits: RenderedSet) -> np.ndarray:
    """What the portraits were drawn with, float32 (N, 6)."""
    return drawn_variations(portraits)[:, LOOK_COLUMNS]


class WomanNetTraining(PortraitTraining):
    """Learns looks from pictures."""

    network: WomanNet

    def loss(self, portraits: RenderedSet) -> Tensor:
        images = as_a_generator_draws(to_images(portraits.rgb, self.device), self.random)
        wanted = torch.from_numpy(true_looks(portraits)).to(self.device)
        return F.smooth_l1_loss(self.network(images).float(), wanted, beta=0.5)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Correlation with the true looks, for each of them."""
        self.network.eval()
        found, wanted = looks(self.network, self.held_out.rgb), true_looks(self.held_out)
        return {name: round(correlation(found[:, i], wanted[:, i]), 4) for i, name in enumerate(LOOKS)}

    def export(self, folder: Path) -> None:
        save_woman_net(self.network, folder)


def main(arguments: list[str] | None = None) -> None:
    parser = argument_parser("그린 초상화로 같은 사람인지 알아보는 얼굴 임베딩을 학습합니다.", DEFAULTS)
    size = PropertyNetConfig()
    parser.add_argument("--width", type=int, default=size.width, help="영역마다 첫 층의 채널 수")
    parser.add_argument("--hidden", type=int, default=size.hidden, help="영역마다 있는 전결합 층의 너비")
    args = parser.parse_args(arguments)
    size = PropertyNetConfig(width=args.width, hidden=args.hidden)
    config = prepare(args, asdict(size))
    training = WomanNetTraining(WomanNet(size), config, args.portraits, torch.device(args.device))
    carry_out(training, args)


if __name__ == "__main__":
    main()
