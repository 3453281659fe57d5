"""Networks that read areas, on disk: `config.json` and a safetensors file, loaded strictly."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import torch

from ..weights_file import fill, read_safetensors, read_sizes, write_safetensors
from .property_net import AreaNetworks, PropertyNetConfig

CONFIG_FILE = "config.json"
Network = TypeVar("Network", bound=AreaNetworks)


def load_area_networks(kind: type[Network], weights: Path, what: str, device: torch.device | str) -> Network:
    """The network of a weights file and the config beside it, in float32: eval mode, no gradients of its own weights.

    Args:
        kind: its class.
        weights: the safetensors file.
        what: its Korean name, for the errors.
        device: where it goes.

    Raises:
        WeightsError: a file is missing, broken or does not fit the network.
    """
    config = read_sizes(weights.parent / CONFIG_FILE, PropertyNetConfig, what)
    with torch.device("meta"):  # shapes only; the tensors are those of the file
        network = kind(config)
    fill(network, read_safetensors(weights, what), weights, what)
    return network.to(device).eval().requires_grad_(False)


def save_area_networks(network: AreaNetworks, weights: Path, dtype: torch.dtype) -> None:
    """Writes the file that `load_area_networks` reads, and the config beside it."""
    weights.parent.mkdir(parents=True, exist_ok=True)
    write_safetensors(network, weights, dtype)
    (weights.parent / CONFIG_FILE).write_text(json.dumps(asdict(network.config), indent=2) + "\n", encoding="utf-8")
