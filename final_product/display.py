"""What stands on the screen: the streamed reply, notices, tables and pictures; or one JSON object for each turn.

Knows no model and asks nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

PROMPT = "오로라에게 말하기 (Ctrl+C to finish) : "
REPLY_PREFIX = "👱‍♀️ 오로라 :  "

_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])  # what may stand in a file and must not move the cursor
_STYLES = {"(": "dim", "✓": "green", "✗": "red", "!": "yellow"}  # by a line's first character


class Display:
    """Writes to the screen; may be called from any thread."""

    def __init__(self, out: TextIO, notes: TextIO | None = None, plain: bool = False) -> None:
        """
        Args:
            out: takes the replies.
            notes: takes all else, and the replies then come without her name; by default ``out``.
            plain: no colours, frames and pictures, even where ``out`` is a terminal that has them.
        """
        self._out = out
        self._notes = notes or out
        self._prefix = "" if notes else REPLY_PREFIX
        # What is at a terminal of its own; without rich, for --doctor to say so, it is written to like a pipe.
        consoles = {stream: _console(stream) for stream in (out, self._notes) if stream.isatty() and not plain}
        self._consoles = {stream: console for stream, console in consoles.items() if console is not None}
        self._lock = threading.Lock()
        self._mid_line = False
        self._wrap: Any = None  # of the reply that is being written at a terminal

    def line(self, text: str) -> None:
        """A line of its own, below whatever stands unfinished."""
        text = text.translate(_CONTROLS)
        with self._lock:
            self._end_line()
            if self._notes in self._consoles:
                self._print(self._notes, text, _STYLES.get(text.lstrip()[:1], ""))
            else:
                self._write(self._notes, f"{text}\n")

    def reply(self, pieces: Iterable[str]) -> None:
        """What she says, as it comes: piece by piece, at a terminal word by word."""
        begun = False
        try:
            for piece in pieces:
                with self._lock:
                    self._mid_line = True
                    if not begun:
                        self._begin_reply()
                        begun = True
                    self._write(self._out, self._wrap.feed(piece) if self._wrap else piece)
        finally:
            with self._lock:
                if self._wrap:
                    self._write(self._out, self._wrap.end())
                    self._wrap = None
                self._end_line()

    def end_line(self) -> None:
        """Ends the line that is being written, if there is one."""
        with self._lock:
            self._end_line()

    def turn(self, turn: Any) -> None:
        """What came of a prompt beside the reply."""
        self.memories(turn.saved, turn.changed)
        for notice in turn.notices:
            self.line(f"({notice})")

    def memories(self, saved: Iterable[Any], changed: Iterable[Any]) -> None:
        """What was written down."""
        for memory in saved:
            self.line(f"(기억: {memory.item})")
        for change in changed:
            self.line(f"(기억: {change.after.key} {change.before.value} → {change.after.value})")

    def exchange(self, prompt: str, reply: str) -> None:
        """What was said some time ago."""
        self.line(PROMPT + printable(" ".join(prompt.split())))
        if reply:
            self.line(REPLY_PREFIX + printable(reply))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows of cells; a line for each where nothing is styled."""
        if self._notes not in self._consoles:
            for row in rows:
                self.line("  ".join(filter(None, map(printable, row))))
            return
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD)
        for heading in headings:
            table.add_column(heading, overflow="fold")  # else rich cuts the ends of lines that it wrapped too wide
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        with self._lock:
            self._end_line()
            self._consoles[self._notes].print(table)

    @property
    def shows_pictures(self) -> bool:
        """Whether ``picture`` shows more than a line."""
        return self._way() is not None

    def picture(self, path: Path) -> None:
        """The picture, or where it is if this is no place for pictures.

        Raises:
            OSError: it is not there, or cannot be read.
        """
        from final_product.picture import COLUMNS, as_text

        way = self._way()
        if way is None:
            path.stat()
            self.line(f"(여기에는 그림을 보여 줄 수 없어요. 그림 파일: {path})")
            return
        columns, lines = shutil.get_terminal_size()
        text = as_text(path, way, min(COLUMNS, columns, 2 * (lines - 2)))
        with self._lock:
            self._end_line()
            self._write(self._out, text)

    def _way(self) -> Any:
        from final_product.picture import way_of

        return way_of(os.environ) if self._out in self._consoles else None

    def _begin_reply(self) -> None:
        if self._out in self._consoles:
            from final_product.word_wrap import WordWrap

            self._print(self._out, self._prefix, "bold magenta", end="")
            self._wrap = WordWrap(lambda: shutil.get_terminal_size().columns, self._prefix)
        else:
            self._write(self._out, self._prefix)

    def _end_line(self) -> None:
        if self._mid_line:
            self._mid_line = False
            self._write(self._out, "\n")
            if self._wrap:
                self._wrap.new_line()

    def _print(self, stream: TextIO, text: str, style: str, end: str = "\n") -> None:
        from rich.text import Text

        try:
            self._consoles[stream].print(Text(text, style), end=end, overflow="fold", soft_wrap=not end)
        except KeyboardInterrupt:  # what stands on the screen may stand in rich's buffer too, and would come again
            self._consoles[stream] = _console(stream)
            raise

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(text)
        stream.flush()


def _console(stream: TextIO) -> Any:
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream, highlight=False)


class JsonDisplay(Display):
    """One JSON object for each turn; all that is said besides goes to ``notes``."""

    def __init__(self, out: TextIO, notes: TextIO) -> None:
        super().__init__(out, notes, plain=True)

    def reply(self, pieces: Iterable[str]) -> None:
        for _ in pieces:
            pass

    def turn(self, turn: Any) -> None:
        from final_product.chat_log import Record

        fields = json.loads(Record.of(turn, datetime.now().astimezone()).to_json())
        del fields["again"]
        fields["notices"] = list(turn.notices)
        with self._lock:
            self._write(self._out, json.dumps(fields, ensure_ascii=False) + "\n")


def printable(text: str) -> str:
    """``text`` as it can be written to any terminal: no control characters, no lone surrogates."""
    return "".join(c for c in text if c.isprintable() or c == "\u200d")


def make_utf8(*streams: TextIO) -> None:
    """Makes output streams write UTF-8, whatever the console's code page, and never fail on a character."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


if sys.platform == "win32":  # pragma: no cover  # emoji and Hangul need the console's UTF-8 mode for plain writes

    def prepare_console() -> None:
        """Switches the Windows console to UTF-8, and to the escape sequences of tables and pictures."""
        import ctypes

        kernel, mode = ctypes.windll.kernel32, ctypes.c_ulong()
        kernel.SetConsoleOutputCP(65001)
        output = kernel.GetStdHandle(-11)
        if kernel.GetConsoleMode(output, ctypes.byref(mode)):
            kernel.SetConsoleMode(output, mode.value | 4)
else:

    def prepare_console() -> None:
        """Nothing to do outside of Windows."""
