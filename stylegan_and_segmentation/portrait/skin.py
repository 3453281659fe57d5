"""Skin under light: the face, neck and shoulders as lit surfaces. Knows the forms, and no features."""

from __future__ import annotations

import numpy as np
import skia

from .easel import Easel, polygon_path, smooth_path
from .head import CENTRE_X, Head
from .palette import WARM, Colour, ramp, tinted
from .parsing import FaceClass
from .relief import EYE_X, EYE_Y, Face, body_grid, normals

_STOPS = (0.0, 0.22, 0.42, 0.60, 0.78, 1.0)
_TONES: tuple[Colour, ...] = (  # from the deepest shadow, which blood makes warm, to the highlight
    (96.0, 44.0, 52.0),
    (160.0, 84.0, 80.0),
    (216.0, 143.0, 124.0),
    (243.0, 193.0, 171.0),
    (253.0, 223.0, 206.0),
    (255.0, 244.0, 234.0),
)
_BLUSH: Colour = (236.0, 118.0, 116.0)
_RIM: Colour = (150.0, 190.0, 255.0)
WARMTH = 4.0  # how far the skin's colour turns, of 255, with one step of warmth


def lit_skin(surface: np.ndarray, light: float, shadow: np.ndarray | float = 0.0, base: float = 0.0) -> np.ndarray:
    """Skin colours (..., 3), 0..255, for unit normals (..., 3) as they point in the picture.

    Args:
        surface: normals.
        light: where the key light stands, -1 left to +1 right.
        shadow: how much of the light is kept off, 0..1, (...).
        base: brightens all.
    """
    key = np.array([0.85 * light, -0.55, 0.95])
    key /= np.linalg.norm(key)
    fill = np.array([-0.9 * np.sign(light or -1.0), 0.1, 0.5])
    fill /= np.linalg.norm(fill)
    direct = np.clip((surface @ key + 0.35) / 1.35, 0.0, 1.0)
    soft = np.clip(0.5 + 0.5 * (surface @ fill), 0.0, 1.0)
    value = 0.13 + base + 0.66 * direct + 0.11 * soft
    value = value - 0.36 * np.asarray(shadow)
    half = key + [0.0, 0.0, 1.0]
    half /= np.linalg.norm(half)
    value = value + 0.09 * np.clip(surface @ half, 0.0, 1.0) ** 26
    colour = ramp(value, _STOPS, _TONES)
    edge = np.clip(1.0 - surface[..., 2], 0.0, 1.0) ** 2.2
    rim = np.clip(surface[..., 0] * -np.sign(light or -1.0), 0.0, 1.0) * edge * 0.5
    return colour + (np.array(_RIM) - colour) * rim[..., None]


def _veil(points: np.ndarray, x: float, y: float, size_x: float, size_y: float) -> np.ndarray:
    """A soft spot on front-view points (R, C, 3): 1 in the middle, 0 far away."""
    return np.exp(-(((points[..., 0] - CENTRE_X - x) / size_x) ** 2) - ((points[..., 1] - y) / size_y) ** 2)


def paint_face(easel: Easel, face: Face, light: float, blush: float, warmth: float = 0.0) -> None:
    """The face without features, and its region."""
    points = face.relief.grid(205, 121)
    surface = face.head.turn(normals(points))
    brow = np.clip((92.0 - points[..., 1]) / 44.0, 0.0, 1.0)  # the hair keeps light off the forehead's top
    u = np.linspace(-1.0, 1.0, points.shape[1])
    edge = np.clip((np.abs(np.sin(u * np.pi / 2.0)) - 0.80) / 0.20, 0.0, 1.0)[None] ** 1.5
    upper = np.clip((168.0 - points[..., 1]) / 40.0, 0.0, 1.0)
    shadow = 0.50 * brow**1.4 + 0.34 * edge * upper
    for side in (-1, 1):
        shadow = shadow + 0.15 * _veil(points, side * (EYE_X - 2.0), EYE_Y - 10.0, 17.0, 6.0)
        shadow = shadow + 0.06 * _veil(points, side * 13.0, EYE_Y - 5.0, 6.0, 8.0)
    shadow = shadow + 0.22 * _veil(points, 0.0, 157.0, 9.0, 3.4) + 0.14 * _veil(points, 0.0, 180.0, 11.0, 3.0)
    colour = tinted(lit_skin(surface, light, shadow, base=0.05), WARM, WARMTH * warmth)
    for side in (-1, 1):
        warm = 0.26 * blush * _veil(points, side * 36.0, 145.0 - 3.0 * face.relief.smile, 18.0, 11.0)
        colour = colour + (np.array(_BLUSH) - colour) * warm[..., None]
    tip = 0.16 * _veil(points, 0.0, 146.0, 8.0, 6.0) + 0.10 * _veil(points, 0.0, 192.0, 12.0, 6.0)
    colour = colour + (np.array(_BLUSH) - colour) * tip[..., None]
    contour = smooth_path(face.contour()[::3], closed=True)
    easel.region(contour, FaceClass.SKIN)
    grid = face.head.project(points[::4, ::4])
    with easel.clip(contour):
        easel.fill(contour, (232.0, 176.0, 156.0))
        texture = np.dstack([colour, np.full(colour.shape[:2], 255.0)])
        easel.mesh(grid, texture, from_right=face.head.yaw > 0.0)
    edge_points = np.roll(face.contour(), -90, axis=0)  # from the top right down and up again on the left
    jaw = edge_points[edge_points[:, 1] > edge_points[:, 1].max() - 34.0]
    easel.line(smooth_path(jaw[::3]), (176.0, 98.0, 88.0), 0.9, alpha=0.45, blur=0.5)


def paint_body(easel: Easel, head: Head, light: float, chin: np.ndarray, warmth: float = 0.0) -> tuple[Head, skia.Path]:
    """Neck and shoulders under the shadow of the chin, which stands at picture point (2,).

    Returns:
        the orientation of the body, which follows the head a little, and its outline in the picture.
    """
    body = Head(yaw=0.25 * head.yaw, shift_x=0.6 * head.shift_x, shift_y=0.6 * head.shift_y)
    points = body_grid(113, 121)
    surface = body.turn(normals(points))
    lean = np.clip((214.0 - points[..., 1]) / 60.0, 0.0, 1.0)  # the neck goes with the head
    points = points.copy()
    points[..., 0] += lean * 0.55 * (chin[0] - CENTRE_X)
    dx = points[..., 0] - chin[0] + 5.0 * light
    depth = chin[1] + 19.0 - 0.010 * dx**2 - points[..., 1]
    shadow = 1.0 / (1.0 + np.exp(-depth / 3.6))
    shadow = np.clip(0.92 * shadow, 0.0, 1.0)
    colour = tinted(lit_skin(surface, light, shadow, base=0.0), WARM, WARMTH * warmth)
    grid = body.project(points[::4, ::4])
    outline = polygon_path(np.concatenate([grid[:, 0], grid[::-1, -1]]))
    easel.region(outline, FaceClass.BACKGROUND)
    with easel.clip(outline):
        easel.mesh(grid, np.dstack([colour, np.full(colour.shape[:2], 255.0)]))
    return body, outline
