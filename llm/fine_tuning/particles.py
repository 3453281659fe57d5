"""Korean particles that follow a value: which form stands after a final consonant.

A particle pair stands inside its slot, ``{food:은/는}``, or behind it, as people write it in the conversation files:
``{food}(은/는)``. ``{day}(에/)`` is 에 behind all values but the days that do without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SLOT = re.compile(r"\{(\w+)(?::([가-힣]*)/([가-힣]*))?\}(?:\(([가-힣]*)/([가-힣]*)\))?")
_RIEUL = 8  # index of the final consonant ㄹ
# Digits and Latin letters whose Korean reading ends in a consonant: 영 일 삼 육 칠 팔, and 엘 엠 엔 알.
_CLOSED_READINGS = {"0": 21, "1": _RIEUL, "3": 16, "6": 1, "7": _RIEUL, "8": _RIEUL}
_CLOSED_READINGS |= {"l": _RIEUL, "m": 16, "n": 4, "r": _RIEUL}


_WITHOUT_E = ("어제", "오늘", "내일", "모레", "글피")  # 내일 가, but 수요일에 가


def final_consonant(text: str) -> int:
    """Index (0 to 27) of the last syllable's final consonant in Unicode's order; 0 where it ends in a vowel."""
    last = next((c for c in reversed(text.lower()) if c.isalnum()), "")
    if "가" <= last <= "힣":
        return (ord(last) - 0xAC00) % 28
    return _CLOSED_READINGS.get(last, 0)


def choose(value: str, after_consonant: str, after_vowel: str) -> str:
    """The form of a particle pair that follows ``value``; 으로/로 counts ㄹ as a vowel, 에/ asks for no ending."""
    if (after_consonant, after_vowel) == ("에", ""):
        return "" if value in _WITHOUT_E else "에"
    final = final_consonant(value)
    if after_consonant.startswith("으로") and final == _RIEUL:
        return after_vowel
    return after_consonant if final else after_vowel


def attach(template: str, values: Mapping[str, str]) -> str:
    """``template`` with its slots filled and each particle in the form that its value asks for.

    Raises:
        KeyError: a slot that ``values`` does not hold.
    """

    def fill(match: re.Match[str]) -> str:
        name, inner_closed, inner_open, closed, open_ = match.groups()
        value = values[name]
        if inner_closed is not None:
            return value + choose(value, inner_closed, inner_open)
        return value + (choose(value, closed, open_) if closed is not None else "")

    return _SLOT.sub(fill, template)
