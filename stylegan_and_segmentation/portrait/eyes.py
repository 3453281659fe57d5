"""The eyes of the portrait: ball, iris, lids, lashes and the shade around them.

Positions are front-view picture units, x from the face's middle; `side` is -1 for the eye on the left of the
picture, +1 for the right. Knows the expression, and not what it means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import skia

from .easel import Easel, oval_path, polygon_path, radial_shader, smooth_path, tapered_path
from .expression import Expression
from .palette import LASH, LEAF, SKIN_DEEP, SKIN_SHADOW, WHITE, Colour, mix, tinted
from .parsing import FaceClass
from .relief import EYE_X, EYE_Y, Face

HALF_WIDTH = 15.6
IRIS_RADIUS = 8.7
REST_OPENING = 11.8  # picture units; how open the eyes are when nothing happens

_BALL: Colour = (246.0, 243.0, 244.0)
_BALL_SHADE: Colour = (188.0, 176.0, 190.0)
_CORNER: Colour = (226.0, 150.0, 142.0)
_IRIS_RIM: Colour = (8.0, 44.0, 62.0)
_IRIS_DARK: Colour = (16.0, 84.0, 108.0)
_IRIS: Colour = (38.0, 148.0, 164.0)
_IRIS_GLOW: Colour = (142.0, 236.0, 214.0)
_PUPIL: Colour = (6.0, 16.0, 26.0)
_SHADOW: Colour = (168.0, 96.0, 92.0)


@dataclass(frozen=True)
class Lids:
    """Edges of the lids, front-view points (N, 2) each, from the inner to the outer corner."""

    upper: np.ndarray
    lower: np.ndarray

    @classmethod
    def of(cls, expression: Expression, side: int) -> Lids:
        u = np.linspace(-1.0, 1.0, 33)  # -1 inner corner, +1 outer corner
        opening = expression.opening
        corners = 1.3 - 2.9 * (u + 1.0) / 2.0 + 1.5 * expression.worry * np.clip(u, 0.0, 1.0)
        low = (3.7 + 0.06 * opening) * (1.0 - np.abs(u) ** 2.3) * (1.0 + 0.24 * u)
        squeeze = 3.2 * expression.cheer * (1.0 - u**2)
        x = side * (EYE_X + HALF_WIDTH * u)
        lower = EYE_Y + corners + low - squeeze
        height = (1.0 - np.abs(u) ** 2.5) ** 0.80 * (1.0 - 0.07 * u)
        return cls(np.stack([x, lower - opening * height], axis=1), np.stack([x, lower], axis=1))


def paint_eye(easel: Easel, face: Face, expression: Expression, side: int, hue: float = 0.0) -> None:
    """One eye, with its region; the iris's hue from blue (-1) to green (1)."""
    lids = Lids.of(expression, side)
    top, bottom = face.place(lids.upper), face.place(lids.lower)
    outline = polygon_path(np.concatenate([top, bottom[::-1]]))
    _paint_surroundings(easel, face, expression, lids, side)
    if expression.opening > 0.3:
        with easel.clip(outline):
            _paint_ball(easel, face, expression, lids, side, hue)
            easel.line(smooth_path(top + [0.0, 0.9]), (44.0, 26.0, 44.0), 3.2, alpha=0.55, blur=1.0)
        easel.region(outline, FaceClass.LEFT_EYE if side < 0 else FaceClass.RIGHT_EYE)
        rim = face.place(lids.lower[3:-2] + [0.0, 0.35])
        easel.line(smooth_path(rim), (246.0, 205.0, 196.0), 0.9, alpha=0.75, blur=0.3)
    _paint_lashes(easel, face, expression, lids, side)


