"""The labelled replies: enough of each, none twice, and none that is measured with among those that are fitted on."""

from collections import Counter

import pytest

from llm.expressions.labelled import EXPRESSIONS, Labelled, letters, load_examples, load_labelled, overlap


def pairs(reply):
    text = letters(reply)
    return {text[at : at + 2] for at in range(len(text) - 1)}


def test_there_are_sixty_examples_of_each():
    counts = Counter(row.expression for row in load_examples())
    assert set(counts) == set(EXPRESSIONS) and min(counts.values()) >= 60


def test_three_hundred_are_kept_for_measuring():
    rows = load_labelled("evaluation")
    counts = Counter(row.expression for row in rows)
    assert len(rows) == 300 and set(counts) == set(EXPRESSIONS) and min(counts.values()) >= 10


def test_nothing_that_is_measured_with_is_fitted_on():
    fitted = load_examples() + load_labelled("training") + load_labelled("validation")
    measured = load_labelled("evaluation")
    assert overlap(fitted, measured) == []
    known = [pairs(row.reply) for row in fitted]
    for row in measured:
        own = pairs(row.reply)
        near = max(len(own & other) / len(own | other) for other in known)
        assert near < 0.7, f"nearly the same stands among what is fitted on: {row.reply}"


def test_no_reply_stands_twice():
    rows = load_examples() + load_labelled("training") + load_labelled("validation") + load_labelled("evaluation")
    assert [reply for reply, count in Counter(letters(row.reply) for row in rows).items() if count > 1] == []


def test_what_counts_as_the_same():
    known = [Labelled("smile", "좋아, 가자! 😊")]
    assert overlap([Labelled("neutral", "좋아 가자")], known) == ["좋아 가자"]
    assert overlap([Labelled("smile", "좋아, 가자고!")], known) == []


def test_rows_and_their_comments(tmp_path):
    (tmp_path / "some.tsv").write_text("# guide\n\nsmile\t 응, 좋아! \nworry\t괜찮아?\n", encoding="utf-8")
    assert load_labelled("some", tmp_path) == [Labelled("smile", "응, 좋아!"), Labelled("worry", "괜찮아?")]


@pytest.mark.parametrize("line", ["happy\t응", "smile 응", "smile\t", "응"])
def test_a_line_that_is_no_row_is_named(tmp_path, line):
    (tmp_path / "some.tsv").write_text(f"smile\t응\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="some.tsv:2"):
        load_labelled("some", tmp_path)


def test_a_file_of_examples_too_few_or_too_many_is_named(tmp_path):
    for name in EXPRESSIONS[1:]:
        (tmp_path / f"{name}.txt").write_text("응\n", encoding="utf-8")
    with pytest.raises(ValueError, match="neutral.txt"):
        load_examples(tmp_path)
    (tmp_path / "neutral.txt").write_text("응\n\n아니\n", encoding="utf-8")
    assert load_examples(tmp_path)[:2] == [Labelled("neutral", "응"), Labelled("neutral", "아니")]
    (tmp_path / "happy.txt").write_text("응\n", encoding="utf-8")
    with pytest.raises(ValueError, match="happy.txt"):
        load_examples(tmp_path)
