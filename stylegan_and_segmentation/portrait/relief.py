"""The form of the face: how wide it is and how far each point stands out, and the same for neck and shoulders.

Front-view picture units with x counted from the middle; depth z towards the viewer. Knows no colours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .head import CENTRE_X, Head

TOP, CHIN = 42.0, 197.0
EYE_Y = 122.5
EYE_X = 28.6  # from the face's middle to the middle of an eye
MOUTH_Y = 168.5

_WIDTH = np.array(
    [(42, 38), (50, 44.5), (60, 50), (75, 54.8), (90, 57), (105, 57.8), (120, 57.6), (133, 56.2), (144, 53.6)]
    + [
        (154, 50.2),
        (163, 45.6),
        (171, 39.8),
        (178, 33.2),
        (184, 26.2),
        (189, 19.4),
        (193, 12.8),
        (195.8, 6.8),
        (197, 0),
    ],
    float,
)
_MIDDLE = np.array(
    [(42, 26), (55, 37), (70, 44), (90, 48), (104, 49.5), (118, 47), (135, 48), (150, 49), (165, 49)]
    + [(178, 46), (188, 45), (194, 42), (197, 38)],
    float,
)
_SIDE = np.array([(42, 2), (75, 3), (120, 0), (150, 4), (165, 11), (178, 20), (187, 29), (193, 35), (197, 38)], float)
_BRIDGE = np.array(
    [(96, 0), (104, 0.8), (112, 2.0), (122, 3.4), (131, 6.4), (138, 10.6), (143, 13.4), (147, 13.6), (151, 9.6)]
    + [(154.5, 3.6), (158, 0.5), (162, 0)],
    float,
)


def _smooth(x: np.ndarray, table: np.ndarray) -> np.ndarray:
    """A monotone-looking smooth curve through a table of (x, value)."""
    knots, values = table[:, 0], table[:, 1]
    slopes = np.gradient(values, knots)
    x = np.clip(x, knots[0], knots[-1])
    at = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
    width = knots[at + 1] - knots[at]
    s = (x - knots[at]) / width
    return (
        (2 * s**3 - 3 * s**2 + 1) * values[at]
        + (s**3 - 2 * s**2 + s) * width * slopes[at]
        + (3 * s**2 - 2 * s**3) * values[at + 1]
        + (s**3 - s**2) * width * slopes[at + 1]
    )


def _hill(x: np.ndarray, y: np.ndarray, at: tuple[float, float], size: tuple[float, float], height: float):
    return height * np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2)


def _crest(x: np.ndarray, y: np.ndarray, a: tuple[float, float], b: tuple[float, float], size: float, height: float):
    """A long hill between two points."""
    along = np.array(b) - np.array(a)
    t = np.clip(((x - a[0]) * along[0] + (y - a[1]) * along[1]) / (along @ along), 0.0, 1.0)
    return height * np.exp(-((x - a[0] - t * along[0]) ** 2 + (y - a[1] - t * along[1]) ** 2) / size**2)


@dataclass(frozen=True)
class Relief:
    """The face with its jaw lowered by `drop` picture units and its cheeks raised by `smile` (0..1)."""

    drop: float = 0.0
    smile: float = 0.0
    _rest: np.ndarray = field(init=False, repr=False, compare=False)
    _opened: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rest = np.linspace(TOP - 30.0, CHIN, 230)
        s = np.clip((rest - 150.0) / (CHIN - 150.0), 0.0, 1.0)
        object.__setattr__(self, "_rest", rest)
        object.__setattr__(self, "_opened", rest + self.drop * s * s * (3.0 - 2.0 * s))

    def at_rest(self, y: np.ndarray) -> np.ndarray:
        """Where a height of the opened face lies on the closed one."""
        return np.interp(y, self._opened, self._rest)

    def opened(self, y: np.ndarray) -> np.ndarray:
        """Where a height of the closed face lies on the opened one."""
        return np.interp(y, self._rest, self._opened)

    def half_width(self, y: np.ndarray) -> np.ndarray:
        return _smooth(self.at_rest(y), _WIDTH)

    def depth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Depth under front-view points; x from the middle; held at the contour outside of it."""
        x, rest = np.asarray(x, float), self.at_rest(np.asarray(y, float))
        u = np.clip(np.abs(x) / np.maximum(_smooth(rest, _WIDTH), 1e-3), 0.0, 1.0)
        side, middle = _smooth(rest, _SIDE), _smooth(rest, _MIDDLE)
        z = side + (middle - side) * (1.0 - u**2.25) ** 0.62
        away = np.abs(x)
        tip = np.clip((rest - 118.0) / 30.0, 0.0, 1.0)
        z = z + _smooth(rest, _BRIDGE) * np.exp(-((away / (4.9 + 1.5 * tip)) ** 2.2))
        z = z + _hill(away, rest, (7.4, 148.5), (3.2, 3.8), 3.8)  # nostril wings
        z = z + _hill(away, rest, (26.0, 118.0), (15.0, 8.0), -3.6) + _hill(away, rest, (13.5, 117.0), (6.0, 8.0), -1.3)
        z = z + _hill(away, rest, (EYE_X, EYE_Y), (12.0, 7.5), 3.4)  # the eyeball under the lids
        z = z + _hill(away, rest, (27.0, 104.0), (18.0, 6.0), 1.6)
        z = z + _hill(away, rest, (36.0, 142.0 - 3.0 * self.smile), (13.0, 10.0), 2.6 + 2.4 * self.smile)
        z = z + _hill(x, rest, (0.0, 167.5), (15.0, 9.0), 3.6) + _hill(x, rest, (0.0, 158.5), (2.2, 4.0), -0.7)
        z = z + _hill(x, rest, (0.0, 179.5), (13.0, 3.6), -2.0) + _hill(x, rest, (0.0, 188.0), (10.0, 5.5), 2.2)
        return z

    def grid(self, rows: int, columns: int) -> np.ndarray:
        """Front-view points (rows, columns, 3) from contour to contour, closer together at the chin."""
        t = np.linspace(0.0, 1.0, rows)
        y = self.opened(TOP + (CHIN - 0.02 - TOP) * (1.0 - (1.0 - t) ** 1.7))[:, None]
        u = np.sin(np.linspace(-np.pi / 2.0, np.pi / 2.0, columns))[None]
        x = u * self.half_width(y)
        y = np.broadcast_to(y, x.shape)
        return np.stack([x + CENTRE_X, y, self.depth(x, y)], axis=-1)


