"""What the muscles of the face do for eyes, mouth and pose. Knows no picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Height of the eyes at a score. A straight line over the chat's range; below it the eyes close twice as fast.
_OPENING = ((-3.0, -1.2, 4.0), (0.0, 10.2, 23.8))
# How far the mouth is open at a score: chosen so that the inner mouth's share of the mouth grows in a straight line
# up to 1.6, and still nearly so above.
_MOUTH_OPEN = (
    (-3.0, -1.8, -1.2, -0.6, 0.0, 0.6, 1.2, 1.6, 2.0, 2.8, 3.6, 4.0),
    (0.0, 0.015, 0.04, 0.122, 0.226, 0.36, 0.535, 0.693, 0.81, 1.06, 1.42, 1.58),
)


@dataclass(frozen=True)
class Expression:
    """What the muscles do, from the property scores."""

    opening: float  # height of the eyes, picture units
    smile: float  # how far the mouth's corners are drawn up and out, 0..1
    mouth_open: float  # 0 closed, 1 laughing, above 1 shouting
    brow_lift: float  # picture units upwards
    worry: float  # inner brows drawn up, 0..1
    gaze_x: float  # iris shift to the right, picture units
    gaze_y: float  # iris shift down
    light: float  # -1 light from the left, +1 from the right

    @property
    def cheer(self) -> float:
        """How much she laughs with the whole face, 0..1."""
        return self.smile * min(1.0, self.mouth_open)

    @classmethod
    def from_scores(cls, eyes: float, mouth: float, pose: float, light: float) -> Expression:
        """The muscles for property scores; every score is held to -3..4 first."""
        eyes, mouth, pose = (float(np.clip(score, -3.0, 4.0)) for score in (eyes, mouth, pose))
        smile = float(np.interp(mouth, [-3.0, -1.2, 0.3, 1.6, 4.0], [0.06, 0.62, 0.84, 0.97, 1.0]))
        turned = float(np.clip((pose - 0.6) / 3.0, 0.0, 1.0))
        return cls(
            opening=float(np.interp(eyes, *_OPENING)),
            smile=smile * (1.0 - 0.8 * turned * (1.0 - 0.4 * max(0.0, min(1.0, (mouth + 1.2) / 2.8)))),
            mouth_open=float(np.interp(mouth, *_MOUTH_OPEN)),
            brow_lift=0.8 + 0.8 * (eyes + 1.2),
            worry=turned,
            gaze_x=-0.35 * (min(pose, 0.6) + 1.2) + 3.2 * turned,
            gaze_y=1.5 * turned,
            light=light,
        )
