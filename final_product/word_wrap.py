"""Breaks a text into lines between its words while it is still being written. Knows no terminal but its width."""

from __future__ import annotations

import re
from collections.abc import Callable

from rich.cells import cell_len

_WORD = re.compile(r"\s*\S+(?=\s)|\s*\n")  # with the blanks before it, and known to be whole; or the end of a line
_PARTS = re.compile(r"([^\S\n]*)(\n?)(.*)", re.DOTALL)


class WordWrap:
    """Takes pieces and gives back what may be shown of them: a word only once it is known to fit on its line, so that
    nothing that stands on the screen has to move."""

    def __init__(self, columns: Callable[[], int], before: str = "") -> None:
        """
        Args:
            columns: tells how wide the screen is now; it may change.
            before: what stands on the line already.
        """
        self._columns = columns
        self._used = width(before)
        self._held = ""

    def feed(self, piece: str) -> str:
        """What may be shown now that ``piece`` has come."""
        self._held += piece
        shown = ""
        while word := _WORD.match(self._held):
            self._held = self._held[word.end() :]
            shown += self._place(word[0])
        return shown

    def end(self) -> str:
        """The rest: no more is to come."""
        rest, self._held = self._held, ""
        return self._place(rest)

    def new_line(self) -> None:
        """Says that something else has begun a new line on the screen."""
        self._used = 0

    def _place(self, text: str) -> str:
        blanks, line_end, word = _PARTS.fullmatch(text).groups()
        if line_end:
            self._used = 0
            return "\n" + self._place(word)
        columns = max(self._columns(), 1)
        if word and self._used and self._used + width(blanks + word) > columns:
            blanks, self._used = "\n", 0
        self._used += width((blanks + word).lstrip("\n"))
        if self._used > columns:  # wider than the screen, whose terminal breaks it
            self._used = (self._used - 1) % columns + 1
        return blanks + word


def width(text: str) -> int:
    """How many columns ``text`` takes, on the terminal that gives it most: they differ on emoji of several parts."""
    return max(cell_len(text), sum(map(cell_len, text)))
