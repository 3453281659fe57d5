"""The means and deviations that turn raw measures into scores of N(0, 1), and their file. Knows no pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import StatisticsError
from ..properties import PROPERTY_NAMES
from .property_scores import MEASURE_NAMES

STATISTICS_FILE = "score_statistics.json"
CURE = "파일을 저장소에서 다시 받거나, 그림 폴더에서 새로 구해 주세요 (label_images --fit)."


@dataclass(frozen=True)
class ScoreStatistics:
    """The statistics of a set of pictures.

    Attributes:
        mean: float64, (8,), in the order of `MEASURE_NAMES`.
        deviation: float64, (8,). 0 where nothing told the pictures apart: such a score is 0. Below 0 where a
            measure falls as its label rises.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, measures: np.ndarray) -> ScoreStatistics:
        """Mean and deviation over pictures, measures of shape (N, 8), N >= 1.

        Raises:
            ValueError: another shape, or values that are not finite.
        """
        measures = _checked(measures)
        return cls(measures.mean(axis=0), measures.std(axis=0))

    @classmethod
    def of_labelled(cls, measures: np.ndarray, labels: np.ndarray) -> ScoreStatistics:
        """What mean and deviation would be if the labels (N, 7) were spread as N(0, 1) over the pictures.

        The drawn pictures' labels are spread evenly over the chat's range. A line through measures over labels
        gives the scores the labels' scale, so that requested and measured values can be compared. `nose_turn`
        stands for the pose.

        Raises:
            ValueError: shapes that do not fit, or a label that is the same in all pictures.
        """
        measures = _checked(measures)
        if labels.shape != (len(measures), len(PROPERTY_NAMES)):
            raise ValueError(f"labels must have shape ({len(measures)}, {len(PROPERTY_NAMES)}), got {labels.shape}")
        columns = [*range(len(PROPERTY_NAMES)), PROPERTY_NAMES.index("pose")]
        wanted = labels[:, columns].astype(np.float64)
        spread = wanted - wanted.mean(axis=0)
        if not spread.any(axis=0).all():
            raise ValueError("a label is the same in all pictures")
        slope = (spread * measures).sum(axis=0) / np.square(spread).sum(axis=0)
        return cls(measures.mean(axis=0) - slope * wanted.mean(axis=0), slope)

    def scores(self, measures: np.ndarray) -> np.ndarray:
        """Scores, float64, of measures of shape (..., 8)."""
        divisor = np.where(self.deviation == 0.0, 1.0, self.deviation)
        return np.where(self.deviation == 0.0, 0.0, (np.asarray(measures) - self.mean) / divisor)

    def save(self, path: Path) -> None:
        """Writes the file that `read_statistics` reads."""
        rows = {
            name: {"mean": round(float(mean), 8), "deviation": round(float(deviation), 8)}
            for name, mean, deviation in zip(MEASURE_NAMES, self.mean, self.deviation, strict=True)
        }
        Path(path).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def read_statistics(path: Path) -> ScoreStatistics:
    """The statistics of a file.

    Raises:
        StatisticsError: the file is missing, unreadable or malformed.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StatisticsError(f"점수의 평균과 표준편차를 담은 파일이 없어요: {path} - {CURE}") from None
    except (OSError, ValueError) as error:
        raise StatisticsError(f"점수의 통계 파일을 읽을 수 없어요: {path} ({type(error).__name__}) - {CURE}") from error
    if not isinstance(rows, dict) or set(rows) != set(MEASURE_NAMES):
        wrong = sorted(set(MEASURE_NAMES) ^ set(rows)) if isinstance(rows, dict) else "?"
        raise StatisticsError(f"점수의 통계 파일이 맞지 않아요: {path} (항목: {wrong}) - {CURE}")
    try:
        table = np.array([[rows[name]["mean"], rows[name]["deviation"]] for name in MEASURE_NAMES], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise StatisticsError(f"점수의 통계 파일이 맞지 않아요: {path} ({error}) - {CURE}") from None
    if table.shape != (len(MEASURE_NAMES), 2) or not np.isfinite(table).all():
        raise StatisticsError(f"점수의 통계 파일에 유한하지 않은 수가 있어요: {path} - {CURE}")
    return ScoreStatistics(table[:, 0], table[:, 1])


def _checked(measures: np.ndarray) -> np.ndarray:
    measures = np.asarray(measures, dtype=np.float64)
    if measures.ndim != 2 or not len(measures) or measures.shape[1] != len(MEASURE_NAMES):
        raise ValueError(f"measures must have shape (N, {len(MEASURE_NAMES)}), N >= 1, got {measures.shape}")
    if not np.isfinite(measures).all():
        raise ValueError("measures must be finite")
    return measures
