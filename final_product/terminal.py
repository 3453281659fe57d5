"""The REPL: the input line, the streamed reply, notices. Knows no model.

At a terminal prompt_toolkit reads the line; from a pipe plain lines are read, whatever their encoding, and the prompt
is echoed with them, so that the output reads like the chat it is.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol, TextIO

from llm.errors import PromptTooLongError

PROMPT = "오로라에게 말하기 (Ctrl+C to finish) : "
REPLY_PREFIX = "👱‍♀️ 오로라 :  "
GOODBYE = "오로라와의 대화를 마칠게요. 또 만나요!"
WAITING = "(모델을 불러오는 중이에요. 잠시만 기다려 주세요…)"
STOPPED = "(여기까지만 들을게요)"
UNREADABLE = "(읽을 수 있는 글자가 없어요. 다시 말해 주세요.)"

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


class TerminalLines:
    """Lines typed at a terminal, with editing and this run's history."""

    echoes = True

    def __init__(self) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import InMemoryHistory

        self._session: PromptSession[str] = PromptSession(history=InMemoryHistory())

    def read(self, prompt: str) -> str | None:
        try:
            return self._session.prompt(prompt)
        except EOFError:
            return None


def open_lines(stdin: TextIO, stdout: TextIO) -> LineSource:
    """The line source that fits: a terminal's editor where both ends are one, else plain lines."""
    if stdin is not None and stdin.isatty() and stdout.isatty():
        try:
            return TerminalLines()
        except Exception as error:  # prompt_toolkit names a missing console differently on each system
            print(f"(줄 편집 기능 없이 시작할게요: {type(error).__name__})", file=stdout)
    return PipeLines(stdin.buffer if stdin is not None else io.BytesIO())  # a program without input has none


class Display:
    """Writes to the screen; may be called from any thread."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._mid_line = False

    def line(self, text: str) -> None:
        """A line of its own, below whatever stands unfinished."""
        with self._lock:
            start = "\n" if self._mid_line else ""
            self._mid_line = False
            self._write(f"{start}{text}\n")

    def piece(self, text: str) -> None:
        """A piece of the line that is being written."""
        with self._lock:
            self._mid_line = not text.endswith("\n")
            self._write(text)

    def end_line(self) -> None:
        """Ends the line that is being written, if there is one."""
        with self._lock:
            if self._mid_line:
                self._mid_line = False
                self._write("\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


class Speaker(Protocol):
    """Whoever answers, as ``final_product.companion.Companion`` does."""

    turn: object | None

    def respond(self, said: str) -> Iterator[str]: ...


def chat(
    lines: LineSource,
    display: Display,
    get_speaker: Callable[[Callable[[], None]], Speaker],
    notices: Callable[[], Iterable[str]] = tuple,
) -> None:
    """Asks and answers until the input ends or Ctrl+C is pressed at the prompt.

    Args:
        lines: the user's lines.
        display: the screen.
        get_speaker: gives the speaker; calls its argument once if that takes waiting.
        notices: lines that have come up in the background since the last call.

    Raises:
        Whatever the speaker raises but PromptTooLongError, which is shown.
    """
    while True:
        for notice in notices():
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
        if not _printable(said).strip():
            display.line(UNREADABLE)
            continue
        try:
            _answer(said, display, get_speaker)
        except KeyboardInterrupt:
            display.line(STOPPED)
    display.end_line()
    display.line(GOODBYE)


def _answer(said: str, display: Display, get_speaker: Callable[[Callable[[], None]], Speaker]) -> None:
    speaker = get_speaker(lambda: display.line(WAITING))
    reply = speaker.respond(said)
    try:
        for number, piece in enumerate(reply):
            display.piece((REPLY_PREFIX if number == 0 else "") + piece)
        display.end_line()
    except PromptTooLongError as error:
        display.line(f"({error})")
    finally:
        reply.close()  # type: ignore[attr-defined]  # an interrupted reply keeps what was shown
        _show_turn(speaker.turn, display)


def _show_turn(turn: object | None, display: Display) -> None:
    for memory in getattr(turn, "saved", ()):
        display.line(f"(기억: {memory.item})")
    for change in getattr(turn, "changed", ()):
        display.line(f"(기억: {change.after.key} {change.before.value} → {change.after.value})")
    for notice in getattr(turn, "notices", ()):
        display.line(f"({notice})")


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
        """Switches the Windows console to UTF-8."""
        import ctypes

        ctypes.windll.kernel32.SetConsoleOutputCP(65001)
else:

    def prepare_console() -> None:
        """Nothing to do outside of Windows."""
