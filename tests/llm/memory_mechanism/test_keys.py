"""The table of keys: every key that she writes down is in it, once, and says how many values it holds."""

import pytest

from llm.fine_tuning.conversations import load_families
from llm.memory_mechanism.days import subject_of
from llm.memory_mechanism.keys import _ONE, _SEVERAL, _SEVERAL_UNTIL_CHANGED, KEYS, Holds, holds
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.training_pairs import load_pairs


def test_a_key_stands_in_the_table_once_and_without_its_day():
    keys = (*_ONE, *_SEVERAL, *_SEVERAL_UNTIL_CHANGED)
    assert len(keys) == len(set(keys)) == len(KEYS)
    assert [key for key in keys if subject_of(key) != key] == []


def is_documented(key):
    """Whether ``key`` (without its day) is in the table, or the name, birthday or age of somebody."""
    return "".join(key.split()) in KEYS or key.split()[-1] in ("이름", "생일", "생신", "나이")


def test_every_key_that_she_learns_to_write_is_documented():
    saves = {Memory.parse(family.save).key.removeprefix("{day} ") for family in load_families() if family.save}
    assert sorted(key for key in map(subject_of, saves) if not is_documented(key)) == []


def test_every_key_that_the_retriever_learns_is_documented():
    assert sorted(key for key in load_pairs().keys if not is_documented(subject_of(key))) == []


HELD = {
    "이름": Holds.ONE,
    "사는곳": Holds.ONE,
    "날씨": Holds.ONE,
    "좋아하는 음식": Holds.SEVERAL,
    "친구 생일": Holds.SEVERAL,
    "일정": Holds.SEVERAL_UNTIL_CHANGED,
    "오전 일정": Holds.SEVERAL_UNTIL_CHANGED,
    "처음 보는 열쇠": Holds.SEVERAL,
    "": Holds.SEVERAL,
}


@pytest.mark.parametrize("key", HELD)
def test_how_many_values_a_key_holds(key):
    assert holds(key) is HELD[key]
