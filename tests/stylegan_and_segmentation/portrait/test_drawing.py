"""The drawn portrait: it holds together at every label, and does what the label says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from stylegan_and_segmentation.portrait.drawing import VARIATION_NAMES, Portrait, Variation, draw_portrait
from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.properties import PropertyScores

RESTING = {"eyes": -1.2, "mouth": -1.2, "pose": -1.2}


@cache
def draw(**scores: float) -> Portrait:
    return draw_portrait(PropertyScores(**{**RESTING, **scores}), supersampling=1)


def rows(portrait: Portrait, *classes: FaceClass) -> int:
    """Height of the classes' region, in pixels."""
    found = np.isin(portrait.parsing_map, [int(value) for value in classes]).any(axis=1).nonzero()[0]
    return int(found[-1] - found[0] + 1) if len(found) else 0


@pytest.mark.parametrize("value", [-9.0, -3.0, 0.0, 4.0, 9.0])
def test_all_properties_at_their_ends(value: float) -> None:
    portrait = draw_portrait(
        PropertyScores(*([value] * 7)),
        Variation.from_vector(np.full(len(VARIATION_NAMES), value)),
        supersampling=1,
    )
    assert portrait.rgb.shape == (256, 256, 3) and portrait.rgb.dtype == np.uint8
    assert portrait.parsing_map.shape == (256, 256) and portrait.parsing_map.dtype == np.uint8
    assert set(np.unique(portrait.parsing_map)) <= {int(value) for value in FaceClass}
    skin = portrait.rgb[portrait.parsing_map == FaceClass.SKIN]
    assert len(skin) > 5000 and skin.mean() > 150.0


def test_same_labels_same_picture() -> None:
    again = draw_portrait(PropertyScores(**RESTING), supersampling=1)
    assert np.array_equal(draw().rgb, again.rgb)
    other = draw_portrait(PropertyScores(**RESTING), Variation(light=1.5, background_hue=1.0), supersampling=1)
    assert not np.array_equal(draw().rgb, other.rgb)


def test_eyes_open_with_their_score() -> None:
    heights = [rows(draw(eyes=value), FaceClass.LEFT_EYE) for value in (-3.0, -1.2, 0.2, 1.6, 4.0)]
    assert heights[0] <= 1 and heights == sorted(heights) and heights[-1] > 1.4 * heights[1]


def test_mouth_opens_with_its_score() -> None:
    def share(value: float) -> float:
        parsing_map = draw(mouth=value).parsing_map
        inner = int((parsing_map == FaceClass.INNER_MOUTH).sum())
        lips = int(np.isin(parsing_map, [FaceClass.UPPER_LIP, FaceClass.LOWER_LIP]).sum())
        return inner / (inner + lips)

    shares = [share(value) for value in (-1.2, 0.0, 1.2, 2.4, 4.0)]
    assert shares[0] == 0.0 and shares == sorted(shares) and shares[-1] > 0.5


def test_pose_turns_and_tilts_the_head() -> None:
    def eyes_and_nose(value: float) -> list[np.ndarray]:
        parsing_map = draw(pose=value).parsing_map
        centres = [np.argwhere(parsing_map == kind).mean(axis=0) for kind in (4, 5, 6)]
        return [centre[::-1] for centre in centres]  # x, y

    slopes, offsets, widths = [], [], []
    for value in (-1.2, 1.2, 3.6):
        left, right, nose = eyes_and_nose(value)
        slopes.append((right[1] - left[1]) / (right[0] - left[0]))
        offsets.append(nose[0] - (left[0] + right[0]) / 2.0)
        widths.append(right[0] - left[0])
    assert abs(slopes[0]) < 0.04 and slopes == sorted(slopes) and slopes[-1] > 0.1
    assert offsets == sorted(offsets) and offsets[-1] > offsets[0] + 3.0  # the nose goes further than the eyes
    assert widths == sorted(widths, reverse=True)


def test_hair_and_background_follow_their_scores() -> None:
    def hair(portrait: Portrait) -> float:
        return float(portrait.rgb[portrait.parsing_map == FaceClass.HAIR].mean())

    def background(portrait: Portrait) -> np.ndarray:
        upper = portrait.parsing_map[:128] == FaceClass.BACKGROUND
        return portrait.rgb[:128][upper].mean(axis=1)

    assert hair(draw(hair_color=-2.0)) + 20.0 < hair(draw()) < hair(draw(hair_color=2.0)) - 5.0
    lengths = [int((draw(hair_length=value).parsing_map[150:] == FaceClass.HAIR).sum()) for value in (-3.0, -1.5, 0.0)]
    assert lengths == sorted(lengths)
    assert background(draw(background_mean=-2.0)).mean() + 30.0 < background(draw(background_mean=2.0)).mean()
    assert background(draw(background_std=-2.0)).std() + 8.0 < background(draw(background_std=2.0)).std()


def test_variation_needs_eight_numbers() -> None:
    with pytest.raises(ValueError, match="shape"):
        Variation.from_vector(np.zeros(3))
    with pytest.raises(ValueError, match="supersampling"):
        draw_portrait(PropertyScores(), supersampling=0)
