"""A card of hair: strands between two guide curves, lit strand by strand and painted as one textured mesh.

The strands come from fixed seeds, so that she has the same hair in every picture. Knows strands, light and
colour; knows nothing of where hair grows.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .easel import Easel
from .head import CENTRE_X, Head
from .palette import GREEN, WARM, Colour, ramp, tinted
from .parsing import FaceClass
from .relief import normals

ROWS = 37  # of a card's mesh, along the hair
_STOPS = (0.0, 0.20, 0.42, 0.62, 0.80, 1.0)
_BLOND: tuple[Colour, ...] = (
    (58.0, 34.0, 30.0),
    (112.0, 70.0, 46.0),
    (176.0, 126.0, 78.0),
    (226.0, 182.0, 118.0),
    (250.0, 222.0, 164.0),
    (255.0, 247.0, 222.0),
)
_AURORA: tuple[Colour, ...] = ((242.0, 150.0, 186.0), (150.0, 124.0, 236.0), (84.0, 168.0, 240.0), (92.0, 232.0, 200.0))


@dataclass(frozen=True)
class Hairdo:
    """How the hair looks in this picture."""

    tone: float  # 0 is her blond; below darker, above paler
    tip_y: float  # where the longest hair ends, picture units
    light: float  # -1 light from the left, +1 from the right
    strands: float = 0.0  # how much the strands differ, about -1..1
    tint_shift: float = 0.0  # moves the aurora along the hair, about -1..1
    warmth: float = 0.0  # the blond's, about -1..1
    tip_hue: float = 0.0  # the aurora's, from pink (-1) to green (1)

    @classmethod
    def from_scores(
        cls,
        hair_color: float,
        hair_length: float,
        light: float,
        strands: float = 0.0,
        tint: float = 0.0,
        warmth: float = 0.0,
        tip_hue: float = 0.0,
    ) -> Hairdo:
        """From property scores, held to -3..4, and variations."""
        colour, length = (float(np.clip(score, -3.0, 4.0)) for score in (hair_color, hair_length))
        # Below the picture only the growing width at its lower edge tells the length, so the steps are smaller there.
        tip_y = 252.0 + (20.0 if length < 0.0 else 13.0) * length
        return cls(colour, tip_y, light, strands, tint, warmth, tip_hue)


def guide(points: list[tuple[float, float, float]], side: int = 1, count: int = ROWS) -> np.ndarray:
    """A smooth curve (count, 3) through guide points, evenly spaced along it; x counts from the middle, outwards."""
    knots_at = np.array(points, float)
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots_at, axis=0), axis=1))])
    t = np.linspace(0.0, knots[-1], count)
    slopes = np.gradient(knots_at, knots, axis=0)
    index = np.clip(np.searchsorted(knots, t, side="right") - 1, 0, len(knots) - 2)
    width = (knots[index + 1] - knots[index])[:, None]
    s = ((t - knots[index])[:, None]) / width
    curve = (2 * s**3 - 3 * s**2 + 1) * knots_at[index] + (s**3 - 2 * s**2 + s) * width * slopes[index]
    curve += (3 * s**2 - 2 * s**3) * knots_at[index + 1] + (s**3 - s**2) * width * slopes[index + 1]
    return curve * [side, 1.0, 1.0] + [CENTRE_X, 0.0, 0.0]


@dataclass(frozen=True)
class Card:
    """Hair between guide curves (ROWS, 3), `across` from 0 at the inner to 1 at the outer one."""

    name: str  # seeds its strands
    inner: np.ndarray
    outer: np.ndarray
    columns: int = 9  # of the mesh
    strands: int = 80  # texels across; a third as many strands
    start: float = 0.0  # the part of the sheet that the card takes, at its roots
    end: float = 1.0
    gather: float = 0.0  # 0..1, narrows towards the tips
    reach: float = 1.0  # share of the guides' length
    wave: float = 0.0  # picture units, sideways
    phase: float = 0.0  # radians
    bulge: float = 6.0  # how round it is, picture units
    value: float = 0.0  # brightens (above 0) or darkens
    contrast: float = 1.0  # of single strands
    ragged: float = 0.16  # share of the length over which strands end
    feather: float = 0.06  # share of the width over which the sides thin out
    cylinder: float = 0.0  # darkens both sides, as on a lock
    inner_shade: float = 0.0  # darkens the inner guide's side below the cheeks
    root_shade: float = 0.0  # darkens the roots
    rim: Colour | None = None  # light from behind on the outer guide's side

    def mesh(self, hairdo: Hairdo) -> np.ndarray:
        """Front-view points (ROWS, columns, 3)."""
        t = np.linspace(0.0, self.reach, ROWS)[:, None]
        a = np.linspace(-0.5, 0.5, self.columns)[None]
        narrow = 1.0 - self.gather * np.clip((t / self.reach - 0.35) / 0.65, 0.0, 1.0) ** 1.5
        across = (self.start + self.end) / 2.0 + a * (self.end - self.start) * narrow
        at = t[:, 0] * (ROWS - 1)
        low = np.minimum(at.astype(int), ROWS - 2)
        part = (at - low)[:, None]
        inner, outer = ((1.0 - part) * curve[low] + part * curve[low + 1] for curve in (self.inner, self.outer))
        points = inner[:, None] + (outer - inner)[:, None] * across[..., None]
        y = points[..., 1]
        below = np.clip((y - 98.0) / 85.0, 0.0, 1.25)
        turn = (y - 120.0) / 13.8 + self.phase + 1.5 * across
        points[..., 0] += below * self.wave * np.sin(turn)
        points[..., 2] += below * abs(self.wave) * 0.8 * np.cos(turn) + self.bulge * (1.0 - 4.0 * a**2)
        return points

    def texture(self, hairdo: Hairdo, points: np.ndarray, head: Head) -> np.ndarray:
        """Colours with alpha, 0..255, (H, strands, 4), for the mesh's points."""
        fine, clump, end_noise, side_noise = _strand_noise(self.name, self.strands)
        height, width = fine.shape
        along = np.gradient(points, axis=0)
        tangent = head.turn(along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-6))
        surface = head.turn(normals(points))
        surface = surface * np.sign(surface[..., 2:3] + 1e-9)
        key = np.array([0.85 * hairdo.light, -0.62, 0.85])
        key /= np.linalg.norm(key)
        half = key + [0.0, 0.0, 1.0]
        half /= np.linalg.norm(half)
        t = np.linspace(0.0, 1.0, height)[:, None]
        facing = _stretch(np.clip((surface @ key + 0.45) / 1.45, 0.0, 1.0), height, width)
        facing = 0.60 + (facing - 0.60) * np.clip(t / 0.22, 0.0, 1.0)  # both sides of the parting meet in one tone
        slope = _stretch(tangent @ half, height, width)
        y = _stretch(points[..., 1], height, width)
        grown = np.clip(0.15 + t / 0.28, 0.0, 1.0)  # strands part from each other away from the roots
        noise = (0.6 * fine + 0.8 * clump) * grown * self.contrast * (1.0 + 0.15 * hairdo.strands)
        a = np.linspace(-1.0, 1.0, width)[None]
        across = self.start + (0.5 + 0.5 * a) * (self.end - self.start)
        value = 0.35 + self.value + 0.36 * facing + 0.042 * noise
        value = value - self.cylinder * np.abs(a) ** 2.4 * np.clip(t / 0.3, 0.0, 1.0)
        value = value - self.root_shade * np.exp(-t / 0.045)
        value = value - self.inner_shade * np.exp(-across / 0.13) * np.clip((y - 120.0) / 40.0, 0.0, 1.0)
        gloss = np.exp(-(((slope + (0.085 * clump + 0.04 * fine) * grown - 0.03) / 0.21) ** 2))
        value = value + 0.20 * gloss * (0.65 + 0.35 * np.clip(clump + fine, -1.0, 1.5) * grown) * facing
        colour = _hair_colour(value, y, 5.0 * clump + 3.0 * fine, hairdo)
        if self.rim is not None:
            edge = np.clip((across - 0.84) / 0.16, 0.0, 1.0) ** 2 * np.clip(0.5 + fine * 0.3 + t, 0.0, 1.0)
            colour = colour + (np.array(self.rim) - colour) * (0.62 * edge)[..., None]
        ends = 1.0 - self.ragged * end_noise
        alpha = np.clip((ends - t) / 0.06, 0.0, 1.0) if self.ragged > 0.0 else np.ones_like(t * a)
        if self.feather > 0.0:
            side = (1.0 - np.abs(a)) / self.feather
            alpha = alpha * np.clip(side * 1.6 - side_noise, 0.0, 1.0)
        return np.dstack([colour, 255.0 * alpha])

    def paint(self, easel: Easel, head: Head, hairdo: Hairdo) -> None:
        """The card with its region."""
        points = self.mesh(hairdo)
        easel.mesh(fall(points, head), self.texture(hairdo, points, head), FaceClass.HAIR)