@dataclass(frozen=True)
class Face:
    """The relief on a turned head: where points of the face stand in the picture."""

    head: Head
    relief: Relief

    def place(self, points: np.ndarray, lift: float | np.ndarray = 0.0) -> np.ndarray:
        """Front-view points (..., 2), x from the middle, on the surface and `lift` above it, in the picture."""
        points = np.asarray(points, float)
        z = self.relief.depth(points[..., 0], points[..., 1]) + lift
        solid = np.stack([points[..., 0] + CENTRE_X, points[..., 1], np.broadcast_to(z, points.shape[:-1])], axis=-1)
        return self.head.project(solid)

    def spot(self, x: float, y: float, lift: float = 0.0) -> np.ndarray:
        """One point, shape (2,)."""
        return self.place(np.array([x, y]), lift)

    def widening(self, x: float, y: float) -> float:
        """How wide a small thing at a face point looks, relative to the front view (1 = as wide)."""
        left, right = self.place(np.array([[x - 4.0, y], [x + 4.0, y]]))
        return float(np.hypot(*(right - left)) / 8.0)

    def contour(self) -> np.ndarray:
        """The face's edge in the picture, (180, 2): up its left side from the chin, then down its right side."""
        points = self.head.project(self.relief.grid(90, 49))
        cos, sin = np.cos(self.head.roll), np.sin(self.head.roll)
        level = points[..., 0] * cos + points[..., 1] * sin  # x before the roll
        rows = np.arange(len(points))
        left, right = points[rows, level.argmin(axis=1)], points[rows, level.argmax(axis=1)]
        return np.concatenate([left[::-1], right])


_BODY_WIDTH = np.array(
    [(150, 25), (185, 24), (202, 25), (210, 27.5), (216, 32), (221, 41), (226, 57), (232, 75), (240, 89), (250, 96)]
    + [(270, 100)],
    float,
)
_BODY_DEPTH = np.array([(150, 8), (190, 12), (212, 12), (225, 14), (240, 22), (270, 30)], float)


def body_grid(rows: int, columns: int) -> np.ndarray:
    """Neck and shoulders as front-view points (rows, columns, 3)."""
    y = np.linspace(156.0, 268.0, rows)[:, None]
    u = np.sin(np.linspace(-np.pi / 2.0, np.pi / 2.0, columns))[None]
    x = u * _smooth(y, _BODY_WIDTH)
    y = np.broadcast_to(y, x.shape)
    away = np.abs(x)
    z = -10.0 + (10.0 + _smooth(y, _BODY_DEPTH)) * np.sqrt(np.maximum(1.0 - u**2, 0.0))
    z = z + _crest(away, y, (19.0, 188.0), (5.0, 229.0), 4.6, 2.0)  # the tendons of the neck
    z = z + _crest(away, y, (8.0, 233.0), (66.0, 226.0), 3.6, 4.2)  # the collar bones
    z = z + _hill(x, y, (0.0, 231.0), (4.5, 4.5), -3.6) + _hill(away, y, (30.0, 222.0), (13.0, 5.0), -3.0)
    return np.stack([x + CENTRE_X, y, z], axis=-1)


def normals(grid: np.ndarray) -> np.ndarray:
    """Unit normals (R, C, 3) of a grid of points (R, C, 3), towards the viewer in the front view."""
    across, down = np.gradient(grid, axis=1), np.gradient(grid, axis=0)
    vectors = np.cross(across, down)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
