"""The one table of her named expressions: for ``/표정``, for ``/왜``, and for what is read from a reply.

Scores are standard deviations from the average face, in the range of the published rules (eyes -1.2 to 1.6, mouth -1.2
to 1.6, pose -1.2 to 3.6) and a little beyond: a laugh closes the eyes and opens the mouth wide, tears close the eyes on
a head that is lowered to the side, whoever is cross turns away. Imports nothing, so that the prompt stands at once.
"""

from __future__ import annotations

from typing import NamedTuple


class Scores(NamedTuple):
    """Eyes (closed to wide), mouth (closed to laughing) and pose (to the front to turned away)."""

    eyes: float
    mouth: float
    pose: float


# What llm.expressions reads from a reply -> the name that the user reads.
NAME_OF_EXPRESSION: dict[str, str] = {
    "neutral": "평온",
    "smile": "미소",
    "laughter": "웃음",
    "surprise": "놀람",
    "sadness": "슬픔",
    "worry": "걱정",
    "embarrassment": "당황",
    "displeasure": "외면",
    "thinking": "생각",
}

NAMED_EXPRESSIONS: dict[str, Scores] = {
    "평온": Scores(-1.2, -1.2, -1.2),
    "미소": Scores(-1.2, 0.6, -1.2),
    "웃음": Scores(-2.0, 2.0, -1.2),
    "놀람": Scores(1.6, 1.0, -1.2),
    "슬픔": Scores(-2.4, -1.2, 1.8),
    "걱정": Scores(0.4, -0.8, 0.6),
    "당황": Scores(-1.2, 0.0, 2.4),
    "외면": Scores(-1.2, -1.2, 3.6),
    "생각": Scores(-1.2, -1.2, 1.2),
    # of the published rules alone
    "신남": Scores(1.6, 1.6, -1.2),
    "미안": Scores(-1.2, -1.2, 2.4),
    "곤란": Scores(-1.2, -1.2, 3.0),
    "잠": Scores(-3.0, -1.2, -1.2),
}


def name_of(eyes: float, mouth: float, pose: float) -> str | None:
    """The name of the expression with these scores (to four digits), if it has one."""
    rounded = tuple(round(score, 4) for score in (eyes, mouth, pose))
    return next((name for name, scores in NAMED_EXPRESSIONS.items() if scores == rounded), None)


def nearest_expression(eyes: float, mouth: float, pose: float) -> str:
    """Of the expressions that are read from replies, the one whose scores are nearest (Euclidean distance)."""

    def distance(expression: str) -> float:
        scores = NAMED_EXPRESSIONS[NAME_OF_EXPRESSION[expression]]
        return sum((a - b) ** 2 for a, b in zip(scores, (eyes, mouth, pose), strict=True))

    return min(NAME_OF_EXPRESSION, key=distance)
