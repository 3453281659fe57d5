"""The days of which a memory's key and a prompt speak (오늘, 이번 주말, …), and what they are called on another day.

A week begins on Monday. Knows no file; the day it is comes from the caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from llm.memory_mechanism.memory import Memory

# Days from the day on which the word is said.
_DAYS = {
    "엊그제": -2, "그저께": -2, "그제": -2, "어제": -1, "오늘": 0, "내일모레": 2, "내일": 1, "모레": 2, "글피": 3,
}  # fmt: skip
_WEEKS = _MONTHS = {"지난": -1, "저번": -1, "이번": 0, "다음": 1}
_WEEKDAYS = "월화수목금토일"

# How spans are called, days, weeks or months from the day it is: the same words that the conversations use.
_DAY_NAMES = {-1: "어제", 0: "오늘", 1: "내일", 2: "모레"}
_WEEKEND_NAMES = {-1: "지난 주말", 0: "이번 주말", 1: "다음 주말"}
_WEEK_NAMES = {-1: "지난주", 0: "이번 주", 1: "다음 주"}
_MONTH_NAMES = {-1: "지난달", 0: "이번 달", 1: "다음 달"}

_ENDS = r"(?:(?![가-힣])|(?=에|엔|은|는|도|의|말고|까지|부터|일정|약속|계획|뭐))"
_NAME = (
    r"(?P<day>내일\s*모레|엊그제|그저께|그제|어제|오늘|내일|모레|글피)"
    r"|(?P<week>지난|저번|이번|다음)\s*주"
    rf"(?:\s*(?:(?P<weekend>주말|말(?!고))|(?P<weekday>[월화수목금토일])요일)|{_ENDS})"
    rf"|(?P<month>지난|저번|이번|다음)\s*달{_ENDS}"
)
# In a key a day is a word of its own (내일배움카드 is none). A weekday alone is the coming one where it has a plan:
# 금요일 일정; what 금요일 수업 is about may come round every week.
_IN_KEY = re.compile(
    rf"(?<![가-힣])(?:(?:{_NAME})(?=$|[^가-힣]|일정|약속|날씨)"
    r"|(?<!매주 )(?P<coming>[월화수목금토일])요일(?=\s*(?:일정|약속|예약)))"
)
# In a prompt people leave blanks out (나내일뭐해), and name days more loosely.
_IN_PROMPT = re.compile(
    rf"오늘따라|어제발|(?:{_NAME})|(?P<tomorrow>(?<![가-힣])낼(?![가-힣]))"
    r"|(?P<this_weekend>주말(?!고))|(?P<some_weekday>[월화수목금토일])요일"
)


@dataclass(frozen=True)
class Span:
    """The days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def meets(self, other: Span) -> bool:
        """Whether the two have a day in common."""
        return self.first <= other.last and other.first <= self.last


def subject_of(key: str) -> str:
    """``key`` without its day: ``내일 일정`` -> ``일정``. A key that names no day, or several, as it is."""
    name = _name_in(key)
    return key if name is None else " ".join((key[: name.start()] + " " + key[name.end() :]).split())


def span_of(key: str, said: date) -> Span | None:
    """The days of which ``key`` spoke when it was ``said``; None where it names no day, or several."""
    name = _name_in(key)
    return None if name is None else _span(name, said)


def spans_in(prompt: str, today: date) -> list[Span]:
    """The days of which ``prompt`` speaks. A weekday alone may be that of this week or of the next."""
    spans = []
    for name in _IN_PROMPT.finditer(prompt):
        if name["tomorrow"]:
            spans.append(span_of("내일", today))
        elif name["this_weekend"]:
            spans.append(span_of("이번 주말", today))
        elif name["some_weekday"]:
            spans += [span_of(f"{week} 주 {name['some_weekday']}요일", today) for week in ("이번", "다음")]
        elif name["day"] or name["week"] or name["month"]:
            spans.append(_span(name, today))
    return [span for span in spans if span is not None]


def dated(memory: Memory, today: date) -> Memory:
    """``memory`` as it is written down today: with the day where its key names one, else as it is."""
    return replace(memory, said=today) if _name_in(memory.key) else memory


def reading_on(memory: Memory, today: date) -> Memory | None:
    """``memory`` as it reads today, in the plain form; None once it lies so far back that nobody brings it up.

    What was said of tomorrow is about today on the next day, then about yesterday; a weekend, a week and a month are
    this, then the last one. During a weekend 이번 주말 stays 이번 주말: on which of its two days it falls was never
    said. On the day it was said, and where no day is noted, a memory reads as it is written.
    """
    plain = Memory(memory.key, memory.value)
    name = _name_in(memory.key)
    if name is None or memory.said is None or memory.said == today:
        return plain
    span = _span(name, memory.said)
    if span is None:  # a day at the very end of the calendar
        return plain
    called = _name_of(span, today)
    return (
        None if called is None else Memory(memory.key[: name.start()] + called + memory.key[name.end() :], plain.value)
    )


def _name_in(key: str) -> re.Match[str] | None:
    names = list(_IN_KEY.finditer(key))
    return names[0] if len(names) == 1 else None


def _span(name: re.Match[str], said: date) -> Span | None:
    """The days that a match of ``_IN_KEY`` or ``_NAME`` means; None beyond the ends of the calendar."""
    parts = name.groupdict()
    try:
        if parts["day"]:
            return _one_day(said + timedelta(days=_DAYS["".join(parts["day"].split())]))
        if parts.get("coming"):
            return _one_day(said + timedelta(days=(_WEEKDAYS.index(parts["coming"]) - said.weekday()) % 7))
        if parts["month"]:
            first = _first_of_month(said, _MONTHS[parts["month"]])
            return Span(first, _first_of_month(first, 1) - timedelta(days=1))
        monday = _monday(said) + timedelta(weeks=_WEEKS[parts["week"]])
        if parts["weekday"]:
            return _one_day(monday + timedelta(days=_WEEKDAYS.index(parts["weekday"])))
        return Span(monday + timedelta(days=5 if parts["weekend"] else 0), monday + timedelta(days=6))
    except (OverflowError, ValueError):
        return None


def _name_of(span: Span, today: date) -> str | None:
    days = (span.first - today).days
    weeks = (_monday(span.first) - _monday(today)).days // 7
    length = (span.last - span.first).days + 1
    if length == 2:
        return _WEEKEND_NAMES.get(weeks)
    if length == 7:
        return _WEEK_NAMES.get(weeks)
    if length > 7:
        return _MONTH_NAMES.get(12 * (span.first.year - today.year) + span.first.month - today.month)
    if days > max(_DAY_NAMES) and weeks in (0, 1):
        return f"{_WEEK_NAMES[weeks]} {_WEEKDAYS[span.first.weekday()]}요일"
    return _DAY_NAMES.get(days)


def _one_day(day: date) -> Span:
    return Span(day, day)


def _first_of_month(day: date, months: int) -> date:
    """The first day of the month that is ``months`` after that of ``day``."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
