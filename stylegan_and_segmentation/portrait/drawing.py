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
from .body import paint_clothes
from .brows import paint_brow
from .easel import Easel, smooth_path
from .expression import Expression
from .eyes import paint_eye
from .hair import hair_shadow, paint_back_hair, paint_front_hair
from .hair_card import Hairdo
from .head import Head
from .mouth import paint_mouth
from .nose import paint_nose
from .relief import CHIN, Face, Relief
from .rendered_set import LARGEST_VARIATION, VARIATION_NAMES
from .skin import paint_body, paint_face


@dataclass(frozen=True)
class Variation:
    """What may differ between two pictures with the same scores; each standard normal, held to -2.5..2.5."""

    light: float = 0.0
    strands: float = 0.0
    tint: float = 0.0
    tip_hue: float = 0.0
    hair_warmth: float = 0.0
    iris_hue: float = 0.0
    lip_hue: float = 0.0
    skin_warmth: float = 0.0
    dress_hue: float = 0.0
    background_hue: float = 0.0
    background_drift: float = 0.0

    @classmethod
    def from_vector(cls, vector: np.ndarray) -> Variation:
        """From a vector of shape (11,), in the order of `VARIATION_NAMES`.

        Raises:
            ValueError: another shape.
        """
        values = np.asarray(vector, float)
        if values.shape != (len(VARIATION_NAMES),):
            raise ValueError(f"a variation has shape ({len(VARIATION_NAMES)},), got {values.shape}")
        return cls(*(float(value) for value in np.clip(values, -LARGEST_VARIATION, LARGEST_VARIATION)))


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
    easel = Easel(supersampling)
    easel.backdrop(
        paint_backdrop(
            scores.background_mean,
            scores.background_std,
            variation.background_hue,
            variation.background_drift,
        )
    )
    paint_figure(easel, scores, variation)
    return Portrait(easel.picture(), easel.parsing_map(), scores)


def paint_figure(easel: Easel, scores: PropertyScores, variation: Variation) -> None:
    """Paints her, from the back to the front."""
    light = float(np.clip(-0.62 + 0.32 * variation.light, -1.0, 1.0))
    pose = float(np.clip(scores.pose, -3.0, 4.0))
    head = Head(
        yaw=math.radians(5.0 + 4.3 * (pose + 1.2)),
        pitch=math.radians(0.9 * max(0.0, pose + 1.2)),
        roll=math.radians(-1.5 + 1.6 * (pose + 1.2)),
    )
    expression = Expression.from_scores(scores.eyes, scores.mouth, scores.pose, light)
    hairdo = Hairdo.from_scores(
        scores.hair_color,
        scores.hair_length,
        light,
        variation.strands,
        variation.tint,
        variation.hair_warmth,
        variation.tip_hue,
    )
    face = Face(head, Relief(drop=7.0 * expression.mouth_open, smile=expression.smile))
    paint_back_hair(easel, head, hairdo)
    chin = face.spot(0.0, float(face.relief.opened(CHIN)))
    body, outline = paint_body(easel, head, light, chin, variation.skin_warmth)
    paint_clothes(easel, body, outline, variation.dress_hue)
    paint_face(easel, face, light, 1.0, variation.skin_warmth)
    with easel.clip(smooth_path(face.contour()[::3], closed=True)):
        for path in hair_shadow(head, hairdo):
            shadow = skia.Path(path)
            shadow.offset(-2.5 * light, 3.0)
            easel.fill(shadow, (150.0, 76.0, 66.0), alpha=0.34, blur=3.4)
    paint_nose(easel, face, light)
    paint_mouth(easel, face, expression, variation.lip_hue)
    tone = float(np.clip(0.75 + 0.12 * hairdo.tone, 0.0, 1.2))
    for side in (-1, 1):
        paint_eye(easel, face, expression, side, variation.iris_hue)
        paint_brow(easel, face, expression, side, tone)
    paint_front_hair(easel, head, hairdo)
