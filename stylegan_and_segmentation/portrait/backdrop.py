"""The soft night sky with an aurora behind her, with a given mean brightness and contrast. Knows nothing of her."""

from __future__ import annotations

import numpy as np

from .palette import LUMA

PIXELS = 128  # painted small and stretched; it is far away and out of focus
_FLOOR, _SOFT = 10.0, 9.0  # brightness
_GREEN, _TEAL, _VIOLET, _NIGHT = (
    np.array(colour, float) for colour in ((96, 232, 178), (66, 186, 214), (172, 112, 226), (44, 60, 122))
)
_LIGHTS = (  # out of focus: x, y, radius, strength, as shares of the picture
    (0.07, 0.56, 0.050, 0.9),
    (0.15, 0.71, 0.034, 0.6),
    (0.94, 0.60, 0.044, 0.9),
    (0.86, 0.74, 0.030, 0.6),
    (0.04, 0.30, 0.026, 0.6),
    (0.965, 0.37, 0.030, 0.7),
    (0.12, 0.90, 0.040, 0.5),
    (0.91, 0.91, 0.046, 0.5),
    (0.20, 0.10, 0.018, 0.6),
    (0.83, 0.20, 0.020, 0.6),
)


def paint_backdrop(background_mean: float, background_std: float, hue: float, drift: float) -> np.ndarray:
    """An aurora, uint8, (128, 128, 3).

    Args:
        background_mean: score of the mean brightness, -3..4.
        background_std: score of the brightness's deviation, -3..4.
        hue: turns the colours between green and violet, about -2..2.
        drift: moves the ribbons sideways, about -2..2.
    """
    mean = 98.0 + 20.0 * float(np.clip(background_mean, -3.0, 4.0))
    deviation = 21.0 + 5.4 * float(np.clip(background_std, -3.0, 4.0))
    y, x = np.mgrid[0:PIXELS, 0:PIXELS] / (PIXELS - 1.0)
    glow = _curtains(x, y, 0.5 * drift)
    upper, outside = glow[: PIXELS // 2], _beside_her(x, y)[: PIXELS // 2]
    field = (glow - upper[outside].mean()) / upper[outside].std()
    field = np.tanh(field / 2.4)
    seen = field[: PIXELS // 2][outside]
    field = (field - seen.mean()) / seen.std()
    luma = mean + deviation * field
    luma = _FLOOR + _SOFT * np.logaddexp(0.0, (luma - _FLOOR) / _SOFT)  # a night sky is never quite black

    share = np.clip(0.46 + 0.85 * (x - 0.5) + 0.16 * hue - 0.25 * (y - 0.3), 0.0, 1.0)[..., None]
    bright = np.where(
        share < 0.5, _GREEN + (_TEAL - _GREEN) * 2.0 * share, _TEAL + (_VIOLET - _TEAL) * (2.0 * share - 1.0)
    )
    weight = 1.0 / (1.0 + np.exp(-1.5 * field))[..., None]
    colour = _NIGHT + (bright - _NIGHT) * weight
    colour = colour / (colour @ LUMA)[..., None]
    pale = np.clip((luma - 120.0) / 160.0, 0.0, 0.7)[..., None]  # bright skies lose colour instead of clipping
    colour = colour * (1.0 - pale) + pale
    return np.clip(colour * luma[..., None], 0.0, 255.0).astype(np.uint8)


def _curtains(x: np.ndarray, y: np.ndarray, phase: float) -> np.ndarray:
    """Brightness of the ribbons, their rays and the lights, in no unit."""
    total = -0.35 * y
    for place, bend, height, strength in ((0.13, 0.07, 0.62, 1.0), (0.89, 0.06, 0.55, 0.95), (0.42, 0.12, 0.16, 0.6)):
        centre = place + bend * np.sin(4.4 * y + 7.0 * place + phase) + 0.04 * phase
        rays = 1.0 + 0.20 * np.sin(46.0 * x + 5.0 * y + 3.0 * phase) * np.sin(17.0 * x + 9.0 * place)
        foot = 1.0 / (1.0 + np.exp((y - height) / 0.07))  # an aurora ends sharper below than above
        width = 0.10 + 0.05 * np.sin(2.0 + 3.0 * y)
        total = total + strength * rays * np.exp(-(np.abs((x - centre) / width) ** 1.8)) * foot * (0.55 + 0.7 * y)
    for light_x, light_y, radius, strength in _LIGHTS:
        distance = np.hypot(x - light_x - 0.01 * phase, y - light_y) / radius
        total = total + 0.34 * strength / (1.0 + np.exp((distance - 1.0) * 9.0)) * (
            0.75 + 0.25 * np.minimum(distance, 1.0)
        )
    return total


def _beside_her(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where the sky is seen beside her hair, roughly."""
    return ((x - 0.5) / 0.30) ** 2 + ((y - 0.52) / 0.46) ** 2 > 1.0
