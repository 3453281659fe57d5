"""What remembered lines mean together: how they read today, and what becomes of something new beside them.

Knows the table of keys and the calendar; knows no file and no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from llm.memory_mechanism.days import Span, reading_on, span_of, spans_in, subject_of
from llm.memory_mechanism.keys import Holds, holds
from llm.memory_mechanism.memory import Memory

# The words with which people say that a plan has changed; "안 바뀌었어" says the opposite.
_CHANGED = re.compile(
    r"(?<!안)(?<!안 )(?:바뀌었|바뀌어|바뀐|바뀜|바꼈|바꿨|바꿔|바꾸|변경|취소|미뤄|미뤘|미루|밀렸|연기됐|연기되|연기돼|"
    r"옮겼|옮겨|옮기|앞당|당겨|말고(?!도)|대신)"
)


@dataclass(frozen=True)
class Change:
    """A line that now says ``after`` where it said ``before``."""

    before: Memory
    after: Memory


def readings(lines: Iterable[Memory], today: date) -> dict[Memory, Memory]:
    """How the lines that may be recalled today read, in the plain form: reading -> line, in the order of the lines.

    What lies too far back is left out. Of several lines with the same one-value key the last one counts, and of
    several that read the same.
    """
    found: dict[object, tuple[Memory, Memory]] = {}
    for line in lines:
        reading = reading_on(line, today)
        if reading is not None:
            subject = subject_of(reading.key)
            place = "".join(reading.key.split()) if holds(subject) is Holds.ONE else reading
            found.pop(place, None)
            found[place] = reading, line
    return dict(found.values())


def suits(reading: Memory, prompt: str, today: date) -> bool:
    """Whether a line that reads ``reading`` may stand before ``prompt``.

    Not where both name days and have none in common: ``오늘 뭐 하지`` has nothing to do with ``내일 일정``.
    """
    asked = spans_in(prompt, today)
    span = span_of(reading.key, today) if asked else None
    return span is None or any(span.meets(other) for other in asked)


def merge(new: Iterable[Memory], known: Sequence[Memory], words: str = "") -> list[Memory]:
    """``known`` as it is once ``new`` has been said, one after the other.

    A memory that is known (blanks aside, and by whatever name its day had) changes nothing. A key that holds one value
    takes the new one in the old one's place, if ``words`` speak of it: what a model made up replaces nothing that the
    user wrote. One that gathers gets it at the end. A day's schedule gathers, unless ``words`` say that it changed:
    then it takes the place of that day's plan that they name, or of the only one. A plan all of whose words stand in
    one of that day's is that one, said more shortly.

    Args:
        words: what the user said.

    Returns:
        as many memories as ``known`` has, in their places, and behind them those that are added.
    """
    lines = list(known)
    for memory in new:
        about = _about(memory, memory.said)
        same = [place for place, line in enumerate(lines) if _about(line, line.said or memory.said) == about]
        kind = holds(subject_of(memory.key))
        if kind is Holds.ONE:
            same = same[-1:]  # what stands above it counts no more
        if any(_squeezed(lines[place].value) == _squeezed(memory.value) for place in same):
            continue
        if kind is Holds.ONE and same and words and not _heard(memory.value, words):
            continue
        if kind is Holds.SEVERAL_UNTIL_CHANGED:
            told = set(memory.value.split())
            if not _CHANGED.search(words) and any(told <= set(lines[place].value.split()) for place in same):
                continue
            same = _changed(same, lines, memory, words)
        if kind is not Holds.SEVERAL and same:
            lines[same[0]] = memory
        else:
            lines.append(memory)
    return lines


def says_something(memory: Memory) -> bool:
    """Whether the value of ``memory`` adds a word to its key: ``오늘 날씨: 날씨`` says nothing."""
    return not set(memory.value.split()) <= set(memory.key.split())


def without_particle(memory: Memory, words: str) -> Memory:
    """``memory`` without the object particle that its value took along from ``words``: 청국장을 in 청국장을 좋아해.

    Only where the value stands in ``words`` as a word that goes on, and the particle is the one that its last syllable
    takes: 가을, 마을 and 노을 end in no particle.
    """
    stem, particle = memory.value[:-1].rstrip(), memory.value[-1]
    if not stem or not "가" <= stem[-1] <= "힣" or f"{memory.value} " not in words:
        return memory
    closed = (ord(stem[-1]) - ord("가")) % 28 > 0  # it ends in a consonant
    return replace(memory, value=stem) if particle == ("을" if closed else "를") else memory


def _about(memory: Memory, said: date | None) -> tuple[str, Span | None]:
    """What tells one place for values from another: the key without blanks, and the days of which it speaks."""
    span = span_of(memory.key, said) if said else None
    return _squeezed(memory.key if span is None else subject_of(memory.key)), span


def _changed(same: list[int], lines: Sequence[Memory], memory: Memory, words: str) -> list[int]:
    """The one of ``same`` that ``words`` say is no longer so; empty where they say nothing of the kind or of which."""
    if not _CHANGED.search(words):
        return []
    heard = _squeezed(words)
    new = set(memory.value.split())
    named = [sum(word in heard for word in set(lines[place].value.split()) - new) for place in same]
    most = [place for place, count in zip(same, named, strict=True) if count == max(named)]
    return most if len(most) == 1 else []


def _heard(value: str, words: str) -> bool:
    """Whether ``words`` speak of ``value``: two letters in a row of it, or its number (in digits or in words)."""
    value, words = _squeezed(value), _squeezed(words)
    if numbers := set(re.findall(r"\d+", value)):
        said = set(re.findall(r"\d+", words))
        return not said or bool(numbers & said)
    return value in words or any(value[at : at + 2] in words for at in range(len(value) - 1))


def _squeezed(text: str) -> str:
    return "".join(text.split())
