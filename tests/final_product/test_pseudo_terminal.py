"""The real program with its embedded models, typed at in a pseudo-terminal as a user does; and through a cp949 pipe."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from final_product.commands import COMMANDS
from final_product.display import PROMPT, REPLY_PREFIX
from final_product.terminal import GOODBYE, STOPPED, WAITING

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals of this kind", allow_module_level=True)

from tests.pseudo_terminal import (
    ALT_ENTER,
    BACKSPACE,
    CTRL_C,
    CTRL_D,
    CTRL_R,
    ENTER,
    LEFT,
    SECONDS,
    TAB,
    UP,
    PseudoTerminal,
)

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "final_product" / "run.py"
ASKED = PROMPT.rstrip()


class Terminal(PseudoTerminal):
    """A terminal in which she is started."""

    def __init__(self, folder, *options, program=(PROGRAM,), **settings):
        files = ["--memory", "memory.txt", "--image", "ohlora.png", "--device", "cpu"]
        super().__init__([sys.executable, *map(str, program), *files, *options], folder, **settings)

    def types(self, keys, words):
        """Types keys, and waits until the last line ends with ``words``."""
        self.type(keys)
        self.wait(lambda: self.text.endswith(f"{words}\n"), repr(words))

    def say(self, line):
        """Types a line at the next prompt; returns what was shown before it."""
        shown = self.expect(ASKED)
        self.type(line + ENTER)
        self.expect(f"{line}\n")
        return shown


@pytest.fixture
def terminal(tmp_path):
    started = []

    def start(*options, **settings):
        started.append(Terminal(tmp_path, *options, **settings))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def records(data_folder):
    """The turns of the only chat."""
    (path,) = data_folder.glob("Oh-LoRA/chats/*.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


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


def test_hangul_is_typed_and_edited_by_syllables_and_found_again(terminal, data_folder):
    it = terminal("--no-face", "--seed", "1")
    it.expect(ASKED)
    it.types("/기억 추기", " : /기억 추기")
    it.types(BACKSPACE, " : /기억 추")
    it.types("가 [이름: 민슈]", " : /기억 추가 [이름: 민슈]")
    it.types(LEFT + BACKSPACE + "수", " : /기억 추가 [이름: 민수]")
    it.type(ENTER)
    it.expect("(기억: 이름: 민수)")
    it.expect(ASKED)
    it.types(f"내 이름이{ALT_ENTER}뭐게", " : 내 이름이\n… 뭐게")
    it.type(ENTER)
    it.expect(REPLY_PREFIX)
    it.expect(ASKED)
    it.type(CTRL_D)
    it.expect(GOODBYE)
    assert it.end() == 0
    assert [record["prompt"] for record in records(data_folder)][-1] == "내 이름이\n뭐게"

    it = terminal("--no-face", "--continue")
    it.expect(f"{PROMPT}내 이름이 뭐게\n{REPLY_PREFIX}")
    it.expect("에 나눈 대화를 이어서 해요.)")
    it.expect(ASKED)
    it.types(UP, " : 내 이름이\n… 뭐게")
    it.type(CTRL_C)
    it.expect(GOODBYE)
    assert it.end() == 0

    it = terminal("--no-face", "--no-log")
    it.expect(ASKED)
    it.type(CTRL_R + "추가")
    it.wait(lambda: "/기억 추가 [이름: 민수]" in it.text, "what was typed long ago")
    it.type(ENTER)
    it.types("", f"{ASKED} /기억 추가 [이름: 민수]")
    it.type(ENTER)
    it.expect("(이미 알고 있어요.)")
    it.say("/끝")
    assert it.end() == 0


def test_the_size_may_change(terminal):
    it = terminal("--no-face", "--no-log", columns=100)
    it.expect(ASKED)
    it.types("/기억 추가 [좋아하는 노래: 밤하늘의 별을 따다 너에게 줄게", "줄게")
    it.resize(50, 40)
    it.wait(lambda: "별을 따다" in it.text and it.text.endswith("줄게\n"), "the line, drawn anew")
    it.settle()
    assert max(map(len, it.screen.display)) == 50 and it.text.count("밤하늘의") == 1
    it.type("]" + ENTER)
    it.expect("(기억: 좋아하는 노래:")
    shown = it.say("/도움말")
    assert "밤하늘의 별을 따다 너에게 줄게)" in shown.replace("\n", " ").replace("  ", " "), "wrapped between its words"
    it.resize(120, 40)
    it.settle()
    it.type("/끝" + ENTER)
    it.expect(GOODBYE)
    assert it.end() == 0


def test_ctrl_c_while_the_models_load_gives_the_prompt_back(terminal, data_folder):
    it = terminal("--no-face")
    it.say("안녕")
    it.expect(WAITING)
    it.type(CTRL_C)
    it.expect(STOPPED)
    it.say("/끝")
    assert it.end() == 0 and not list(data_folder.glob("Oh-LoRA/chats/*"))


def test_what_is_typed_ahead_is_the_next_line(terminal):
    it = terminal("--no-face", "--no-log", "--seed", "1")
    it.say("안녕")
    it.expect(WAITING)
    it.type("잘 자" + ENTER)
    assert "잘" not in it.expect(REPLY_PREFIX), "nothing is written into what she says"
    it.expect(f"{ASKED} 잘 자\n")
    it.expect(REPLY_PREFIX)
    it.say("/끝")
    it.expect(GOODBYE)
    assert it.end() == 0


SLOW = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from final_product import run
from llm.language_model import LanguageModel
stream = LanguageModel.stream
def slowly(self, *arguments, **options):
    for piece in stream(self, *arguments, **options):
        time.sleep(0.5 if piece else 0.0)
        yield piece
LanguageModel.stream = slowly
sys.exit(run.main(sys.argv[1:]))
"""


