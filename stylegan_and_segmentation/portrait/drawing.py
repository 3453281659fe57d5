"""The portrait of Oh-LoRA as a drawing: property scores and a small variation in, a picture out.

The training images of the embedded generator. Needs skia-python, which only training and its tests install.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import skia

from ..properties import PropertyScores
from .backdrop import paint_backdrop
from .easel import (
    Colour,
    Easel,
    mix,
    oval_path,
    radial_shader,
    shade,
    smooth_path,
    vertical_shader,
)
from .features import (
    BROW,
    SKIN_DEEP,
    SKIN_SHADOW,
    Expression,
    paint_blush,
    paint_brow,
    paint_eye,
    paint_mouth,
    paint_nose,
)
from .hair import Hairdo, hair_shadow, paint_back_hair, paint_front_hair
from .head import CENTRE_X, Head
from .parsing import FaceClass

VARIATION_NAMES: tuple[str, ...] = (
    "light",
    "strands",
    "wave",
    "tint",
    "shift_x",
    "shift_y",
    "background_hue",
    "background_drift",
)
SKIN: Colour = (252.0, 223.0, 205.0)
SKIN_LIGHT: Colour = (255.0, 243.0, 232.0)
ZOOM = 1.06  # of the figure, to fill the picture
CLOTH: Colour = (44.0, 48.0, 84.0)


@dataclass(frozen=True)
class Variation:
    """What may differ between two pictures with the same scores; each standard normal, held to -2.5..2.5."""

    light: float = 0.0
    strands: float = 0.0
    wave: float = 0.0
    tint: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    background_hue: float = 0.0
    background_drift: float = 0.0

    @classmethod
    def from_vector(cls, vector: np.ndarray) -> Variation:
        """From a vector of shape (8,), in the order of `VARIATION_NAMES`.

        Raises:
            ValueError: another shape.
        """
        values = np.asarray(vector, float)
        if values.shape != (len(VARIATION_NAMES),):
            raise ValueError(f"a variation has shape ({len(VARIATION_NAMES)},), got {values.shape}")
        return cls(*(float(value) for value in np.clip(values, -2.5, 2.5)))


@dataclass(frozen=True)
class Portrait:
    """A drawn picture and what is known about it."""

    rgb: np.ndarray  # uint8, (256, 256, 3)
    parsing_map: np.ndarray  # uint8, (256, 256), values of FaceClass
    scores: PropertyScores  # the true property values


def draw_portrait(scores: PropertyScores, variation: Variation | None = None, supersampling: int = 4) -> Portrait:
    """Draws her.

    Args:
        scores: every value counts between -3 and 4; beyond that it is held.
        variation: small differences; none by default.
        supersampling: the picture is painted this many times larger and averaged down.
    """
    variation = variation or Variation()
    light = float(np.clip(-0.62 + 0.32 * variation.light, -1.0, 1.0))
    pose = float(np.clip(scores.pose, -3.0, 4.0))
    head = Head(
        yaw=math.radians(3.0 + 4.4 * (pose + 1.2)),
        pitch=math.radians(0.9 * max(0.0, pose + 1.2)),
        roll=math.radians(-1.0 + 1.8 * (pose + 1.2)),
        shift_x=0.8 * variation.shift_x,
        shift_y=0.7 * variation.shift_y,
    )
    expression = Expression.from_scores(scores.eyes, scores.mouth, scores.pose, light)
    hairdo = Hairdo.from_scores(
        scores.hair_color, scores.hair_length, variation.wave, variation.strands, variation.tint, light
    )
    easel = Easel(supersampling)
    easel.backdrop(
        paint_backdrop(
            scores.background_mean,
            scores.background_std,
            variation.background_hue,
            variation.background_drift,
        )
    )
    easel.zoom(ZOOM, CENTRE_X, 138.0)
    paint_back_hair(easel, head, hairdo)
    _paint_body(easel, head, light)
    _paint_face(easel, head, expression, hairdo)
    paint_front_hair(easel, head, hairdo)
    return Portrait(easel.picture(), easel.parsing_map(), scores)


def _face_outline(expression: Expression) -> np.ndarray:
    """The face's contour, front-view points with depth (N, 3), from the top of the forehead around."""
    drop = 5.5 * min(expression.mouth_open, 1.3)  # the jaw falls when the mouth opens
    right = np.array(
        [
            (0, 50, 26),
            (26, 53, 22),
            (44, 66, 14),
            (52, 90, 8),
            (53.5, 116, 6),
            (51.5, 138, 7),
            (46.5, 157, 11),
            (38.6, 172 + 0.4 * drop, 16),
            (28.6, 184.8 + 0.8 * drop, 22),
            (18.4, 194.4 + drop, 29),
            (9.0, 199.8 + drop, 35),
            (0, 201.4 + drop, 37),
        ],
        float,
    )
    left = right[1:-1][::-1] * [-1.0, 1.0, 1.0]
    return np.concatenate([right, left]) + [CENTRE_X, 0.0, 0.0]


