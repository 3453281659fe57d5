"""The seven properties that a face is drawn from, and their order in the generator's label.

Every score is a z-score: 0 is the average face of the training images, 1 one standard deviation above it.
This module knows no network and no picture.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

PROPERTY_NAMES: tuple[str, ...] = (
    "eyes",
    "hair_color",
    "hair_length",
    "mouth",
    "pose",
    "background_mean",
    "background_std",
)


@dataclass(frozen=True)
class PropertyScores:
    """Requested scores, in standard deviations; the fields stand in the label's order.

    The chat sets `eyes`, `mouth` and `pose` between -1.2 and 3.6 and leaves the others at 0.
    """

    eyes: float = 0.0  # closed (about -3) to wide open
    hair_color: float = 0.0  # dark to bright
    hair_length: float = 0.0  # short to long
    mouth: float = 0.0  # closed to laughing
    pose: float = 0.0  # turned one way to turned the other
    background_mean: float = 0.0  # dark to bright
    background_std: float = 0.0  # plain to full of contrast

    def label(self) -> np.ndarray:
        """The generator's label: float32, shape (7,), in the order of `PROPERTY_NAMES`."""
        return np.array(astuple(self), dtype=np.float32)

    @classmethod
    def from_label(cls, label: np.ndarray) -> PropertyScores:
        """Scores from a label of shape (7,).

        Raises:
            ValueError: the label has another shape.
        """
        values = np.asarray(label, dtype=np.float64)
        if values.shape != (len(PROPERTY_NAMES),):
            raise ValueError(f"a label has shape ({len(PROPERTY_NAMES)},), got {values.shape}")
        return cls(*(float(value) for value in values))
