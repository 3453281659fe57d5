"""Lines of every encoding, from pipes and terminals."""

import io

import pytest

from final_product.display import PROMPT
from final_product.input_line import PipeLines, PlainLines, open_lines


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