def test_ctrl_c_during_a_reply_keeps_what_was_said(terminal, data_folder):
    it = terminal("--no-face", "--seed", "1", program=("-c", SLOW))
    it.say("안녕 로라야, 오늘 어떻게 지냈어?")
    it.expect(REPLY_PREFIX)
    it.wait(lambda: re.search("[가-힣]", it.text[it.seen :]), "a word")
    began = time.monotonic()
    it.type(CTRL_C)
    said = it.expect(STOPPED).strip()
    it.expect(ASKED)
    print(f"{time.monotonic() - began:.3f} s from Ctrl+C to the prompt")
    it.type(CTRL_C)
    it.expect(GOODBYE)
    assert it.end() == 0
    (record,) = records(data_folder)
    assert record["reply"].split() == said.split(), "what stands on the screen is what is kept"


def test_plain(terminal):
    it = terminal("--plain", "--no-log")
    it.say("/기억 추가 [이름: 민수]")
    it.say("/기억")
    it.expect("1  이름  민수")
    it.expect(ASKED)
    it.type(CTRL_D)
    it.expect(GOODBYE)
    assert it.end() == 0 and "\x1b" not in it.output


@pytest.mark.parametrize("at_a_terminal", [False, True], ids=["into a pipe", "onto a terminal"])
def test_a_cp949_pipe(terminal, tmp_path, at_a_terminal):
    lines = "/기억 추가 [이름: 민수]\r\n/기억\r\n내 이름이 뭐게\r\n".encode("cp949")
    if at_a_terminal:
        (tmp_path / "lines.txt").write_bytes(lines)
        command = ["sh", "-c", 'exec "$0" "$@" < lines.txt', sys.executable, str(PROGRAM), "--memory", "memory.txt"]
        it = PseudoTerminal([*command, "--no-face"], tmp_path)
        code, shown = it.end(), it.output.replace("\r\n", "\n")
    else:
        done = subprocess.run(
            [sys.executable, PROGRAM, "--memory", "memory.txt", "--no-face"],
            input=lines, capture_output=True, cwd=tmp_path, timeout=SECONDS, check=False,
            env={**os.environ, "PYTHONIOENCODING": "cp949"},
        )  # fmt: skip
        code, shown = done.returncode, done.stdout.decode("utf-8")
    assert code == 0 and "\x1b" not in shown, "where one end is no terminal there are no escape sequences"
    shown = [line for line in shown.splitlines() if line != WAITING]
    asked = [line.removeprefix(PROMPT) for line in shown if line.startswith(PROMPT)]
    assert asked == ["/기억 추가 [이름: 민수]", "/기억", "내 이름이 뭐게"]
    assert "(기억: 이름: 민수)" in shown and shown[-1] == GOODBYE
    assert sum(line.startswith(REPLY_PREFIX) for line in shown) == 1
