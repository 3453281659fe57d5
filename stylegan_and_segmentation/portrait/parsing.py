"""The classes of a parsing map, numbered as the usual 11-class face parsers (LaPa) do."""

from __future__ import annotations

from enum import IntEnum


class FaceClass(IntEnum):
    """Left and right are the picture's. Neck and clothes count as background, as in LaPa."""

    BACKGROUND = 0
    SKIN = 1
    LEFT_BROW = 2
    RIGHT_BROW = 3
    LEFT_EYE = 4
    RIGHT_EYE = 5
    NOSE = 6
    UPPER_LIP = 7
    INNER_MOUTH = 8
    LOWER_LIP = 9
    HAIR = 10
