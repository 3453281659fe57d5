"""The order of the label, which the published generator fixes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from stylegan_and_segmentation.properties import PROPERTY_NAMES, PropertyScores


def test_names_and_fields_stand_in_the_published_order() -> None:
    published = ("eyes", "hair_color", "hair_length", "mouth", "pose", "background_mean", "background_std")
    assert published == PROPERTY_NAMES
    assert tuple(field.name for field in dataclasses.fields(PropertyScores)) == PROPERTY_NAMES


def test_label() -> None:
    label = PropertyScores(eyes=1.6, mouth=0.5, pose=-1.2).label()
    assert label.dtype == np.float32 and label.shape == (7,)
    assert label.tolist() == pytest.approx([1.6, 0.0, 0.0, 0.5, -1.2, 0.0, 0.0])


def test_scores_come_back_from_their_label() -> None:
    scores = PropertyScores(*(float(value) for value in range(7)))
    assert PropertyScores.from_label(scores.label()) == scores
    with pytest.raises(ValueError, match="shape"):
        PropertyScores.from_label(np.zeros(6))
