"""The cues: which of them stand in a reply."""

import pytest

from llm.expressions.cues import CUES, cue_features

FOUND = {
    "": set(),
    "응": set(),
    "그래.": {"nothing but full stops"},
    "좋아! 😊": {"exclamation mark", "smiling emoji"},
    "오! 진짜?!": {
        "exclamation mark",
        "two exclamation marks",
        "question mark",
        "exclaimed question",
        "begins with oh",
    },
    "오늘은 어때?": {"question mark"},
    "와 그렇구나": {"begins with oh"},
    "와서 봐": set(),
    "음… 글쎄": {"ellipsis", "begins with hm"},
    "음식은 좋아": set(),
    "ㅋㅋㅋ 웃겨 😆": {"laughing letters", "laughing emoji", "fun"},
    "보고 싶다 ㅠㅠ 😢": {"crying letters", "crying emoji"},
    "미안해… 좀 쑥스럽네": {"ellipsis", "apology", "shyness"},
    "헉, 병원은 가 봤어?": {"question mark", "begins with a gasp", "care"},
    "흥, 그만해.": {"nothing but full stops", "begins with a sulk", "anger"},
    "많이 무섭지… 117에 말하자.": {"ellipsis", "fright", "sympathy", "crisis"},
    "1170원이야": set(),
    "음, 걱정 마.": {"begins with hm", "nothing but full stops"},
    "네 탓이 아니야.": {"comfort", "nothing but full stops"},
    "난 날씨를 못 봐": {"cannot"},
    "그럴지도 몰라": {"wondering"},
    "아! 그거구나~": {"exclamation mark", "tilde", "begins with ah"},
}


@pytest.mark.parametrize("reply", FOUND)
def test_cues(reply):
    features = cue_features(reply)
    assert features.shape == (len(CUES),) and features.dtype == "float32"
    assert {name for name, value in zip(CUES, features, strict=True) if value} == FOUND[reply]
    assert (cue_features(f"  {reply}\n") == features).all(), "blanks around a reply say nothing"