def fall(points: np.ndarray, head: Head) -> np.ndarray:
    """Picture points (..., 2) of hair: it turns with the head, less so where it lies on the shoulders."""
    rest = np.clip((points[..., 1:2] - 150.0) / 90.0, 0.0, 1.0) ** 1.4 * 0.72
    return head.project(points) * (1.0 - rest) + points[..., :2] * rest


def _hair_colour(value: np.ndarray, y: np.ndarray, stray: np.ndarray, hairdo: Hairdo) -> np.ndarray:
    """Blond by brightness, with the aurora coming in towards the tips; `stray` moves it strand by strand."""
    value = value + 0.078 * hairdo.tone
    colour = tinted(ramp(value, _STOPS, _BLOND), WARM, 10.0 * hairdo.warmth)
    start = 132.0 + 0.24 * (hairdo.tip_y - 160.0) - 7.0 * hairdo.tint_shift
    share = np.clip((y + stray - start) / np.maximum(0.92 * (min(hairdo.tip_y, 282.0) - start), 34.0), 0.0, 1.0)
    tint = tinted(ramp(share, (0.12, 0.42, 0.72, 1.0), _AURORA), GREEN, 24.0 * hairdo.tip_hue)
    lit = np.clip(value, 0.0, 1.0)[..., None]
    tint = np.where(lit < 0.6, tint * (0.22 + 1.30 * lit), tint + (255.0 - tint) * (lit - 0.6) * 1.35)
    weight = (0.86 * np.clip(share * 1.7, 0.0, 1.0) ** 1.25)[..., None]
    return colour + (tint - colour) * weight


