"""PropertyNet: the seven property scores from pixels, each looked for where it stands in the picture.

The areas are those of the published property CNN; they are fixed, so a face must stand where the generator draws
it. It can be differentiated, so a generator can be trained through it. Knows no parsing maps and no files
(`property_net_file.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..properties import PROPERTY_NAMES

RESOLUTION = 256  # width and height of the pictures
COARSE = 4  # areas where only large things count are averaged down by this


@dataclass(frozen=True)
class Area:
    """A part of the picture and the scores that are read from it."""

    properties: tuple[str, ...]
    left: int  # pixels of a 256 x 256 picture
    top: int
    right: int
    bottom: int
    fine: bool  # looked at pixel by pixel

    def cut(self, image: Tensor) -> Tensor:
        """The area of pictures (N, 3, 256, 256)."""
        part = image[..., self.top : self.bottom, self.left : self.right]
        return part if self.fine else F.avg_pool2d(part, COARSE)


AREAS: tuple[Area, ...] = (  # published ranges of x and y
    Area(("eyes",), 64, 96, 192, 144, fine=True),
    Area(("mouth",), 96, 160, 160, 208, fine=True),
    Area(("pose",), 88, 112, 168, 160, fine=True),
    Area(("hair_color",), 0, 0, 256, 256, fine=False),
    Area(("hair_length",), 0, 128, 256, 256, fine=False),
    Area(("background_mean", "background_std"), 0, 0, 256, 128, fine=False),
)


@dataclass(frozen=True)
class PropertyNetConfig:
    """The size of a PropertyNet."""

    width: int = 16  # channels of an area's first layer; each further layer has as many more
    layers: int = 4  # convolutions of an area, each halving it
    hidden: int = 48  # width of an area's dense layer

    def __post_init__(self) -> None:
        if min(self.width, self.hidden) < 1 or not 1 <= self.layers <= 5:
            raise ValueError(f"width and hidden must be at least 1 and layers 1 to 5, got {self}")


class AreaNetwork(nn.Module):
    """The scores of one area. Nothing is normalised: brightness itself is what some scores measure."""

    def __init__(self, area: Area, config: PropertyNetConfig) -> None:
        super().__init__()
        self.area = area
        factor = 1 if area.fine else COARSE
        height, width = (area.bottom - area.top) // factor, (area.right - area.left) // factor
        layers: list[nn.Module] = []
        channels = 3
        for index in range(config.layers):
            layers += [nn.Conv2d(channels, (index + 1) * config.width, 3, stride=2, padding=1), nn.LeakyReLU(0.1)]
            channels = (index + 1) * config.width
            height, width = (height + 1) // 2, (width + 1) // 2
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.dense = nn.Linear(channels * height * width, config.hidden)
        self.scores = nn.Linear(config.hidden, len(area.properties))

    def forward(self, image: Tensor) -> Tensor:
        """Scores (N, number of the area's properties) of pictures (N, 3, 256, 256)."""
        return self.scores(F.leaky_relu(self.dense(self.features(self.area.cut(image))), 0.1))


class AreaNetworks(nn.Module):
    """Scores that are read from areas of a picture; a subclass says which.

    Args:
        config: the size.
    """

    names: tuple[str, ...]  # of the scores, in the order in which they are given
    read_from: tuple[Area, ...]

    def __init__(self, config: PropertyNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PropertyNetConfig()
        self.areas = nn.ModuleList(AreaNetwork(area, config) for area in self.read_from)
        read = [name for area in self.read_from for name in area.properties]
        self._order = [read.index(name) for name in self.names]

    def forward(self, image: Tensor) -> Tensor:
        """Scores (N, number of `names`), in the order of `names`.

        Args:
            image: (N, 3, 256, 256), RGB, about [-1, 1].

        Raises:
            ValueError: the pictures have another shape.
        """
        if image.ndim != 4 or image.shape[1:] != (3, RESOLUTION, RESOLUTION):
            raise ValueError(f"image must have shape (N, 3, {RESOLUTION}, {RESOLUTION}), got {tuple(image.shape)}")
        return torch.cat([area(image) for area in self.areas], dim=1)[:, self._order]


class PropertyNet(AreaNetworks):
    """Scores of all seven properties, in the order of `PROPERTY_NAMES`."""

    names = PROPERTY_NAMES
    read_from = AREAS
