"""Where a memory's value may stand in what the user said."""

import pytest

from llm.copied_value import value_spans


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("나는 부산 살아", "부산"),
        ("나 요즘 컴활 2급 준비해", "컴활 2급"),
        ("내 꿈? 변호사!", "변호사"),
        ("창문 너머 가사가 너무 좋아", "창문 너머"),
        ("저는 광고홍보학과입니다", "광고홍보학과"),
        ("내일은친구만나는날", "친구"),  # typed without blanks
        ("회의는 3:30이야", "3:30"),
        ("키는 172.5cm야", "172.5cm"),
        ("혈액형은 AB형이에요", "AB형"),
        ("친구 이름은 김-민수", "김-민수"),
        ("난 스키야키까지는 먹어", "스키야키"),  # two particles
        ("제 남자친구는 심도겸이라고 해요", "심도겸"),
        ("주말엔 필사하려고", "필사"),
    ],
)
def test_a_value_is_found_where_it_was_said(said, value):
    assert value in value_spans(said)


@pytest.mark.parametrize(
    ("said", "never"),
    [
        ("내 꿈은 변호사야", "호사"),  # begins within a word
        ("나는 부산. 너는?", "부산. 너"),  # goes over the end of a sentence
        ("좋아하는 건 [비밀] 이야", "건 [비밀"),
        ("내 이름은 민수", " 민수"),
        ("나 연어알 알레르기야", "연어"),  # 알 is no particle
        ("밴드 파란선인장 완전 좋아해", "파란선"),
        ("제 남자친구는 심도겸이라고 해요", "심도"),
    ],
)
def test_no_value_begins_or_ends_within_a_word_or_goes_over_a_sentence(said, never):
    assert never not in value_spans(said)


def test_nothing_said_has_no_values_and_no_piece_comes_twice():
    assert value_spans("") == value_spans("?! ...") == []
    spans = value_spans("사과 사과 사과")
    assert len(spans) == len(set(spans)) and all(0 < len(span) <= 24 for span in spans)


def test_a_long_text_has_only_so_many_values():
    assert len(value_spans("가나다라 " * 100)) < 3000
    assert len(value_spans("가" * 500)) <= 24
