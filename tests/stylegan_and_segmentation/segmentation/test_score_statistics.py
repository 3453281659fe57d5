"""Scores of N(0, 1) from stored means and deviations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stylegan_and_segmentation.errors import StatisticsError
from stylegan_and_segmentation.segmentation.property_scores import MEASURE_NAMES
from stylegan_and_segmentation.segmentation.score_statistics import ScoreStatistics, read_statistics


def test_scores_are_standard_normal() -> None:
    measures = np.random.default_rng(0).normal(5.0, [1, 2, 3, 4, 5, 6, 7, 8], (500, 8))
    scores = ScoreStatistics.of(measures).scores(measures)
    assert np.allclose(scores.mean(axis=0), 0.0) and np.allclose(scores.std(axis=0), 1.0)
    assert ScoreStatistics.of(measures).scores(measures[0]).shape == (8,)


def test_scores_on_the_labels_scale() -> None:
    labels = np.random.default_rng(1).uniform(-1.2, 3.6, (200, 7))
    measures = 10.0 + labels[:, [0, 1, 2, 3, 4, 5, 6, 4]] * [2.0, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0, -0.1]
    statistics = ScoreStatistics.of_labelled(measures, labels)
    assert np.allclose(statistics.scores(measures)[:, :7], labels)
    assert np.allclose(statistics.scores(measures)[:, 7], labels[:, 4])  # a falling measure, put right
    with pytest.raises(ValueError, match="same"):
        ScoreStatistics.of_labelled(measures, labels * 0.0)
    with pytest.raises(ValueError, match="labels"):
        ScoreStatistics.of_labelled(measures, labels[:, :6])


def test_what_tells_nothing_apart_scores_zero() -> None:
    assert np.array_equal(ScoreStatistics.of(np.ones((1, 8))).scores(np.full((3, 8), 7.0)), np.zeros((3, 8)))


def test_measures_are_checked() -> None:
    for wrong in (np.zeros((0, 8)), np.zeros((2, 7)), np.full((2, 8), np.nan)):
        with pytest.raises(ValueError, match="measures"):
            ScoreStatistics.of(wrong)


def test_round_trip(tmp_path: Path) -> None:
    statistics = ScoreStatistics(np.arange(8.0), np.arange(1.0, 9.0) / 3.0)
    statistics.save(tmp_path / "s.json")
    read = read_statistics(tmp_path / "s.json")
    assert np.allclose(read.mean, statistics.mean) and np.allclose(read.deviation, statistics.deviation)


GOOD = {name: {"mean": 0.0, "deviation": 1.0} for name in MEASURE_NAMES}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "\ufeff\ufffd", json.dumps({**GOOD, "eyes": 3}), json.dumps({**GOOD, "eyes": {"mean": 0}}),
     json.dumps({**GOOD, "eyes": {"mean": "x", "deviation": 1}}), json.dumps({**GOOD, "more": 1}),
     json.dumps({**GOOD, "eyes": {"mean": float("nan"), "deviation": 1}})],
)  # fmt: skip
def test_broken_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StatisticsError, match=path.name) as caught:
        read_statistics(path)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StatisticsError, match="없어요"):
        read_statistics(tmp_path / "s.json")
