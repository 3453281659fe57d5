"""Polite Korean sentence endings (해요체, 합쇼체) into plain ones (해체), as a friend speaks.

Public dialogue data answer politely, Oh-LoRA does not. The rules cover the endings that occur often;
a sentence with any other polite ending is refused (None) rather than half turned.
"""

from __future__ import annotations

import re

from llm.fine_tuning.particles import choose

# The first rule that matches a sentence's end decides. Order: longer and rarer endings first. A pair of endings
# (이야/야) stands after a consonant and after a vowel.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern + "$"), plain)
    for pattern, plain in [
        (r"해\s?보세요", "해 봐"),
        (r"(?<=[아어여해와워봐켜])\s?보세요", " 봐"),
        (r"보세요", "봐"),
        (r"주무세요", "자"),
        (r"드세요", "먹어"),
        (r"계세요", "있어"),
        (r"안녕하세요", "안녕"),
        (r"하세요", "해"),
        (r"주세요", "줘"),
        (r"마세요", "마"),
        (r"오세요", "와"),
        (r"가세요", "가"),
        (r"사세요", "사"),
        (r"나세요", "나"),
        (r"내세요", "내"),
        (r"지세요", "져"),
        (r"리세요", "려"),
        (r"기세요", "겨"),
        (r"두세요", "둬"),
        (r"우세요", "워"),
        (r"추세요", "춰"),
        (r"쉬세요", "쉬어"),
        (r"바르세요", "발라"),
        (r"고르세요", "골라"),
        (r"거르세요", "걸러"),
        (r"부르세요", "불러"),
        (r"누르세요", "눌러"),
        (r"두르세요", "둘러"),
        (r"따르세요", "따라"),
        (r"(?<=[있믿웃먹읽입씻찾잊끊힘])으세요", "어"),
        (r"(?<=[잡찾받닫앉])으세요", "아"),
        (r"거(?:에|예|이에)요", "거야"),
        (r"이(?:에|예)요", "이야"),
        (r"아니에요", "아니야"),
        (r"예요", "야"),
        (r"(?<=[가-힣])시네요", "네"),
        (r"겠군요", "겠다"),
        (r"(?<=[는])군요", "구나"),
        (r"네요", "네"),
        (r"(?:지요|죠)", "지"),
        (r"인가요", "이야/야"),
        (r"나요", "나"),
        (r"까요", "까"),
        (r"저도요", "나도"),
        (r"(?<=[있없했었았겠됐났])습니다", "어"),
        (r"좋습니다", "좋아"),
        (r"같습니다", "같아"),
        (r"바랍니다", "바라"),
        (r"합니다", "해"),
        (r"보입니다", "보여"),
        (r"입니다", "이야/야"),
        (r"됩니다", "돼"),
        (r"봅니다", "봐"),
        (r"갑니다", "가"),
        (r"옵니다", "와"),
        (r"랍니다", "래"),
    ]
)
# 요 after one of these is dropped: the rest is already a plain ending.
_DROP_YO = re.compile(
    r"(?<=[아어여해와워봐켜가나져쳐겨려러커서돼되봐빠파싸차퍼펴뻐춰줘둬뒤내래네게고데면라줘말마걸든자쉬예매배개써꺼떠쁘퍼])요$"
)
_POLITE = re.compile(r"(?:요|니다|니까|시오)$")
_SPLIT = re.compile(r"(?<=[.?!~])\s+")
_TAIL = re.compile(r"[.?!~ ㅠㅎㅋ…^]*$")
_HONORIFIC = re.compile(r"당신|그대|저는|저도|제가|제게|저를|저의|저한테|저에게|제 |세요|시[길면는고]|신\s|께서")


def to_plain_speech(text: str) -> str | None:
    """``text`` with every sentence in plain speech, or None where a rule is missing."""
    sentences = [_sentence(s) for s in _SPLIT.split(text.strip()) if s]
    if not sentences or any(s is None for s in sentences):
        return None
    plain = " ".join(s for s in sentences if s)
    return None if _HONORIFIC.search(plain) else plain


def _sentence(sentence: str) -> str | None:
    tail = _TAIL.search(sentence).group()  # type: ignore[union-attr]  # the pattern matches the empty string
    body = sentence[: len(sentence) - len(tail)]
    for pattern, plain in _RULES:
        if match := pattern.search(body):
            stem = body[: match.start()]
            return stem + (choose(stem, *plain.split("/")) if "/" in plain else plain) + tail
    body = _DROP_YO.sub("", body)
    return None if _POLITE.search(body) else body + tail
