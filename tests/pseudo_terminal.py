"""A pseudo-terminal in which a program runs as on a user's screen: what is typed goes in, what is shown is read.

POSIX only. pyte is the terminal: it moves the cursor, scrolls and wraps as one does.
"""

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte

SECONDS = 600.0  # of patience; what is expected comes within a few
ENTER, TAB, ALT_ENTER, BACKSPACE = "\r", "\t", "\x1b\r", "\x7f"
UP, LEFT, CTRL_C, CTRL_D, CTRL_R = "\x1b[A", "\x1b[D", "\x03", "\x04", "\x12"
_UNKNOWN_TO_PYTE = dict.fromkeys(map(ord, "\u200d\ufe0f"))  # at which it gives the rest of a line up


class PseudoTerminal:
    """A terminal and the program in it."""

    def __init__(self, command, folder, environment=None, columns=100, lines=40, listen=None):
        """
        Args:
            command: the program and its arguments.
            folder: in which it runs.
            environment: what differs from this process's; None takes a variable away.
            columns, lines: the terminal's size.
            listen: is called with each piece of output, as text.
        """
        self._ours, its = pty.openpty()
        self._listen = listen or (lambda text: None)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.screen = pyte.HistoryScreen(columns, lines, history=10_000)
        self._stream = pyte.Stream(self.screen)
        self.output = ""  # all of it, escape sequences and all
        self.seen = 0  # how far into ``text`` it is known
        self.resize(columns, lines)
        settings = {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "PROMPT_TOOLKIT_NO_CPR": "1",
            **(environment or {}),
        }
        for name in ("NO_COLOR", "TMUX", "TERM_PROGRAM", "COLUMNS", "LINES"):
            settings.setdefault(name, None)
        kept = {name: value for name, value in os.environ.items() if name not in settings}
        self.process = subprocess.Popen(
            command, stdin=its, stdout=its, stderr=its, cwd=folder, start_new_session=True,
            env={**kept, **{name: value for name, value in settings.items() if value is not None}},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(its)

    @property
    def text(self):
        """All that was shown and all that is, line by line, blanks at their ends aside."""
        rows = [*self.screen.history.top, *(self.screen.buffer[row] for row in range(self.screen.lines))]
        lines = ["".join(row[column].data for column in range(max(row, default=-1) + 1)).rstrip() for row in rows]
        return "\n".join(lines).rstrip("\n") + "\n"

    def type(self, keys):
        """Types keys, all at once."""
        os.write(self._ours, keys.encode())

    def resize(self, columns, lines):
        """Gives the terminal another size, and tells the program. What was expected before may be expected again."""
        self.seen = 0
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def wait(self, holds, what):
        """Waits until ``holds()`` is true."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert self._read(deadline), f"{what} never came:\n{self.text}"

    def expect(self, words):
        """Waits until ``words`` are shown below what was expected before; returns what stands between."""
        words = words.translate(_UNKNOWN_TO_PYTE)
        self.wait(lambda: words in self.text[self.seen :], repr(words))
        text = self.text
        place = text.index(words, self.seen)
        shown, self.seen = text[self.seen : place], place + len(words)
        return shown

    def expect_either(self, one, other):
        """Waits until one or the other is shown below what was expected before; returns which."""
        self.wait(lambda: any(words in self.text[self.seen :] for words in (one, other)), f"{one!r} or {other!r}")
        found = one if one in self.text[self.seen :] else other
        self.expect(found)
        return found

    def settle(self, seconds=0.5):
        """Reads until nothing more comes for ``seconds``."""
        while self._read(time.monotonic() + seconds):
            continue

    def end(self):
        """Reads to the end; returns the exit code."""
        deadline = time.monotonic() + SECONDS
        while self._read(deadline):
            continue
        os.close(self._ours)
        return self.process.wait(SECONDS)

    def kill(self):
        """Ends the program, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _read(self, deadline):
        if not select.select([self._ours], [], [], max(deadline - time.monotonic(), 0))[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            return False
        text = self._decoder.decode(data)
        self.output += text
        self._listen(text)
        self._stream.feed(text.translate(_UNKNOWN_TO_PYTE))
        return bool(data)
