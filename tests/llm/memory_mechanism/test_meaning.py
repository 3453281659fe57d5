"""What remembered lines mean together: values that replace each other, plans that change, days that decide."""

from datetime import date, timedelta

import pytest

from llm.memory_mechanism.meaning import merge, readings, says_something, suits, without_particle
from llm.memory_mechanism.memory import Memory

SUNDAY = date(2026, 11, 22)
MONDAY = SUNDAY + timedelta(days=1)
BUSAN, SEOUL = Memory("사는 곳", "부산"), Memory("사는 곳", "서울")
NAME = Memory("이름", "민수")


def said(key, value, day=SUNDAY):
    return Memory(key, value, day)


def test_a_key_of_one_value_keeps_its_place():
    assert merge([SEOUL], [BUSAN, NAME]) == [SEOUL, NAME]
    assert merge([Memory("사는곳", "부 산")], [BUSAN, NAME]) == [BUSAN, NAME], "blanks are no news"
    assert merge([SEOUL, BUSAN, NAME], []) == [BUSAN, NAME], "said in one breath: the last one counts"


@pytest.mark.parametrize(
    ("known", "new", "words", "heard"),
    [
        (BUSAN, SEOUL, "나 서울로 이사했어", True),
        (BUSAN, SEOUL, "부산 바다 보고 싶다", False),
        (Memory("이름", "민수"), Memory("이름", "윤"), "내 이름은 윤이야", True),
        (Memory("이름", "민수"), Memory("이름", "남궁 윤"), "사실 나 남궁윤이야", True),
        (Memory("나이", "25살"), Memory("나이", "26살"), "나 이제 스물여섯이야", True),
        (Memory("나이", "25살"), Memory("나이", "26살"), "나 이제 26이야", True),
        (Memory("나이", "25살"), Memory("나이", "62살"), "나 이제 26이야", False),
    ],
)
def test_what_the_user_did_not_say_replaces_nothing(known, new, words, heard):
    assert merge([new], [known], words) == [new if heard else known]


def test_of_equal_keys_of_one_value_the_last_line_is_the_one_that_counts():
    assert merge([SEOUL], [SEOUL, BUSAN]) == [SEOUL, SEOUL]
    assert list(readings([SEOUL, NAME, BUSAN], SUNDAY)) == [NAME, BUSAN]


def test_tastes_and_unknown_keys_gather():
    known = [Memory("좋아하는 음식", "김밥"), Memory("단골 당구장", "큐")]
    new = [Memory("좋아하는 음식", "라면"), Memory("단골 당구장", "포켓")]
    assert merge(new, known, "이제 바뀌었어") == known + new
    assert merge(known, known) == known


def test_the_weather_of_a_day_replaces_that_of_the_same_day():
    rain, sun = said("오늘 날씨", "비"), said("오늘 날씨", "맑음")
    assert merge([sun], [rain]) == [sun]
    assert merge([said("오늘 날씨", "눈", MONDAY)], [rain]) == [rain, said("오늘 날씨", "눈", MONDAY)]
    assert merge([said("오늘 날씨", "눈", MONDAY)], [said("내일 날씨", "비")]) == [said("오늘 날씨", "눈", MONDAY)]
    assert merge([sun], [Memory("오늘 날씨", "비")]) == [sun], "a line without a day is about the day it names"


FRIEND, DENTIST = said("내일 일정", "친구 만나기"), said("내일 일정", "치과")
FILM = said("내일 일정", "영화 보기")


def test_plans_of_a_day_gather():
    assert merge([DENTIST], [FRIEND], "나 내일 치과도 가") == [FRIEND, DENTIST]
    assert merge([DENTIST], [FRIEND], "일정 안 바뀌었어") == [FRIEND, DENTIST]
    assert merge([DENTIST], [FRIEND], "친구 말고도 치과에 가") == [FRIEND, DENTIST]


def test_a_plan_said_more_shortly_is_no_second_one():
    whole = said("내일 일정", "지우랑 영화 보기")
    assert merge([FILM], [whole], "나 내일 영화 봐") == [whole]
    assert merge([whole], [FILM], "지우랑 보기로 했어") == [FILM, whole], "it says more"
    assert merge([FILM], [whole], "지우 약속 취소돼서 혼자 봐") == [FILM]
    assert merge([Memory("좋아하는 음식", "라면")], [Memory("좋아하는 음식", "매운 라면")]) != [
        Memory("좋아하는 음식", "매운 라면")
    ], "tastes gather"


