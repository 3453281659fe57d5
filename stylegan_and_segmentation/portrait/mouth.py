"""The mouth of the portrait: lips with volume, and teeth and tongue where it is open.

Positions are front-view picture units, x from the face's middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .easel import Easel, oval_path, polygon_path, smooth_path, tapered_path, vertical_shader
from .expression import Expression
from .palette import SKIN_DEEP, SKIN_SHADOW, WARM, Colour, mix, tinted
from .parsing import FaceClass
from .relief import MOUTH_Y, Face

_LIP: Colour = (212.0, 92.0, 100.0)
_LIP_DARK: Colour = (160.0, 54.0, 68.0)
_LIP_LIGHT: Colour = (240.0, 142.0, 140.0)
_SEAM: Colour = (104.0, 30.0, 42.0)
_INSIDE: Colour = (74.0, 18.0, 28.0)
_TEETH: Colour = (250.0, 246.0, 242.0)
_TONGUE: Colour = (206.0, 92.0, 102.0)
_POINTS = 49


@dataclass(frozen=True)
class Lips:
    """Edges of the lips, front-view heights (N,) each over x (N,), from left to right."""

    x: np.ndarray
    top: np.ndarray  # of the upper lip
    seam_top: np.ndarray  # where the upper lip ends
    seam_low: np.ndarray  # where the lower lip begins
    low: np.ndarray  # of the lower lip

    @classmethod
    def of(cls, expression: Expression) -> Lips:
        smile, gap = expression.smile, expression.mouth_open
        u = np.linspace(-1.0, 1.0, _POINTS)
        away = np.abs(u)
        half = 14.6 + 4.4 * smile + 1.2 * min(gap, 1.0) - 0.8 * expression.worry
        corner = MOUTH_Y + 0.6 - 4.4 * smile - 1.6 * expression.cheer + 2.2 * expression.worry
        middle = MOUTH_Y + 0.3 - 1.2 * min(gap, 1.0)
        round_off = 1.0 - away**2.0
        seam = (
            middle
            + (corner - middle) * away ** (2.6 - 0.6 * min(gap, 1.0))
            - 0.7 * np.exp(-((u / 0.20) ** 2)) * (1.0 - 0.5 * gap)
        )
        seam = seam + 0.5 * np.exp(-(((away - 0.38) / 0.2) ** 2)) * (1.0 - min(gap, 1.0))
        low_inner = seam + 15.8 * gap * np.maximum(1.0 - away**2.3, 0.0) ** 0.78
        bow = 1.1 * np.exp(-(((away - 0.24) / 0.17) ** 2)) - 0.9 * np.exp(-((u / 0.12) ** 2))
        thin = 1.0 - 0.16 * min(gap, 1.0) - 0.10 * smile
        upper = (4.0 * thin) * (round_off**0.95) + bow * thin
        lower = (6.8 * thin) * np.maximum(1.0 - away**2.5, 0.0) ** 0.80
        return cls(half * u, seam - upper * (away < 1.0), seam, low_inner, low_inner + lower)


def paint_mouth(easel: Easel, face: Face, expression: Expression, hue: float = 0.0) -> None:
    """The mouth with its regions; the lips' hue from berry (-1) to coral (1)."""
    lip, dark, light = (tuple(tinted(tone, WARM, 10.0 * hue).tolist()) for tone in (_LIP, _LIP_DARK, _LIP_LIGHT))
    lips, gap = Lips.of(expression), expression.mouth_open

    def edge(y: np.ndarray, lift: float = 0.0) -> np.ndarray:
        return face.place(np.stack([lips.x, y], axis=1), lift)

    top, seam_top, seam_low, low = edge(lips.top), edge(lips.seam_top), edge(lips.seam_low), edge(lips.low)
    inside = polygon_path(np.concatenate([seam_top, seam_low[::-1]]))
    upper = polygon_path(np.concatenate([top, seam_top[::-1]]))
    lower = polygon_path(np.concatenate([seam_low, low[::-1]]))

    easel.line(smooth_path((low + [0.0, 2.6])[14:35]), SKIN_SHADOW, 2.8, alpha=0.52, blur=1.7)
    for index, side in ((0, -1), (-1, 1)):
        corner = seam_top[index] + np.array([side * 0.8, 0.2])
        easel.fill(oval_path(*corner, 2.0, 1.7), SKIN_DEEP, alpha=0.30, blur=1.1)
    _paint_cheek_folds(easel, face, expression, lips)
    if gap > 0.03:
        easel.fill(inside, _INSIDE)
        with easel.clip(inside):
            _paint_teeth(easel, face, expression, lips)
            easel.line(smooth_path(seam_top), _INSIDE, 1.6, alpha=0.50, blur=0.7)
            for index in (0, -1):
                easel.fill(oval_path(*seam_top[index], 5.0, 6.0), _INSIDE, alpha=0.72, blur=1.8)

    y_top, y_low = float(top[:, 1].min()), float(low[:, 1].max())
    tones = [mix(lip, light, 0.35), lip, dark]
    easel.fill(upper, shader=vertical_shader(y_top, y_top + 7.5, tones, [0.0, 0.4, 1.0]), alpha=0.92, blur=0.45)
    tones = [dark, lip, light, mix(lip, dark, 0.15)]
    easel.fill(lower, shader=vertical_shader(y_low - 8.5, y_low, tones, [0.0, 0.25, 0.6, 1.0]), alpha=0.92, blur=0.45)
    easel.region(inside, FaceClass.INNER_MOUTH)
    easel.region(upper, FaceClass.UPPER_LIP)
    easel.region(lower, FaceClass.LOWER_LIP)
    with easel.clip(lower):  # the lower lip turns away from the light at its ends
        for index in (6, -7):
            easel.fill(oval_path(*low[index], 5.0, 4.0), _LIP_DARK, alpha=0.35, blur=1.8)
    closed = float(np.clip(1.0 - gap / 0.22, 0.0, 1.0))
    if closed > 0.0:
        width = 0.5 + 0.9 * (1.0 - (lips.x / lips.x[-1]) ** 2)
        easel.fill(tapered_path((seam_top + seam_low) / 2.0, width), _SEAM, alpha=0.80 * closed, blur=0.35)
    shine = edge(lips.seam_low + 0.42 * (lips.low - lips.seam_low))[17:30] + [1.6 * expression.light, 0.0]
    width = 1.5 * np.sin(np.linspace(0.15, 3.0, len(shine)))
    easel.fill(tapered_path(shine, width), (255.0, 238.0, 234.0), alpha=0.66, blur=0.55)
    easel.line(smooth_path(top[18:31] - [0.0, 0.7]), (255.0, 236.0, 226.0), 0.8, alpha=0.45, blur=0.5)