def _paint_body(easel: Easel, head: Head, light: float) -> None:
    """Neck, shoulders and a dark top; they turn a little with the head."""
    turn = 0.16 * math.sin(head.yaw)
    body = Head(yaw=0.3 * head.yaw, shift_x=head.shift_x * 0.6, shift_y=head.shift_y * 0.6)

    def place(points: list[tuple[float, float, float]]) -> np.ndarray:
        return body.project(np.array(points, float) + [CENTRE_X + 10.0 * turn, 0.0, 0.0])

    shoulders = place(
        [
            (-23, 196, 0),
            (-25, 214, 0),
            (-44, 224, 0),
            (-78, 234, -4),
            (-96, 262, -8),
            (96, 262, -8),
            (78, 234, -4),
            (44, 224, 0),
            (25, 214, 0),
            (23, 196, 0),
            (20, 160, 0),
            (-20, 160, 0),
        ]
    )
    skin = smooth_path(shoulders, closed=True)
    easel.region(skin, FaceClass.BACKGROUND)
    easel.fill(
        skin,
        shader=vertical_shader(190.0, 256.0, [shade(SKIN, 0.90), SKIN, shade(SKIN, 0.94)], [0.0, 0.6, 1.0]),
    )
    with easel.clip(skin):
        chin = head.project(np.array([(CENTRE_X, 203.0, 20.0)]))[0]
        easel.fill(
            oval_path(chin[0] - 5.0 * light, chin[1] + 1.0, 34.0, 15.0),
            (176.0, 102.0, 98.0),
            alpha=0.72,
            blur=5.5,
        )
        for side in (-1, 1):
            edge = place([(side * 23, 190, 0), (side * 24, 212, 0), (side * 40, 223, 0)])
            easel.line(smooth_path(edge), SKIN_SHADOW, 9.0, alpha=0.55 if side * light < 0 else 0.34, blur=4.0)
            tendon = place([(side * 16, 206, 6), (side * 9, 222, 8), (side * 4, 233, 8)])
            easel.line(smooth_path(tendon), SKIN_SHADOW, 2.2, alpha=0.34, blur=1.8)
            bone = place([(side * 6, 236, 8), (side * 24, 232.5, 6), (side * 48, 231, 2)])
            easel.line(smooth_path(bone), SKIN_SHADOW, 2.6, alpha=0.36, blur=1.7)
            easel.line(smooth_path(bone - [0.0, 2.4]), SKIN_LIGHT, 2.0, alpha=0.45, blur=1.3)
    neckline = [
        (-100, 236, -4),
        (-66, 235, 0),
        (-46, 241, 4),
        (-24, 250, 8),
        (0, 253.5, 9),
        (24, 250, 8),
        (46, 241, 4),
        (66, 235, 0),
        (100, 236, -4),
        (104, 290, -4),
        (-104, 290, -4),
    ]
    cloth = smooth_path(place(neckline), closed=True)
    easel.line(cloth, (120.0, 70.0, 80.0), 3.0, alpha=0.35, blur=1.6)
    easel.fill(cloth, shader=vertical_shader(232.0, 258.0, [shade(CLOTH, 1.18), CLOTH], [0.0, 1.0]), blur=0.3)
    hem = place(neckline[1:8])
    easel.line(smooth_path(hem + [0.0, 1.4]), mix(CLOTH, (120.0, 190.0, 214.0), 0.55), 0.9, alpha=0.8, blur=0.3)


