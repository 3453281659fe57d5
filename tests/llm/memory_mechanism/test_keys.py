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


def test_every_key_that_she_learns_to_write_is_in_the_table():
    written = {subject_of(Memory.parse(family.save).key) for family in load_families() if family.save}
    assert sorted(key for key in written if "".join(key.split()) not in KEYS) == []


def test_every_key_that_the_retriever_learns_is_in_the_table():
    assert sorted(key for key in load_pairs().keys if "".join(subject_of(key).split()) not in KEYS) == []


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
