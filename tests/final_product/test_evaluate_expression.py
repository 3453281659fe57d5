"""The evaluation of expressions: how the rules are read, and the table."""

import pytest

from final_product.evaluate_expression import by_rules, by_rules_at_best, mean_f1, table
from llm.expressions.labelled import Labelled


def test_the_rules_mean_the_nearest_expression():
    found = {reply: by_rules(reply) for reply in ("응.", "응!", "응!!!", "오! 정말", "미안", "미안, 싫어", "없어.")}
    assert found == {
        "응.": "neutral",
        "응!": "smile",
        "응!!!": "smile",
        "오! 정말": "surprise",
        "미안": "embarrassment",
        "미안, 싫어": "displeasure",
        "없어.": "displeasure",
    }


def test_the_rules_at_their_best_mean_what_they_mostly_do():
    rows = [Labelled("worry", "응."), Labelled("worry", "아니."), Labelled("smile", "그래.")]
    at_best = by_rules_at_best(rows)
    assert at_best("정말.") == "worry"
    assert at_best("정말!") == "smile", "an outcome that never came means the nearest"


def test_the_table():
    rows = [Labelled("smile", "응!"), Labelled("smile", "그래!"), Labelled("worry", "괜찮아?")]
    lines = table(rows, {"규칙": ["smile", "neutral", "smile"], "읽기": ["smile", "smile", "worry"]}).splitlines()
    assert lines == [
        "| 표정 | 답 | 규칙 | 읽기 |",
        "|---|---|---|---|",
        "| 미소 (smile) | 2 | 50.0% | 100.0% |",
        "| 걱정 (worry) | 1 | 0.0% | 100.0% |",
        "| **모두** | 3 | **33.3%** | **100.0%** |",
        "| F1의 평균 | | 0.250 | 1.000 |",
    ]


def test_mean_f1():
    assert mean_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 / 3)
