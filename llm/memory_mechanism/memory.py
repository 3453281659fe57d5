"""One remembered item and its written form ``[key: value]``, with a day behind it where its key speaks of one.

Knows no file, no model and no calendar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

# A bracket with no other bracket inside it, and the day behind it as people write one: (2026-11-22), (2026. 11. 22.)
_ITEM = re.compile(r"\[([^\[\]]*)\](?:[ \t]*\(([0-9./\- ]+)\))?")
_LEADING = re.compile(r"\s*\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Memory:
    """A remembered item: ``Memory("내일 일정", "친구 만나기")`` is written ``[내일 일정: 친구 만나기]``.

    ``said`` is the day on which it was said, or None: ``[내일 일정: 친구 만나기] (2026-11-22)``.
    """

    key: str
    value: str
    said: date | None = None

    def __str__(self) -> str:
        return f"[{self.item}]" if self.said is None else f"[{self.item}] ({self.said.isoformat()})"

    @property
    def item(self) -> str:
        """The plain form without its brackets, and without the day."""
        return f"{self.key}: {self.value}"

    def same_as(self, other: Memory) -> bool:
        """Whether both say the same, blanks and days aside (the published rule for not saving twice)."""
        return _squeezed(self) == _squeezed(other)

    @staticmethod
    def parse(content: str) -> Memory | None:
        """The memory that stands between two brackets, or None where it has no key, no value or no colon."""
        key, colon, value = content.partition(":")
        key, value = " ".join(key.split()), " ".join(value.split())
        return Memory(key, value) if colon and key and value else None


def find_memories(text: str) -> Iterator[tuple[Memory, int, int]]:
    """Every ``[key: value]`` in ``text`` in order, each with where it begins and ends, the day behind it included.

    Digits in parentheses that are no day count as part of the note, and the memory as one without a day.
    """
    for match in _ITEM.finditer(text):
        memory = Memory.parse(match.group(1))
        if memory is not None:
            yield Memory(memory.key, memory.value, _day(match.group(2))), *match.span()


def split_leading_memories(text: str) -> tuple[list[Memory], str]:
    """The memories that ``text`` begins with, and what follows them.

    ``"[내일 일정: 친구 만나기] 나 내일 뭐하지"`` gives that memory and ``"나 내일 뭐하지"``.
    A leading bracket that is no memory (``[경고]``) belongs to the text.
    """
    memories: list[Memory] = []
    while match := _LEADING.match(text):
        memory = Memory.parse(match.group(1))
        if memory is None:
            break
        memories.append(memory)
        text = text[match.end() :]
    return memories, text.strip()


def _day(note: str | None) -> date | None:
    numbers = re.findall(r"[0-9]+", note or "")
    try:
        return date(*map(int, numbers)) if len(numbers) == 3 else None
    except (ValueError, OverflowError):
        return None


def _squeezed(memory: Memory) -> str:
    return "".join(memory.item.split())
