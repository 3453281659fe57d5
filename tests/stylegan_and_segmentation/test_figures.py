"""The figures of the evaluations, against known answers."""

from __future__ import annotations

import numpy as np
import pytest

from stylegan_and_segmentation.figures import correlation, psnr, rank_correlation, sharpness


def test_psnr() -> None:
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(grey, grey) == 100.0
    assert psnr(grey, grey + 10) == pytest.approx(20.0 * np.log10(25.5))
    assert psnr(np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="shape"):
        psnr(grey, grey[:4])


def test_sharpness() -> None:
    ramp = np.repeat(np.arange(0, 250, 10, dtype=np.uint8)[:, None], 25, axis=1)
    assert sharpness(np.repeat(ramp[..., None], 3, axis=2)) == pytest.approx(0.0, abs=1e-9)
    dot = np.zeros((7, 7, 3), np.uint8)
    dot[3, 3] = 10  # the Laplacian is -40 there and 10 at its four neighbours, of 25 pixels
    assert sharpness(dot) == pytest.approx((40.0**2 + 4 * 10.0**2) / 25.0)


def test_correlation() -> None:
    assert correlation(np.array([1.0, 2.0, 4.0]), np.array([2.0, 4.0, 8.0])) == pytest.approx(1.0)
    assert correlation(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(-1.0)
    assert correlation(np.zeros(3), np.arange(3.0)) == 0.0


def test_rank_correlation() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0])
    assert rank_correlation(np.exp(5.0 * x), x) == pytest.approx(1.0)
    # Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3.
    assert rank_correlation(np.array([1.0, 2.0, 2.0, 9.0]), x) == pytest.approx(4.5 / np.sqrt(4.5 * 5.0))
