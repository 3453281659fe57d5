"""The REPL: whole transcripts with fakes, lines of every encoding, and Ctrl+C wherever it may be pressed."""

import io
from datetime import date
from types import SimpleNamespace

import pytest

from final_product.terminal import (
    GOODBYE,
    PROMPT,
    REPLY_PREFIX,
    STOPPED,
    UNREADABLE,
    WAITING,
    Display,
    PipeLines,
    chat,
    make_utf8,
    open_lines,
)
from llm.errors import PromptTooLongError
from llm.memory_mechanism.meaning import Change
from llm.memory_mechanism.memory import Memory


class Lines:
    """The user's lines; an exception among them is raised in its turn."""

    def __init__(self, *lines, echoes=False):
        self.lines = list(lines)
        self.prompts = []
        self.echoes = echoes

    def read(self, prompt):
        self.prompts.append(prompt)
        line = self.lines.pop(0) if self.lines else None
        if isinstance(line, BaseException):
            raise line
        return line


class Speaker:
    """Answers each prompt with the pieces that a test wrote down for it."""

    def __init__(self, **answers):
        self.answers = answers
        self.heard = []
        self.closed = 0
        self.turn = None

    def respond(self, said):
        self.turn = None
        self.heard.append(said)
        pieces, saved, notices = self.answers.get(said, (["응."], (), ()))
        shown = False
        try:
            for piece in pieces:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
                shown = True
        finally:
            self.closed += 1
            if shown:
                self.turn = SimpleNamespace(saved=saved, notices=notices)


def transcript(lines, speaker, notices=tuple, get_speaker=None):
    out = io.StringIO()
    chat(lines, Display(out), get_speaker or (lambda on_wait: speaker), notices)
    return out.getvalue()


def test_a_whole_chat_through_a_pipe():
    speaker = Speaker(
        안녕=(["안", "녕", "! 반가워 😊"], (), ()),
        기억=(
            ["기억했어!"],
            (Memory("내일 일정", "친구 만나기"), Memory("이름", "민수")),
            ("기억 파일에 적지 못했어요",),
        ),
    )
    background = [["(얼굴을 그리지 못했어요.)"], [], ["(하나)", "(둘)"], []]
    lines = Lines("안녕", "", "   ", "기억", "또\x07 뭐\ud800")
    assert transcript(lines, speaker, notices=lambda: background.pop(0) if background else []) == (
        "(얼굴을 그리지 못했어요.)\n"
        "오로라에게 말하기 (Ctrl+C to finish) : 안녕\n"
        "👱‍♀️ 오로라 :  안녕! 반가워 😊\n"
        "(하나)\n"
        "(둘)\n"
        "오로라에게 말하기 (Ctrl+C to finish) : 기억\n"
        "👱‍♀️ 오로라 :  기억했어!\n"
        "(기억: 내일 일정: 친구 만나기)\n"
        "(기억: 이름: 민수)\n"
        "(기억 파일에 적지 못했어요)\n"
        "오로라에게 말하기 (Ctrl+C to finish) : 또 뭐\n"
        "👱‍♀️ 오로라 :  응.\n"
        "오로라와의 대화를 마칠게요. 또 만나요!\n"
    )
    assert speaker.heard == ["안녕", "기억", "또\x07 뭐\ud800"], "cleaning is the companion's"
    assert lines.prompts == [PROMPT] * 6


def test_what_was_added_and_what_changed():
    class Remembering(Speaker):
        def respond(self, said):
            yield "그래!"
            self.turn = SimpleNamespace(
                saved=(Memory("내일 일정", "이사", date(2026, 11, 22)),),
                changed=(Change(Memory("사는 곳", "부산"), Memory("사는 곳", "서울")),),
                notices=("알림",),
            )

    assert transcript(Lines("나 내일 서울로 이사 가", echoes=True), Remembering()) == (
        f"{REPLY_PREFIX}그래!\n(기억: 내일 일정: 이사)\n(기억: 사는 곳 부산 → 서울)\n(알림)\n{GOODBYE}\n"
    )


def test_a_whole_chat_at_a_terminal_shows_no_line_twice():
    lines = Lines("안녕", " ", "또", KeyboardInterrupt(), echoes=True)
    assert transcript(lines, Speaker(또=(["왔", "구나!"], (), ()))) == (
        "👱‍♀️ 오로라 :  응.\n"
        "👱‍♀️ 오로라 :  왔구나!\n"
        "오로라와의 대화를 마칠게요. 또 만나요!\n"
    )  # fmt: skip


def test_the_reply_is_on_the_screen_piece_by_piece():
    out = io.StringIO()
    seen = []

    def pieces():
        for piece in ("안", "녕", "!"):
            seen.append(out.getvalue())
            yield piece

    chat(Lines("안녕", echoes=True), Display(out), lambda on_wait: Speaker(안녕=(pieces(), (), ())))
    assert seen == ["", f"{REPLY_PREFIX}안", f"{REPLY_PREFIX}안녕"]


