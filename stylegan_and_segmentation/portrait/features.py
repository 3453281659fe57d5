"""Eyes, brows, nose and mouth of the portrait, painted on a turned head.

Each function paints one feature and marks its regions of the parsing map. Positions are front-view picture
units; `side` is -1 for the eye on the left of the picture, +1 for the right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import skia

from .easel import (
    Colour,
    Easel,
    mix,
    oval_path,
    polygon_path,
    radial_shader,
    smooth_path,
    tapered_path,
    vertical_shader,
)
from .head import CENTRE_X, EYE_Y, Head
from .parsing import FaceClass

EYE_DISTANCE = 28.5  # from the face's middle to the middle of an eye
EYE_HALF_WIDTH = 16.0
MOUTH_Y = 174.5

SKIN_SHADOW: Colour = (205.0, 138.0, 122.0)
SKIN_DEEP: Colour = (164.0, 92.0, 84.0)
LASH: Colour = (52.0, 30.0, 30.0)
EYE_WHITE: Colour = (250.0, 246.0, 244.0)
IRIS_RIM: Colour = (14.0, 62.0, 84.0)
IRIS: Colour = (38.0, 140.0, 160.0)
IRIS_GLOW: Colour = (134.0, 236.0, 212.0)
PUPIL: Colour = (8.0, 24.0, 36.0)
BROW: Colour = (150.0, 108.0, 74.0)
LIP: Colour = (214.0, 104.0, 110.0)
LIP_DARK: Colour = (172.0, 66.0, 78.0)
LIP_LIGHT: Colour = (240.0, 150.0, 148.0)
MOUTH_INSIDE: Colour = (88.0, 24.0, 34.0)
TEETH: Colour = (252.0, 247.0, 242.0)
TONGUE: Colour = (216.0, 104.0, 110.0)


@dataclass(frozen=True)
class Expression:
    """What the muscles do, from the property scores."""

    opening: float  # of the eyes: 0 closed, 1 open, above 1 wide
    smile: float  # how far the mouth's corners are drawn up and out, 0..1
    mouth_open: float  # 0 closed, 1 laughing, above 1 shouting
    brow_lift: float  # picture units upwards
    worry: float  # inner brows drawn up, 0..1
    gaze_x: float  # iris shift to the right, picture units
    gaze_y: float  # iris shift down
    light: float  # -1 light from the left, +1 from the right

    @classmethod
    def from_scores(cls, eyes: float, mouth: float, pose: float, light: float) -> Expression:
        """The muscles for property scores; every score is held to -3..4 first."""
        eyes, mouth, pose = (float(np.clip(score, -3.0, 4.0)) for score in (eyes, mouth, pose))
        smile = float(np.interp(mouth, [-3.0, -1.2, 0.3, 1.6, 4.0], [0.12, 0.74, 0.82, 0.95, 1.0]))
        turned = max(0.0, pose - 0.6) / 3.0
        return cls(
            opening=float(np.interp(eyes, [-3.0, -2.4, -1.2, 0.0, 1.6, 4.0], [0.0, 0.22, 0.79, 0.90, 1.07, 1.26])),
            smile=smile * (1.0 - 0.55 * min(turned, 1.0)),
            mouth_open=float(np.interp(mouth, [-3.0, -1.2, 1.6, 4.0], [0.0, 0.0, 0.86, 1.36])),
            brow_lift=0.8 + 0.70 * (eyes + 1.2),
            worry=min(turned, 1.0),
            gaze_x=-0.30 * (pose + 1.2),
            gaze_y=0.25 * turned,
            light=light,
        )


def _eye_outline(expression: Expression, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower lid, front-view points (N, 2) each, from the inner to the outer corner."""
    u = np.linspace(-1.0, 1.0, 25)  # -1 inner corner, +1 outer corner
    opening = expression.opening
    corners = 1.4 - 2.2 * (u + 1.0) / 2.0  # the outer corner sits a little higher
    upper_bump = (1.0 - np.abs(u) ** 2.3) ** 0.86 * (1.0 - 0.10 * u)
    lower_bump = (1.0 - np.abs(u) ** 2.4) ** 1.0 * (1.0 + 0.22 * u)
    squeeze = 3.2 * expression.smile * max(0.0, min(expression.mouth_open, 1.0) - 0.1)  # laughing lifts the lower lid
    low = 5.0 * (0.55 + 0.45 * min(opening, 1.25)) - squeeze * min(1.0, opening)
    high = 11.2 * opening - low * (1.0 - min(1.0, opening)) * 0.92
    x = CENTRE_X + side * (EYE_DISTANCE + EYE_HALF_WIDTH * u)
    upper = np.stack([x, EYE_Y + corners - high * upper_bump], axis=1)
    lower = np.stack([x, EYE_Y + corners + low * lower_bump], axis=1)
    upper[:, 1] = np.minimum(upper[:, 1], lower[:, 1] - 0.15)
    return upper, lower


