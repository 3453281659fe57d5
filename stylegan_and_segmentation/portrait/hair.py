"""Long blond hair with an aurora tint towards the tips, painted lock by lock on a turned head.

A sheet of hair lies between two guide curves; a lock or a strand is an interpolation between them. The
strands' places come from fixed seeds, so that she has the same hair in every picture.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import skia

from .easel import Colour, Easel, mix, polygon_path, shade, smooth_path, tapered_path, vertical_shader
from .head import CENTRE_X, Head
from .parsing import FaceClass

BLOND: Colour = (238.0, 203.0, 138.0)
BLOND_SHADOW: Colour = (150.0, 104.0, 62.0)
BLOND_DEEP: Colour = (98.0, 64.0, 46.0)
BLOND_LIGHT: Colour = (255.0, 242.0, 204.0)
AURORA: tuple[Colour, ...] = ((98.0, 232.0, 182.0), (72.0, 190.0, 224.0), (168.0, 128.0, 244.0))
PART_X = 119.0
CURVE_POINTS = 44


@dataclass(frozen=True)
class Hairdo:
    """How the hair looks in this picture."""

    brightness: float  # 1 is her blond
    tip_y: float  # where the longest hair ends, picture units
    wave_phase: float  # radians
    strands: float  # how far single strands stray, about -1..1
    tint_shift: float  # turns the aurora's colours, about -1..1
    light: float  # -1 light from the left, +1 from the right

    @classmethod
    def from_scores(
        cls, hair_color: float, hair_length: float, wave: float, strands: float, tint: float, light: float
    ) -> Hairdo:
        colour, length = (float(np.clip(score, -3.0, 4.0)) for score in (hair_color, hair_length))
        return cls(
            brightness=float(np.exp(0.13 * colour)) if colour < 0 else 1.0 + 0.11 * colour,
            tip_y=258.0 + 18.0 * length,
            wave_phase=0.45 * wave,
            strands=strands,
            tint_shift=tint,
            light=light,
        )


def _curve(points: list[tuple[float, float, float]], count: int = CURVE_POINTS) -> np.ndarray:
    """A smooth curve of `count` points (count, 3) through guide points, evenly spaced along it."""
    guide = np.array(points, float)
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(guide, axis=0), axis=1))])
    t = np.linspace(0.0, knots[-1], count)
    slopes = np.gradient(guide, knots, axis=0)
    index = np.clip(np.searchsorted(knots, t, side="right") - 1, 0, len(knots) - 2)
    width = (knots[index + 1] - knots[index])[:, None]
    s = ((t - knots[index])[:, None]) / width
    h00, h10 = 2 * s**3 - 3 * s**2 + 1, s**3 - 2 * s**2 + s
    h01, h11 = -2 * s**3 + 3 * s**2, s**3 - s**2
    return h00 * guide[index] + h10 * width * slopes[index] + h01 * guide[index + 1] + h11 * width * slopes[index + 1]


class Sheet:
    """Hair between an inner and an outer guide curve; `across` runs from 0 (inner) to 1 (outer)."""

    def __init__(self, head: Head, inner: np.ndarray, outer: np.ndarray, hairdo: Hairdo, wave: float) -> None:
        self._head, self._inner, self._outer = head, inner, outer
        self._hairdo, self._wave = hairdo, wave

    def strands(self, across: np.ndarray, stray: np.ndarray | float = 0.0) -> np.ndarray:
        """Picture points (K, CURVE_POINTS, 2) of strands; across is (K,) or (K, CURVE_POINTS), stray (K,).

        `stray` bends a strand sideways, in picture units.
        """
        across = np.asarray(across, float)
        across = across[:, None] if across.ndim == 1 else across
        points = self._inner + (self._outer - self._inner) * across[:, :, None]
        below = np.clip((points[:, :, 1] - 112.0) / 80.0, 0.0, 1.15)
        phase = (points[:, :, 1] - 128.0) / 12.6 + self._hairdo.wave_phase + 2.1 * across
        points[:, :, 0] += below * (self._wave * np.sin(phase) + np.reshape(stray, (-1, 1)))
        fixed = self._head.project(points)
        # Hair that lies on the shoulders stays behind when the head turns.
        rest = np.clip((points[:, :, 1:2] - 150.0) / 80.0, 0.0, 1.0) ** 1.5 * 0.7
        return fixed * (1.0 - rest) + points[:, :, :2] * rest

    def strand(self, across: float) -> np.ndarray:
        """Picture points (CURVE_POINTS, 2) of one strand."""
        return self.strands(np.array([across]))[0]

    def area(self, start: float, end: float, taper: float = 0.0, reach: float = 1.0) -> skia.Path:
        """A lock between two strands; `taper` (0..1) narrows it to a tip, `reach` shortens it."""
        t = np.linspace(0.0, 1.0, CURVE_POINTS)
        last = max(4, int(round(reach * CURVE_POINTS)))
        middle = (start + end) / 2.0
        half = (end - start) / 2.0 * (1.0 - taper * np.clip((t / reach - 0.55) / 0.45, 0.0, 1.0) ** 1.6)
        left, right = self.strands(np.stack([middle - half, middle + half]))[:, :last]
        return polygon_path(np.concatenate([left, right[::-1]]))

    def outline(self) -> skia.Path:
        """The whole sheet, with an uneven rounded lower edge."""
        across = np.linspace(0.0, 1.0, 25)
        reach = 0.84 + 0.13 * np.sin(np.pi * across) ** 0.6 + 0.025 * np.sin(19.0 * across)
        last = np.minimum((reach * CURVE_POINTS).astype(int), CURVE_POINTS - 1)
        strands = self.strands(across)
        ends = strands[np.arange(len(across)), last]
        return polygon_path(np.concatenate([strands[0, : last[0]], ends, strands[-1, : last[-1]][::-1]]))


def _ramp(hairdo: Hairdo, factor: float, blond: Colour) -> skia.Shader:
    """Colour down the hair: blond, then the aurora towards the tips; `factor` is the strand's brightness."""
    length = np.clip(hairdo.tip_y, 170.0, 330.0)
    start = 104.0 + 0.30 * (length - 150.0)
    reach = max(60.0, 0.88 * (length - start))
    shift = 0.18 * hairdo.tint_shift
    tones = [
        mix(AURORA[0], AURORA[1], max(0.0, shift)),
        mix(AURORA[1], AURORA[2], 0.25 + max(0.0, shift)),
        AURORA[2],
    ]
    strength = [0.70, 0.84, 0.88]
    colours = [blond, blond] + [mix(blond, tone, k) for tone, k in zip(tones, strength, strict=True)]
    values = [shade(shade(colour, hairdo.brightness), factor) for colour in colours]
    total = start + reach - 30.0
    stops = [
        0.0,
        (start - 30.0) / total,
        (start - 30.0 + 0.36 * reach) / total,
        (start - 30.0 + 0.66 * reach) / total,
        1.0,
    ]
    return vertical_shader(30.0, start + reach, values, stops)


