"""What a remembered value may be in the user's own words, found where he said it. Knows texts; knows no model."""

from __future__ import annotations

import re

_LONGEST = 24  # characters of a value
_LONGEST_ENDING = 5  # letters of particles and endings that may hang on a value's last word

_RUN = re.compile(r"[^\W_](?:[\w &+·'%/-]|(?<=\d)[.:](?=\d))*")  # no value goes over the end of a sentence
_WORD = re.compile(r"[^\W_]+")
_GLUED = 8  # letters from which a word may be several that were typed without blanks


def value_spans(text: str) -> list[str]:
    """Every piece of ``text`` that may be a value, in the order in which they stand.

    A value begins where a word begins. It ends where one ends or, as particles and endings are written together with
    what they follow, some letters before. Where words are typed without blanks, a value may begin anywhere.
    """
    spans = []
    for run in _RUN.finditer(text):
        words = [match.span() for match in _WORD.finditer(run.group())]
        for start, end in words:
            starts = range(start, end) if end - start >= _GLUED else (start,)
            spans += [run.group()[at:stop] for at in starts for stop in _stops(words, at)]
    return list(dict.fromkeys(spans))


def _stops(words: list[tuple[int, int]], at: int) -> list[int]:
    """Where a value that begins at ``at`` may end."""
    stops = []
    for start, end in words:
        glued = end - start >= _GLUED
        first = max(start + 1, at + 1, 0 if glued else end - _LONGEST_ENDING)
        stops += [stop for stop in range(first, end + 1) if stop - at <= _LONGEST] if end > at else []
    return stops