def paint_eye(easel: Easel, head: Head, expression: Expression, side: int) -> None:
    """One eye with lids, iris, catch lights and lashes."""
    upper, lower = _eye_outline(expression, side)
    top, bottom = head.on_face(upper), head.on_face(lower)
    centre_x = CENTRE_X + side * EYE_DISTANCE
    outline = polygon_path(np.concatenate([top, bottom[::-1]]))
    opening = expression.opening

    # The socket: warm shadow towards the nose and above the lid, so that the eye sits in the face.
    socket = head.on_face(np.array([[centre_x - side * 3.0, EYE_Y - 7.0]]))[0]
    easel.fill(oval_path(*socket, 17.0, 9.0), SKIN_SHADOW, alpha=0.34, blur=5.0)
    inner = head.on_face(np.array([[centre_x - side * 14.0, EYE_Y - 4.0]]))[0]
    easel.fill(oval_path(*inner, 5.0, 8.0), SKIN_SHADOW, alpha=0.34, blur=4.0)
    lid = upper.copy()
    lid[:, 1] -= 1.2
    easel.line(smooth_path(head.on_face(lid)), (178.0, 104.0, 104.0), 5.0, alpha=0.42, blur=2.2)
    under = lower.copy()
    under[:, 1] += 2.8
    easel.line(smooth_path(head.on_face(under)[5:-4]), SKIN_SHADOW, 2.6, alpha=0.30, blur=1.6)

    with easel.clip(outline):
        easel.fill(outline, (226.0, 218.0, 222.0))
        easel.fill(polygon_path(np.concatenate([top + [0, 2.6], bottom[::-1] + [0, 3.0]])), EYE_WHITE, blur=1.5)
        corner = head.on_face(lower[:1])[0]
        easel.fill(oval_path(*corner, 3.2, 2.4), (232.0, 160.0, 154.0), alpha=0.8, blur=0.9)
        _paint_iris(easel, head, expression, side)
        # The upper lid's shadow on the ball.
        easel.line(smooth_path(top + [0.0, 1.0]), (46.0, 30.0, 46.0), 3.6, alpha=0.50, blur=1.1)
    if opening > 0.05:
        easel.region(outline, FaceClass.LEFT_EYE if side < 0 else FaceClass.RIGHT_EYE)

    # Lash line: thin at the inner corner, heavy outside, with a small wing.
    wing = head.on_face(np.array([[centre_x + side * (EYE_HALF_WIDTH + 3.0), EYE_Y - 2.4 - 1.1 * min(opening, 1.0)]]))
    line = np.concatenate([top, wing])
    widths = np.concatenate([np.interp(np.linspace(-1, 1, len(top)), [-1, -0.4, 0.5, 1], [0.7, 1.9, 2.7, 2.3]), [0.3]])
    easel.fill(tapered_path(line - [0.0, 0.5], widths), LASH, alpha=0.95, blur=0.28)
    count = 9
    for index in range(count):
        t = 0.30 + 0.68 * index / (count - 1)
        at = int(round(t * (len(top) - 1)))
        root = upper[at]
        length = 2.2 + 3.4 * t
        sweep = side * (-0.6 + 3.6 * t**1.5)
        up = length * (0.45 + 0.55 * min(opening, 1.0)) * (1.0 if opening > 0.12 else -0.5)
        lash = np.array([root, root + [sweep * 0.45, -up * 0.35], root + [sweep, -up * 0.86]])
        easel.fill(tapered_path(head.on_face(lash, 1.0), np.array([1.15, 0.8, 0.12])), LASH, alpha=0.85, blur=0.16)
    # Crease of the upper lid, and the lower lashes as a soft line.
    crease = upper[3:-2].copy()
    crease[:, 1] -= 3.3 + 1.0 * np.sin(np.linspace(0.3, 2.8, len(crease))) * min(opening, 1.2)
    easel.fill(
        tapered_path(head.on_face(crease), np.interp(np.linspace(0, 1, len(crease)), [0, 0.5, 1], [0.3, 1.2, 0.4])),
        SKIN_DEEP,
        alpha=0.62,
        blur=0.45,
    )
    lower_line = bottom[7:] + [0.0, 0.3]
    widths = np.interp(np.linspace(0, 1, len(lower_line)), [0, 0.7, 1], [0.2, 1.0, 0.8])
    easel.fill(tapered_path(lower_line, widths), LASH, alpha=0.50, blur=0.35)


