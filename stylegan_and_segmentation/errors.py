"""The errors of this room. Each message is Korean, one line, and says what to do; the caller shows it.

Wrong arguments in code (a label of the wrong shape, say) are `ValueError`, in English:
no user can cause them.
"""

from __future__ import annotations


class FaceError(Exception):
    """Anything that keeps the face from being drawn. Its text can be shown to the user as it stands."""


class WeightsError(FaceError):
    """A network's files are missing, unreadable or do not fit it."""


class IdentityError(FaceError):
    """The file with her identity vector z is missing, unreadable or malformed."""


class ImageFileError(FaceError):
    """A picture could not be written to disk; the picture that was there before is kept."""


class StatisticsError(FaceError):
    """The file with the scores' means and deviations is missing, unreadable or malformed."""


class LabelFileError(FaceError):
    """A folder of pictures or its table of labels cannot be used."""