def _paint_sheet(
    easel: Easel, sheet: Sheet, hairdo: Hairdo, seed: str, side: int, dark: float, locks: int, strands: int
) -> None:
    """Base colour, locks with their own light, fine strands and a band of light."""
    random = np.random.default_rng(zlib.crc32(seed.encode()))
    easel.fill(sheet.outline(), shader=_ramp(hairdo, 0.80 * dark, BLOND))
    lit = 0.5 + 0.5 * side * hairdo.light  # 1 where this side faces the light
    edges = np.sort(
        np.concatenate([np.linspace(0.0, 1.0, locks + 1)[1:-1] + random.normal(0, 0.25 / locks, locks - 1), [0.0, 1.0]])
    )
    ramps: dict[float, skia.Shader] = {}

    def ramp(factor: float) -> skia.Shader:
        key = round(factor, 1)
        if key not in ramps:
            blond = mix(BLOND_SHADOW, BLOND, np.clip((key - 0.45) / 0.5, 0, 1)) if key < 0.95 else BLOND
            ramps[key] = _ramp(hairdo, key if key >= 0.95 else 0.55 + 0.45 * key, blond)
        return ramps[key]

    for start, end in zip(edges[:-1], edges[1:], strict=True):
        middle = (start + end) / 2.0
        # Round volume: darkest by the face and at the rim, brightest in between, more so towards the light.
        volume = 0.66 + 0.42 * np.sin(np.pi * np.clip(0.10 + 0.80 * middle, 0, 1)) ** 0.8
        factor = dark * (volume + 0.10 * (lit - 0.5) + random.normal(0, 0.11))
        lock = sheet.area(start - 0.01, end + 0.012, taper=0.8, reach=random.uniform(0.86, 1.0))
        easel.fill(lock, shader=ramp(factor), alpha=0.85)
        seam = smooth_path(sheet.strand(start)[::3])
        for width, alpha in ((2.2, 0.10), (1.3, 0.14), (0.5, 0.18)):
            easel.line(seam, shader=ramp(0.3), width=width, alpha=alpha * dark)
    across = random.uniform(0.005, 0.995, strands)
    stray = random.normal(0, 1.5, strands) * (1.0 + 0.5 * hairdo.strands)
    volume = 0.70 + 0.42 * np.sin(np.pi * np.clip(0.10 + 0.80 * across, 0, 1))
    factors = dark * (volume + random.normal(0, 0.20, strands))
    for points, factor in zip(sheet.strands(across, stray), factors, strict=True):
        first, last = int(random.integers(0, 8)), CURVE_POINTS - int(random.integers(0, 10))
        points = points[first:last:2]
        width = random.uniform(0.35, 1.05) * np.sin(np.linspace(0.35, 3.0, len(points)))
        easel.fill(tapered_path(points, width), shader=ramp(factor), alpha=random.uniform(0.35, 0.85))