def _paint_face(easel: Easel, head: Head, expression: Expression, hairdo: Hairdo) -> None:
    outline_points = head.project(_face_outline(expression))
    outline = smooth_path(outline_points, closed=True)
    easel.fill(outline, SKIN)
    easel.region(outline, FaceClass.SKIN)
    light = expression.light

    def at(x: float, y: float, lift: float = 0.0) -> np.ndarray:
        return head.on_face(np.array([[CENTRE_X + x, y]]), lift)[0]

    with easel.clip(outline):
        # Large light: bright where the face meets it, warm shadow on the other side.
        glow = at(24.0 * light, 112.0)
        easel.fill(
            outline,
            shader=radial_shader(*glow, 92.0, [SKIN_LIGHT, SKIN, mix(SKIN, SKIN_SHADOW, 0.42)], [0.0, 0.5, 1.0]),
        )
        for side in (-1, 1):
            facing = 0.5 - 0.5 * side * light
            strength = 0.16 + 0.40 * facing
            edge = np.array(
                [
                    (side * 53, 96, 8),
                    (side * 54, 118, 6),
                    (side * 52, 140, 8),
                    (side * 46, 158, 12),
                    (side * 38, 174, 17),
                    (side * 28, 188, 22),
                    (side * 17, 199, 30),
                ],
                float,
            )
            line = head.project(edge + [CENTRE_X, 0.0, 0.0])
            easel.line(smooth_path(line), SKIN_SHADOW, 15.0, alpha=strength, blur=6.5)
            hollow = at(side * 40.0, 163.0)
            easel.fill(oval_path(*hollow, 7.0, 15.0), SKIN_SHADOW, alpha=0.16 + 0.16 * facing, blur=6.0)
        jaw = outline_points[8:16]
        easel.line(smooth_path(jaw), SKIN_SHADOW, 5.0, alpha=0.50, blur=2.8)
        easel.fill(
            oval_path(*at(0.0, 194.0 + 3.0 * expression.mouth_open), 9.0, 5.0),
            SKIN_LIGHT,
            alpha=0.6,
            blur=3.5,
        )
        easel.fill(oval_path(*at(0.0, 86.0), 26.0, 11.0), SKIN_LIGHT, alpha=0.55, blur=8.0)
        for side in (-1, 1):
            easel.fill(
                oval_path(*at(side * 33.0, 140.5), 12.0, 5.0),
                SKIN_LIGHT,
                alpha=0.62 if side * light > 0 else 0.36,
                blur=4.0,
            )
            if expression.smile * expression.mouth_open > 0.05 or expression.smile > 0.5:
                fold = head.on_face(
                    np.array([[side * 12.5, 160.0], [side * 19.5, 167.0], [side * 24.0, 176.0]]) + [CENTRE_X, 0.0]
                )
                amount = 0.10 + 0.32 * expression.smile * min(1.0, expression.mouth_open)
                easel.line(smooth_path(fold), SKIN_SHADOW, 2.4, alpha=amount, blur=1.6)
        philtrum = np.stack([at(0.0, 162.5), at(0.0, 169.0)])
        easel.line(smooth_path(philtrum), SKIN_SHADOW, 3.0, alpha=0.22, blur=1.3)
        paint_blush(easel, head, expression)
        for path in hair_shadow(head, hairdo):
            shadow = skia.Path(path)
            shadow.offset(-2.5 * light, 3.5)
            easel.fill(shadow, (150.0, 84.0, 74.0), alpha=0.30, blur=3.2)
        paint_nose(easel, head, expression)
        paint_mouth(easel, head, expression)
    for side in (-1, 1):
        paint_eye(easel, head, expression, side)
        paint_brow(easel, head, expression, side, shade(BROW, 0.5 + 0.5 * min(hairdo.brightness, 1.2)))
    easel.line(smooth_path(outline_points, closed=True), SKIN_DEEP, 0.7, alpha=0.30, blur=0.6)
