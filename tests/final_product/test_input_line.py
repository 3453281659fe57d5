"""Lines of every encoding, from pipes and terminals."""

import io
import os

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from final_product.display import PROMPT
from final_product.history import MOST, HistoryFile
from final_product.input_line import PipeLines, PlainLines, TerminalLines, open_lines


def read_all(data):
    lines, found = PipeLines(io.BytesIO(data)), []
    while (line := lines.read(PROMPT)) is not None:
        found.append(line)
    assert lines.read(PROMPT) is None
    return found


PIPES = {
    "UTF-8": ("안녕\n나 내일 뭐하지\n".encode(), ["안녕", "나 내일 뭐하지"]),
    "UTF-8 with BOM, as Windows writes it": ("\ufeff안녕\r\n또\r\n".encode(), ["안녕", "또"]),
    "cp949": ("안녕\r\n나 내일 뭐하지\r\n".encode("cp949"), ["안녕", "나 내일 뭐하지"]),
    "each line by itself": ("안녕\n".encode() + "또\n".encode("cp949"), ["안녕", "또"]),
    "emoji": ("👱‍♀️ 안녕 😊\n".encode(), ["👱‍♀️ 안녕 😊"]),
    "an open last line": ("안녕\n또".encode(), ["안녕", "또"]),
    "empty lines": (b"\n\r\n \n", ["", "", " "]),
    "nothing": (b"", []),
    "neither UTF-8 nor cp949": ("안녕".encode() + b"\xff\xfe!\n", ["안녕!"]),
    "a lone surrogate": (b"\xed\xa0\x80a\n", ["a"]),
    "a character cut in half": ("안녕".encode()[:-1] + b"\n", ["안"]),
    "zeros": (b"\x00a\x00\n", ["\x00a\x00"]),
    "a very long line": (b"a" * 100_000 + b"\n", ["a" * 100_000]),
}


@pytest.mark.parametrize(("data", "lines"), PIPES.values(), ids=PIPES)
def test_lines_of_a_pipe(data, lines):
    assert read_all(data) == lines


def test_where_lines_come_from():
    pipe = io.TextIOWrapper(io.BytesIO("안녕\n".encode()))
    lines = open_lines(pipe, io.StringIO())
    assert not lines.echoes and lines.read(PROMPT) == "안녕"
    nothing = open_lines(None, io.StringIO())
    assert nothing.read(PROMPT) is None, "a program may be started without any input"


def test_a_terminal_on_one_end_alone_is_no_terminal():
    class Terminal(io.TextIOWrapper):
        def isatty(self):
            return True

    lines = open_lines(Terminal(io.BytesIO("안녕\n".encode())), io.StringIO())
    assert isinstance(lines, PipeLines) and not lines.echoes
    assert isinstance(open_lines(Terminal(io.BytesIO()), Terminal(io.BytesIO()), plain=True), PlainLines)


def test_plain_lines_at_a_terminal():
    out = io.StringIO()
    lines = PlainLines(io.BytesIO("안녕\n".encode()), out)
    assert lines.echoes and lines.read(PROMPT) == "안녕" and lines.read(PROMPT) is None
    assert out.getvalue() == f"{PROMPT}{PROMPT}\n", "the terminal itself shows what is typed"


# --- the editor -----------------------------------------------------------------------------------------------------

ENTER, ALT_ENTER, UP, CTRL_R, CTRL_C, CTRL_D = "\r", "\x1b\r", "\x1b[A", "\x12", "\x03", "\x04"
BACKSPACE, LEFT, HOME, DELETE = "\x7f", "\x1b[D", "\x1b[H", "\x1b[3~"


def typed(*keys, history=None, keep=True):
    """What is read while ``keys`` are typed, until they are used up."""
    read = []
    with create_pipe_input() as keyboard:
        lines = TerminalLines(history, keep, keyboard, DummyOutput())
        for line in keys:
            keyboard.send_text(line)
            try:
                read.append(lines.read(PROMPT))
            except KeyboardInterrupt:
                read.append(KeyboardInterrupt)
    return read


EDITED = {
    "a line": (f"안녕{ENTER}", "안녕"),
    "a syllable is taken back whole": (f"안녕하{BACKSPACE}{BACKSPACE}{ENTER}", "안"),
    "the arrows go by syllables": (f"나라{LEFT}로{ENTER}", "나로라"),
    "a syllable is deleted whole": (f"가나다{HOME}{DELETE}{ENTER}", "나다"),
    "two lines": (f"하나{ALT_ENTER}둘{ENTER}", "하나\n둘"),
    "a paste keeps its lines": (f"\x1b[200~하나\r\n둘\n셋\x1b[201~{ENTER}", "하나\n둘\n셋"),
    "Ctrl+D at an empty line": (CTRL_D, None),
    "Ctrl+C": (f"안녕{CTRL_C}", KeyboardInterrupt),
}


@pytest.mark.parametrize(("keys", "line"), EDITED.values(), ids=EDITED)
def test_editing(keys, line):
    assert typed(keys) == [line]


def test_history_is_kept_between_runs(tmp_path):
    path = tmp_path / "data" / "history"
    assert typed(f"안녕{ENTER}", f"나 내일{ALT_ENTER}뭐하지{ENTER}", history=path) == ["안녕", "나 내일\n뭐하지"]
    assert typed(f"{UP}{UP}{UP}{ENTER}", history=path) == ["안녕"], "up through the two lines of the newest"
    assert typed(f"{CTRL_R}내일{ENTER}{ENTER}", history=path) == ["나 내일\n뭐하지"]


def test_history_of_a_chat_that_leaves_nothing_behind(tmp_path):
    path = tmp_path / "history"
    typed(f"안녕{ENTER}", history=path)
    before = path.read_bytes()
    assert typed(f"{UP}!{ENTER}", f"{UP}{ENTER}", history=path, keep=False) == ["안녕!", "안녕!"]
    assert path.read_bytes() == before


def test_nobody_else_reads_the_history(tmp_path):
    if os.name == "nt":
        pytest.skip("Windows has other permissions")
    path = tmp_path / "own" / "history"
    HistoryFile(path).append_string("비밀")
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0


def test_a_history_that_cannot_be_used_stops_nothing(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "history", tmp_path):
        assert typed(f"안녕{ENTER}", f"{UP}{ENTER}", history=path) == ["안녕", "안녕"]


def test_a_broken_or_long_history(tmp_path):
    path = tmp_path / "history"
    path.write_bytes(b"\n# 2026\n+" + "안녕".encode()[:-1] + b"\n\x00\xff\n" + b"+x\n\n" * (MOST + 5))
    found = list(HistoryFile(path).load_history_strings())
    assert len(found) == MOST and set(found) == {"x"}
    HistoryFile(path).append_string("\ud800 또")
    assert next(iter(HistoryFile(path).load_history_strings())) == "? 또"
