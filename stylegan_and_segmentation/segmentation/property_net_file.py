"""PropertyNets on disk: `config.json` and `property_net.safetensors`, loaded strictly."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch

from ..weights_file import fill, read_safetensors, read_sizes, write_safetensors
from .property_net import PropertyNet, PropertyNetConfig

EMBEDDED_PROPERTY_NET = Path(__file__).resolve().parent / "embedded" / "property_net"
CONFIG_FILE = "config.json"
WEIGHTS_FILE = "property_net.safetensors"
WHAT = "속성 점수 모델"


def load_property_net(folder: Path = EMBEDDED_PROPERTY_NET, device: torch.device | str = "cpu") -> PropertyNet:
    """The PropertyNet of a folder, in float32: eval mode, no gradients of its own weights.

    Raises:
        WeightsError: a file is missing, broken or does not fit the network.
    """
    folder = Path(folder)
    config = read_sizes(folder / CONFIG_FILE, PropertyNetConfig, WHAT)
    with torch.device("meta"):  # shapes only; the tensors are those of the file
        network = PropertyNet(config)
    fill(network, read_safetensors(folder / WEIGHTS_FILE, WHAT), folder / WEIGHTS_FILE, WHAT)
    return network.to(device).eval().requires_grad_(False)


def save_property_net(network: PropertyNet, folder: Path, dtype: torch.dtype = torch.float16) -> None:
    """Writes the folder that `load_property_net` reads; float16 halves the weights."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(network, folder / WEIGHTS_FILE, dtype)
    (folder / CONFIG_FILE).write_text(json.dumps(asdict(network.config), indent=2) + "\n", encoding="utf-8")
