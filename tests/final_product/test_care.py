"""The program points to help when, and only when, somebody speaks of ending his life."""

import pytest

from final_product.care import HELP, help_for


@pytest.mark.parametrize(
    "text",
    [
        "죽고 싶다",
        "로라야 나 죽고싶어ㅠㅠ",
        "그냥 죽을래",
        "살기 싫다 진짜",
        "더는 살고 싶지 않아요",
        "사라지고 싶다는 생각이 자꾸 들어",
        "그냥 없어지고 싶어",
        "다 놓고 사라져버리고 싶다",
        "옥상에서 뛰어내리고 싶어",
        "자해했어",
        "유서 쓰고 있어",
        "난간에서 뛰어내리려고 왔어",
        "나 오늘 죽을 거야",
        "죽기로 마음먹었어",
        "방금 약 한 통 다 먹었어",
        "수면제를 잔뜩 사 왔어",
    ],
)
def test_help_is_named(text):
    assert help_for(text) == HELP and "109" in HELP


@pytest.mark.parametrize(
    "text",
    ["배고파 죽겠다", "심심해 죽겠네", "배고파서 죽고 싶다ㅋㅋ", "죽 먹고 싶다", "살 빼기 싫다", "오늘 힘들었어"]
    + ["더워서 죽을 거야 진짜", "죽기 살기로 공부했어", "치약 한 통 샀어", "약 먹었어", "번지점프대에서 뛰어내렸어"],
)
def test_ordinary_talk_is_left_to_her(text):
    assert help_for(text) is None
