"""Where the user's lines come from: the editor at a terminal, plain lines from a pipe, whatever their encoding.

Knows nothing of what is said in them but how commands are completed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TextIO

from final_product.commands import completions

_PIPE_ENCODINGS = ("utf-8-sig", "cp949")


class LineSource(Protocol):
    """Where the user's lines come from."""

    echoes: bool  # whether the prompt and the line already stand on the screen

    def read(self, prompt: str) -> str | None:
        """The next line, or None at the end of input. Raises KeyboardInterrupt for Ctrl+C."""

    def quiet(self) -> AbstractContextManager[None]:
        """Keeps keys that are pressed meanwhile off the screen."""


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

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()


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
    """Lines typed at a terminal: edited by whole syllables, commands completed, what was typed before found again.

    Enter ends the line, Alt+Enter begins a new one within it, and what is pasted keeps its lines.
    """

    echoes = True

    def __init__(
        self, history: Path | None = None, keep: bool = True, keyboard: Any = None, screen: Any = None
    ) -> None:
        """
        Args:
            history: the file of what was typed before; None for this run's alone.
            keep: whether the file takes what is typed now.
            keyboard: prompt_toolkit's input, by default the terminal's.
            screen: its output, likewise.
        """
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion
        from prompt_toolkit.history import InMemoryHistory
        from prompt_toolkit.key_binding import KeyBindings

        from final_product.history import HistoryFile

        class Commands(Completer):
            def get_completions(self, document: Any, complete_event: Any) -> Iterator[Completion]:
                for word, meaning, typed in completions(document.text_before_cursor):
                    yield Completion(word, start_position=-typed, display_meta=meaning)

        keys = KeyBindings()

        @keys.add("escape", "enter")
        def _(event: Any) -> None:
            event.current_buffer.insert_text("\n")

        self._session: PromptSession[str] = PromptSession(
            history=HistoryFile(history, keep) if history is not None else InMemoryHistory(),
            completer=Commands(),
            complete_while_typing=False,  # by Tab alone: nothing moves while a syllable is being composed
            key_bindings=keys,
            prompt_continuation=lambda width, line, wrap_count: "" if wrap_count else "… ",
            enable_open_in_editor=True,
            enable_suspend=True,
            input=keyboard,
            output=screen,
        )

    def read(self, prompt: str) -> str | None:
        try:
            return self._session.prompt([("bold ansicyan", prompt)])
        except EOFError:
            return None

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keeps keys that are pressed meanwhile off the screen; the next line begins with them."""
        try:
            import termios
        except ImportError:  # Windows shows no keys that nobody reads
            yield
            return
        keyboard = self._session.input.fileno()
        if not os.isatty(keyboard):
            yield
            return
        before = termios.tcgetattr(keyboard)
        hushed = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
        termios.tcsetattr(keyboard, termios.TCSANOW, hushed)
        try:
            yield
        finally:
            termios.tcsetattr(keyboard, termios.TCSANOW, before)


def open_lines(
    stdin: TextIO, stdout: TextIO, plain: bool = False, history: Path | None = None, keep: bool = True
) -> LineSource:
    """The line source that fits: a terminal's editor where both ends are one, else plain lines.

    Args:
        stdin, stdout: the program's.
        plain: no editor, even at a terminal.
        history, keep: as for ``TerminalLines``.
    """
    if stdin is not None and stdin.isatty() and stdout.isatty():
        if not plain:
            try:
                return TerminalLines(history, keep)
            except Exception as error:  # prompt_toolkit names a missing console differently on each system
                print(f"(줄 편집 기능 없이 시작할게요: {type(error).__name__})", file=stdout)
        return PlainLines(stdin.buffer, stdout)
    return PipeLines(stdin.buffer if stdin is not None else io.BytesIO())  # a program without input has none
