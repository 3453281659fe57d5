"""Rebuilds the weights of the published-parity fixture: known numbers for every key, from any seed."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import torch

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SHAPES_FILE = FIXTURES / "stylegan_v3_state_dict.json"
PARITY_FILE = FIXTURES / "stylegan_v3_parity.npz"


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Key and shape of each of the published state dict's 123 entries."""
    return {key: tuple(shape) for key, shape in json.loads(SHAPES_FILE.read_text(encoding="utf-8")).items()}


def rebuild_weights(seed: int, shapes: dict[str, tuple[int, ...]] | None = None) -> dict[str, torch.Tensor]:
    """A state dict by the fixture's recipe."""
    return {key: torch.from_numpy(_value(key, shape, seed)) for key, shape in (shapes or published_shapes()).items()}


def _value(key: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    if key == "synthesis.lod":
        return np.zeros(shape, np.float32)
    if key.endswith("blur.kernel"):
        line = np.array([1.0, 2.0, 1.0], np.float32)
        return np.broadcast_to(np.outer(line, line) / 16.0, shape).copy()
    random = np.random.default_rng([seed, zlib.crc32(key.encode())])
    value = random.standard_normal(shape).astype(np.float32)
    return value * np.float32(_factor(key))


def _factor(key: str) -> float:
    if key.startswith("mapping.dense"):
        return 100.0 if key.endswith(".weight") else 10.0
    if key.startswith("synthesis.output"):
        return 0.3 if key.endswith(".weight") else 0.1
    if key.endswith("apply_noise.weight") or key.endswith(".bias"):
        return 0.1
    return 1.0
