"""The memory file's text: one line goes, comes back where it stood, and nothing that was edited since is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.memory_mechanism.meaning import Change
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.memory_text import Edit, edits_of, memories_of, undone, with_memories, without

NAME, HOBBY, JOB = Memory("이름", "민수"), Memory("취미", "등산"), Memory("직업", "학생")
BUSAN, SEOUL, JEJU = (Memory("사는 곳", place) for place in ("부산", "서울", "제주"))
TEXT = "# 메모\n[이름: 민수]\n\n[취미: 등산]\n[직업: 학생]"

WITHOUT = {
    "a line": (TEXT, 1, "# 메모\n[이름: 민수]\n\n[직업: 학생]"),
    "the first": (TEXT, 0, "# 메모\n\n[취미: 등산]\n[직업: 학생]"),
    "the open last line": (TEXT, 2, "# 메모\n[이름: 민수]\n\n[취미: 등산]\n"),
    "the only one": ("[이름: 민수]\n", 0, ""),
    "with Windows' line ends": ("[이름: 민수]\r\n[취미: 등산]\r\n", 0, "[취미: 등산]\r\n"),
    "behind a byte-order mark": ("\ufeff[이름: 민수]\n[취미: 등산]\n", 0, "\ufeff[취미: 등산]\n"),
    "with its day": ("[내일 일정: 이사] (2026-11-22)\n[취미: 등산]\n", 0, "[취미: 등산]\n"),
    "one of two in a line": ("[이름: 민수] [취미: 등산]\n", 0, "[취미: 등산]\n"),
    "the other of two": ("[이름: 민수] [취미: 등산]\n", 1, "[이름: 민수] \n"),
    "beside what is no memory": ("[경고] [이름: 민수]\n", 0, "[경고] \n"),
}


@pytest.mark.parametrize(("text", "number", "left"), WITHOUT.values(), ids=WITHOUT)
def test_a_memory_goes_and_comes_back(text, number, left):
    memory = memories_of(text)[number]
    found, edit = without(text, number)
    assert found == left and edit.before == memory and edit.after is None
    assert undone(found, [edit]) == (text, ())


_LINES = st.lists(
    st.sampled_from(
        ["", "# 메모", "[이름: 민수]", "[취미: 등산] [직업: 학생]", "[경고] [꿈: 화가]", "[이름:민수]", " [나이: 3] "]
    ),
    max_size=6,
)


@given(_LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.data())
def test_whatever_goes_comes_back(lines, newline, ends, marked, data):
    text = "\ufeff" * marked + newline.join(lines) + newline * ends
    memories = memories_of(text)
    if not memories or len(set(memories)) < len(memories):
        return
    edits, left = [], text
    for _ in range(data.draw(st.integers(1, len(memories)))):
        left, edit = without(left, data.draw(st.integers(0, len(memories_of(left)) - 1)))
        edits.append(edit)
    assert len(memories_of(left)) == len(memories) - len(edits)
    assert undone(left, edits) == (text, ())


def test_what_was_added_and_changed_is_undone():
    before = "# 메모\n[사는 곳: 부산]\n[이름: 민수]"
    after = with_memories(before, [SEOUL, NAME, HOBBY])
    assert after == "# 메모\n[사는 곳: 서울]\n[이름: 민수]\n[취미: 등산]\n"
    edits = edits_of([HOBBY], [Change(BUSAN, SEOUL)])
    assert undone(after, edits) == (before + "\n", ())


def test_what_was_added_and_then_changed_is_undone():
    edits = edits_of([SEOUL], [Change(SEOUL, JEJU)])
    assert undone("[이름: 민수]\n[사는 곳: 제주]\n", edits) == ("[이름: 민수]\n", ())


EDITED = {
    "the value is another": ("[취미: 수영]\n", Edit(None, HOBBY)),
    "the line is gone": ("", Edit(None, HOBBY)),
    "the changed line was changed again": ("[사는 곳: 제주]\n", Edit(BUSAN, SEOUL)),
    "the removed line was written anew": ("[이름: 민수]\n[취미: 등산]\n", Edit(HOBBY, None, 0, "[취미: 등산]\n")),
    "the rest of its line is another": (
        "[이름: 철수]\n",
        Edit(HOBBY, None, 0, "[이름: 민수] [취미: 등산]\n", "[이름: 민수] \n"),
    ),
}


@pytest.mark.parametrize(("text", "edit"), EDITED.values(), ids=EDITED)
def test_what_was_edited_by_hand_stays(text, edit):
    assert undone(text, [edit]) == (text, (edit,))


def test_some_are_undone_and_some_stay():
    text = "[사는 곳: 제주]\n[취미: 등산]\n"
    edits = (Edit(BUSAN, SEOUL), Edit(None, HOBBY))
    assert undone(text, edits) == ("[사는 곳: 제주]\n", edits[:1])


MOVED = {
    "lines above": ("# 하나\n# 둘\n", 1, "# 하나\n[취미: 등산]\n# 둘\n"),
    "fewer lines": ("# 하나\n", 5, "# 하나\n[취미: 등산]\n"),
    "an open last line": ("# 하나", 5, "# 하나\n[취미: 등산]\n"),
    "nothing left": ("", 5, "[취미: 등산]\n"),
    "a byte-order mark": ("\ufeff# 하나\n", 0, "\ufeff[취미: 등산]\n# 하나\n"),
}


@pytest.mark.parametrize(("text", "above", "put_back"), MOVED.values(), ids=MOVED)
def test_a_line_comes_back_into_a_text_that_changed(text, above, put_back):
    assert undone(text, [Edit(HOBBY, None, above, "[취미: 등산]\n")]) == (put_back, ())


def test_an_open_line_is_closed_where_others_follow_it():
    edit = Edit(HOBBY, None, 0, "[취미: 등산]")
    assert undone("# 하나\n", [edit]) == ("[취미: 등산]\n# 하나\n", ())


def test_the_rest_of_a_line_that_moved():
    _, edit = without("[이름: 민수] [취미: 등산]\n", 1)
    assert undone("# 새 줄\n[이름: 민수] \n", [edit]) == ("# 새 줄\n[이름: 민수] [취미: 등산]\n", ())