def _paint_surroundings(easel: Easel, face: Face, expression: Expression, lids: Lids, side: int) -> None:
    """Soft shade on the lids, the crease, and the little cushion under the eye."""
    opened = min(1.0, expression.opening / REST_OPENING)
    over = lids.upper - [0.0, 2.6]
    easel.line(smooth_path(face.place(over)[3:]), _SHADOW, 6.0, alpha=0.27, blur=2.6)
    outer = lids.upper[20:] + np.stack([side * np.linspace(0.0, 4.0, 13), np.full(13, -2.0)], axis=1)
    easel.line(smooth_path(face.place(outer)), (140.0, 76.0, 78.0), 5.5, alpha=0.30, blur=2.2)
    inner = face.spot(side * (EYE_X - HALF_WIDTH - 0.5), EYE_Y - 1.5)
    easel.fill(oval_path(*inner, 3.0, 3.6), _SHADOW, alpha=0.30, blur=1.8)
    gap = 3.1 + 0.9 * (1.0 - opened) * 4.0 - 0.05 * max(0.0, expression.opening - REST_OPENING) * 3.0
    crease = lids.upper[2:-1].copy()
    t = np.linspace(0.0, 1.0, len(crease))
    crease[:, 1] -= gap * (0.35 + 0.65 * np.sin(np.pi * (0.10 + 0.74 * t)))
    width = np.interp(t, [0.0, 0.35, 0.8, 1.0], [0.3, 1.0, 1.1, 0.3])
    easel.fill(tapered_path(face.place(crease), width), SKIN_DEEP, alpha=0.34 + 0.28 * opened, blur=0.45)
    lid_light = lids.upper[8:22] - [0.0, 0.5 * gap]
    easel.line(smooth_path(face.place(lid_light)), (255.0, 226.0, 210.0), 1.4, alpha=0.40, blur=0.8)
    cushion = face.place(lids.lower[5:-4] + [0.0, 2.5])
    easel.line(smooth_path(cushion), (255.0, 236.0, 224.0), 2.0, alpha=0.36, blur=1.0)
    fold = face.place(lids.lower[4:-7] + [0.0, 5.4])
    easel.line(smooth_path(fold), SKIN_SHADOW, 1.8, alpha=0.16 + 0.10 * expression.cheer, blur=1.6)


def _paint_ball(easel: Easel, face: Face, expression: Expression, lids: Lids, side: int, hue: float) -> None:
    """Within the lids: the white with its round shade, the iris, the shine."""
    middle = face.spot(side * EYE_X, EYE_Y - 1.0)
    wide = HALF_WIDTH * face.widening(side * EYE_X, EYE_Y)
    ball = oval_path(*middle, wide * 1.3, HALF_WIDTH * 1.3)
    shader = radial_shader(*middle, wide * 1.12, [_BALL, _BALL, _BALL_SHADE], [0.0, 0.55, 1.0])
    easel.fill(ball, shader=shader)
    tear = face.place(lids.lower[1] + np.array([0.0, -0.7]))
    easel.fill(oval_path(*tear, 2.4, 1.9), _CORNER, alpha=0.85, blur=0.7)
    _paint_iris(easel, face, expression, side, hue)
    water = face.place(lids.lower[6:-5] - [0.0, 0.7])
    easel.line(smooth_path(water), WHITE, 0.7, alpha=0.40, blur=0.3)


