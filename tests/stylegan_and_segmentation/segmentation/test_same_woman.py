"""The metric of women: looks count, expressions do not."""

from __future__ import annotations

import numpy as np
import pytest

from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.segmentation.face_parser import FaceParser, ParserInput
from stylegan_and_segmentation.segmentation.same_woman import REGIONS, WomanMetric, face_features, separation
from tests.stylegan_and_segmentation.segmentation.test_parser_file import OUR_NAMES, network


def faces(women: int, pictures: int, random: np.random.Generator) -> np.ndarray:
    """Features of 20 numbers: the first three are a woman's looks, the others large and her expression's."""
    features = random.normal(0.0, 10.0, (women, pictures, 20))
    features[..., :3] = random.normal(0.0, 1.0, (women, 1, 3)) + random.normal(0.0, 0.01, (women, pictures, 3))
    return features


def test_metric_finds_what_tells_women_apart() -> None:
    random = np.random.default_rng(0)
    metric = WomanMetric.learn(faces(40, 10, random))
    hers, others = faces(1, 30, random)[0], faces(50, 1, random)[:, 0]
    assert separation(metric.place(hers), metric.place(others)) > 0.95
    assert separation(hers, others) < 0.7  # distance without a metric


def test_separation_counts_comparisons() -> None:
    hers = np.array([[0.0], [1.0]])
    assert separation(hers, np.array([[9.0], [-9.0]])) == 1.0
    assert separation(hers, np.array([[0.1], [9.0]])) == pytest.approx(0.5)  # 0.1 is nearer to both


def test_metric_needs_several_of_each() -> None:
    for shape in ((1, 5, 3), (5, 1, 3), (5, 3)):
        with pytest.raises(ValueError, match="features"):
            WomanMetric.learn(np.zeros(shape))


def test_features_have_every_region_of_two_stages() -> None:
    parser = FaceParser(network(OUR_NAMES), list(FaceClass), ParserInput(64, 64))
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    features = face_features(parser, pictures)
    assert features.shape == (3, len(REGIONS) * (4 + 4)) and np.isfinite(features).all()
    assert not np.allclose(features[0], features[1])
