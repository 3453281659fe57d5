"""Korean particles: the form that each kind of ending asks for."""

import pytest

from llm.fine_tuning.particles import attach, choose, final_consonant


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("가", 0),
        ("각", 1),
        ("값", 18),
        ("힣", 27),
        ("서울", 8),
        ("민수", 0),
        ("", 0),
        ("?!", 0),
        ("혜나 ✨", 0),
        ("친구들!", 8),
    ],
)
def test_final_consonant_in_unicodes_order(text, index):
    assert final_consonant(text) == index


PAIRS = {
    ("은", "는"): ("등산은", "축구는", "서울은", "3은", "2는", "LLM은", "MBTI는"),
    ("이", "가"): ("등산이", "축구가", "서울이", "3이", "2가", "LLM이", "MBTI가"),
    ("을", "를"): ("등산을", "축구를", "서울을", "3을", "2를", "LLM을", "MBTI를"),
    ("과", "와"): ("등산과", "축구와", "서울과", "3과", "2와", "LLM과", "MBTI와"),
    ("이야", "야"): ("등산이야", "축구야", "서울이야", "3이야", "2야", "LLM이야", "MBTI야"),
    ("이라고", "라고"): ("등산이라고", "축구라고", "서울이라고", "3이라고", "2라고", "LLM이라고", "MBTI라고"),
    ("으로", "로"): ("등산으로", "축구로", "서울로", "3으로", "2로", "LLM으로", "MBTI로"),
    ("으로서", "로서"): ("등산으로서", "축구로서", "서울로서", "3으로서", "2로서", "LLM으로서", "MBTI로서"),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_every_pair_after_every_ending(pair):
    values = ("등산", "축구", "서울", "3", "2", "LLM", "MBTI")
    assert tuple(value + choose(value, *pair) for value in values) == PAIRS[pair]


@pytest.mark.parametrize("digit", "0136789245")
def test_digits_are_read_in_korean(digit):
    read = {
        "0": "영",
        "1": "일",
        "2": "이",
        "3": "삼",
        "4": "사",
        "5": "오",
        "6": "육",
        "7": "칠",
        "8": "팔",
        "9": "구",
    }
    assert choose(digit, "은", "는") == choose(read[digit], "은", "는")
    assert choose(digit, "으로", "로") == choose(read[digit], "으로", "로")


TEMPLATES = {
    "{food}(을/를) 먹자": "김밥을 먹자",
    "{food:을/를} 먹자": "김밥을 먹자",
    "{name}(아/야), {food}(은/는) 어때? {food}!": "혜나야, 김밥은 어때? 김밥!",
    "{name:이/}가": "혜나가",
    "{food:이/}가": "김밥이가",
    "(을/를) 그대로 {food} (은/는)": "(을/를) 그대로 김밥 (은/는)",
    "{food} {": "김밥 {",
    "아무것도 없어": "아무것도 없어",
    "": "",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_slots_are_filled_with_their_particles(template):
    assert attach(template, {"food": "김밥", "name": "혜나"}) == TEMPLATES[template]


def test_a_slot_without_a_value():
    with pytest.raises(KeyError):
        attach("{drink}(을/를) 마시자", {"food": "김밥"})


def test_a_value_is_never_read_as_a_template():
    assert attach("{food} 좋아", {"food": "{name}(을/를)", "name": "혜나"}) == "{name}(을/를) 좋아"


@pytest.mark.parametrize(
    ("day", "text"), [("내일", "내일 가"), ("모레", "모레 가"), ("수요일", "수요일에 가"), ("다음 주", "다음 주에 가")]
)
def test_days_that_do_without_a_particle(day, text):
    assert attach("{day}(에/) 가", {"day": day}) == text
