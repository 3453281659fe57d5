"""The figures of the evaluations: nearness and sharpness of pictures, and correlation. Knows no face, no network."""

from __future__ import annotations

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114])  # brightness of red, green and blue (ITU-R BT.601)
BEST_PSNR = 100.0  # of equal pictures, whose ratio has no end


def psnr(drawn: np.ndarray, wanted: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, over all channels, at most 100.

    Args:
        drawn: uint8, (h, w, 3).
        wanted: of the same shape.

    Raises:
        ValueError: the shapes differ.
    """
    if drawn.shape != wanted.shape:
        raise ValueError(f"pictures must have one shape, got {drawn.shape} and {wanted.shape}")
    error = np.square(drawn.astype(np.float64) - wanted.astype(np.float64)).mean()
    return min(BEST_PSNR, float(10.0 * np.log10(255.0**2 / error))) if error > 0.0 else BEST_PSNR


def sharpness(rgb: np.ndarray) -> float:
    """Variance of the brightness's Laplacian (four neighbours), without the picture's border.

    Args:
        rgb: uint8, (h, w, 3), at least 3 pixels either way.
    """
    grey = rgb.astype(np.float64) @ LUMA
    middle = grey[1:-1, 1:-1]
    return float((grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4.0 * middle).var())


def correlation(measured: np.ndarray, wanted: np.ndarray) -> float:
    """Pearson's r of two series (N,); 0 where one of them does not change."""
    if measured.std() == 0.0 or wanted.std() == 0.0:
        return 0.0
    return float(np.corrcoef(measured, wanted)[0, 1])


def rank_correlation(measured: np.ndarray, wanted: np.ndarray) -> float:
    """Spearman's rank correlation of two series (N,): whether one rises with the other, however evenly."""
    return correlation(_ranks(measured), _ranks(wanted))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0, equal values sharing the mean of theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    return (ends - (counts + 1) / 2.0)[group]
