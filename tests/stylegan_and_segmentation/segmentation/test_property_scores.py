"""Property scores: hand-made maps with known answers, and random maps against the definitions in plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.segmentation.property_scores import (
    LUMA,
    MAP_SIZE,
    MEASURE_NAMES,
    background_brightness,
    eye_opening,
    eye_slope,
    hair_brightness,
    hair_rows,
    measure_face,
    mouth_opening,
    nose_turn,
    resize_map,
    shows_face,
)


def blank() -> np.ndarray:
    return np.zeros((MAP_SIZE, MAP_SIZE), np.uint8)


def random_case(seed: int, size: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A map of random blocks with all classes, some of them missing, and a brightness."""
    random = np.random.default_rng(seed)
    parsing_map = np.zeros((size, size), np.uint8)
    for kind in random.permutation(len(FaceClass)):
        for _ in range(int(random.integers(0, 4))):
            y, x = random.integers(0, size - 2, 2)
            height, width = random.integers(1, 14, 2)
            parsing_map[y : y + height, x : x + width] = kind
    parsing_map[random.random((size, size)) < 0.02] = FaceClass.SKIN
    return parsing_map, random.uniform(0.0, 255.0, (size, size))


# The definitions, pixel by pixel.


def pixels(parsing_map: np.ndarray, kind: FaceClass) -> list[tuple[int, int]]:
    height, width = parsing_map.shape
    return [(x, y) for y in range(height) for x in range(width) if parsing_map[y, x] == kind]


def plain_opening(points: list[tuple[int, int]]) -> float:
    if not points:
        return 0.0
    tallest = 0
    for column in {x for x, _ in points}:
        ys = [y for x, y in points if x == column]
        tallest = max(tallest, max(ys) - min(ys) + 1)
    longest, cosine = 0, 1.0
    for x1, y1 in points:
        for x2, y2 in points:
            squared = (x1 - x2) ** 2 + (y1 - y2) ** 2
            if squared > longest:
                longest, cosine = squared, 0.0
            if squared == longest and squared > 0:
                cosine = max(cosine, abs(x1 - x2) / math.sqrt(squared))
    return tallest * cosine


def plain_centre(points: list[tuple[int, int]]) -> tuple[float, float]:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def plain_slope(parsing_map: np.ndarray) -> float:
    left, right = pixels(parsing_map, FaceClass.LEFT_EYE), pixels(parsing_map, FaceClass.RIGHT_EYE)
    if not left or not right:
        return 0.0
    (x1, y1), (x2, y2) = plain_centre(left), plain_centre(right)
    return (y2 - y1) / (x2 - x1) if x2 != x1 else 0.0


def plain_mouth(parsing_map: np.ndarray) -> float:
    inner = len(pixels(parsing_map, FaceClass.INNER_MOUTH))
    lips = len(pixels(parsing_map, FaceClass.UPPER_LIP)) + len(pixels(parsing_map, FaceClass.LOWER_LIP))
    return inner / (inner + lips) if inner + lips else 0.0


def plain_percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100.0
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def plain_middle(values: list[float], percent: float) -> tuple[float, float]:
    if not values:
        return 127.5, 0.0
    low, high = plain_percentile(values, percent), plain_percentile(values, 100.0 - percent)
    kept = [value for value in values if low - 1e-9 <= value <= high + 1e-9]
    if not kept:
        return (low + high) / 2.0, 0.0
    mean = sum(kept) / len(kept)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in kept) / len(kept))


