"""From what she said to the face she makes: the published rules, as one pure function, and named expressions."""

from __future__ import annotations

from final_product.named_expressions import NAME_OF_EXPRESSION, NAMED_EXPRESSIONS
from stylegan_and_segmentation.properties import PropertyScores

_RESTING = -1.2


def expression_of(reply: str) -> PropertyScores:
    """Eyes, mouth and pose for a reply; the other four properties stay 0.

    Source: the rule table of the published program.
    """
    eyes, bonus = _eyes_and_bonus(reply)
    return PropertyScores(eyes=eyes, mouth=_mouth(reply, bonus), pose=_pose(reply))


def scores_of(expression: str) -> PropertyScores:
    """The scores of what was read from a reply, one of ``NAME_OF_EXPRESSION``; the other properties stay 0."""
    eyes, mouth, pose = NAMED_EXPRESSIONS[NAME_OF_EXPRESSION[expression]]
    return PropertyScores(eyes=eyes, mouth=mouth, pose=pose)


def _eyes_and_bonus(reply: str) -> tuple[float, float]:
    if any(word in reply for word in ("오!", "와!", "와우")) or reply.startswith("오 "):
        return 1.6, 1.2
    if "아!" in reply or reply.startswith("아 "):
        return 0.8, 0.6
    return _RESTING, 0.0


def _mouth(reply: str, bonus: float) -> float:
    if "!" in reply or "?" in reply:
        return 0.3 + 0.3 * min(reply.count("!"), 3) + bonus / 3
    return _RESTING + bonus


def _pose(reply: str) -> float:
    if "미안" in reply and "싫어" in reply:
        return 3.6
    if "오!" not in reply and any(word in reply for word in (" 못 ", "없어 ", "없어.")):
        return 3.0
    if any(word in reply for word in ("미안", "싫어", "별로")):
        return 2.4
    if "…" in reply:
        return 0.6
    return _RESTING