def _stretch(coarse: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear, from the mesh's corners (R, C) to the texture's texels (height, width)."""
    down, right = _weights(coarse.shape[0], height), _weights(coarse.shape[1], width)
    return down @ coarse @ right.T


@lru_cache(maxsize=64)
def _weights(count: int, size: int) -> np.ndarray:
    at = np.linspace(0.0, count - 1.0, size)
    return np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(count)[None]))


@lru_cache(maxsize=128)
def _strand_noise(name: str, strands: int) -> tuple[np.ndarray, ...]:
    """Strands and clumps of them, (H, strands) each, and noise of their ends and sides.

    A strand is a few pixels wide: finer ones would be grain, which no generator of 256 x 256 pixels can learn.
    """
    random = np.random.default_rng(zlib.crc32(name.encode()))
    height = 128

    def along(rows: int, columns: int) -> np.ndarray:
        field = _weights(rows, height) @ random.normal(0.0, 1.0, (rows, columns)) @ _weights(columns, strands).T
        return field / max(float(field.std()), 1e-6)

    few, clumps = max(5, strands // 3), max(4, strands // 6)
    fine = along(6, few)
    clump = along(5, clumps) * 0.7 + along(4, max(3, strands // 12)) * 0.7
    ends = np.clip(0.5 + 0.28 * along(2, clumps)[:1] + 0.22 * along(2, few)[:1], 0.0, 1.0)
    sides = np.clip(0.5 + 0.35 * along(5, few), 0.0, 1.0)
    return fine, clump, ends, sides
