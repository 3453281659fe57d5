"""The drawn portrait: it holds together at every label, and does what the label says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from stylegan_and_segmentation.portrait.drawing import Portrait, Variation, draw_portrait
from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.portrait.rendered_set import VARIATION_NAMES
from stylegan_and_segmentation.properties import PropertyScores

RESTING = {"eyes": -1.2, "mouth": -1.2, "pose": -1.2}


@cache
def draw(**scores: float) -> Portrait:
    return draw_portrait(PropertyScores(**{**RESTING, **scores}), supersampling=1)


def height(portrait: Portrait, kind: FaceClass) -> int:
    """The tallest column of a region, in pixels."""
    return int((portrait.parsing_map == kind).sum(axis=0).max())


def straightness(scores: tuple[float, ...], measured: list[float]) -> float:
    return float(np.corrcoef(scores, measured)[0, 1])


@pytest.mark.parametrize("value", [-9.0, 9.0])
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


def test_every_class_but_the_inner_mouth_is_there_at_rest() -> None:
    assert {int(kind) for kind in FaceClass} - {int(FaceClass.INNER_MOUTH)} <= set(np.unique(draw().parsing_map))


def test_same_labels_same_picture() -> None:
    again = draw_portrait(PropertyScores(**RESTING), supersampling=1)
    assert np.array_equal(draw().rgb, again.rgb)
    other = draw_portrait(PropertyScores(**RESTING), Variation(light=1.5, background_hue=1.0), supersampling=1)
    assert not np.array_equal(draw().rgb, other.rgb)


def test_variations_of_colour_move_nothing_and_keep_the_brightness() -> None:
    luma = np.array([0.299, 0.587, 0.114])
    for name in ("tip_hue", "hair_warmth", "iris_hue", "lip_hue", "skin_warmth", "dress_hue"):
        other = draw_portrait(PropertyScores(**RESTING), Variation(**{name: 1.0}), supersampling=1)
        assert np.array_equal(other.parsing_map, draw().parsing_map)
        difference = other.rgb.astype(float) - draw().rgb
        assert np.abs(difference).max() >= 4.0, name
        assert np.abs(difference @ luma).max() < 0.5 * np.abs(difference).max(), name


def test_eyes_open_with_their_score() -> None:
    scores = (-3.0, -1.2, 0.2, 1.6, 4.0)
    heights = [height(draw(eyes=value), FaceClass.LEFT_EYE) for value in scores]
    assert heights[0] <= 1 and heights == sorted(heights) and heights[3] > 1.4 * heights[1]
    assert straightness(scores[1:4], heights[1:4]) > 0.98


def test_eyes_stay_as_open_when_she_laughs_or_turns() -> None:
    assert abs(height(draw(mouth=2.0), FaceClass.LEFT_EYE) - height(draw(), FaceClass.LEFT_EYE)) <= 1
    assert abs(height(draw(pose=3.6), FaceClass.LEFT_EYE) - height(draw(), FaceClass.LEFT_EYE)) <= 2


def test_mouth_opens_with_its_score() -> None:
    def share(value: float) -> float:
        parsing_map = draw(mouth=value).parsing_map
        inner = int((parsing_map == FaceClass.INNER_MOUTH).sum())
        lips = int(np.isin(parsing_map, [FaceClass.UPPER_LIP, FaceClass.LOWER_LIP]).sum())
        return inner / (inner + lips)

    scores = (-3.0, -1.2, 0.0, 1.2, 2.0, 4.0)
    shares = [share(value) for value in scores]
    assert shares[0] < 0.02 and shares[1] < 0.12 and shares == sorted(shares) and shares[-1] > 0.6
    assert straightness(scores[1:5], shares[1:5]) > 0.98


def test_pose_turns_and_tilts_the_head() -> None:
    def eyes_and_nose(value: float) -> list[np.ndarray]:
        parsing_map = draw(pose=value).parsing_map
        centres = [np.argwhere(parsing_map == kind).mean(axis=0) for kind in (4, 5, 6)]
        return [centre[::-1] for centre in centres]  # x, y

    scores = (-3.0, -1.2, 1.2, 3.6)
    slopes, offsets, widths = [], [], []
    for value in scores:
        left, right, nose = eyes_and_nose(value)
        slopes.append((right[1] - left[1]) / (right[0] - left[0]))
        widths.append(right[0] - left[0])
        offsets.append((nose[0] - (left[0] + right[0]) / 2.0) / widths[-1])
    assert abs(slopes[1]) < 0.05 and slopes == sorted(slopes) and slopes[-1] > 0.05
    assert (
        straightness(scores, offsets) > 0.98 and offsets[-1] > offsets[1] + 0.06
    )  # the nose goes further than the eyes
    assert widths[1:] == sorted(widths[1:], reverse=True)


def test_the_far_eye_stays_clear_of_the_hair() -> None:
    parsing_map = draw(pose=3.6).parsing_map
    y, x = np.argwhere(parsing_map == FaceClass.RIGHT_EYE).T
    beside = parsing_map[y[x.argmax()], x.max() + 1 : x.max() + 3]  # of its outer corner
    assert len(x) > 60 and not (beside == FaceClass.HAIR).any()


def test_hair_follows_its_scores() -> None:
    def hair(portrait: Portrait) -> float:
        return float(portrait.rgb[portrait.parsing_map == FaceClass.HAIR].mean())

    scores = (-3.0, 0.0, 4.0)
    assert straightness(scores, [hair(draw(hair_color=value)) for value in scores]) > 0.98
    assert hair(draw(hair_color=-3.0)) + 30.0 < hair(draw()) < hair(draw(hair_color=4.0)) - 30.0
    rows = [
        int(((draw(hair_length=value).parsing_map[64:] == FaceClass.HAIR).sum(axis=1) >= 20).sum())
        for value in (-3.0, -1.5, 0.0)
    ]
    assert rows == sorted(rows) and rows[2] > rows[0] + 30
    at_edge = [int((draw(hair_length=value).parsing_map[-1] == FaceClass.HAIR).sum()) for value in (0.0, 2.0, 4.0)]
    assert at_edge == sorted(at_edge) and at_edge[2] > at_edge[0]  # hair that runs out still shows its length


def test_background_follows_its_scores() -> None:
    def background(portrait: Portrait) -> np.ndarray:
        upper = portrait.parsing_map[:128] == FaceClass.BACKGROUND
        return portrait.rgb[:128][upper] @ [0.299, 0.587, 0.114]

    scores = (-3.0, 0.0, 4.0)
    assert straightness(scores, [background(draw(background_mean=value)).mean() for value in scores]) > 0.98
    assert straightness(scores, [background(draw(background_std=value)).std() for value in scores]) > 0.98


def test_variation_needs_all_its_numbers() -> None:
    with pytest.raises(ValueError, match="shape"):
        Variation.from_vector(np.zeros(3))
    with pytest.raises(ValueError, match="supersampling"):
        draw_portrait(PropertyScores(), supersampling=0)