def _paint_iris(easel: Easel, face: Face, expression: Expression, side: int, hue: float) -> None:
    iris_tone, glow_tone, dark_tone = (
        tuple(tinted(c, LEAF, 22.0 * hue).tolist()) for c in (_IRIS, _IRIS_GLOW, _IRIS_DARK)
    )
    excess = expression.opening - REST_OPENING
    x = side * (EYE_X - 0.7) + expression.gaze_x
    y = EYE_Y - 1.4 + expression.gaze_y - 0.37 * excess * (excess > 0.0) - 1.2 * expression.cheer
    centre = face.spot(x, y, -1.0)
    radius = IRIS_RADIUS * (1.0 + 0.017 * max(excess, 0.0))
    rx, ry = radius * (0.22 + 0.78 * min(1.0, face.widening(x, y))), radius * 1.02
    cx, cy = float(centre[0]), float(centre[1])
    light = expression.light
    easel.fill(oval_path(cx, cy, rx + 0.4, ry + 0.4), _IRIS_RIM, alpha=0.75, blur=0.6)
    iris = oval_path(cx, cy, rx, ry)
    with easel.clip(iris):
        tones = [glow_tone, mix(iris_tone, glow_tone, 0.45), iris_tone, dark_tone, _IRIS_RIM]
        easel.fill(iris, shader=radial_shader(cx, cy + 0.28 * ry, ry * 1.22, tones, [0.12, 0.34, 0.56, 0.78, 1.0]))
        for index in range(30):  # the iris's fibres
            angle = 2.0 * np.pi * index / 30.0 + 0.17 * np.sin(5.0 * index)
            direction = np.array([np.cos(angle) * rx, np.sin(angle) * ry])
            ray = np.stack([centre + direction * 0.36, centre + direction * (0.70 + 0.16 * np.sin(3.0 * index))])
            bright = glow_tone if index % 2 else dark_tone
            easel.line(smooth_path(ray), bright, 0.5, alpha=0.34, blur=0.12)
        shade = [(4.0, 22.0, 40.0), (4.0, 22.0, 40.0), (4.0, 22.0, 40.0)]
        upper = skia.GradientShader.MakeLinear(
            [skia.Point(cx, cy - ry), skia.Point(cx, cy + 0.35 * ry)],
            [skia.ColorSetARGB(a, *(int(v) for v in c)) for a, c in zip((215, 110, 0), shade, strict=True)],
            [0.0, 0.5, 1.0],
        )
        easel.fill(iris, shader=upper)
        glow = oval_path(cx - 0.12 * rx * light, cy + 0.58 * ry, 0.58 * rx, 0.26 * ry)
        easel.fill(glow, tuple(tinted((176.0, 255.0, 232.0), LEAF, 14.0 * hue).tolist()), alpha=0.62, blur=1.0)
        easel.line(oval_path(cx, cy, rx, ry), _IRIS_RIM, 1.5, alpha=0.80, blur=0.5)
    easel.fill(oval_path(cx, cy, 0.40 * rx, 0.40 * ry), _PUPIL, blur=0.35)
    easel.fill(oval_path(cx + 0.36 * rx * light * 1.3, cy - 0.40 * ry, 0.25 * rx, 0.25 * ry), WHITE, blur=0.22)
    easel.fill(oval_path(cx - 0.46 * rx * light, cy + 0.40 * ry, 0.13 * rx, 0.13 * ry), WHITE, alpha=0.85, blur=0.2)


def _paint_lashes(easel: Easel, face: Face, expression: Expression, lids: Lids, side: int) -> None:
    """The dark line of the upper lid with a small wing, single lashes, and a hint of lower ones."""
    opened = min(1.0, expression.opening / REST_OPENING)
    upper, count = lids.upper, len(lids.upper)
    last = upper[-1]
    wing = last + np.array([[side * 1.8, -0.9 * opened + 0.3], [side * 4.0, -2.6 * opened + 0.6]])
    line = np.concatenate([upper, wing])
    t = np.linspace(-1.0, 1.0, count)
    widths = np.concatenate([np.interp(t, [-1, -0.7, 0.0, 0.6, 1.0], [0.5, 1.1, 1.9, 2.5, 2.2]), [1.4, 0.2]])
    easel.fill(tapered_path(face.place(line) - [0.0, 0.45], widths), LASH, alpha=0.96, blur=0.25)
    number = 12
    for index in range(number):
        along = 0.34 + 0.66 * index / (number - 1)
        root = upper[int(round(along * (count - 1)))]
        length = (0.6 + 5.2 * along**2.4) * (1.0 + 0.14 * np.sin(4.7 * index))
        out = side * (-1.0 + 6.4 * along**1.3) * 0.72
        up = length * (0.30 + 0.62 * opened) if opened > 0.25 else -0.55 * length
        lash = np.array([root, root + [0.25 * out, -0.48 * up], root + [0.68 * out, -0.86 * up], root + [out, -up]])
        easel.fill(tapered_path(face.place(lash, 1.0), np.array([1.1, 0.8, 0.5, 0.1])), LASH, alpha=0.66, blur=0.28)
    low = face.place(lids.lower[14:] + [0.0, 0.5])
    easel.fill(tapered_path(low, np.linspace(0.2, 1.1, len(low))), LASH, alpha=0.50, blur=0.4)
