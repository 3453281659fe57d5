"""The head as a solid: where a point of the face stands in the picture when the head turns.

Points are given as the front view shows them, in picture units (x right, y down, 0..256), with a depth z
towards the viewer. Knows no colours and no paths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

CENTRE_X = 128.0
PIVOT = np.array([CENTRE_X, 142.0, 0.0])  # yaw and pitch turn about the middle of the skull
NECK = np.array([CENTRE_X, 214.0])  # roll tilts about the top of the neck
EYE_Y = 124.0
CAMERA_DISTANCE = 620.0  # picture units; a mild perspective


def face_depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Depth of the face's surface under front-view points, in picture units; 0 at the side of the skull."""
    dx = (np.asarray(x, float) - CENTRE_X) / 59.0
    dy = (np.asarray(y, float) - 134.0) / 92.0
    return 46.0 * np.sqrt(np.clip(1.0 - 0.9 * dx**2 - 0.30 * dy**2, 0.02, 1.0))


@dataclass(frozen=True)
class Head:
    """An orientation of the head."""

    yaw: float = 0.0  # radians; above 0 the face turns to the right of the picture
    pitch: float = 0.0  # radians; above 0 it looks down
    roll: float = 0.0  # radians; above 0 it tilts clockwise
    shift_x: float = 0.0  # picture units
    shift_y: float = 0.0

    def project(self, points: np.ndarray) -> np.ndarray:
        """Front-view points with depth (..., 3) to picture points (..., 2)."""
        x, y, z = np.moveaxis(np.asarray(points, float) - PIVOT, -1, 0)
        x, z = (
            x * math.cos(self.yaw) + z * math.sin(self.yaw),
            z * math.cos(self.yaw) - x * math.sin(self.yaw),
        )
        y, z = (
            y * math.cos(self.pitch) + z * math.sin(self.pitch),
            z * math.cos(self.pitch) - y * math.sin(self.pitch),
        )
        scale = CAMERA_DISTANCE / (CAMERA_DISTANCE - z)
        x = x * scale + PIVOT[0] - NECK[0]
        y = y * scale + PIVOT[1] - NECK[1]
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        return np.stack(
            [x * cos - y * sin + NECK[0] + self.shift_x, x * sin + y * cos + NECK[1] + self.shift_y], axis=-1
        )

    def on_face(self, points: np.ndarray, lift: float | np.ndarray = 0.0) -> np.ndarray:
        """Front-view points (..., 2) on the face's surface, raised by `lift`, to picture points (..., 2)."""
        points = np.asarray(points, float)
        z = face_depth(points[..., 0], points[..., 1]) + lift
        return self.project(np.concatenate([points, np.broadcast_to(z, points.shape[:-1])[..., None]], axis=-1))

    def widening(self, x: float, y: float, lift: float = 0.0) -> float:
        """How wide a small thing at a face point looks, relative to the front view (1 = as wide)."""
        left, right = self.on_face(np.array([[x - 4.0, y], [x + 4.0, y]]), lift)
        return float(np.hypot(*(right - left)) / 8.0)
