"""What a remembered value may be in the user's own words, found where he said it. Knows texts; knows no model."""

from __future__ import annotations

import re

_LONGEST = 24  # characters of a value
_PARTICLE = (
    "이|가|은|는|을|를|의|과|와|에|에서|에게|한테|께|으로|로|이랑|랑|하고|이나|나|만|도|까지|부터|밖에|보다|처럼|마다|쯤"
    "|뿐|만큼|대로|조차|마저|끼리|엔|에선|으론|론|아|야|이여|여|씨|님"
)
_COPULA = (
    "야|예요|에요|요|라|라서|라고|라는|라는데|라니|라니까|라면|라도|라던데|라네|라길래|란|래|래서|지|지만|지롱|죠|네|면|고"
    "|다|니|니까|더라|더라고|던데|거든|잖아|구나|군|냐|냐고|세요|셔|신데|랍니다|며"
)
_PAST = "어|는데|지|고|다|나|네|거든|대|습니다|으면|더라|겠지"
_DO = (
    "하기|하기로|하고|하려고|하러|하는|하는데|하자|하게|하느라|하면|해|해서|해야|했어|했는데|했다|할|할래|할까|할게|한다|한대"
    "|함|합니다"
)
# What hangs on a value's last word: at most two particles, or what makes a sentence of it.
_ENDING = re.compile(
    rf"(?:{_PARTICLE})(?:은|는|만|도|요|야|이야|예요|이에요)?|이?(?:{_COPULA})요?|(?:였|이었)(?:{_PAST})요?"
    rf"|인|인데도?요?|인가요?|인걸요?|인지|일걸|일까|임|입니다만?|(?:{_DO})요?|파|행|생|생이야|중|때문에"
)
_LONGEST_ENDING = 6  # letters of an ending

_RUN = re.compile(r"[^\W_](?:[\w &+·'%/-]|(?<=\d)[.:](?=\d))*")  # no value goes over the end of a sentence
_WORD = re.compile(r"[^\W_]+")
_GLUED = 8  # letters from which a word may be several that were typed without blanks


def value_spans(text: str) -> list[str]:
    """Every piece of ``text`` that may be a value, in the order in which they stand.

    A value begins where a word begins. It ends where one ends or, as particles and endings are written together with
    what they follow, before one of those. Where words are typed without blanks, it may begin and end anywhere.
    """
    spans = []
    for run in _RUN.finditer(text):
        words = [match.span() for match in _WORD.finditer(run.group())]
        for start, end in words:
            starts = range(start, end) if end - start >= _GLUED else (start,)
            spans += [run.group()[at:stop] for at in starts for stop in _stops(run.group(), words, at)]
    return list(dict.fromkeys(spans))


def _stops(run: str, words: list[tuple[int, int]], at: int) -> list[int]:
    """Where a value that begins at ``at`` of ``run`` may end."""
    stops = []
    for start, end in words:
        if end > at:
            glued = end - start >= _GLUED
            first = max(start + 1, at + 1, 0 if glued else end - _LONGEST_ENDING)
            may_end = (stop for stop in range(first, end) if glued or _ENDING.fullmatch(run, stop, end))
            stops += [stop for stop in (*may_end, end) if stop - at <= _LONGEST]
    return stops
