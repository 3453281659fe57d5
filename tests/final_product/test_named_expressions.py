"""The table of named expressions: in range, told apart, and one for each that is read from a reply."""

from itertools import combinations

import pytest

from final_product.expression import expression_of, scores_of
from final_product.named_expressions import NAME_OF_EXPRESSION, NAMED_EXPRESSIONS, name_of, nearest_expression
from llm.expressions.labelled import EXPRESSIONS


def test_each_expression_of_a_reply_has_a_face():
    assert tuple(NAME_OF_EXPRESSION) == EXPRESSIONS
    for expression, name in NAME_OF_EXPRESSION.items():
        face = scores_of(expression)
        assert (face.eyes, face.mouth, face.pose) == NAMED_EXPRESSIONS[name]
        assert nearest_expression(*NAMED_EXPRESSIONS[name]) == expression
    assert len(set(NAME_OF_EXPRESSION.values())) == len(EXPRESSIONS)


def test_all_are_in_the_range_that_the_face_is_made_for():
    for name, scores in NAMED_EXPRESSIONS.items():
        assert -3.0 <= scores.eyes <= 2.0 and -1.2 <= scores.mouth <= 2.0 and -1.2 <= scores.pose <= 3.6, name


@pytest.mark.parametrize("one, other", list(combinations(NAME_OF_EXPRESSION.values(), 2)))
def test_they_are_visibly_different(one, other):
    """At least a standard deviation apart in one of the three."""
    pairs = zip(NAMED_EXPRESSIONS[one], NAMED_EXPRESSIONS[other], strict=True)
    assert max(abs(a - b) for a, b in pairs) >= 1.0


def test_laughter_tears_and_turning_away():
    laughter, tears, away = (NAMED_EXPRESSIONS[name] for name in ("웃음", "슬픔", "외면"))
    assert laughter.mouth - tears.mouth >= 3 and laughter.mouth - away.mouth >= 3
    assert away.pose - tears.pose >= 1.5 and tears.pose - laughter.pose >= 2.5
    assert away.eyes - tears.eyes >= 1


def test_names_of_scores():
    assert name_of(-1.2, 0.6, -1.2) == "미소"
    assert name_of(-1.2, 0.3 + 0.3, -1.2) == "미소", "whatever floating point makes of it"
    assert name_of(-1.2, 0.7, -1.2) is None


def test_faces_of_the_rules_have_names():
    by_rules = {"평온": "응.", "미소": "응!", "놀람": "오! 그래", "신남": "와!!!", "미안": "미안", "곤란": "그건 없어.",
                "외면": "미안, 싫어"}  # fmt: skip
    for name, reply in by_rules.items():
        face = expression_of(reply)
        assert name_of(face.eyes, face.mouth, face.pose) == name
