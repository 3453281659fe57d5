"""PropertyNets on disk: `config.json` and `property_net.safetensors`, loaded strictly."""

from __future__ import annotations

from pathlib import Path

import torch

from .area_networks_file import load_area_networks, save_area_networks
from .property_net import PropertyNet

EMBEDDED_PROPERTY_NET = Path(__file__).resolve().parent / "embedded" / "property_net"
WEIGHTS_FILE = "property_net.safetensors"
WHAT = "속성 점수 모델"


def load_property_net(folder: Path = EMBEDDED_PROPERTY_NET, device: torch.device | str = "cpu") -> PropertyNet:
    """The PropertyNet of a folder, in float32: eval mode, no gradients of its own weights.

    Raises:
        WeightsError: a file is missing, broken or does not fit the network.
    """
    return load_area_networks(PropertyNet, Path(folder) / WEIGHTS_FILE, WHAT, device)


def save_property_net(network: PropertyNet, folder: Path, dtype: torch.dtype = torch.float16) -> None:
    """Writes the folder that `load_property_net` reads; float16 halves the weights."""
    save_area_networks(network, Path(folder) / WEIGHTS_FILE, dtype)
