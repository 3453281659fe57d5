"""What a parsing map and its picture say about the seven properties, before any normalisation.

The definitions are those of the published system's second algorithm, for a map of 224 x 224; pixels are handled
as arrays, never one by one. `nose_turn` is ours: on a drawn face the slope of the eyes says how far the head
tilts, which is only a part of how far it turns. Knows no network and no training.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from PIL import Image

from ..portrait.parsing import FaceClass
from ..properties import PROPERTY_NAMES

MAP_SIZE = 224  # width and height of the maps that the definitions count rows and pixels in
MEASURE_NAMES: tuple[str, ...] = (*PROPERTY_NAMES, "nose_turn")
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # brightness of red, green and blue (ITU-R BT.601)
NO_BRIGHTNESS = 127.5  # of hair or background that is not there, as published
HAIR_ROW_PIXELS = 20  # a row with fewer hair pixels does not count as hair
FACE_SHARE = 0.01  # a picture with less skin than this shows no face


@dataclass(frozen=True)
class FaceMeasures:
    """Raw measures, in the units of their definitions; the fields stand in the order of `MEASURE_NAMES`."""

    eyes: float  # pixels of a 224 x 224 map
    hair_color: float  # brightness, 0..255
    hair_length: float  # rows of a 224 x 224 map
    mouth: float  # share, 0..1
    pose: float  # slope, dy/dx
    background_mean: float  # brightness, 0..255
    background_std: float  # brightness, 0..128
    nose_turn: float  # in distances between the eyes, above 0 to the picture's right

    def vector(self) -> np.ndarray:
        """float64, shape (8,), in the order of `MEASURE_NAMES`."""
        return np.array(astuple(self), dtype=np.float64)


def measure_face(rgb: np.ndarray, parsing_map: np.ndarray) -> FaceMeasures:
    """All measures of a picture.

    Args:
        rgb: uint8, (h, w, 3).
        parsing_map: uint8, (h, w), values of `FaceClass`; both are brought to 224 x 224 first.

    Raises:
        ValueError: the two do not fit each other.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or parsing_map.shape != rgb.shape[:2]:
        raise ValueError(f"a picture (h, w, 3) and its map (h, w) are needed, got {rgb.shape} and {parsing_map.shape}")
    small = Image.fromarray(rgb).resize((MAP_SIZE, MAP_SIZE), Image.Resampling.BILINEAR)
    parsing_map = resize_map(parsing_map, MAP_SIZE)
    brightness = np.asarray(small, dtype=np.float32) @ LUMA
    mean, deviation = background_brightness(parsing_map, brightness)
    return FaceMeasures(
        eyes=eye_opening(parsing_map),
        hair_color=hair_brightness(parsing_map, brightness),
        hair_length=hair_rows(parsing_map),
        mouth=mouth_opening(parsing_map),
        pose=eye_slope(parsing_map),
        background_mean=mean,
        background_std=deviation,
        nose_turn=nose_turn(parsing_map),
    )


def resize_map(parsing_map: np.ndarray, size: int) -> np.ndarray:
    """A map (h, w) as (size, size), each pixel the class of the nearest one."""
    return np.asarray(Image.fromarray(parsing_map).resize((size, size), Image.Resampling.NEAREST))


def shows_face(parsing_map: np.ndarray) -> bool:
    """Whether a map has enough skin to be a face."""
    return bool((parsing_map == FaceClass.SKIN).mean() >= FACE_SHARE)


def eye_opening(parsing_map: np.ndarray) -> float:
    """The tallest column of an eye times the cosine of its slope, of the wider open eye; 0 if no eye is seen."""
    return max(_opening(parsing_map == FaceClass.LEFT_EYE), _opening(parsing_map == FaceClass.RIGHT_EYE))


def _opening(eye: np.ndarray) -> float:
    columns = eye.any(axis=0).nonzero()[0]
    if not len(columns):
        return 0.0
    top = eye[:, columns].argmax(axis=0)
    bottom = len(eye) - 1 - eye[::-1, columns].argmax(axis=0)
    # The farthest pair of points lies among the ends of the columns. Of equally far pairs the flattest counts.
    x, y = np.concatenate([columns, columns]), np.concatenate([top, bottom])
    dx, dy = np.abs(x[:, None] - x), y[:, None] - y
    squared = dx**2 + dy**2
    longest = squared.max()
    cosine = dx[squared == longest].max() / np.sqrt(longest) if longest else 1.0
    return float((bottom - top + 1).max() * cosine)


