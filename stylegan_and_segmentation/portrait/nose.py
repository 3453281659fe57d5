"""What the relief's light does not show of the nose: nostrils, the wings' edges and its shine."""

from __future__ import annotations

import numpy as np

from .easel import Easel, oval_path, smooth_path, tapered_path
from .palette import SKIN_DEEP, SKIN_SHADOW
from .parsing import FaceClass
from .relief import Face

_OUTLINE = np.array(
    [[-4.5, 114], [4.5, 114], [5.2, 134], [10.2, 146], [9.0, 153], [4, 155.5], [0, 156.5]]
    + [[-4, 155.5], [-9.0, 153], [-10.2, 146], [-5.2, 134]],
    float,
)


def paint_nose(easel: Easel, face: Face, light: float) -> None:
    """The nose's accents and its region; `light` is -1 from the left, +1 from the right."""
    easel.region(smooth_path(face.place(_OUTLINE), closed=True), FaceClass.NOSE)
    for side in (-1, 1):
        nostril = face.place(np.array([[side * 2.0, 153.3], [side * 3.8, 152.2], [side * 5.8, 153.2]]), 1.0)
        easel.fill(tapered_path(nostril, np.array([0.5, 1.5, 0.6])), SKIN_DEEP, alpha=0.80, blur=0.55)
        wing = face.place(np.array([[side * 8.8, 146.2], [side * 10.0, 149.2], [side * 8.2, 152.8]]))
        away = 0.5 - 0.5 * side * light
        easel.line(smooth_path(wing), SKIN_SHADOW, 1.5, alpha=0.22 + 0.34 * away, blur=0.9)
    base = face.place(np.array([[-5.0, 154.8], [0.0, 155.8], [5.0, 154.8]]))
    easel.line(smooth_path(base), SKIN_SHADOW, 2.0, alpha=0.42, blur=1.1)
    shine = face.place(np.array([[0.8 * light, 128.0], [0.8 * light, 135.0], [0.8 * light, 140.0]]))
    easel.line(smooth_path(shine), (255.0, 250.0, 244.0), 2.2, alpha=0.26, blur=1.4)
    easel.fill(oval_path(*face.spot(1.4 * light, 145.2), 2.0, 1.7), (255.0, 252.0, 248.0), alpha=0.55, blur=1.0)
