"""The names that face parsers give their classes, and which of our eleven each one is. Knows no network.

The tables cover the parsers trained on LaPa (11 classes) and on CelebAMask-HQ (19 classes), and our own.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..portrait.parsing import FaceClass

NAMES: dict[FaceClass, tuple[str, ...]] = {
    # Neck and clothes are background in LaPa; what a person wears joins them.
    FaceClass.BACKGROUND: ("neck", "cloth", "clothes", "hat", "ear_r", "earring", "neck_l", "necklace"),
    # Ears and glasses stand before the background and hide skin: as background they would change its brightness.
    FaceClass.SKIN: (
        "face",
        "facial_skin",
        "l_ear",
        "r_ear",
        "left_ear",
        "right_ear",
        "eye_g",
        "glasses",
        "eyeglasses",
    ),
    FaceClass.LEFT_BROW: ("l_brow", "left_eyebrow"),
    FaceClass.RIGHT_BROW: ("r_brow", "right_eyebrow"),
    FaceClass.LEFT_EYE: ("l_eye",),
    FaceClass.RIGHT_EYE: ("r_eye",),
    FaceClass.NOSE: (),
    FaceClass.UPPER_LIP: ("u_lip",),
    FaceClass.INNER_MOUTH: ("mouth", "inner_lips"),
    FaceClass.LOWER_LIP: ("l_lip",),
    FaceClass.HAIR: (),
}
_CLASSES = {name: kind for kind, names in NAMES.items() for name in (kind.name.lower(), *names)}


def class_of(name: str) -> FaceClass | None:
    """The class of a parser's name for it, in any case, with blanks, hyphens or underscores; None if unknown."""
    return _CLASSES.get("_".join(name.lower().replace("-", " ").replace("_", " ").split()))


def missing_classes(found: Iterable[FaceClass]) -> list[str]:
    """Names of the classes that a parser cannot find, in their order."""
    found = set(found)
    return [kind.name.lower() for kind in FaceClass if kind not in found]
