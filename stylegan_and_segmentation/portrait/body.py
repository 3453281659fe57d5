"""What she wears: a dark top with a wide neckline, and a small pendant. Knows where the shoulders are."""

from __future__ import annotations

import numpy as np
import skia

from .easel import Easel, oval_path, radial_shader, smooth_path, vertical_shader
from .head import CENTRE_X, Head
from .palette import GREEN, Colour, mix, shade, tinted

_CLOTH: Colour = (52.0, 58.0, 104.0)
_HEM: Colour = (128.0, 176.0, 222.0)
_GOLD: Colour = (240.0, 206.0, 150.0)


def paint_clothes(easel: Easel, body: Head, outline: skia.Path, hue: float = 0.0) -> None:
    """The top and the pendant, on a body with this orientation and outline; `hue` from violet (-1) to teal (1)."""
    cloth_colour, hem = (tuple(tinted(colour, GREEN, 22.0 * hue).tolist()) for colour in (_CLOTH, _HEM))

    def place(points: list[tuple[float, float, float]]) -> np.ndarray:
        return body.project(np.array(points, float) + [CENTRE_X, 0.0, 0.0])

    edge = [(-112, 218, 0), (-88, 226, 4), (-66, 234, 8), (-44, 242, 14), (-21, 248.5, 20), (0, 250.5, 22)]
    edge += [(21, 248.5, 20), (44, 242, 14), (66, 234, 8), (88, 226, 4), (112, 218, 0)]
    cloth = smooth_path(place([*edge, (130, 300, 0), (-130, 300, 0)]), closed=True)
    with easel.clip(outline):
        easel.line(smooth_path(place(edge) - [0.0, 1.0]), (126.0, 62.0, 66.0), 3.2, alpha=0.40, blur=1.6)
        easel.fill(
            cloth,
            shader=vertical_shader(226.0, 258.0, [shade(cloth_colour, 1.2), shade(cloth_colour, 0.75)], [0.0, 1.0]),
        )
        with easel.clip(cloth):
            for x, lean in ((-80, 8), (-62, 9), (-40, 6), (-20, 2), (24, -3), (46, -6), (64, -9), (82, -8)):
                fold = place([(x, 228, 8), (x + 0.4 * lean, 246, 10), (x + lean, 266, 10)])
                easel.line(smooth_path(fold), shade(cloth_colour, 0.5), 3.4, alpha=0.42, blur=1.7)
                easel.line(smooth_path(fold + [3.2, 0.0]), mix(cloth_colour, hem, 0.5), 2.0, alpha=0.26, blur=1.3)
        easel.line(smooth_path(place(edge) + [0.0, 0.8]), mix(cloth_colour, hem, 0.7), 1.1, alpha=0.75, blur=0.35)
    for side in (-1, 1):
        chain = place([(side * 25, 213, 4), (side * 17, 226, 14), (side * 8, 236, 20), (0, 240.5, 22)])
        easel.line(smooth_path(chain + [0.3, 0.9]), (150.0, 84.0, 74.0), 0.9, alpha=0.35, blur=0.5)
        easel.line(smooth_path(chain), _GOLD, 0.65, alpha=0.9)
    stone = place([(0, 243.0, 22)])[0]
    tones = [(206.0, 255.0, 236.0), (72.0, 206.0, 196.0), (70.0, 90.0, 190.0)]
    easel.fill(oval_path(stone[0], stone[1] + 0.8, 2.6, 3.2), (120.0, 60.0, 60.0), alpha=0.4, blur=0.9)
    easel.fill(
        oval_path(*stone, 2.2, 2.9), shader=radial_shader(stone[0] - 0.6, stone[1] - 1.0, 3.6, tones, [0, 0.5, 1])
    )
    easel.fill(oval_path(stone[0] - 0.7, stone[1] - 1.1, 0.6, 0.7), (255.0, 255.0, 255.0), alpha=0.9, blur=0.15)
