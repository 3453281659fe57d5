"""The comparison of ways to read expressions: what each predicts, and how it is scored."""

import numpy as np
import pytest

from llm.expressions.cues import CUES
from llm.expressions.features import Scales
from llm.expressions.fit import (
    Material,
    Settings,
    accuracy_and_f1,
    by_classifier,
    by_nearest,
    cross_validated,
    fitting_rows,
)


def material(replies=24):
    """Two expressions, told apart by the embedding alone; every fourth reply is a typical example."""
    target = np.arange(replies) % 2
    embedded = np.where(target[:, None] == 0, [1.0, 0.0], [0.0, 1.0]).astype(np.float32)
    nothing = np.zeros((replies, 3), dtype=np.float32)
    return Material(embedded, nothing, np.zeros((replies, len(CUES)), np.float32), target, np.arange(replies) % 4 == 0)


@pytest.mark.parametrize("predict", [by_nearest(3), by_classifier(Settings(scales=Scales(1.0, 1.0), steps=30))])
def test_ways_to_predict(predict):
    some = material()
    found = predict(some, np.arange(16), np.arange(16, 24))
    assert found.tolist() == some.target[16:].tolist()
    assert cross_validated(some, predict)[0] == 1.0


def test_what_is_left_out_is_not_seen():
    blind = by_classifier(Settings(scales=Scales(embedding=0.0, pieces=0.0), steps=30))
    some = material()
    assert len(set(blind(some, np.arange(16), np.arange(16, 24)))) == 1


def test_scores():
    target = np.array([0, 0, 0, 1])
    accuracy, f1 = accuracy_and_f1(target, np.array([0, 0, 1, 1]))
    assert accuracy == 0.75
    assert f1 == pytest.approx((0.8 + 2 / 3) / 9), "over all nine expressions"


def test_what_is_fitted_on_leaves_the_evaluation_out():
    examples, heard = fitting_rows()
    assert len(examples) >= 540 and len(heard) >= 130