@pytest.mark.parametrize("end", [None, KeyboardInterrupt()], ids=["end of input", "Ctrl+C"])
def test_the_end_is_a_goodbye(end):
    assert transcript(Lines(end), Speaker()) == f"{GOODBYE}\n"


def test_ctrl_c_during_a_reply_stops_that_reply():
    speaker = Speaker(안녕=(["안녕, ", "나는", KeyboardInterrupt(), "로라"], (), ("멈췄어요",)))
    assert transcript(Lines("안녕", "또", echoes=True), speaker) == (
        f"{REPLY_PREFIX}안녕, 나는\n(멈췄어요)\n{STOPPED}\n{REPLY_PREFIX}응.\n{GOODBYE}\n"
    )
    assert speaker.heard == ["안녕", "또"] and speaker.closed == 2


def test_ctrl_c_before_the_first_piece():
    speaker = Speaker(안녕=([KeyboardInterrupt()], (), ()))
    assert transcript(Lines("안녕", echoes=True), speaker) == f"{STOPPED}\n{GOODBYE}\n"


def test_ctrl_c_while_the_models_load():
    calls = []

    def get_speaker(on_wait):
        calls.append("asked")
        on_wait()
        if len(calls) == 1:
            raise KeyboardInterrupt
        return Speaker()

    shown = transcript(Lines("안녕", "안녕", echoes=True), None, get_speaker=get_speaker)
    assert shown == f"{WAITING}\n{STOPPED}\n{WAITING}\n{REPLY_PREFIX}응.\n{GOODBYE}\n"


def test_waiting_is_said_once_and_below_the_prompt():
    speaker, waited = Speaker(), []

    def get_speaker(on_wait):
        if not waited:
            on_wait()
            waited.append(True)
        return speaker

    assert transcript(Lines("안녕", "또"), speaker, get_speaker=get_speaker) == (
        f"{PROMPT}안녕\n{WAITING}\n{REPLY_PREFIX}응.\n{PROMPT}또\n{REPLY_PREFIX}응.\n{GOODBYE}\n"
    )


def test_a_prompt_that_is_too_long_gets_a_line_and_the_chat_goes_on():
    long = "긴 말 " * 500
    speaker = Speaker(**{long: ([PromptTooLongError(900, 432)], (), ())})
    line = "(말이 너무 길어서 다 읽지 못했어요 (900토큰, 최대 432토큰). 조금 나눠서 말해 주세요.)"
    assert transcript(Lines(long, "안녕", echoes=True), speaker) == f"{line}\n{REPLY_PREFIX}응.\n{GOODBYE}\n"


@pytest.mark.parametrize("said", ["\x00", "\ud800\udfff", "\x1b\u200b", "\ufeff \x07"])
def test_a_line_without_a_readable_letter(said):
    speaker = Speaker()
    assert transcript(Lines(said, echoes=True), speaker) == f"{UNREADABLE}\n{GOODBYE}\n"
    assert speaker.heard == []


def test_a_failing_language_model_ends_the_chat():
    speaker = Speaker(안녕=(["안녕, ", RuntimeError("out of memory")], (), ()))
    out = io.StringIO()
    display = Display(out)
    with pytest.raises(RuntimeError):
        chat(Lines("안녕", "또", echoes=True), display, lambda on_wait: speaker)
    display.line("끝")
    assert out.getvalue() == f"{REPLY_PREFIX}안녕, \n끝\n", "whatever is said next has a line of its own"
    assert speaker.heard == ["안녕"] and speaker.closed == 1


# --- lines ----------------------------------------------------------------------------------------------------------


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


def test_a_chat_through_a_pipe_of_broken_bytes():
    speaker = Speaker()
    data = "안녕\n".encode() + b"\xff\xff\n" + "뭐해\n".encode("cp949")
    assert transcript(PipeLines(io.BytesIO(data)), speaker) == (
        f"{PROMPT}안녕\n{REPLY_PREFIX}응.\n{PROMPT}뭐해\n{REPLY_PREFIX}응.\n{GOODBYE}\n"
    )


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
    assert isinstance(lines, PipeLines)


# --- the screen -----------------------------------------------------------------------------------------------------


def test_lines_never_run_into_what_is_unfinished():
    out = io.StringIO()
    display = Display(out)
    display.end_line()
    display.line("하나")
    display.piece("둘")
    display.piece("셋")
    display.line("넷")
    display.piece("다섯")
    display.end_line()
    display.end_line()
    assert out.getvalue() == "하나\n둘셋\n넷\n다섯\n"


def test_output_is_utf8_and_never_fails_on_a_character():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    make_utf8(stream, io.StringIO(), None)
    Display(stream).line("👱‍♀️ 안녕 \ud800")
    assert raw.getvalue() == "👱‍♀️ 안녕 ?\n".encode()
