"""Whether two pictures show the same woman: by distance, of a face embedding or of the FaceParser's features.

Knows no generator. The embedding is `woman_net.py`'s, and needs nothing more than distances.

The FaceParser's features are the means of the encoder's first two stages over skin, brows, nose, lips and hair, as
the parsing map shows them; the background does not count. They move with the expression too. So a linear metric is
learned from pictures of other women, each with several expressions: directions in which women differ count in
proportion to how little an expression changes them (linear discriminant analysis, as face verification uses it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from ..portrait.parsing import FaceClass
from .face_parser import FaceParser

STAGES = 2  # of the encoder; later ones know shapes, which expressions change, rather than looks
REGIONS: tuple[tuple[FaceClass, ...], ...] = (
    (FaceClass.SKIN,),
    (FaceClass.LEFT_BROW, FaceClass.RIGHT_BROW),
    (FaceClass.NOSE,),
    (FaceClass.UPPER_LIP, FaceClass.LOWER_LIP),
    (FaceClass.HAIR,),
)
DIRECTIONS = 12  # of the metric, at most
SHRINKAGE = 0.02  # of the covariance within a woman's pictures, towards its mean variance


@torch.inference_mode()
def face_features(parser: FaceParser, rgb: np.ndarray) -> np.ndarray:
    """Features of pictures, float64, (N, D).

    Args:
        parser: the embedded parser, or another.
        rgb: uint8, (N, h, w, 3).
    """
    device = next(parser.network.parameters()).device
    pixels = parser.wanted.pixels(torch.from_numpy(np.ascontiguousarray(rgb)).to(device))
    found = parser.network(pixel_values=pixels, output_hidden_states=True)
    shares = parser.merge(found.logits)
    parts = []
    for stage in found.hidden_states[:STAGES]:
        weights = F.adaptive_avg_pool2d(shares, stage.shape[2:])
        for region in REGIONS:
            weight = weights[:, [int(kind) for kind in region]].sum(dim=1, keepdim=True)
            parts.append((stage * weight).sum(dim=(2, 3)) / weight.sum(dim=(2, 3)).clamp_min(1e-6))
    return torch.cat(parts, dim=1).double().cpu().numpy()


@dataclass(frozen=True)
class WomanMetric:
    """A linear map of features, after which distance tells women apart."""

    directions: np.ndarray  # (D, K)

    @classmethod
    def learn(cls, features: np.ndarray) -> WomanMetric:
        """From features (women, pictures of each, D), at least 2 of each.

        Raises:
            ValueError: another shape.
        """
        if features.ndim != 3 or min(features.shape[:2]) < 2:
            raise ValueError(f"features must have shape (women, pictures, D), 2 or more of each, got {features.shape}")
        women, pictures, length = features.shape
        spread = features.reshape(-1, length).std(axis=0)
        scale = np.where(spread > 0.0, 1.0 / np.where(spread > 0.0, spread, 1.0), 0.0)
        features = features * scale
        means = features.mean(axis=1)
        strays = (features - means[:, None]).reshape(-1, length)
        within = strays.T @ strays / (women * (pictures - 1))
        within = (1.0 - SHRINKAGE) * within + SHRINKAGE * max(np.trace(within) / length, 1e-9) * np.eye(length)
        values, vectors = np.linalg.eigh(within)
        whiten = vectors / np.sqrt(values)
        between = (means - means.mean(axis=0)) @ whiten
        _, singular, axes = np.linalg.svd(between, full_matrices=False)
        # Means of a few pictures differ by chance alone; what is left of a direction's variance tells women apart.
        signal = np.maximum(singular**2 / (women - 1) - 1.0 / pictures, 0.0)
        weights = np.sqrt(signal / (1.0 + signal))[:DIRECTIONS]
        return cls(scale[:, None] * whiten @ axes[:DIRECTIONS].T * weights)

    def place(self, features: np.ndarray) -> np.ndarray:
        """Where features (N, D) lie for distances to tell women apart: (N, K)."""
        return features @ self.directions


def separation(hers: np.ndarray, others: np.ndarray) -> float:
    """How often two pictures of her are nearer to each other than the first is to one of another woman, 0..1.

    Args:
        hers: where pictures of her lie, (N, K), N >= 2.
        others: where pictures of others lie, (M, K), each of another woman.
    """
    same, apart = _distances(hers, hers), np.sort(_distances(hers, others), axis=1)
    pairs = ~np.eye(len(hers), dtype=bool)
    farther = [len(row) - np.searchsorted(row, near[mask], side="right") for row, near, mask in
               zip(apart, same, pairs, strict=True)]  # fmt: skip
    return float(np.concatenate(farther).mean() / len(others))


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distances of points (N, K) and (M, K): (N, M)."""
    squared = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1) - 2.0 * one @ other.T
    return np.sqrt(np.maximum(squared, 0.0))
