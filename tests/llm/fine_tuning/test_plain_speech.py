"""Polite sentences turned plain: each ending that has a rule, and what is refused instead of half turned."""

import pytest

from llm.fine_tuning.plain_speech import to_plain_speech

TURNED = {
    "안녕하세요.": "안녕.",
    "정말 힘들었겠네요.": "정말 힘들었겠네.",
    "같이 가요!": "같이 가!",
    "잘 될 거예요~": "잘 될 거야~",
    "좋은 생각이에요.": "좋은 생각이야.",
    "둘 중 하나예요.": "둘 중 하나야.",
    "그건 사랑이 아니에요.": "그건 사랑이 아니야.",
    "푹 쉬세요.": "푹 쉬어.",
    "한번 도전해 보세요!": "한번 도전해 봐!",
    "맛있는 거 드세요.": "맛있는 거 먹어.",
    "안녕히 주무세요.": "안녕히 자.",
    "걱정하지 마세요.": "걱정하지 마.",
    "우산 챙기세요.": "우산 챙겨.",
    "약을 바르세요.": "약을 발라.",
    "하나 고르세요.": "하나 골라.",
    "노래를 부르세요.": "노래를 불러.",
    "믿으세요.": "믿어.",
    "앉으세요.": "앉아.",
    "저녁 먹었나요?": "저녁 먹었나?",
    "노래 불러 줄까요?": "노래 불러 줄까?",
    "맛있겠죠?": "맛있겠지?",
    "재미있습니다.": "재미있어.",
    "사랑합니다.": "사랑해.",
    "꽃길만 걷길 바랍니다.": "꽃길만 걷길 바라.",
    "좋은 현상입니다.": "좋은 현상이야.",
    "제일 좋은 친구입니다.": "제일 좋은 친구야.",
    "행복해 보입니다.": "행복해 보여.",
    "누구인가요?": "누구야?",
    "어떤 사람인가요?": "어떤 사람이야?",
    "괜찮아요. 천천히 해요!": "괜찮아. 천천히 해!",
    "벌써 반말이야": "벌써 반말이야",
    "  좋아요ㅎㅎ ": "좋아ㅎㅎ",
}


@pytest.mark.parametrize("polite", TURNED)
def test_what_has_a_rule(polite):
    assert to_plain_speech(polite) == TURNED[polite]


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "   ",
        "뜻밖의 어미이시오.",
        "처음 보는 게 맞습니까?",
        "빨리 흐르세요.",
        "좋아요. 처음 보는 게 맞습니까?",
        "당신은 좋은 사람이에요.",
        "저는 로봇이에요.",
        "할머니께서 오셨어요.",
        "힘드시면 말해요.",
    ],
)
def test_what_is_refused(sentence):
    assert to_plain_speech(sentence) is None


@pytest.mark.parametrize("polite", TURNED)
def test_plain_speech_stays_plain(polite):
    assert to_plain_speech(TURNED[polite]) == TURNED[polite]
