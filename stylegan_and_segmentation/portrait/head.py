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
CAMERA_DISTANCE = 620.0  # picture units; a mild perspective


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

    def turn(self, normals: np.ndarray) -> np.ndarray:
        """Directions (..., 3) of the front view as they point in the picture."""
        x, y, z = np.moveaxis(np.asarray(normals, float), -1, 0)
        x, z = x * math.cos(self.yaw) + z * math.sin(self.yaw), z * math.cos(self.yaw) - x * math.sin(self.yaw)
        y, z = y * math.cos(self.pitch) + z * math.sin(self.pitch), z * math.cos(self.pitch) - y * math.sin(self.pitch)
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        return np.stack([x * cos - y * sin, x * sin + y * cos, z], axis=-1)
