"""Keys that no hand wrote: what counts as a noun, and how a noun stands in a key and in its prompts."""

import random

import pytest

from llm.fine_tuning.particles import attach
from llm.memory_mechanism.key_grammar import FORMS, compose, nouns


def test_a_noun_is_what_stands_before_many_particles_in_the_form_that_each_asks_for():
    lines = ["우산을 샀다", "우산이 없다", "우산은 어디", "우산도 우산에", "사과를 사과가 사과는 사과도 사과의"]
    lines += ["먹은 먹을 먹는", "좋아하는 좋아하고", "책상를 책상가 책상는 책상에 책상도", "의자를 의자가"]
    assert nouns(lines) == ["사과", "우산"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.key)
def test_a_form_has_prompts_of_both_kinds_and_the_noun_in_each_key(form):
    assert "{n}" in form.key and len(form.asks) >= 5 and len(form.seems) >= 3
    for noun in ("우산", "사과"):
        filled = [attach(text, {"n": noun}) for text in (form.key, *form.asks, *form.seems)]
        assert not any("{" in text or "}" in text for text in filled)
    assert not set(form.asks) & set(form.seems)


def test_keys_are_composed_of_the_nouns_and_none_that_is_left_out():
    made = compose(["우산", "사과"], 1000, {"우산이름", "좋아하는사과"}, random.Random(1))
    keys = [key.key for key in made]
    assert len(keys) == len(set(keys)) == 2 * len(FORMS) - 2
    assert not {"우산 이름", "좋아하는 사과"} & set(keys)
    assert all("우산" in key or "사과" in key for key in keys)
    colour = next(key for key in made if key.key == "사과 색")
    assert "내 사과는 어떤 색이게" in colour.asks and "사과는 왜 그런 색이야" in colour.seems


def test_few_nouns_make_few_keys_and_none_make_none():
    assert len(compose(["우산"], 1000, (), random.Random(1))) == len(FORMS)
    assert compose([], 10, (), random.Random(1)) == []
