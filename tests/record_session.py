"""Records a new user's first five minutes: types at the real program in a pseudo-terminal, as a person does.

python -m tests.record_session [--out docs/first-five-minutes.cast]

Writes an asciicast of version 2, which ``asciinema play`` and its web player show. The program runs on a copy of the
files that git knows, in a home of its own: nothing of this computer's folders or chats is in the recording. POSIX only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from final_product.display import PROMPT, REPLY_PREFIX
from final_product.terminal import GOODBYE
from tests.pseudo_terminal import CTRL_C, ENTER, TAB, UP, PseudoTerminal

ROOT = Path(__file__).resolve().parents[1]
COLUMNS, LINES = 92, 30
TITLE = "오로라와의 첫 5분"
LONGEST_PAUSE = 2.0  # seconds; players cut what is longer: models load, the typist reads
SHELL_PROMPT = "$ "
START = "python final_product/run.py"
ASKED = PROMPT.rstrip()


class Cast:
    """Output with its times, as asciicast version 2 has them."""

    def __init__(self, columns: int, lines: int, title: str) -> None:
        self.header = {
            "version": 2,
            "width": columns,
            "height": lines,
            "title": title,
            "idle_time_limit": LONGEST_PAUSE,
            "env": {"TERM": "xterm-256color", "SHELL": "/bin/bash"},
        }
        self.events: list[tuple[float, str]] = []
        self._begun: float | None = None

    def listen(self, text: str) -> None:
        """Takes output of this moment."""
        now = time.monotonic()
        self._begun = now if self._begun is None else self._begun
        if text:
            self.events.append((now - self._begun, text))

    def text(self) -> str:
        """The file's content: a header and one event a line."""
        lines = [json.dumps(self.header, ensure_ascii=False)]
        lines += [json.dumps([round(at, 3), "o", data], ensure_ascii=False) for at, data in self.events]
        return "\n".join(lines) + "\n"


class Typist:
    """Somebody at the keyboard: types key by key, and reads what comes before going on."""

    def __init__(self, terminal: PseudoTerminal, hurry: float = 1.0) -> None:
        """
        Args:
            terminal: at which the typist sits.
            hurry: how many times as fast as a person.
        """
        self.terminal = terminal
        self._hurry = hurry
        self._random = random.Random(5)

    def pause(self, seconds: float) -> None:
        """Does nothing for a while."""
        self.terminal.settle(seconds / self._hurry)

    def keys(self, *keys: str) -> None:
        """Types keys, one after the other."""
        for key in keys:
            self.terminal.type(key)
            self.pause(self._random.uniform(0.06, 0.18))

    def line(self, text: str) -> None:
        """Types a line and Enter."""
        self.keys(*text)
        self.pause(0.4)
        self.keys(ENTER)

    def say(self, text: str, answer: str = REPLY_PREFIX) -> None:
        """Says something at the prompt, and reads the answer."""
        self.line(text)
        self.terminal.expect(answer)
        self.asked()

    def asked(self) -> None:
        """Waits for the prompt."""
        self.terminal.expect(ASKED)
        self.pause(1.2)


def first_five_minutes(typist: Typist) -> None:
    """What the new user does."""
    terminal = typist.terminal
    terminal.expect(SHELL_PROMPT.rstrip())
    typist.pause(1.0)
    typist.line(START)
    typist.asked()
    typist.say("안녕")
    typist.say("너 이름이 뭐야?")
    typist.say("[내일 일정: 친구 만나기] 나 내일 바빠", "(기억: 내일 일정: 친구 만나기)")
    typist.say("나 내일 뭐하지")
    typist.say("/왜", "떠올린 기억: ")
    typist.say("나는 청국장을 제일 좋아해")
    typist.say("/기억", "적은 때")
    typist.say("/얼굴", "▀")
    typist.keys("/", "표", TAB, " ", "신", "남", ENTER)
    typist.asked()
    typist.say("/얼굴", "▀")
    typist.say("너 전공이 뭐야?")
    typist.say("/다시")
    typist.say("/기엌", "혹시 /기억 인가요?")
    typist.say("/도움말", "/quit")
    typist.say("/저장 first-chat.md", "(저장했어요: first-chat.md)")
    typist.line("/끝")
    terminal.expect(GOODBYE)
    typist.pause(1.5)
    typist.line(f"{START} --continue")
    terminal.expect("에 나눈 대화를 이어서 해요.)")
    typist.asked()
    typist.say("나 내일 뭐하지")
    typist.say("잘 자")
    typist.keys(UP, UP)
    typist.pause(0.8)
    typist.keys(CTRL_C)
    terminal.expect(GOODBYE)
    typist.pause(1.0)


def copy_of_the_files(target: Path) -> None:
    """Copies the files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode("utf-8").split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)


def private_words(home: Path) -> list[str]:
    """What must not stand in a recording: this computer's folders and its user's name."""
    folders = [ROOT, home, Path.home(), Path(sys.prefix), Path(tempfile.gettempdir())]
    words = {str(folder) for folder in folders if len(str(folder)) > 1}
    return sorted(words | {f"{name}@" for name in [os.environ.get("USER", "")] if name})


def record(home: Path, hurry: float = 1.0) -> str:
    """The recording's text.

    Args:
        home: an empty folder for the user's home.
        hurry: how many times as fast as a person the typist is.

    Raises:
        ValueError: something of this computer stands in it.
    """
    checkout = home / "Oh-LoRA"
    copy_of_the_files(checkout)
    cast = Cast(COLUMNS, LINES, TITLE)
    environment = {
        "HOME": str(home),
        "XDG_DATA_HOME": None,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PS1": SHELL_PROMPT,
        "LANG": "C.UTF-8",
        "BASH_SILENCE_DEPRECATION_WARNING": "1",
    }
    shell = ["bash", "--noprofile", "--norc", "-i"]
    terminal = PseudoTerminal(shell, checkout, environment, COLUMNS, LINES, cast.listen)
    try:
        first_five_minutes(Typist(terminal, hurry))
    finally:
        terminal.kill()
    text = cast.text()
    if found := [word for word in private_words(home) if word in text]:
        raise ValueError(f"the recording shows {', '.join(found)}")
    return text


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "first-five-minutes.cast")
    parser.add_argument("--hurry", type=float, default=1.0, help="how many times as fast as a person")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as home:
        text = record(Path(home), options.hurry)
    options.out.write_text(text, encoding="utf-8")
    seconds = json.loads(text.splitlines()[-1])[0]
    print(f"{options.out}: {seconds:.0f} s, {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()
