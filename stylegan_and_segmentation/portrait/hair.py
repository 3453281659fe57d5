"""Where her hair grows: long and blond, parted on one side, in waves over both shoulders.

Guide points are front-view picture units, x counted outwards from the face's middle on each side.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
import skia

from .easel import Easel, polygon_path, smooth_path, tapered_path
from .hair_card import ROWS, Card, Hairdo, fall, guide
from .head import Head

PART_X = -8.0  # of the parting, from the face's middle
_LOCKS = 6
_RIMS = {-1: (150.0, 240.0, 216.0), 1: (196.0, 170.0, 255.0)}  # the aurora on her hair, by side

Points = list[tuple[float, float, float]]


def _hanging(side: int, points: Points, hairdo: Hairdo) -> np.ndarray:
    """A guide whose part below y 150 is stretched so that y 242 comes to the tips."""
    stretch = (hairdo.tip_y - 150.0) / 92.0
    return guide([(x, y if y < 150.0 else 150.0 + (y - 150.0) * stretch, z) for x, y, z in points], side)


def _push(side: int, head: Head) -> float:
    """How far the turned face pushes the hair on its far side outwards, picture units."""
    return 9.0 * max(0.0, side * math.sin(head.yaw))


def _curtain(side: int, hairdo: Hairdo, head: Head) -> tuple[np.ndarray, np.ndarray]:
    """Inner guide along the face and outer guide along the silhouette."""
    out = _push(side, head)
    p = side * PART_X
    inner: Points = [
        (p, 57, 44),
        (p + 11, 60, 48),
        (24 + 0.5 * p, 70, 45),
        (43 + 0.4 * out, 90, 28),
        (53 + out, 114, 14),
    ]
    inner += [
        (56 + out, 138, 8),
        (55 + 0.8 * out, 160, 8),
        (51 + 0.3 * out, 182, 12),
        (44, 205, 18),
        (38, 226, 22),
        (40, 244, 22),
    ]
    outer: Points = [(p + side * 3, 17.5, -4), (p + 13, 15.5, -6), (35 + 0.3 * p, 19, -8), (57, 37, -12)]
    outer += [(70 + 0.4 * out, 66, -14), (76 + 0.8 * out, 100, -16), (79 + out, 136, -16), (87 + 0.5 * out, 170, -12)]
    outer += [(95, 200, -8), (92, 226, -2), (80, 244, 4)]
    return _hanging(side, inner, hairdo), _hanging(side, outer, hairdo)


def paint_back_hair(easel: Easel, head: Head, hairdo: Hairdo) -> None:
    """The hair behind neck and shoulders."""
    for side in (-1, 1):
        inner: Points = [(0, 60, -30), (2, 100, -34), (3, 140, -34), (4, 175, -32), (8, 205, -28), (16, 230, -24)]
        wide = 1.9 * (_push(side, head) - _push(-side, head))  # fills what the turned face leaves free
        outer: Points = [(6, 34, -20), (50 + 0.5 * wide, 46, -24), (70 + wide, 96, -28), (79 + wide, 140, -28)]
        outer += [(88, 186, -24), (86, 222, -20)]
        Card(
            f"back {side}",
            _hanging(side, inner, hairdo),
            _hanging(side, outer, hairdo),
            wave=3.0 * side,
            value=-0.33,
            ragged=0.14,
            feather=0.05,
            strands=60,
        ).paint(easel, head, hairdo)


def paint_front_hair(easel: Easel, head: Head, hairdo: Hairdo) -> None:
    """The two curtains with their locks, the fringe and loose strands."""
    far = 1 if head.yaw > 0.0 else -1
    for side in (far, -far):
        inner, outer = _curtain(side, hairdo, head)
        base = Card(
            f"curtain {side}",
            inner,
            outer,
            wave=6.0 * side,
            value=-0.06,
            root_shade=0.16,
            bulge=10.0,
            feather=0.03,
            inner_shade=0.16,
            rim=_RIMS[side],
        )
        base.paint(easel, head, hairdo)
        _paint_locks(easel, head, hairdo, side, inner, outer)
    for side in (far, -far):
        _paint_fringe(easel, head, hairdo, side)
    parting = head.project(np.array([(123.0, 22.0, 4.0), (121.0, 40.0, 30.0), (120.0, 60.0, 46.0)]))
    easel.line(smooth_path(parting), (92.0, 58.0, 40.0), 1.6, alpha=0.30, blur=0.9)
    _paint_stray(easel, head, hairdo)


def _paint_locks(easel: Easel, head: Head, hairdo: Hairdo, side: int, inner: np.ndarray, outer: np.ndarray) -> None:
    random = np.random.default_rng(zlib.crc32(f"locks {side}".encode()))
    for index in range(_LOCKS):
        middle = 1.0 - (index + 0.5) / _LOCKS + random.normal(0.0, 0.02)
        width = 0.27 + 0.10 * random.random()
        end = min(middle + width / 2.0, 0.995)
        Card(
            f"lock {side} {index}",
            inner,
            outer,
            columns=5,
            strands=30,
            start=middle - width / 2.0,
            end=end,
            gather=0.50,
            reach=random.uniform(0.86, 1.0),
            wave=side * random.uniform(6.0, 8.5),
            phase=0.5 * random.normal(),
            bulge=14.0,
            value=0.02 + 0.035 * random.normal(),
            cylinder=0.15,
            root_shade=0.14,
            inner_shade=0.12,
            rim=_RIMS[side],
            ragged=0.12,
            feather=0.30,
        ).paint(easel, head, hairdo)


def _fringe(side: int, head: Head) -> tuple[np.ndarray, np.ndarray]:
    p = side * PART_X
    out = _push(side, head)
    inner: Points = [
        (p, 59, 46),
        (p + 8, 65, 50),
        (20 + 0.7 * p, 75, 52),
        (37 + 0.4 * p + 0.3 * out, 91, 44),
        (50 + 0.7 * out, 109, 28),
    ]
    inner += [(57 + out, 129, 18), (61 + 0.7 * out, 148, 16), (69, 162, 14)]
    outer: Points = [(p, 44, 36), (p + 14, 46, 44), (35 + 0.4 * p, 56, 42), (54, 79, 26), (65, 106, 14)]
    outer += [(70, 130, 10), (77, 152, 10), (81, 166, 10)]
    return guide(inner, side), guide(outer, side)


def _paint_fringe(easel: Easel, head: Head, hairdo: Hairdo, side: int) -> None:
    inner, outer = _fringe(side, head)
    Card(
        f"fringe {side}",
        inner,
        outer,
        columns=7,
        strands=36,
        gather=0.35,
        bulge=5.0,
        value=0.01,
        cylinder=0.07,
        root_shade=0.10,
        ragged=0.30,
        feather=0.16,
    ).paint(easel, head, hairdo)
    random = np.random.default_rng(zlib.crc32(f"fringe {side}".encode()))
    for index in range(5):
        middle = 0.92 - 0.21 * index
        Card(
            f"fringe lock {side} {index}",
            inner,
            outer,
            columns=5,
            strands=14,
            start=middle - 0.16,
            end=middle + 0.16,
            gather=0.85,
            reach=random.uniform(0.80, 1.0),
            wave=2.4 * side,
            phase=random.normal(),
            bulge=7.0,
            value=0.05 + 0.018 * random.normal(),
            cylinder=0.06,
            contrast=0.8,
            root_shade=0.10,
            ragged=0.16,
            feather=0.34,
        ).paint(easel, head, hairdo)


def _paint_stray(easel: Easel, head: Head, hairdo: Hairdo) -> None:
    """Single fine strands over the silhouette, which make it soft."""
    random = np.random.default_rng(zlib.crc32(b"stray"))
    for index in range(14):
        side = -1 if index % 2 else 1
        inner, outer = _curtain(side, hairdo, head)
        across = random.uniform(0.90, 1.035)
        curve = inner + (outer - inner) * across
        first = int(random.integers(1, 12))
        last = min(ROWS, first + int(random.integers(8, 18)))
        bend = random.normal(0.0, 1.4) * (1.0 + 0.4 * hairdo.strands)
        piece = curve[first:last].copy()
        s = np.linspace(0.0, 1.0, len(piece))
        piece[:, 0] += side * (bend * np.sin(np.pi * s) + 1.6 * s**2 * random.normal())
        widths = 0.8 * np.sin(np.linspace(0.25, 3.05, len(piece)))
        colour = (255.0, 232.0, 186.0) if random.random() < 0.6 else (206.0, 160.0, 104.0)
        easel.fill(tapered_path(fall(piece, head), widths), colour, alpha=random.uniform(0.2, 0.4), blur=0.15)


def hair_shadow(head: Head, hairdo: Hairdo) -> list[skia.Path]:
    """Where the front hair throws its shadow on the face."""
    paths = []
    for side in (-1, 1):
        inner, outer = _fringe(side, head)
        edge = fall(inner, head)
        paths.append(polygon_path(np.concatenate([edge, fall(outer, head)[::-1]])))
        inner, outer = _curtain(side, hairdo, head)
        paths.append(polygon_path(np.concatenate([fall(inner, head), fall(outer, head)[::-1]])))
    return paths
