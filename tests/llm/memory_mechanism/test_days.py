"""The days of keys and prompts: what each speaks of, and how it is called as the days go by."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.memory_mechanism.days import Span, dated, reading_on, span_of, spans_in, subject_of
from llm.memory_mechanism.memory import Memory

MONDAY = date(2026, 11, 23)  # with the Sunday after it, the week of these tests


def day(number):
    """A day of the week of these tests: 0 its Monday, 6 its Sunday, 7 the next Monday."""
    return MONDAY + timedelta(days=number)


def called(key, said, until):
    """How ``key``, said on day ``said``, is called from that day to the one before ``until``."""
    memory = Memory(key, "값", day(said))
    readings = [reading_on(memory, day(number)) for number in range(said, until)]
    return [reading and reading.key for reading in readings]


def test_a_day_goes_by():
    assert called("내일 일정", 0, 4) == ["내일 일정", "오늘 일정", "어제 일정", None]
    assert called("모레 일정", 5, 10) == ["모레 일정", "내일 일정", "오늘 일정", "어제 일정", None]
    assert called("내일 모레 일정", 0, 2) == ["내일 모레 일정", "내일 일정"]
    assert called("글피 약속", 0, 2) == ["글피 약속", "모레 약속"]
    assert called("오늘 날씨", 0, 3) == ["오늘 날씨", "어제 날씨", None]
    assert called("어제 일정", 0, 2) == ["어제 일정", None]
    assert called("그저께 일정", 0, 2) == ["그저께 일정", None]


def test_a_weekend_stays_this_weekend_until_it_is_over():
    this, last = ["이번 주말 일정"], ["지난 주말 일정"]
    assert called("이번 주말 일정", 2, 15) == this * 5 + last * 7 + [None], "from Wednesday to Sunday, then a week"
    assert called("이번주말 일정", 6, 8) == ["이번주말 일정", *last], "said on its Sunday"
    assert called("다음 주말 일정", 2, 9) == ["다음 주말 일정"] * 5 + this * 2


def test_a_week_goes_by():
    assert called("다음 주 일정", 4, 8) == ["다음 주 일정"] * 3 + ["이번 주 일정"]
    assert called("이번 주 일정", 6, 15) == ["이번 주 일정"] + ["지난주 일정"] * 7 + [None]


def test_a_weekday_comes_nearer():
    assert called("다음 주 수요일 일정", 0, 12) == (
        ["다음 주 수요일 일정"] * 7 + ["모레 일정", "내일 일정", "오늘 일정", "어제 일정", None]
    )
    assert called("다음 주 금요일 약속", 5, 8) == ["다음 주 금요일 약속"] * 2 + ["이번 주 금요일 약속"]
    assert called("이번 주 목요일 시험", 0, 5) == [
        "이번 주 목요일 시험",
        "모레 시험",
        "내일 시험",
        "오늘 시험",
        "어제 시험",
    ]
    assert called("이번 주 월요일 시험", 3, 5) == ["이번 주 월요일 시험", None], "it was over when it was said"


def test_a_weekday_alone_is_the_coming_one_where_it_has_a_plan():
    assert called("토요일 일정", 1, 5) == ["토요일 일정", "이번 주 토요일 일정", "모레 일정", "내일 일정"]
    assert called("월요일 약속", 4, 9) == ["월요일 약속", "모레 약속", "내일 약속", "오늘 약속", "어제 약속"]
    assert called("월요일 일정", 7, 9) == ["월요일 일정", "어제 일정"], "on that day it is today"


def test_a_month_goes_by():
    said = Memory("다음 달 일정", "값", date(2026, 12, 30))
    days = (date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 1))
    readings = [reading_on(said, today) for today in days]
    assert [reading and reading.key for reading in readings] == [
        "다음 달 일정", "이번 달 일정", "이번 달 일정", "지난달 일정", None,
    ]  # fmt: skip


def test_a_line_without_a_day_stays_as_it_is():
    for memory in (Memory("내일 일정", "값"), Memory("이름", "민수", day(0)), Memory("오늘 내일 일정", "값", day(0))):
        for number in (0, 1, 400):
            assert reading_on(memory, day(number)) == Memory(memory.key, memory.value)


def test_only_keys_that_name_a_day_are_dated():
    assert dated(Memory("내일 일정", "면접"), MONDAY) == Memory("내일 일정", "면접", MONDAY)
    for key in (
        "이름",
        "내일배움카드",
        "다음 주제",
        "금요일 수업",
        "매주 토요일 약속",
        "주말 알바",
        "이번 달리기",
        "오늘 내일 일정",
    ):
        assert dated(Memory(key, "값"), MONDAY) == Memory(key, "값")
        assert span_of(key, MONDAY) is None and subject_of(key) == key


def test_a_subject_is_a_key_without_its_day():
    subjects = {
        "내일 일정": "일정",
        "내일일정": "일정",
        "이번 주말 저녁 약속": "저녁 약속",
        "다음주 월요일 시험": "시험",
        "오늘": "",
    }
    assert {key: subject_of(key) for key in subjects} == subjects


def test_a_wrong_clock_and_the_ends_of_the_calendar():
    assert reading_on(Memory("내일 일정", "값", day(30)), MONDAY) is None, "said in a month to come"
    assert called("내일 일정", 0, 1) == ["내일 일정"]
    assert reading_on(Memory("오늘 일정", "값", day(1)), MONDAY).key == "내일 일정", "the clock was set back a day"
    for said in (date.min, date.max):
        for key in ("어제 일정", "내일 일정", "다음 주 일요일 일정", "지난 주말 일정", "다음 달 일정", "월요일 일정"):
            for today in (date.min, MONDAY, date.max):
                reading_on(Memory(key, "값", said), today)
                spans_in(key, today)


PROMPTS = {  # said on the Wednesday -> days from the Monday, first and last
    "나 내일 뭐하지": [(3, 3)],
    "나내일뭐해": [(3, 3)],
    "낼 뭐하지": [(3, 3)],
    "내일모레 뭐해?": [(4, 4)],
    "내일 시험인데 오늘 뭐 먹지": [(3, 3), (2, 2)],
    "이번 주말에 뭐 하지": [(5, 6)],
    "주말에 뭐 하기로 했지?": [(5, 6)],
    "이번 주말고 다음 주에 뭐 있어": [(0, 6), (7, 13)],
    "다음주 금요일 약속 뭐였지": [(11, 11)],
    "금요일에 뭐 있더라": [(4, 4), (11, 11)],
    "어제 뭐 했게": [(1, 1)],
    "오늘따라 피곤하네": [],
    "하고싶어제발": [],
    "다음 주제가 뭐야": [],
    "안녕": [],
}


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_days_of_a_prompt(prompt):
    assert spans_in(prompt, day(2)) == [Span(day(first), day(last)) for first, last in PROMPTS[prompt]]


def test_spans_meet_on_a_common_day():
    weekend = Span(day(5), day(6))
    assert weekend.meets(Span(day(6), day(6))) and Span(day(0), day(6)).meets(weekend)
    assert not weekend.meets(Span(day(7), day(7))) and not Span(day(4), day(4)).meets(weekend)


NAMES = ("어제", "오늘", "내일", "모레", "이번 주", "다음 주", "지난 주말", "이번 주말", "다음 주말")
NAMES += ("지난달", "이번 달", "다음 달", "금요일")
NAMES += tuple(f"{week} 주 {weekday}요일" for week in ("이번", "다음") for weekday in "월화수목금토일")


@given(
    name=st.sampled_from(NAMES),
    said=st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    later=st.integers(0, 70),
)
def test_whatever_a_day_is_called_it_stays_the_same_day(name, said, later):
    today = said + timedelta(days=later)
    reading = reading_on(Memory(f"{name} 일정", "값", said), today)
    span = span_of(f"{name} 일정", said)
    if reading is None:
        assert span.last < today - timedelta(days=1), "nothing of today, yesterday or later is forgotten"
    else:
        assert span_of(reading.key, today) == span and reading.said is None