def plain_hair_rows(parsing_map: np.ndarray) -> float:
    size, rows, widest, last = len(parsing_map), 0, 0, 0
    for y in range(size // 4, size):
        last = sum(1 for x in range(size) if parsing_map[y, x] == FaceClass.HAIR)
        rows += last >= 20
        widest = max(widest, last)
    return rows + (size / 4.0 * last / widest if last >= 20 else 0.0)


@given(st.integers(0, 10**6))
def test_against_the_plain_definitions(seed: int) -> None:
    parsing_map, brightness = random_case(seed)
    eyes = max(plain_opening(pixels(parsing_map, kind)) for kind in (FaceClass.LEFT_EYE, FaceClass.RIGHT_EYE))
    assert eye_opening(parsing_map) == pytest.approx(eyes)
    assert eye_slope(parsing_map) == pytest.approx(plain_slope(parsing_map))
    assert mouth_opening(parsing_map) == pytest.approx(plain_mouth(parsing_map))
    assert hair_rows(parsing_map) == pytest.approx(plain_hair_rows(parsing_map))
    hair = [float(brightness[y, x]) for x, y in pixels(parsing_map, FaceClass.HAIR)]
    assert hair_brightness(parsing_map, brightness) == pytest.approx(plain_middle(hair, 10.0)[0])
    behind = [
        float(brightness[y, x])
        for x, y in pixels(parsing_map, FaceClass.BACKGROUND)
        if y < len(parsing_map) // 2
    ]  # fmt: skip
    assert background_brightness(parsing_map, brightness) == pytest.approx(plain_middle(behind, 5.0))


def test_level_and_tilted_eyes() -> None:
    parsing_map = blank()
    parsing_map[100:107, 60:81] = FaceClass.LEFT_EYE  # 21 wide, 7 high; the diagonal is its farthest pair
    assert eye_opening(parsing_map) == pytest.approx(7.0 * 20.0 / math.hypot(20.0, 6.0))
    parsing_map[100:112, 140:161] = FaceClass.RIGHT_EYE  # the larger counts
    assert eye_opening(parsing_map) == pytest.approx(12.0 * 20.0 / math.hypot(20.0, 11.0))

    slanted = blank()
    for step in range(21):  # at 45 degrees, each column 4 high
        slanted[90 + step : 94 + step, 60 + step] = FaceClass.LEFT_EYE
    assert eye_opening(slanted) == pytest.approx(4.0 * 20.0 / math.hypot(20.0, 23.0))


def test_closed_and_tiny_eyes() -> None:
    parsing_map = blank()
    assert eye_opening(parsing_map) == 0.0
    parsing_map[100, 60] = FaceClass.LEFT_EYE
    assert eye_opening(parsing_map) == 1.0
    parsing_map[100:104, 60] = FaceClass.LEFT_EYE  # a single column stands upright
    assert eye_opening(parsing_map) == 0.0


def test_slope_of_the_eyes() -> None:
    parsing_map = blank()
    parsing_map[100:103, 60:63] = FaceClass.LEFT_EYE
    assert eye_slope(parsing_map) == 0.0 and nose_turn(parsing_map) == 0.0
    parsing_map[110:113, 140:143] = FaceClass.RIGHT_EYE  # 80 to the right, 10 down
    assert eye_slope(parsing_map) == pytest.approx(10.0 / 80.0)
    above = blank()
    above[20:23, 60:63], above[60:63, 60:63] = FaceClass.LEFT_EYE, FaceClass.RIGHT_EYE
    assert eye_slope(above) == 0.0


def test_nose_turn_ignores_a_tilt() -> None:
    parsing_map = blank()
    parsing_map[100:103, 60:63], parsing_map[100:103, 140:143] = FaceClass.LEFT_EYE, FaceClass.RIGHT_EYE
    assert nose_turn(parsing_map) == 0.0  # no nose
    parsing_map[130:141, 100:103] = FaceClass.NOSE  # in the middle
    assert nose_turn(parsing_map) == pytest.approx(0.0)
    parsing_map[130:141, 100:103] = FaceClass.SKIN
    parsing_map[130:141, 108:111] = FaceClass.NOSE  # 8 of 80 to the right
    assert nose_turn(parsing_map) == pytest.approx(0.1)

    tilted = blank()  # the same face turned by atan(3/4): eyes 100 apart, the nose 40 below their middle
    centres = {FaceClass.LEFT_EYE: (60, 60), FaceClass.RIGHT_EYE: (140, 120), FaceClass.NOSE: (100 - 24, 90 + 32)}
    for kind, (x, y) in centres.items():
        tilted[y - 1 : y + 2, x - 1 : x + 2] = kind
    assert eye_slope(tilted) == pytest.approx(0.75)
    assert nose_turn(tilted) == pytest.approx(0.0)


def test_mouth() -> None:
    parsing_map = blank()
    assert mouth_opening(parsing_map) == 0.0
    parsing_map[150:153, 100:120] = FaceClass.UPPER_LIP
    parsing_map[160:163, 100:120] = FaceClass.LOWER_LIP
    assert mouth_opening(parsing_map) == 0.0
    parsing_map[153:157, 100:120] = FaceClass.INNER_MOUTH  # 80 of 200
    assert mouth_opening(parsing_map) == pytest.approx(0.4)


def test_hair() -> None:
    parsing_map, brightness = blank(), np.zeros((MAP_SIZE, MAP_SIZE))
    assert hair_brightness(parsing_map, brightness) == 127.5 and hair_rows(parsing_map) == 0.0
    parsing_map[10:100, 50:70] = FaceClass.HAIR  # rows 56..99 count
    brightness[10:100, 50:70] = np.arange(90)[:, None]
    assert hair_rows(parsing_map) == 44.0
    assert hair_brightness(parsing_map, brightness) == pytest.approx(44.5)
    parsing_map[100:150, 50:69] = FaceClass.HAIR  # too thin by one pixel
    assert hair_rows(parsing_map) == 44.0


def test_hair_that_runs_out_of_the_picture() -> None:
    parsing_map = blank()
    parsing_map[56:, 50:90] = FaceClass.HAIR
    assert hair_rows(parsing_map) == 168.0 + 56.0
    parsing_map[220:, 70:90] = FaceClass.SKIN  # half as wide at the bottom
    assert hair_rows(parsing_map) == 168.0 + 28.0


def test_background() -> None:
    parsing_map, brightness = blank(), np.full((MAP_SIZE, MAP_SIZE), 100.0)
    brightness[112:] = 250.0  # the lower half does not count
    brightness[:2] = 255.0  # nor does an extreme of less than 5 %
    assert background_brightness(parsing_map, brightness) == (100.0, 0.0)
    brightness[:56, :] = 60.0
    assert background_brightness(parsing_map, brightness) == pytest.approx((80.0, 20.0))
    parsing_map[:112] = FaceClass.HAIR
    assert background_brightness(parsing_map, brightness) == (127.5, 0.0)


def test_measures_of_a_picture() -> None:
    rgb = np.zeros((448, 448, 3), np.uint8)
    rgb[..., 1] = 100
    parsing_map = np.zeros((448, 448), np.uint8)
    parsing_map[200:400, 100:300] = FaceClass.SKIN
    parsing_map[200:214, 120:160], parsing_map[200:214, 240:280] = FaceClass.LEFT_EYE, FaceClass.RIGHT_EYE
    measures = measure_face(rgb, parsing_map)
    assert measures.eyes == pytest.approx(7.0 * 19.0 / math.hypot(19.0, 6.0))
    assert measures.background_mean == pytest.approx(float(LUMA[1]) * 100.0, abs=1e-3)
    assert measures.hair_color == 127.5 and measures.pose == 0.0
    assert measures.vector().shape == (len(MEASURE_NAMES),) == (8,)
    assert shows_face(parsing_map) and not shows_face(np.zeros((448, 448), np.uint8))
    with pytest.raises(ValueError, match="map"):
        measure_face(rgb, parsing_map[:100])


def test_resized_map_invents_no_class() -> None:
    parsing_map = np.zeros((256, 256), np.uint8)
    parsing_map[:, 128:] = FaceClass.HAIR
    assert set(np.unique(resize_map(parsing_map, 224))) == {0, int(FaceClass.HAIR)}
