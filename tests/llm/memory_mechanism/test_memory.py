"""One remembered item: its written form, what counts as one, and what stands before a prompt."""

from datetime import date

import pytest

from llm.memory_mechanism.memory import Memory, find_memories, split_leading_memories

SCHEDULE = Memory("내일 일정", "친구 만나기")


def found(text):
    return [memory for memory, _, _ in find_memories(text)]


def test_the_written_form():
    assert str(SCHEDULE) == "[내일 일정: 친구 만나기]"
    assert SCHEDULE.item == "내일 일정: 친구 만나기"
    assert found(str(SCHEDULE)) == [SCHEDULE]
    assert Memory.parse(SCHEDULE.item) == SCHEDULE


CONTENTS = {
    "내일 일정: 친구 만나기": SCHEDULE,
    "내일 일정:친구 만나기": SCHEDULE,
    "  내일   일정 \t:\n 친구\u00a0만나기 ": SCHEDULE,
    "링크: https://example.com": Memory("링크", "https://example.com"),
    "시각: 10:30": Memory("시각", "10:30"),
    "경고": None,
    ": 값": None,
    "키:": None,
    "키 :  ": None,
    "": None,
    ":": None,
}


@pytest.mark.parametrize("content", CONTENTS)
def test_what_stands_between_brackets(content):
    assert Memory.parse(content) == CONTENTS[content]


def test_blanks_make_no_difference():
    assert SCHEDULE.same_as(Memory("내일일정", "친구만나기"))
    assert SCHEDULE.same_as(Memory("내일 일정", "친 구 만 나 기"))
    assert not SCHEDULE.same_as(Memory("내일 일정", "친구 만나기!"))
    assert not SCHEDULE.same_as(Memory("모레 일정", "친구 만나기"))


def test_memories_in_a_text():
    assert found("어 [이름: 민수] 그리고 [취미:등산][경고] [나이: ] [반쪽: 말") == [
        Memory("이름", "민수"),
        Memory("취미", "등산"),
    ]
    text = "어 [이름: 민수]  (2026-11-22) 그리고 [취미:등산]"
    assert [text[start:end] for _, start, end in find_memories(text)] == ["[이름: 민수]  (2026-11-22)", "[취미:등산]"]
    assert found("[밖 [안: 쪽]]") == [Memory("안", "쪽")]
    assert found("") == []


NOTES = {
    " (2026-11-22)": date(2026, 11, 22),
    "(2026-11-22)": date(2026, 11, 22),
    " (2026. 11. 22.)": date(2026, 11, 22),
    " (2026/3/5)": date(2026, 3, 5),
    "": None,
    " (2026-02-30)": None,
    " (2026-11)": None,
    " (0-1-1)": None,
    " (99999999999999999999-1-1)": None,
    " (22)": None,
    " (지난주에 말함)": None,
}


@pytest.mark.parametrize("note", NOTES)
def test_the_day_behind_a_memory(note):
    dated = Memory(SCHEDULE.key, SCHEDULE.value, NOTES[note])
    assert found(f"{SCHEDULE}{note}") == [dated]
    assert found(str(dated)) == [dated] and dated.item == SCHEDULE.item


def test_the_written_form_with_a_day():
    assert str(Memory("내일 일정", "친구 만나기", date(2026, 11, 22))) == "[내일 일정: 친구 만나기] (2026-11-22)"


LEADING = {
    "[내일 일정: 친구 만나기] 나 내일 뭐하지": ([SCHEDULE], "나 내일 뭐하지"),
    "  [내일 일정:친구 만나기]나 내일 뭐하지 ": ([SCHEDULE], "나 내일 뭐하지"),
    "[이름: 민수] [취미: 등산] 안녕": ([Memory("이름", "민수"), Memory("취미", "등산")], "안녕"),
    "[내일 일정: 친구 만나기]": ([SCHEDULE], ""),
    "나 내일 뭐하지 [내일 일정: 친구 만나기]": ([], "나 내일 뭐하지 [내일 일정: 친구 만나기]"),
    "[경고] 안녕": ([], "[경고] 안녕"),
    "[이름: 민수] [경고] 안녕": ([Memory("이름", "민수")], "[경고] 안녕"),
    "[이름: 민수": ([], "[이름: 민수"),
    "안녕": ([], "안녕"),
    "": ([], ""),
}


@pytest.mark.parametrize("text", LEADING)
def test_memories_that_a_prompt_begins_with(text):
    assert split_leading_memories(text) == LEADING[text]