def _paint_iris(easel: Easel, head: Head, expression: Expression, side: int) -> None:
    x = CENTRE_X + side * (EYE_DISTANCE - 0.6) + expression.gaze_x
    y = EYE_Y - 1.2 - 2.0 * max(0.0, expression.opening - 0.74) + expression.gaze_y
    widening = head.widening(x, y)
    centre = head.on_face(np.array([[x, y]]), -1.5)[0]
    radius = 9.7 * (1.0 + 0.10 * max(0.0, expression.opening - 0.74))
    rx, ry = radius * min(1.0, 0.15 + 0.85 * widening), radius * 1.03
    easel.fill(oval_path(*centre, rx + 0.3, ry + 0.3), IRIS_RIM, alpha=0.9, blur=0.5)
    iris = oval_path(*centre, rx, ry)
    with easel.clip(iris):
        shader = vertical_shader(
            centre[1] - ry,
            centre[1] + ry,
            [IRIS_RIM, mix(IRIS_RIM, IRIS, 0.7), IRIS, IRIS_GLOW],
            [0.0, 0.35, 0.62, 1.0],
        )
        easel.fill(iris, shader=shader)
        for index in range(22):  # the iris's fibres
            angle = 2.0 * np.pi * index / 22.0 + 0.21 * np.sin(5.0 * index)
            direction = np.array([np.cos(angle) * rx, np.sin(angle) * ry])
            ray = np.stack([centre + direction * 0.42, centre + direction * 0.88])
            bright = IRIS_GLOW if index % 2 else IRIS_RIM
            easel.line(smooth_path(ray), bright, 0.55, alpha=0.30, blur=0.15)
        glow = oval_path(centre[0], centre[1] + ry * 0.55, rx * 0.62, ry * 0.34)
        easel.fill(glow, IRIS_GLOW, alpha=0.75, blur=1.3)
        easel.line(oval_path(*centre, rx, ry), IRIS_RIM, 1.7, alpha=0.85, blur=0.5)
        easel.fill(oval_path(centre[0], centre[1] - ry * 0.9, rx * 1.1, ry * 0.62), PUPIL, alpha=0.55, blur=1.4)
    easel.fill(oval_path(*centre, rx * 0.43, ry * 0.43), PUPIL, blur=0.35)
    light = expression.light
    easel.fill(oval_path(centre[0] + 3.0 * light, centre[1] - 3.5, 2.5, 2.7), (255.0, 255.0, 255.0), blur=0.22)
    easel.fill(
        oval_path(centre[0] - 3.0 * light, centre[1] + 3.9, 1.2, 1.1),
        (235.0, 255.0, 250.0),
        alpha=0.85,
        blur=0.3,
    )


