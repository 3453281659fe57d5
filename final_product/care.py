"""When somebody speaks of ending his life, the program itself points to people who can help.

A small language model cannot be trusted with such a moment, and its play must not answer it: the line is the program's
own, in brackets like its other notices, and never passes for Oh-LoRA's words. Knows no model.
"""

from __future__ import annotations

import re

HELP = (
    "혼자 견디기 힘든 마음이라면 지금 바로 이야기할 수 있는 사람이 있어요. 자살예방상담전화 109(24시간), "
    "위급하면 119. 가까운 사람에게도 꼭 알려 주세요."
)

_SELF_HARM = re.compile(
    r"죽고\s*싶|죽고\s*시[퍼프]|죽어\s*버리고|죽을래|죽어야\s*(?:겠|할까|하나)|자살|자해|(?:그만|더\s*는|더\s*이상)\s*살고\s*싶지"
    r"|살고\s*싶지\s*(?:가\s*)?않|살기\s*(?:가\s*)?(?:싫|힘들)|(?:사라|없어)지고\s*싶|(?:사라|없어)져\s*버리고\s*싶"
    r"|뛰어내리(?:고\s*싶|려고)|뛰어내릴\s*(?:래|거|까)|세상을?\s*떠나고\s*싶|목숨을?\s*끊|손목을?\s*그"
    r"|유서[를도]?\s*(?:써|쓰|썼)|번개탄|죽기로|죽을\s*(?:준비|거야|거예요|겁니다)"
    r"|(?<![가-힣])(?:약|수면제)[을를도]?\s*(?:한\s*통|통째|잔뜩|모아)"
)
# 배고파 죽고 싶다 and the like are figures of speech only where they say so themselves.
_FIGURE = re.compile(r"(?:배고파|졸려|웃겨|심심해|귀여워|더워|추워|좋아|보고\s*싶어)서?\s*죽")


def help_for(text: str) -> str | None:
    """The line that points to help, where ``text`` speaks of suicide or self-harm; else None."""
    return HELP if _SELF_HARM.search(text) and not _FIGURE.search(text) else None
