"""The soft aurora behind her, with a given mean brightness and contrast. Knows nothing of the figure."""

from __future__ import annotations

import numpy as np

PIXELS = 128  # painted small and stretched; it has no fine detail
LUMA = np.array([0.299, 0.587, 0.114])


def paint_backdrop(background_mean: float, background_std: float, hue: float, drift: float) -> np.ndarray:
    """An aurora, uint8, (128, 128, 3).

    Args:
        background_mean: score of the mean brightness, -3..4.
        background_std: score of the brightness's deviation, -3..4.
        hue: turns the colours between green and violet, about -2..2.
        drift: moves the ribbons sideways, about -2..2.
    """
    mean = 98.0 + 23.0 * float(np.clip(background_mean, -3.0, 4.0))
    deviation = max(2.0, 20.0 + 6.5 * float(np.clip(background_std, -3.0, 4.0)))
    y, x = np.mgrid[0:PIXELS, 0:PIXELS] / (PIXELS - 1.0)
    phase = 0.5 * drift
    ribbon1 = np.exp(-(((x - 0.16 - 0.06 * np.sin(4.2 * y + phase) - 0.04 * phase) / 0.13) ** 2)) * (
        0.4 + 0.6 * np.cos(1.9 * (y - 0.25))
    )
    ribbon2 = np.exp(-(((x - 0.86 - 0.05 * np.sin(3.4 * y + 1.0 - phase) + 0.04 * phase) / 0.12) ** 2)) * (
        0.35 + 0.65 * np.cos(1.7 * (y - 0.45))
    )
    ribbon3 = np.exp(-(((y - 0.10 - 0.05 * np.sin(5.0 * x + phase)) / 0.16) ** 2)) * 0.55
    glow = 1.25 * ribbon1 + 1.05 * ribbon2 + ribbon3 - 0.55 * y
    upper = glow[: PIXELS // 2]
    outside = (((x - 0.5) / 0.27) ** 2 + ((y - 0.5) / 0.36) ** 2 > 1.0)[: PIXELS // 2]
    field = (glow - upper[outside].mean()) / upper[outside].std()
    luma = mean + deviation * np.tanh(field / 2.2) * 2.0

    green, teal, violet, night = (
        np.array(colour, float) for colour in ((92, 226, 178), (70, 176, 206), (150, 120, 226), (52, 66, 120))
    )
    share = np.clip(0.5 + 0.9 * (x - 0.5) + 0.16 * hue + 0.18 * np.sin(3.0 * y + 2.0 * x + phase), 0.0, 1.0)[..., None]
    bright = np.where(share < 0.5, green + (teal - green) * 2.0 * share, teal + (violet - teal) * (2.0 * share - 1.0))
    weight = 1.0 / (1.0 + np.exp(-1.3 * field))[..., None]
    colour = night + (bright - night) * weight
    colour = colour / (colour @ LUMA)[..., None]
    pale = np.clip((luma - 120.0) / 160.0, 0.0, 0.7)[..., None]  # bright skies lose colour instead of clipping
    colour = colour * (1.0 - pale) + pale
    return np.clip(colour * luma[..., None], 0.0, 255.0).astype(np.uint8)
