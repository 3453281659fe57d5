"""Colours of the portrait and how they mix. Knows no shapes."""

from __future__ import annotations

from functools import cache

import numpy as np

Colour = tuple[float, float, float]  # red, green, blue, each 0..255

WHITE: Colour = (255.0, 255.0, 255.0)
SKIN_SHADOW: Colour = (206.0, 134.0, 116.0)
SKIN_DEEP: Colour = (150.0, 78.0, 72.0)
LASH: Colour = (44.0, 27.0, 30.0)
# Directions in which a colour turns without growing brighter.
WARM: Colour = (1.0, -0.3, -1.08)
GREEN: Colour = (-1.0, 0.62, -0.57)  # away from it: pink
LEAF: Colour = (-0.5, 0.6, -1.78)  # from blue to green
_STEPS = 1024  # of a ramp
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """The colour between `a` (t = 0) and `b` (t = 1)."""
    return tuple(float(x + (y - x) * t) for x, y in zip(a, b, strict=True))


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor < 1) or brighter (> 1); bright ones turn pale instead of clipping."""
    if factor <= 1.0:
        return tuple(float(channel * factor) for channel in colour)
    return mix(colour, (255.0, 252.0, 244.0), 1.0 - 1.0 / factor)


def tinted(colour: np.ndarray | Colour, direction: Colour, amount: float) -> np.ndarray:
    """Colours (..., 3) turned by an amount, 0..255, in a direction; held to 0..255."""
    return np.clip(np.asarray(colour) + amount * np.array(direction, np.float32), 0.0, 255.0)


def ramp(values: np.ndarray, stops: tuple[float, ...], colours: tuple[Colour, ...]) -> np.ndarray:
    """Colours (..., 3), float32, for values (...), interpolated between stops within 0..1; held at both ends."""
    at = np.clip(np.asarray(values) * (_STEPS - 1), 0, _STEPS - 1).astype(np.intp)
    return _table(stops, colours)[at]


@cache
def _table(stops: tuple[float, ...], colours: tuple[Colour, ...]) -> np.ndarray:
    """The ramp's colours at even steps; looking them up is several times faster than interpolating."""
    channels = np.array(colours, float).T
    at = np.linspace(0.0, 1.0, _STEPS)
    return np.stack([np.interp(at, stops, channel) for channel in channels], axis=-1).astype(np.float32)
