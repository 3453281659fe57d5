"""The real program with its embedded models, typed at in a pseudo-terminal as a user does."""

import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from final_product.commands import COMMANDS
from final_product.display import PROMPT, REPLY_PREFIX
from final_product.terminal import GOODBYE

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals of this kind", allow_module_level=True)

import fcntl
import pty
import struct
import termios

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0  # of patience; what is expected comes within a few
ENTER, TAB, CTRL_C, CTRL_D = "\r", "\t", "\x03", "\x04"
ASKED = PROMPT.rstrip()  # the editor moves over the last blank
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78])")


class Terminal:
    """A terminal of 100 x 40 in which the program runs."""

    def __init__(self, folder, *options):
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TMUX", "TERM_PROGRAM")}
        files = ["--memory", folder / "memory.txt", "--image", folder / "ohlora.png", "--device", "cpu"]
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "final_product" / "run.py", *files, *options],
            stdin=its, stdout=its, stderr=its, cwd=folder, start_new_session=True,
            env={**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PROMPT_TOOLKIT_NO_CPR": "1"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(its)
        self.ours = ours
        self.raw, self.seen = b"", 0

    @property
    def text(self):
        """All that was shown, its escape sequences aside."""
        return _ESCAPES.sub("", self.raw.decode("utf-8", errors="ignore")).replace("\r", "")

    def expect(self, words):
        """Waits until ``words`` are shown, below what was expected before; returns what came until then."""
        deadline = time.monotonic() + SECONDS
        while (place := self.text.find(words, self.seen)) < 0:
            assert self._read(deadline), f"{words!r} never came:\n{self.text[self.seen :]}"
        shown = self.text[self.seen : place]
        self.seen = place + len(words)
        return shown

    def type(self, keys):
        os.write(self.ours, keys.encode())

    def say(self, line):
        """Types a line at the next prompt; returns what was shown before it."""
        shown = self.expect(ASKED)
        self.type(line + ENTER)
        self.expect(f"{line}\n")  # the editor draws it again and again until it stands
        return shown

    def end(self):
        deadline = time.monotonic() + SECONDS
        while self._read(deadline):
            continue
        os.close(self.ours)
        return self.process.wait(SECONDS)

    def _read(self, deadline):
        if not select.select([self.ours], [], [], max(deadline - time.monotonic(), 0))[0]:
            return False
        try:
            more = os.read(self.ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += more
        return bool(more)


@pytest.fixture
def terminal(tmp_path):
    started = []

    def start(*options):
        started.append(Terminal(tmp_path, *options))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def test_every_command(terminal, tmp_path):
    it = terminal("--seed", "1")
    it.say("/기억 추가 [이름: 민수]")
    it.expect("(기억: 이름: 민수)")
    it.say("/기억")
    table = it.say("/잊어 1")
    assert all(word in table for word in ("번호", "적은 때", "이름", "민수"))
    it.expect("(잊음: 이름: 민수)")
    it.expect(ASKED)
    it.type(f"/되{TAB}")
    it.expect("/되돌리기")
    it.type(ENTER)
    it.expect("(되돌림: 이름: 민수 다시 적음)")

    it.say("내 이름이 뭐게")
    it.expect(REPLY_PREFIX)
    it.say("/왜")
    it.expect("떠올린 기억: ")
    it.expect("표정: 눈 ")
    it.say("/다시")
    it.expect(REPLY_PREFIX)

    it.say("/표정 미소")
    it.expect("(표정: 눈 -1.2, 입 0.6, 고개 -1.2)")
    it.say("/얼굴")
    face = it.say("/저장 chat.md")
    assert face.count("▀") == 32 * 16
    it.expect("(저장했어요: chat.md)")
    assert "내 이름이 뭐게" in (tmp_path / "chat.md").read_text(encoding="utf-8")
    it.say("/기록")
    it.expect("첫마디")

    it.say("/모델")
    it.expect("언어 모델: ")
    it.say("/시드 7")
    it.expect("(시드: 7)")
    it.say("/도움말")
    commands = it.say("/기옥")
    assert all(f"/{command.alias}" in commands for command in COMMANDS)
    it.expect("혹시 /기억 인가요?")
    it.say("/끝")
    it.expect(GOODBYE)
    assert it.end() == 0


def test_a_chat_goes_on_until_ctrl_c(terminal):
    it = terminal("--no-face", "--seed", "1")
    it.say("안녕")
    it.expect(REPLY_PREFIX)
    it.say("/끝")
    assert it.end() == 0
    it = terminal("--no-face", "--continue")
    it.expect(f"{PROMPT}안녕\n{REPLY_PREFIX}")
    it.expect("에 나눈 대화를 이어서 해요.)")
    it.expect(ASKED)
    it.type(CTRL_C)
    it.expect(GOODBYE)
    assert it.end() == 0


def test_plain(terminal):
    it = terminal("--plain", "--no-log")
    it.say("/기억 추가 [이름: 민수]")
    it.say("/기억")
    it.expect("1  이름  민수")
    it.expect(ASKED)
    it.type(CTRL_D)
    it.expect(GOODBYE)
    assert it.end() == 0 and b"\x1b" not in it.raw