def _paint_teeth(easel: Easel, face: Face, expression: Expression, lips: Lips) -> None:
    """The upper row of teeth over a tongue; the mouth's corners stay dark."""
    gap = expression.mouth_open
    u = lips.x / lips.x[-1]
    low = face.place(np.stack([lips.x, lips.seam_low], axis=1))[_POINTS // 2]
    easel.fill(oval_path(low[0], low[1] + 1.0, 10.0, 0.6 + 5.2 * gap), _TONGUE, alpha=0.95, blur=1.3)
    height = np.minimum(0.60 * (lips.seam_low - lips.seam_top), 6.4 * (1.0 - 0.34 * u**2))
    edges = [
        face.place(np.stack([lips.x * 0.96, y], axis=1), -2.0) for y in (lips.seam_top - 1.0, lips.seam_top + height)
    ]
    teeth = polygon_path(np.concatenate([edges[0], edges[1][::-1]]))
    easel.fill(teeth, _TEETH, blur=0.35)
    with easel.clip(teeth):
        for offset in (-10.6, -7.2, -3.7, 0.0, 3.7, 7.2, 10.6):  # hardly seen
            gapline = face.place(np.array([[offset, MOUTH_Y - 6.0], [offset * 1.02, MOUTH_Y + 6.0]]), -2.0)
            easel.line(smooth_path(gapline), (206.0, 182.0, 184.0), 0.45, alpha=0.42, blur=0.25)
        easel.line(smooth_path(edges[1]), (216.0, 200.0, 206.0), 1.0, alpha=0.5, blur=0.5)


def _paint_cheek_folds(easel: Easel, face: Face, expression: Expression, lips: Lips) -> None:
    """The soft folds from nose to mouth that a smile draws, deeper when she laughs."""
    amount = 0.05 + 0.10 * expression.smile + 0.26 * expression.cheer
    reach = lips.x[-1]
    for side in (-1, 1):
        fold = np.array([[side * 12.0, 152.5], [side * (reach * 0.92), 158.0], [side * (reach + 4.0), 167.0]])
        easel.line(smooth_path(face.place(fold)), SKIN_SHADOW, 2.0, alpha=amount, blur=1.4)
        light = fold + [side * 3.0, -1.5]
        easel.line(smooth_path(face.place(light)), (255.0, 236.0, 222.0), 2.6, alpha=0.6 * amount, blur=1.6)