@pytest.mark.parametrize(
    "words",
    ["내일 일정 바뀌었어", "친구 말고 영화 보기로 했어", "약속 취소됐어", "친구는 미뤘어", "친구 대신 영화", "변경!"],
)
def test_a_plan_that_changed_takes_the_place_of_the_only_one_of_its_day(words):
    today = said("오늘 일정", "치과")
    assert merge([FILM], [today, FRIEND, NAME], words) == [today, FILM, NAME]


def test_of_several_plans_the_one_that_is_named_makes_room():
    assert merge([FILM], [FRIEND, DENTIST], "내일 치과 말고 영화 보기로 했어") == [FRIEND, FILM]
    assert merge([FILM], [FRIEND, DENTIST], "친구랑 만나기로 한 거 취소됐어") == [FILM, DENTIST]
    assert merge([FILM], [FRIEND, DENTIST], "내일 일정 바뀌었어") == [FRIEND, DENTIST, FILM], "none is lost by a guess"


def test_a_plan_is_the_same_by_whatever_name_its_day_has():
    assert merge([said("오늘 일정", "친구만나기", MONDAY)], [FRIEND]) == [FRIEND]
    cinema = said("오늘 일정", "영화", MONDAY)
    assert merge([cinema], [FRIEND], "친구 말고 영화 보게 됐어") == [cinema]
    again = said("내일 일정", "친구 만나기", SUNDAY + timedelta(days=200))
    assert merge([again], [FRIEND]) == [FRIEND, again], "the same words, another day"


def test_what_a_user_wrote_without_a_day_is_known():
    assert merge([FRIEND], [Memory("내일 일정", "친구 만나기")]) == [Memory("내일 일정", "친구 만나기")]


def test_readings_are_plain_and_lead_to_their_lines():
    undated = Memory("내일 일정", "이사")
    old = said("오늘 일정", "면접", SUNDAY - timedelta(days=9))
    assert readings([old, FRIEND, undated, NAME], MONDAY) == {
        Memory("오늘 일정", "친구 만나기"): FRIEND,
        undated: undated,
        NAME: NAME,
    }
    twice = said("오늘 일정", "친구 만나기", MONDAY)
    assert readings([FRIEND, NAME, twice], MONDAY) == {NAME: NAME, Memory("오늘 일정", "친구 만나기"): twice}


def test_days_decide_between_plans():
    tomorrow, today = Memory("내일 일정", "이사"), Memory("오늘 일정", "면접")
    weekend = Memory("이번 주말 일정", "캠핑")
    for prompt, fitting in {
        "나 내일 뭐하지": {tomorrow},
        "오늘 뭐 하지": {today, weekend},  # on a Sunday
        "이번 주말에 뭐해": {today, weekend},
        "어제 뭐 했더라": {weekend},
        "그저께 뭐 했더라": set(),
        "뭐 하지": {tomorrow, today, weekend},
    }.items():
        assert {memory for memory in (tomorrow, today, weekend) if suits(memory, prompt, SUNDAY)} == fitting
        assert suits(NAME, prompt, SUNDAY)


@pytest.mark.parametrize(
    ("value", "words", "wanted"),
    [
        ("청국장을", "나는 청국장을 제일 좋아해", "청국장"),
        ("떡볶이를", "떡볶이를 좋아해", "떡볶이"),
        ("가을", "나는 가을 좋아해", "가을"),
        ("노을", "노을 보는 거 좋아해", "노을"),
        ("청국장", "나는 청국장을 제일 좋아해", "청국장"),
        ("청국장을", "좋아하는 음식은 청국장을", "청국장을"),
        ("청국장을", "김치찌개 좋아해", "청국장을"),
        ("A를", "A를 좋아해", "A를"),
        ("을", "을 좋아해", "을"),
    ],
)
def test_a_particle_that_came_along_is_no_part_of_a_value(value, words, wanted):
    assert without_particle(Memory("좋아하는 음식", value), words).value == wanted


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("오늘 날씨", "날씨", False),
        ("내일 일정", "내일 일정", False),
        ("오늘 날씨", "쌀쌀한 날씨", True),
        ("좋아하는 음식", "김치찌개", True),
        ("음식점 이름", "맛있는 음식점", True),
    ],
)
def test_a_value_that_only_repeats_its_key_says_nothing(key, value, says):
    assert says_something(Memory(key, value)) == says