def _model(easel: Easel, sheet: Sheet, hairdo: Hairdo, side: int) -> None:
    """Large shadows that round the hair off, and the aurora's light on its rim."""
    inner, outer = sheet.strand(0.0), sheet.strand(1.0)
    deep = shade(BLOND_DEEP, hairdo.brightness)
    easel.line(smooth_path(inner[14:34:2]), deep, 8.0, alpha=0.42, blur=3.6)
    easel.line(smooth_path(sheet.strand(0.5)[:5]), deep, 12.0, alpha=0.30, blur=4.5)
    easel.line(smooth_path(sheet.strand(0.35)[17:27:2]), deep, 9.0, alpha=0.20, blur=4.5)
    easel.line(smooth_path(outer[2::2]), deep, 11.0, alpha=0.30, blur=4.5)
    rim = AURORA[0] if side < 0 else AURORA[2]
    easel.line(smooth_path(outer[3::2]), mix(rim, (255.0, 255.0, 255.0), 0.25), 2.6, alpha=0.62, blur=1.3)


def _band_of_light(easel: Easel, sheet: Sheet, hairdo: Hairdo, seed: str, side: int, centre: float) -> None:
    """Short bright strands across the crown and, weaker, on the waves."""
    random = np.random.default_rng(zlib.crc32(seed.encode()))
    lit = 0.65 + 0.35 * side * hairdo.light
    light = shade(BLOND_LIGHT, hairdo.brightness)
    places = random.uniform(0.06, 0.95, 64)
    for across, strand in zip(places, sheet.strands(places), strict=True):
        middle = centre + random.normal(0, 0.016) + 0.05 * np.sin(across * 9.0)
        half = random.uniform(0.03, 0.09)
        first, last = (int(round(value * (CURVE_POINTS - 1))) for value in (middle - half, middle + half))
        points = strand[max(first, 0) : max(last, first + 3)]
        if len(points) < 3:
            continue
        width = random.uniform(0.6, 1.7) * np.sin(np.linspace(0.1, 3.04, len(points)))
        easel.fill(tapered_path(points, width), light, alpha=0.52 * lit * random.uniform(0.4, 1.0))


