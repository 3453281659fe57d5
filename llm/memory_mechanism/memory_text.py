"""The memory file's text: which memories stand where, and how they are added, changed, removed and put back.

Whatever is no memory stays as it is. Knows no disk and no encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from llm.memory_mechanism.meaning import Change
from llm.memory_mechanism.memory import Memory, find_memories

_ONLY_MEMORIES = re.compile(r"\ufeff*\s*\[.*\](?:[ \t]*\([0-9./\- ]+\))?\s*")
_MARK = "\ufeff"  # a byte-order mark: what comes first must stay first


@dataclass(frozen=True)
class Edit:
    """A line that said ``before`` and now says ``after``; None where there was no line, or is none any more.

    Attributes:
        above: how many lines stood above a line that was removed.
        was: a removed memory's whole line, its end included.
        left: what is left of that line, where it held something else as well.
    """

    before: Memory | None
    after: Memory | None
    above: int = 0
    was: str = ""
    left: str = ""


def edits_of(added: Iterable[Memory], changed: Iterable[Change]) -> tuple[Edit, ...]:
    """What ``undone`` takes back, where memories were added and others took an older one's place."""
    return (*(Edit(None, memory) for memory in added), *(Edit(change.before, change.after) for change in changed))


def memories_of(text: str) -> tuple[Memory, ...]:
    """The memories in the order of their lines."""
    return tuple(memory for memory, _, _ in places_of(text))


def places_of(text: str) -> Iterator[tuple[Memory, int, int]]:
    """The memories of the lines that are nothing but memories, each with where it begins and ends in ``text``.

    Prose that mentions a bracket is no memory.
    """
    start = 0
    for line in text.splitlines(keepends=True):
        if _ONLY_MEMORIES.fullmatch(line):
            for memory, first, last in find_memories(line):
                yield memory, start + first, start + last
        start += len(line)


def with_memories(text: str, memories: Sequence[Memory]) -> str:
    """``text`` with ``memories`` in the places of its memories and the rest of them in new lines behind it."""
    newline = _newline(text)
    places = list(places_of(text))
    for (old, start, end), memory in reversed(list(zip(places, memories, strict=False))):
        if memory != old:
            text = f"{text[:start]}{memory}{text[end:]}"
    added = memories[len(places) :]
    if added and text.strip(_MARK) and not text.endswith(("\n", "\r")):
        text += newline
    return text + "".join(f"{memory}{newline}" for memory in added)


def without(text: str, number: int) -> tuple[str, Edit]:
    """``text`` without its memory number ``number``, counted from 0, and the edit that ``undone`` takes back.

    Its line goes with it, unless it holds something else.
    """
    memory, start, end = list(places_of(text))[number]
    above, first, line = _line_at(text, start)
    last = first + len(line)
    left = text[first:start] + text[end:last].lstrip(" \t")
    if not left.strip(_MARK).strip():
        left = line[: len(line) - len(line.lstrip(_MARK))]
    return text[:first] + left + text[last:], Edit(memory, None, above, line, left)


def undone(text: str, edits: Iterable[Edit]) -> tuple[str, tuple[Edit, ...]]:
    """``text`` as it was before ``edits``, and those of them that stay: their lines have been edited since."""
    kept = []
    for edit in reversed(list(edits)):
        undone_text = _undone(text, edit)
        if undone_text is None:
            kept.append(edit)
        else:
            text = undone_text
    return text, tuple(reversed(kept))


def _undone(text: str, edit: Edit) -> str | None:
    places = list(places_of(text))
    if edit.after is None:
        return None if any(memory == edit.before for memory, _, _ in places) else _put_back(text, edit)
    found = [number for number, (memory, _, _) in enumerate(places) if memory == edit.after]
    if not found:
        return None
    if edit.before is None:
        return without(text, found[-1])[0]
    _, start, end = places[found[-1]]
    return f"{text[:start]}{edit.before}{text[end:]}"


def _put_back(text: str, edit: Edit) -> str | None:
    """``text`` with the removed line where it stood, or as near to it as there are lines."""
    lines = text.splitlines(keepends=True)
    if edit.left.strip(_MARK):  # the line is still there, with what else it holds
        if edit.left not in lines:
            return None
        place = edit.above if edit.left == "".join(lines[edit.above : edit.above + 1]) else lines.index(edit.left)
        lines[place] = edit.was
        return "".join(lines)
    head = text[: len(text) - len(text.lstrip(_MARK))]
    lines = text[len(head) :].splitlines(keepends=True)
    line = edit.was.lstrip(_MARK)
    place = min(edit.above, len(lines))
    if place < len(lines) and not line.endswith(("\n", "\r")):
        line += _newline(text)
    if place == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += _newline(text)
    return head + "".join([*lines[:place], line, *lines[place:]])


def _line_at(text: str, place: int) -> tuple[int, int, str]:
    """The line in which ``place`` lies: how many stand above it, where it begins, and what it says."""
    start = 0
    for above, line in enumerate(text.splitlines(keepends=True)):
        if place < start + len(line):
            return above, start, line
        start += len(line)
    raise IndexError(place)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
