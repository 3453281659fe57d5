"""The encoder of the conditional VAE: a picture and its label in, the distribution of its z out.

Training only. It looks at the picture in a small size, since what it has to find (light, colours, small
shifts) is large; the expression comes to the generator through the label.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class EncoderConfig:
    """The size of an encoder."""

    z_dim: int = 512
    label_dim: int = 7
    image_channels: int = 3
    input_resolution: int = 64  # pictures are averaged down to this
    width: int = 24  # channels of the first layer; doubled at each halving of the resolution
    hidden: int = 256  # width of the last dense layer


class Encoder(nn.Module):
    """q(z | picture, label) as a diagonal normal distribution."""

    def __init__(self, config: EncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EncoderConfig()
        layers: list[nn.Module] = []
        channels, width, resolution = config.image_channels, config.width, config.input_resolution
        while resolution > 4:
            layers += [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            channels, width, resolution = width, min(2 * width, 128), resolution // 2
        self.features = nn.Sequential(*layers)
        self.dense = nn.Linear(channels * resolution**2 + config.label_dim, config.hidden)
        self.mu = nn.Linear(config.hidden, config.z_dim)
        self.log_variance = nn.Linear(config.hidden, config.z_dim)
        nn.init.zeros_(self.log_variance.weight)
        nn.init.constant_(self.log_variance.bias, -1.0)

    def forward(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of z, each (N, z_dim).

        Args:
            image: (N, 3, r, r), in [-1, 1].
            label: (N, label_dim), property scores.
        """
        size = self.config.input_resolution
        small = image if image.shape[-1] == size else F.interpolate(image, size=(size, size), mode="area")
        features = self.features(small).flatten(1)
        hidden = F.leaky_relu(self.dense(torch.cat([features, label], dim=1)), 0.2)
        return self.mu(hidden), self.log_variance(hidden).clamp(-8.0, 4.0)


def sample_z(mu: Tensor, log_variance: Tensor, random: torch.Generator) -> Tensor:
    """z = mu + sigma * epsilon (Kingma and Welling, 2013)."""
    noise = torch.randn(mu.shape, generator=random, device=random.device).to(mu.device)
    return mu + torch.exp(0.5 * log_variance) * noise