def _flow(side: int, points: list[tuple[float, float, float]], tip_y: float) -> np.ndarray:
    """A guide curve for one side: x counts from the middle outwards; y below 150 stretches to tip_y."""
    placed = []
    for x, y, z in points:
        if y > 150.0:
            y = 150.0 + (y - 150.0) * (tip_y - 150.0) / 92.0
        placed.append((CENTRE_X + side * x, y, z))
    return _curve(placed)


def paint_back_hair(easel: Easel, head: Head, hairdo: Hairdo) -> None:
    """The hair behind neck and shoulders."""
    for side in (-1, 1):
        outer = _flow(
            side,
            [
                (6, 38, -8),
                (46, 52, -14),
                (66, 96, -18),
                (75, 140, -20),
                (82, 184, -18),
                (87, 218, -14),
                (78, 242, -10),
            ],
            hairdo.tip_y,
        )
        inner = _flow(
            side,
            [
                (0, 60, -20),
                (4, 90, -24),
                (6, 130, -26),
                (8, 160, -26),
                (12, 190, -24),
                (20, 216, -20),
                (30, 236, -16),
            ],
            hairdo.tip_y,
        )
        sheet = Sheet(head, inner, outer, hairdo, wave=4.4 * side)
        easel.region(sheet.outline(), FaceClass.HAIR)
        _paint_sheet(easel, sheet, hairdo, f"back {side}", side, dark=0.60, locks=10, strands=36)


def front_sheets(head: Head, hairdo: Hairdo) -> list[tuple[int, Sheet]]:
    """The two curtains of hair that frame the face."""
    part = PART_X - CENTRE_X
    sheets = []
    for side in (-1, 1):
        p = side * part  # the part's offset, as this side counts x
        inner = _flow(
            side,
            [
                (p - 0.5, 58, 40),
                (p + 9, 60, 46),
                (21 + 0.6 * p, 66, 46),
                (39, 83, 30),
                (49, 104, 14),
                (51, 128, 8),
                (48.5, 152, 9),
                (46.5, 172, 12),
                (45, 196, 16),
                (43, 222, 16),
                (38, 244, 16),
            ],
            hairdo.tip_y,
        )
        outer = _flow(
            side,
            [
                (p - 1.5, 29.5, 8),
                (18 + 0.7 * p, 29.5, 4),
                (41, 38, -2),
                (59.5, 60, -6),
                (69, 94, -8),
                (73, 134, -8),
                (79, 168, -6),
                (87, 198, -2),
                (88, 224, 2),
                (77, 246, 6),
            ],
            hairdo.tip_y,
        )
        sheets.append((side, Sheet(head, inner, outer, hairdo, wave=5.0 * side)))
    return sheets


def paint_front_hair(easel: Easel, head: Head, hairdo: Hairdo) -> None:
    """The curtains, the fringe and a few loose strands."""
    for side, sheet in front_sheets(head, hairdo):
        easel.region(sheet.outline(), FaceClass.HAIR)
        _paint_sheet(easel, sheet, hairdo, f"front {side}", side, dark=1.0, locks=15, strands=100)
        with easel.clip(sheet.outline()):
            _model(easel, sheet, hairdo, side)
        _band_of_light(easel, sheet, hairdo, f"band {side}", side, 0.17)
        _band_of_light(easel, sheet, hairdo, f"wave {side}", side, 0.47)
    _paint_fringe(easel, head, hairdo)
    # The parting: a soft dark line where the hair leaves the skin.
    line = head.project(np.array([[PART_X, 38.0, 10.0], [PART_X + 0.4, 46.0, 28.0], [PART_X + 0.2, 56.0, 40.0]]))
    easel.line(smooth_path(line), shade(BLOND_DEEP, hairdo.brightness), 1.4, alpha=0.26, blur=0.9)