def paint_brow(easel: Easel, head: Head, expression: Expression, side: int, colour: Colour) -> None:
    """One brow: a soft tapered shape with a few hairs."""
    t = np.linspace(0.0, 1.0, 15)
    x = CENTRE_X + side * (13.0 + 34.0 * t)
    arch = 104.8 - 5.4 * np.sin(np.pi * np.clip(t * 0.80 + 0.06, 0, 1)) + 3.4 * t**2.6
    y = arch - expression.brow_lift * (0.75 + 0.25 * np.sin(np.pi * t))
    y = y - expression.worry * (3.6 * (1.0 - t) ** 1.5 - 1.5 * t)
    points = np.stack([x, y], axis=1)
    widths = np.interp(t, [0.0, 0.12, 0.5, 1.0], [2.2, 4.3, 3.5, 0.5])
    shape = tapered_path(head.on_face(points, 2.0), widths)
    easel.fill(shape, colour, alpha=0.62, blur=0.9)
    easel.fill(
        tapered_path(head.on_face(points + [0.0, 0.25], 2.0), widths * 0.55),
        mix(colour, LASH, 0.25),
        alpha=0.55,
        blur=0.6,
    )
    easel.region(shape, FaceClass.LEFT_BROW if side < 0 else FaceClass.RIGHT_BROW)
    for index in range(18):
        at = 0.02 + 0.86 * index / 17.0
        root = np.array([np.interp(at, t, points[:, 0]), np.interp(at, t, points[:, 1]) + 1.3 * (1.0 - at)])
        hair = np.array([root, root + [side * (1.0 + 2.2 * at), -3.0 + 2.6 * at]])
        easel.line(smooth_path(head.on_face(hair, 2.0)), mix(colour, LASH, 0.30), 0.5, alpha=0.45, blur=0.12)


def paint_nose(easel: Easel, head: Head, expression: Expression) -> None:
    """A nose of soft shadows and one highlight; the shadow lies away from the light."""
    away = -1.0 if expression.light > 0 else 1.0
    strength = 0.5 + 0.5 * abs(expression.light)

    def at(x: float, y: float, lift: float) -> np.ndarray:
        return head.on_face(np.array([[CENTRE_X + x, y]]), lift)[0]

    side_plane = np.array(
        [
            [away * 7.0, 110.0],
            [away * 5.2, 126.0],
            [away * 7.5, 142.0],
            [away * 10.0, 154.0],
            [away * 4.5, 150.0],
            [away * 3.2, 130.0],
        ]
    ) + [CENTRE_X, 0.0]
    easel.fill(smooth_path(head.on_face(side_plane, 7.0), closed=True), SKIN_SHADOW, alpha=0.34 * strength, blur=2.6)
    bridge = head.on_face(
        np.array([[CENTRE_X - away, 114.0], [CENTRE_X - away, 132.0], [CENTRE_X - away, 147.0]]),
        [8.0, 11.0, 16.0],
    )
    easel.line(smooth_path(bridge), (255.0, 250.0, 244.0), 3.2, alpha=0.50, blur=1.7)
    easel.fill(oval_path(*at(0.0, 158.5, 12.0), 8.5, 3.2), SKIN_SHADOW, alpha=0.52, blur=2.0)
    for side in (-1, 1):
        wing = head.on_face(
            np.array(
                [
                    [CENTRE_X + side * 7.8, 149.5],
                    [CENTRE_X + side * 9.6, 153.5],
                    [CENTRE_X + side * 7.6, 157.3],
                ]
            ),
            8.0,
        )
        easel.line(smooth_path(wing), SKIN_SHADOW, 1.3, alpha=0.42, blur=0.9)
        nostril = head.on_face(
            np.array(
                [
                    [CENTRE_X + side * 2.7, 157.6],
                    [CENTRE_X + side * 4.7, 156.3],
                    [CENTRE_X + side * 6.5, 157.5],
                ]
            ),
            12.0,
        )
        easel.fill(tapered_path(nostril, np.array([0.8, 2.0, 0.8])), SKIN_DEEP, alpha=0.78, blur=0.55)
    easel.fill(oval_path(*at(-1.2 * away, 150.5, 18.0), 2.6, 2.3), (255.0, 252.0, 248.0), alpha=0.75, blur=1.2)
    easel.fill(oval_path(*at(0.0, 152.0, 15.0), 6.0, 4.5), (240.0, 150.0, 140.0), alpha=0.20, blur=2.5)
    outline = np.array(
        [
            [-5, 116],
            [5, 116],
            [6, 138],
            [10.5, 152],
            [8, 159],
            [0, 160.5],
            [-8, 159],
            [-10.5, 152],
            [-6, 138],
        ],
        float,
    )
    easel.region(smooth_path(head.on_face(outline + [CENTRE_X, 0.0], 8.0), closed=True), FaceClass.NOSE)


