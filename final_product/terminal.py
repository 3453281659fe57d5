"""The REPL: the input line, the streamed reply, notices, tables and pictures. Knows no model.

At a terminal prompt_toolkit reads the line; from a pipe plain lines are read, whatever their encoding, and the prompt
is echoed with them, so that the output reads like the chat it is.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TextIO

from final_product.commands import COMMANDS, END, HELP, Command, CommandError, completions, is_command, read_command
from llm.errors import PromptTooLongError

PROMPT = "오로라에게 말하기 (Ctrl+C to finish) : "
REPLY_PREFIX = "👱‍♀️ 오로라 :  "
GOODBYE = "오로라와의 대화를 마칠게요. 또 만나요!"
WAITING = "(모델을 불러오는 중이에요. 잠시만 기다려 주세요…)"
STOPPED = "(여기까지만 들을게요)"
UNREADABLE = "(읽을 수 있는 글자가 없어요. 다시 말해 주세요.)"

_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])  # what may stand in a file and must not move the cursor
_PIPE_ENCODINGS = ("utf-8-sig", "cp949")


class LineSource(Protocol):
    """Where the user's lines come from."""

    echoes: bool  # whether the prompt and the line already stand on the screen

    def read(self, prompt: str) -> str | None:
        """The next line, or None at the end of input. Raises KeyboardInterrupt for Ctrl+C."""


class PipeLines:
    """Lines of a pipe or a file: UTF-8 or cp949, judged line by line; what is neither keeps its readable part."""

    echoes = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, prompt: str) -> str | None:
        raw = self._stream.readline()
        if not raw:
            return None
        for encoding in _PIPE_ENCODINGS:
            try:
                return raw.decode(encoding).rstrip("\r\n")
            except UnicodeDecodeError:
                continue
        return raw.decode("utf-8", errors="ignore").rstrip("\r\n")


class PlainLines(PipeLines):
    """Lines typed at a terminal that shows nothing but them and the prompt."""

    echoes = True

    def __init__(self, stream: BinaryIO, out: TextIO) -> None:
        super().__init__(stream)
        self._out = out

    def read(self, prompt: str) -> str | None:
        self._out.write(prompt)
        self._out.flush()
        line = None
        try:
            line = super().read(prompt)
        finally:
            if line is None:  # nobody pressed Enter
                self._out.write("\n")
        return line


class TerminalLines:
    """Lines typed at a terminal, with editing, completion of commands and this run's history."""

    echoes = True

    def __init__(self) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion
        from prompt_toolkit.history import InMemoryHistory

        class Commands(Completer):
            def get_completions(self, document: Any, complete_event: Any) -> Iterator[Completion]:
                for word, meaning, typed in completions(document.text_before_cursor):
                    yield Completion(word, start_position=-typed, display_meta=meaning)

        # By Tab alone: nothing moves while a syllable is being composed.
        self._session: PromptSession[str] = PromptSession(
            history=InMemoryHistory(), completer=Commands(), complete_while_typing=False
        )

    def read(self, prompt: str) -> str | None:
        try:
            return self._session.prompt(prompt)
        except EOFError:
            return None