def _fringe_sheets(head: Head, hairdo: Hairdo) -> list[tuple[int, Sheet]]:
    part = PART_X - CENTRE_X
    sheets = []
    for side in (-1, 1):
        p = side * part
        inner = _curve(
            [
                (CENTRE_X + side * x, y, z)
                for x, y, z in [
                    (p, 54, 42),
                    (p + 6, 64, 50),
                    (22 + 0.5 * p, 80, 51),
                    (38.5, 97, 33),
                    (49, 118, 17),
                    (54, 142, 10),
                    (60, 164, 8),
                ]
            ]
        )
        outer = _curve(
            [
                (CENTRE_X + side * x, y, z)
                for x, y, z in [
                    (p, 46, 36),
                    (p + 14, 50, 44),
                    (33 + 0.4 * p, 63, 38),
                    (51, 86, 20),
                    (61, 112, 10),
                    (66, 140, 6),
                    (74, 162, 6),
                ]
            ]
        )
        sheets.append((side, Sheet(head, inner, outer, hairdo, wave=1.0 * side)))
    return sheets


def _paint_fringe(easel: Easel, head: Head, hairdo: Hairdo) -> None:
    for side, sheet in _fringe_sheets(head, hairdo):
        easel.region(sheet.area(0.0, 1.0, taper=0.9), FaceClass.HAIR)
        random = np.random.default_rng(zlib.crc32(f"fringe {side}".encode()))
        for index in range(11):
            start = index / 11.0
            factor = 1.0 + random.normal(0, 0.10) - 0.18 * (start < 0.1)
            path = sheet.area(start - 0.03, start + 0.14, taper=0.97)
            blond = BLOND if factor > 0.95 else mix(BLOND_SHADOW, BLOND, 0.72)
            easel.fill(path, shader=_ramp(hairdo, factor, blond), alpha=0.90)
        for strand in sheet.strands(random.uniform(-0.03, 1.03, 46), random.normal(0, 1.6, 46)):
            points = strand[int(random.integers(0, 10)) : CURVE_POINTS - int(random.integers(0, 12)) : 2]
            width = random.uniform(0.35, 1.0) * np.sin(np.linspace(0.3, 3.05, len(points)))
            factor = 1.02 + random.normal(0, 0.22)
            blond = BLOND if factor > 0.9 else mix(BLOND_SHADOW, BLOND, 0.5)
            easel.fill(
                tapered_path(points, width),
                shader=_ramp(hairdo, factor, blond),
                alpha=random.uniform(0.4, 0.9),
            )
        _band_of_light(easel, sheet, hairdo, f"fringe band {side}", side, 0.30)
    _paint_wisps(easel, head, hairdo)


def _paint_wisps(easel: Easel, head: Head, hairdo: Hairdo) -> None:
    """A few thin strands that fall over the forehead."""
    random = np.random.default_rng(zlib.crc32(b"wisps"))
    for index in range(8):
        side = -1.0 if index % 2 else 1.0
        spread = 5.0 + 4.2 * index + random.normal(0, 1.0) + 0.6 * hairdo.strands
        end_y = 97.0 + 6.0 * random.random() + 0.10 * spread
        points = _curve(
            [
                (PART_X + side * 1.5, 55, 43),
                (PART_X + side * (2.0 + 0.35 * spread), 68, 51),
                (PART_X + side * (2.0 + 0.75 * spread), 84, 53),
                (PART_X + side * (2.0 + 1.12 * spread), end_y, 49),
            ],
            18,
        )
        width = random.uniform(0.7, 1.5) * np.sin(np.linspace(0.9, 3.08, len(points))) * 1.25
        blond = mix(BLOND_SHADOW, BLOND, random.uniform(0.7, 1.0))
        easel.fill(tapered_path(head.project(points), width), shade(blond, hairdo.brightness), alpha=0.55, blur=0.25)


def hair_shadow(head: Head, hairdo: Hairdo) -> list[skia.Path]:
    """Where the front hair throws its shadow on the face."""
    paths = [sheet.area(0.0, 0.9) for _, sheet in front_sheets(head, hairdo)]
    return paths + [sheet.area(0.0, 1.0, taper=0.9) for _, sheet in _fringe_sheets(head, hairdo)]