def paint_mouth(easel: Easel, head: Head, expression: Expression) -> None:
    """Lips, and teeth and tongue where the mouth is open."""
    smile, gap = expression.smile, expression.mouth_open
    u = np.linspace(-1.0, 1.0, 41)
    half = 16.4 + 3.4 * smile + 1.6 * min(gap, 1.0) - 2.0 * expression.worry
    x = CENTRE_X + half * u
    corner_y = MOUTH_Y - 0.4 - 4.4 * smile - 0.6 * gap * smile + 1.6 * expression.worry
    bump = 1.0 - np.abs(u) ** 2.0
    middle_y = MOUTH_Y + 0.2 + 0.4 * gap
    seam = corner_y + (middle_y - corner_y) * (1.0 - np.abs(u) ** 1.8) - 0.55 * np.exp(-((u / 0.22) ** 2))
    inner_top = seam - (0.6 * gap) * bump
    inner_low = seam + (15.5 * gap) * np.maximum(1.0 - np.abs(u) ** 2.2, 0.0) ** 0.8
    bow = 1.0 * np.exp(-(((np.abs(u) - 0.22) / 0.16) ** 2)) - 0.9 * np.exp(-((u / 0.13) ** 2))
    upper_top = inner_top - (5.0 - 0.7 * min(gap, 1.2)) * bump**0.9 - bow * (1.0 - 0.3 * min(gap, 1.0)) + 0.2
    lower_low = inner_low + (7.3 - 1.3 * min(gap, 1.3)) * np.maximum(1.0 - np.abs(u * 1.03) ** 2.1, 0.0) ** 0.95

    def on_face(y: np.ndarray, lift: float) -> np.ndarray:
        return head.on_face(np.stack([x, y], axis=1), lift)

    lip_lift = 5.0 * bump
    top_edge, low_edge = on_face(upper_top, lip_lift), on_face(lower_low, lip_lift)
    inside_top, inside_low = on_face(inner_top, 3.0 * bump), on_face(inner_low, 3.0 * bump)
    upper_lip = polygon_path(np.concatenate([top_edge, inside_top[::-1]]))
    lower_lip = polygon_path(np.concatenate([inside_low, low_edge[::-1]]))
    inside = polygon_path(np.concatenate([inside_top, inside_low[::-1]]))

    # Shadow under the lower lip and at the corners.
    below = on_face(lower_low + 3.0, 2.0)[10:31]
    easel.line(smooth_path(below), SKIN_SHADOW, 3.2, alpha=0.50, blur=2.0)
    for index in (0, -1):
        easel.fill(oval_path(*inside_top[index], 2.2, 1.8), SKIN_DEEP, alpha=0.45, blur=1.2)

    if gap > 0.01:
        easel.fill(inside, MOUTH_INSIDE)
        with easel.clip(inside):
            low = on_face(inner_low, 0.0)[20]
            easel.fill(oval_path(low[0], low[1] + 0.5, 10.5, 1.0 + 4.8 * gap), TONGUE, alpha=0.95, blur=1.2)
            teeth_low = inner_top + np.minimum(0.62 * (inner_low - inner_top), 6.3 * (1.0 - 0.25 * u**2))
            teeth = polygon_path(np.concatenate([on_face(inner_top - 1.0, 2.0), on_face(teeth_low, 2.0)[::-1]]))
            easel.fill(teeth, TEETH, blur=0.3)
            for offset in (-11.4, -7.9, -4.0, 0.0, 4.0, 7.9, 11.4):  # gaps between the teeth, hardly seen
                edge = head.on_face(
                    np.array([[CENTRE_X + offset, MOUTH_Y - 3.0], [CENTRE_X + offset * 1.02, MOUTH_Y + 6.0]]),
                    2.0,
                )
                with easel.clip(teeth):
                    easel.line(smooth_path(edge), (214.0, 190.0, 188.0), 0.5, alpha=0.5, blur=0.25)
            easel.line(smooth_path(inside_top), MOUTH_INSIDE, 2.6, alpha=0.55, blur=1.0)
            for edge in (0, -1):
                easel.fill(oval_path(*inside_top[edge], 5.5, 6.0), MOUTH_INSIDE, alpha=0.75, blur=2.0)
        easel.region(inside, FaceClass.INNER_MOUTH)

    y_top, y_low = float(top_edge[:, 1].min()), float(low_edge[:, 1].max())
    easel.fill(
        upper_lip,
        shader=vertical_shader(y_top, y_top + 9.0, [mix(LIP, LIP_LIGHT, 0.25), LIP_DARK], [0.0, 1.0]),
        alpha=0.92,
        blur=0.35,
    )
    easel.fill(
        lower_lip,
        shader=vertical_shader(y_low - 10.0, y_low, [LIP, LIP_LIGHT, mix(LIP, LIP_DARK, 0.25)], [0.0, 0.45, 1.0]),
        alpha=0.92,
        blur=0.35,
    )
    easel.region(upper_lip, FaceClass.UPPER_LIP)
    easel.region(lower_lip, FaceClass.LOWER_LIP)
    if gap <= 0.2:
        widths = 0.4 + 1.1 * bump
        easel.fill(tapered_path(inside_top, widths), LIP_DARK, alpha=0.85 * (1.0 - gap / 0.25), blur=0.3)
    gloss = on_face(inner_low + (2.5 - 0.3 * gap), lip_lift)[14:25] + [expression.light * 2.0, 0.0]
    easel.fill(
        tapered_path(gloss, 1.8 * np.sin(np.linspace(0.15, 3.0, len(gloss)))),
        (255.0, 240.0, 236.0),
        alpha=0.62,
        blur=0.7,
    )
    easel.line(smooth_path(top_edge[13:28] - [0.0, 0.8]), (255.0, 240.0, 232.0), 0.8, alpha=0.35, blur=0.6)


def paint_blush(easel: Easel, head: Head, expression: Expression) -> None:
    """Warm cheeks, a little higher in a smile."""
    for side in (-1, 1):
        x, y = CENTRE_X + side * 35.0, 149.0 - 2.0 * expression.smile
        centre = head.on_face(np.array([[x, y]]))[0]
        radius = 20.0
        shader = radial_shader(*centre, radius, [(240.0, 132.0, 128.0)] * 3, [0.0, 0.5, 1.0], [0.24, 0.10, 0.0])
        easel.fill(
            oval_path(*centre, radius * head.widening(x, y), radius * 0.8),
            shader=shader,
            mode=skia.BlendMode.kSrcOver,
        )