def eye_slope(parsing_map: np.ndarray) -> float:
    """dy/dx between the eyes' centres of mass, above 0 where the picture's right eye is the lower one.

    0 if an eye is missing or the two stand exactly above each other.
    """
    eyes = _eye_centres(parsing_map)
    if eyes is None:
        return 0.0
    dx, dy = eyes[1] - eyes[0]
    return float(dy / dx) if dx else 0.0


def nose_turn(parsing_map: np.ndarray) -> float:
    """How far the nose stands off the middle between the eyes, along the line through them, in eye distances.

    A turn of the head moves the nose, which is near the viewer, further than the eyes; a tilt moves nothing along
    this line. 0 if an eye or the nose is missing.
    """
    eyes, nose = _eye_centres(parsing_map), _centre(parsing_map == FaceClass.NOSE)
    if eyes is None or nose is None:
        return 0.0
    between = eyes[1] - eyes[0]
    squared = float(between @ between)
    return float((nose - eyes.mean(axis=0)) @ between / squared) if squared else 0.0


def mouth_opening(parsing_map: np.ndarray) -> float:
    """Inner-mouth pixels as a share of inner-mouth and lip pixels; 0 if there is no mouth."""
    counts = np.bincount(parsing_map.ravel(), minlength=len(FaceClass))
    inner = counts[FaceClass.INNER_MOUTH]
    mouth = inner + counts[FaceClass.UPPER_LIP] + counts[FaceClass.LOWER_LIP]
    return float(inner / mouth) if mouth else 0.0


def hair_brightness(parsing_map: np.ndarray, brightness: np.ndarray) -> float:
    """Mean brightness of the hair pixels from the 10th to the 90th percentile; 127.5 if there are none."""
    return _middle(brightness[parsing_map == FaceClass.HAIR], 10.0)[0]


def hair_rows(parsing_map: np.ndarray) -> float:
    """Rows below the top quarter with at least 20 hair pixels, and an estimate of those below the picture.

    The published estimate is not described. Ours takes hair that runs out at the bottom row to go on for a quarter
    of the picture's height if it is as wide there as at its widest, and for less the narrower it is.
    """
    widths = (parsing_map == FaceClass.HAIR).sum(axis=1)[len(parsing_map) // 4 :]
    rows = float((widths >= HAIR_ROW_PIXELS).sum())
    if widths[-1] >= HAIR_ROW_PIXELS:
        rows += len(parsing_map) / 4.0 * float(widths[-1] / widths.max())
    return rows


def background_brightness(parsing_map: np.ndarray, brightness: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of the background's brightness in the upper half, without the extreme 5 % on either side.

    (127.5, 0) if there is no background.
    """
    upper = len(parsing_map) // 2
    return _middle(brightness[:upper][parsing_map[:upper] == FaceClass.BACKGROUND], 5.0)


def _middle(values: np.ndarray, percent: float) -> tuple[float, float]:
    """Mean and deviation of the values between the `percent`-th percentiles from below and above, ends included."""
    if not len(values):
        return NO_BRIGHTNESS, 0.0
    low, high = np.percentile(values, [percent, 100.0 - percent])
    kept = values[(values >= low) & (values <= high)].astype(np.float64)
    return (float(kept.mean()), float(kept.std())) if len(kept) else (float((low + high) / 2.0), 0.0)


def _centre(region: np.ndarray) -> np.ndarray | None:
    """(x, y) of a region's centre of mass, in pixels; None of an empty one."""
    y, x = region.nonzero()
    return np.array([x.mean(), y.mean()]) if len(x) else None


def _eye_centres(parsing_map: np.ndarray) -> np.ndarray | None:
    """(2, 2): x and y of the picture's left and right eye; None if one is missing."""
    left, right = _centre(parsing_map == FaceClass.LEFT_EYE), _centre(parsing_map == FaceClass.RIGHT_EYE)
    return None if left is None or right is None else np.stack([left, right])
