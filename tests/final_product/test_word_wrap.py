"""Lines are broken between words while a text is still being written, and nothing on the screen ever moves."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from final_product.word_wrap import WordWrap, width


def wrapped(text, columns, before="", cuts=()):
    wrap = WordWrap(lambda: columns, before)
    places = [0, *cuts, len(text)]
    shown = "".join(wrap.feed(text[start:end]) for start, end in zip(places, places[1:], strict=False))
    return shown + wrap.end()


SHORT = {
    ("안녕 나는 로라야", 100, ""): "안녕 나는 로라야",
    ("안녕 나는 로라야", 10, ""): "안녕 나는\n로라야",
    ("안녕 나는 로라야", 9, ""): "안녕 나는\n로라야",
    ("안녕 나는 로라야", 8, ""): "안녕\n나는\n로라야",
    ("안녕 나는 로라야", 10, "로라: "): "안녕\n나는\n로라야",
    ("안녕 나는 로라야", 9, "로라: "): "\n안녕 나는\n로라야",
    ("안녕 나는 로라야", 11, "로라: "): "안녕\n나는 로라야",
    ("a  b", 3, ""): "a\nb",
    ("하나\n둘 셋", 6, ""): "하나\n둘 셋",
    ("하나\n\n 둘 셋", 6, ""): "하나\n\n 둘 셋",
    ("가나다라마바사 아", 6, ""): "가나다라마바사 아",
    ("가나다라마바 아", 6, ""): "가나다라마바\n아",
    ("끝 ", 3, ""): "끝 ",
    ("", 3, ""): "",
}


@pytest.mark.parametrize("case", SHORT)
def test_lines(case):
    text, columns, before = case
    assert wrapped(text, columns, before) == SHORT[case]


@given(
    text=st.text("가나 abc\n😊👱\u200d♀️!", max_size=60),
    columns=st.integers(4, 20),
    before=st.sampled_from(["", "👱\u200d♀️ 오로라 :  "]),
    seed=st.integers(0, 2**16),
)
def test_whatever_the_pieces_are(text, columns, before, seed):
    cuts = sorted(random.Random(seed).choices(range(len(text) + 1), k=5))
    shown = wrapped(text, columns, before, cuts)
    assert shown == wrapped(text, columns, before)
    assert shown.split() == text.split(), "no word is lost and none is cut"
    for line in shown.split("\n")[1:]:
        assert width(line.rstrip()) <= columns or len(line.split()) <= 2


def test_a_word_is_shown_once_it_is_whole():
    wrap = WordWrap(lambda: 80)
    assert [wrap.feed(piece) for piece in ("안", "녕", " 나", "는", " ")] == ["", "", "안녕", "", " 나는"]
    assert wrap.end() == " "


def test_a_screen_that_changes_its_width():
    columns = [20]
    wrap = WordWrap(lambda: columns[0])
    assert wrap.feed("하나 둘 셋 ") == "하나 둘 셋"
    columns[0] = 12
    assert wrap.feed("넷 ") == "\n넷"
    wrap.new_line()
    assert wrap.feed("다섯 ") + wrap.end() == " 다섯 "


def test_the_widest_terminal_counts():
    assert (width("안녕"), width("a"), width("😊"), width("")) == (4, 1, 2, 0)
    assert width("👱\u200d♀️") >= 3, "some show its two parts side by side"
    assert width("❤️") == 2