def open_lines(stdin: TextIO, stdout: TextIO, plain: bool = False) -> LineSource:
    """The line source that fits: a terminal's editor where both ends are one, else plain lines."""
    if stdin is not None and stdin.isatty() and stdout.isatty():
        if not plain:
            try:
                return TerminalLines()
            except Exception as error:  # prompt_toolkit names a missing console differently on each system
                print(f"(줄 편집 기능 없이 시작할게요: {type(error).__name__})", file=stdout)
        return PlainLines(stdin.buffer, stdout)
    return PipeLines(stdin.buffer if stdin is not None else io.BytesIO())  # a program without input has none


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
        self._styled = out.isatty() and not plain and not os.environ.get("NO_COLOR")
        self._lock = threading.Lock()
        self._mid_line = False

    def line(self, text: str) -> None:
        """A line of its own, below whatever stands unfinished."""
        with self._lock:
            self._end_line()
            self._write(self._notes, f"{text.translate(_CONTROLS)}\n")

    def reply(self, pieces: Iterable[str]) -> None:
        """What she says, piece by piece as it comes."""
        for number, piece in enumerate(pieces):
            with self._lock:
                self._mid_line = True
                self._write(self._out, (self._prefix if number == 0 else "") + piece)
        self.end_line()

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
        self.line(PROMPT + _printable(" ".join(prompt.split())))
        if reply:
            self.line(REPLY_PREFIX + _printable(reply))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows of cells; a line for each where nothing is styled."""
        if not self._styled:
            for row in rows:
                self.line("  ".join(filter(None, map(_printable, row))))
            return
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*headings, box=SIMPLE_HEAD)
        for row in rows:
            table.add_row(*(Text(_printable(cell)) for cell in row))
        with self._lock:
            self._end_line()
            Console(file=self._out).print(table)

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

        return way_of(os.environ) if self._styled else None

    def _end_line(self) -> None:
        if self._mid_line:
            self._mid_line = False
            self._write(self._out, "\n")

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(text)
        stream.flush()


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


class Conversation(Protocol):
    """The other end of the line, as ``final_product.session.Session`` is one."""

    turn: Any  # what came of the last prompt; None where nothing did

    def notices(self) -> Iterable[str]:
        """Lines that have come up in the background since the last call."""

    def respond(self, said: str, on_wait: Callable[[], None]) -> Iterator[str]:
        """The reply, piece by piece. Calls ``on_wait`` once if it takes waiting."""

    def obey(self, command: Command, rest: str) -> str | None:
        """Does what a command says. What it returns is to be answered like a prompt.

        Raises:
            CommandError: it cannot be done.
        """

    def after_turn(self) -> None:
        """Is called when all of a turn is on the screen."""


def chat(lines: LineSource, display: Display, conversation: Conversation) -> None:
    """Asks and answers until the input ends, ``/끝`` is read or Ctrl+C is pressed at the prompt.

    Raises:
        Whatever the conversation raises but PromptTooLongError and CommandError, which are shown.
    """
    while True:
        for notice in conversation.notices():
            display.line(notice)
        try:
            said = lines.read(PROMPT)
        except KeyboardInterrupt:
            break
        if said is None:
            break
        if not said.strip():
            continue
        if not lines.echoes:
            display.line(PROMPT + _printable(said))
        if not hear(said, display, conversation):
            break
    display.end_line()
    display.line(GOODBYE)


def hear(said: str, display: Display, conversation: Conversation) -> bool:
    """Answers what the user said, or does what the command says; False where it ends the chat.

    Raises:
        as ``chat`` does.
    """
    if not _printable(said).strip():
        display.line(UNREADABLE)
        return True
    try:
        if is_command(said):
            command, rest = read_command(said)
            if command is END:
                return False
            if command is HELP:
                _help(display)
                return True
            answer = conversation.obey(command, rest)
            if answer is None:
                return True
            said = answer
        _answer(said, display, conversation)
    except CommandError as error:
        display.line(f"({error})")
    except KeyboardInterrupt:
        display.line(STOPPED)
    return True


def _answer(said: str, display: Display, conversation: Conversation) -> None:
    pieces = conversation.respond(said, lambda: display.line(WAITING))
    try:
        display.reply(pieces)
    except PromptTooLongError as error:
        display.line(f"({error})")
    finally:
        pieces.close()  # type: ignore[attr-defined]  # an interrupted reply keeps what was shown
        if conversation.turn is not None:
            display.turn(conversation.turn)
    conversation.after_turn()


def _help(display: Display) -> None:
    display.table(
        ("명령", "영어로", "뜻"),
        [(", ".join(command.usages), f"/{command.alias}", command.summary) for command in COMMANDS],
    )


def _printable(text: str) -> str:
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
