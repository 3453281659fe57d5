"""The brows of the portrait: soft tapered shapes of single hairs. Knows the expression, and not what it means."""

from __future__ import annotations

import numpy as np

from .easel import Easel, smooth_path, tapered_path
from .expression import Expression
from .palette import Colour, mix
from .parsing import FaceClass
from .relief import Face

BROW: Colour = (148.0, 96.0, 62.0)
_DARK: Colour = (92.0, 58.0, 44.0)


def paint_brow(easel: Easel, face: Face, expression: Expression, side: int, tone: float) -> None:
    """One brow, with its region.

    Args:
        easel: where.
        face: the turned face.
        expression: lifts the brow, or draws its inner end up.
        side: -1 on the left of the picture, +1 on the right.
        tone: 0 for dark hair, 1 for her blond, a little above for paler.
    """
    t = np.linspace(0.0, 1.0, 21)
    x = 12.5 + 32.5 * t
    y = 105.6 - 5.0 * np.sin(np.pi * np.clip(0.74 * t, 0.0, 1.0)) ** 1.2 + 5.0 * t**2.6
    y = y - (expression.brow_lift + expression.cheer) * (0.8 + 0.2 * np.sin(np.pi * t))
    y = y - expression.worry * (4.4 * (1.0 - t) ** 1.4 - 2.0 * t)
    points = np.stack([side * x, y], axis=1)
    widths = np.interp(t, [0.0, 0.10, 0.35, 0.65, 1.0], [2.2, 4.0, 4.3, 3.0, 0.4])
    colour = mix(_DARK, BROW, tone)
    shape = tapered_path(face.place(points, 1.0), widths)
    easel.region(shape, FaceClass.LEFT_BROW if side < 0 else FaceClass.RIGHT_BROW)
    start = tapered_path(face.place(points[3:], 1.0), widths[3:])
    easel.fill(shape, colour, alpha=0.42, blur=1.0)
    easel.fill(start, colour, alpha=0.50, blur=0.7)
    hair = mix(colour, _DARK, 0.45)
    for index in range(30):
        at = 0.92 * index / 29.0
        middle = np.array([np.interp(at, t, points[:, 0]), np.interp(at, t, points[:, 1])])
        half = 0.5 * np.interp(at, t, widths)
        below = half * (0.9 if index % 2 else 0.1)
        lean = side * (0.6 + 3.6 * at)
        lift = half * (1.5 - 1.1 * at) + (0.0 if index % 2 else 0.4)
        stroke = np.array(
            [middle + [0.0, below], middle + [0.5 * lean, below - 0.6 * lift], middle + [lean, -lift * 0.5]]
        )
        easel.line(smooth_path(face.place(stroke, 1.0)), hair, 0.6, alpha=0.26, blur=0.25)
