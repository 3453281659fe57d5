"""WomanNet: what a picture shows of a woman's looks, whatever her expression is. A face embedding.

It says where a picture stands in each of the looks in which the drawn portraits of different women differ. What it
cannot see it leaves near 0, the mean, so that plain distances between its answers tell women apart. The background,
the light and the dress are no looks of hers: it is not asked for them. It is built as the PropertyNet is, from areas.
Knows no generator and no files (`woman_net_file.py`).
"""

from __future__ import annotations

import numpy as np
import torch

from ..portrait.rendered_set import VARIATION_NAMES
from .property_net import Area, AreaNetworks

LOOKS: tuple[str, ...] = ("tint", "tip_hue", "hair_warmth", "iris_hue", "lip_hue", "skin_warmth")  # of a Variation
LOOK_COLUMNS = [VARIATION_NAMES.index(name) for name in LOOKS]
AREAS: tuple[Area, ...] = (
    Area(("iris_hue",), 64, 96, 208, 144, fine=True),
    Area(("lip_hue",), 88, 152, 184, 208, fine=True),
    Area(("tint", "tip_hue", "hair_warmth", "skin_warmth"), 0, 0, 256, 256, fine=False),
)
BATCH = 10


class WomanNet(AreaNetworks):
    """Looks of women, in the order of `LOOKS`, each about standard normal over women."""

    names = LOOKS
    read_from = AREAS


@torch.inference_mode()
def looks(network: WomanNet, rgb: np.ndarray) -> np.ndarray:
    """Looks of pictures, float64 (N, 6).

    Args:
        network: the embedded one, or another.
        rgb: uint8, (N, 256, 256, 3).
    """
    device = next(network.parameters()).device
    found = []
    for start in range(0, len(rgb), BATCH):
        batch = torch.from_numpy(np.ascontiguousarray(rgb[start : start + BATCH])).to(device)
        found.append(network(batch.permute(0, 3, 1, 2).float() / 127.5 - 1.0).double().cpu().numpy())
    return np.concatenate(found)
