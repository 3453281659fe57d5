"""WomanNets on disk: `config.json` and `woman_net.safetensors`, loaded strictly."""

from __future__ import annotations

from pathlib import Path

import torch

from .area_networks_file import load_area_networks, save_area_networks
from .woman_net import WomanNet

EMBEDDED_WOMAN_NET = Path(__file__).resolve().parent / "embedded" / "woman_net"
WEIGHTS_FILE = "woman_net.safetensors"
WHAT = "얼굴 임베딩 모델"


def load_woman_net(folder: Path = EMBEDDED_WOMAN_NET, device: torch.device | str = "cpu") -> WomanNet:
    """The WomanNet of a folder, in float32: eval mode, no gradients of its own weights.

    Raises:
        WeightsError: a file is missing, broken or does not fit the network.
    """
    return load_area_networks(WomanNet, Path(folder) / WEIGHTS_FILE, WHAT, device)


def save_woman_net(network: WomanNet, folder: Path, dtype: torch.dtype = torch.float16) -> None:
    """Writes the folder that `load_woman_net` reads; float16 halves the weights."""
    save_area_networks(network, Path(folder) / WEIGHTS_FILE, dtype)
