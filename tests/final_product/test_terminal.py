"""The REPL: whole transcripts with fakes, lines of every encoding, and Ctrl+C wherever it may be pressed."""

import io
import json
import re
from datetime import date, datetime
from types import SimpleNamespace

import pytest
from PIL import Image

from final_product.commands import COMMANDS, CommandError
from final_product.terminal import (
    GOODBYE,
    PROMPT,
    REPLY_PREFIX,
    STOPPED,
    UNREADABLE,
    WAITING,
    Display,
    JsonDisplay,
    PipeLines,
    PlainLines,
    chat,
    hear,
    make_utf8,
    open_lines,
)
from llm.errors import PromptTooLongError
from llm.memory_mechanism.meaning import Change
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.retriever import Recall
from llm.reply import Reply
from stylegan_and_segmentation.properties import PropertyScores


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


class Talk:
    """Answers each prompt with the pieces that a test wrote down for it, and does as its commands say."""

    def __init__(self, background=(), waits=(), obeys=None, **answers):
        self.background = list(background)
        self.waits = list(waits)
        self.obeys = obeys or {}
        self.answers = answers
        self.heard, self.commands = [], []
        self.closed = self.turns = 0
        self.turn = None

    def notices(self):
        return self.background.pop(0) if self.background else []

    def respond(self, said, on_wait):
        self.turn = None
        if self.waits:
            on_wait()
            if self.waits.pop(0):
                raise KeyboardInterrupt
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
                self.turn = SimpleNamespace(saved=saved, changed=(), notices=notices)

    def obey(self, command, rest):
        self.commands.append((command.name, rest))
        outcome = self.obeys.get(command.name)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def after_turn(self):
        self.turns += 1


def transcript(lines, talk):
    out = io.StringIO()
    chat(lines, Display(out), talk)
    return out.getvalue()


def test_a_whole_chat_through_a_pipe():
    background = [["(얼굴을 그리지 못했어요.)"], [], ["(하나)", "(둘)"], []]
    talk = Talk(
        background,
        안녕=(["안", "녕", "! 반가워 😊"], (), ()),
        기억=(
            ["기억했어!"],
            (Memory("내일 일정", "친구 만나기"), Memory("이름", "민수")),
            ("기억 파일에 적지 못했어요",),
        ),
    )
    lines = Lines("안녕", "", "   ", "기억", "또\x07 뭐\ud800")
    assert transcript(lines, talk) == (
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
    assert talk.heard == ["안녕", "기억", "또\x07 뭐\ud800"] and talk.turns == 3, "cleaning is the companion's"
    assert lines.prompts == [PROMPT] * 6


def test_what_was_added_and_what_changed():
    class Remembering(Talk):
        def respond(self, said, on_wait):
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
    assert transcript(lines, Talk(또=(["왔", "구나!"], (), ()))) == (
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

    chat(Lines("안녕", echoes=True), Display(out), Talk(안녕=(pieces(), (), ())))
    assert seen == ["", f"{REPLY_PREFIX}안", f"{REPLY_PREFIX}안녕"]


@pytest.mark.parametrize("end", [None, KeyboardInterrupt()], ids=["end of input", "Ctrl+C"])
def test_the_end_is_a_goodbye(end):
    assert transcript(Lines(end), Talk()) == f"{GOODBYE}\n"


def test_ctrl_c_during_a_reply_stops_that_reply():
    talk = Talk(안녕=(["안녕, ", "나는", KeyboardInterrupt(), "로라"], (), ("멈췄어요",)))
    assert transcript(Lines("안녕", "또", echoes=True), talk) == (
        f"{REPLY_PREFIX}안녕, 나는\n(멈췄어요)\n{STOPPED}\n{REPLY_PREFIX}응.\n{GOODBYE}\n"
    )
    assert talk.heard == ["안녕", "또"] and talk.closed == 2


def test_ctrl_c_before_the_first_piece():
    talk = Talk(안녕=([KeyboardInterrupt()], (), ()))
    assert transcript(Lines("안녕", echoes=True), talk) == f"{STOPPED}\n{GOODBYE}\n"


def test_ctrl_c_while_the_models_load():
    talk = Talk(waits=[True, False])
    assert transcript(Lines("안녕", "안녕", echoes=True), talk) == (
        f"{WAITING}\n{STOPPED}\n{WAITING}\n{REPLY_PREFIX}응.\n{GOODBYE}\n"
    )


def test_waiting_is_said_below_the_prompt():
    assert transcript(Lines("안녕", "또"), Talk(waits=[False])) == (
        f"{PROMPT}안녕\n{WAITING}\n{REPLY_PREFIX}응.\n{PROMPT}또\n{REPLY_PREFIX}응.\n{GOODBYE}\n"
    )


def test_a_prompt_that_is_too_long_gets_a_line_and_the_chat_goes_on():
    long = "긴 말 " * 500
    talk = Talk(**{long: ([PromptTooLongError(900, 432)], (), ())})
    line = "(말이 너무 길어서 다 읽지 못했어요 (900토큰, 최대 432토큰). 조금 나눠서 말해 주세요.)"
    assert transcript(Lines(long, "안녕", echoes=True), talk) == f"{line}\n{REPLY_PREFIX}응.\n{GOODBYE}\n"


@pytest.mark.parametrize("said", ["\x00", "\ud800\udfff", "\x1b\u200b", "\ufeff \x07"])
def test_a_line_without_a_readable_letter(said):
    talk = Talk()
    assert transcript(Lines(said, echoes=True), talk) == f"{UNREADABLE}\n{GOODBYE}\n"
    assert talk.heard == []


def test_a_failing_language_model_ends_the_chat():
    talk = Talk(안녕=(["안녕, ", RuntimeError("out of memory")], (), ()))
    out = io.StringIO()
    display = Display(out)
    with pytest.raises(RuntimeError):
        chat(Lines("안녕", "또", echoes=True), display, talk)
    display.line("끝")
    assert out.getvalue() == f"{REPLY_PREFIX}안녕, \n끝\n", "whatever is said next has a line of its own"
    assert talk.heard == ["안녕"] and talk.closed == 1


# --- commands -------------------------------------------------------------------------------------------------------


def test_commands_are_not_said_to_her():
    talk = Talk(obeys={"잊어": CommandError("3번 기억은 없어요.")})
    lines = Lines("/기억", " /forget 3", "/기옥", "안녕", "/다시 한 번", "/끝", "안녕")
    assert transcript(lines, talk) == (
        f"{PROMPT}/기억\n"
        f"{PROMPT} /forget 3\n"
        "(3번 기억은 없어요.)\n"
        f"{PROMPT}/기옥\n"
        "(/기옥 - 그런 명령은 없어요. 혹시 /기억 인가요? /도움말 을 쓰면 모두 볼 수 있어요.)\n"
        f"{PROMPT}안녕\n"
        f"{REPLY_PREFIX}응.\n"
        f"{PROMPT}/다시 한 번\n"
        f"{PROMPT}/끝\n"
        f"{GOODBYE}\n"
    )
    assert talk.commands == [("기억", ""), ("잊어", "3"), ("다시", "한 번")] and talk.heard == ["안녕"]


def test_what_a_command_returns_is_answered():
    talk = Talk(obeys={"다시": "안녕"})
    assert transcript(Lines("/다시", echoes=True), talk) == f"{REPLY_PREFIX}응.\n{GOODBYE}\n"
    assert talk.heard == ["안녕"] and talk.turns == 1


def test_ctrl_c_during_a_command_stops_that_command():
    talk = Talk(obeys={"얼굴": KeyboardInterrupt()})
    assert transcript(Lines("/얼굴", "안녕", echoes=True), talk) == f"{STOPPED}\n{REPLY_PREFIX}응.\n{GOODBYE}\n"


def test_help_lists_every_command():
    shown = transcript(Lines("/도움말", echoes=True), Talk()).splitlines()
    assert len(shown) == len(COMMANDS) + 1
    for line, command in zip(shown, COMMANDS, strict=False):
        assert line == f"{', '.join(command.usages)}  /{command.alias}  {command.summary}"


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
    talk = Talk()
    data = "안녕\n".encode() + b"\xff\xff\n" + "뭐해\n".encode("cp949")
    assert transcript(PipeLines(io.BytesIO(data)), talk) == (
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
    assert isinstance(lines, PipeLines) and not lines.echoes
    assert isinstance(open_lines(Terminal(io.BytesIO()), Terminal(io.BytesIO()), plain=True), PlainLines)


# --- the screen -----------------------------------------------------------------------------------------------------


def test_lines_never_run_into_what_is_unfinished():
    out = io.StringIO()
    display = Display(out)

    def pieces():
        yield "둘"
        yield "셋"
        display.line("(넷)")
        yield "다섯"

    display.end_line()
    display.line("하나")
    display.reply(pieces())
    display.end_line()
    display.line("여섯")
    assert out.getvalue() == f"하나\n{REPLY_PREFIX}둘셋\n(넷)\n다섯\n여섯\n"


def test_a_reply_alone_for_whoever_wants_no_more():
    out, notes = io.StringIO(), io.StringIO()
    talk = Talk(안녕=(["안", "녕!"], (Memory("이름", "민수"),), ("알림",)), waits=[False])
    assert hear("안녕", Display(out, notes), talk)
    assert (out.getvalue(), notes.getvalue()) == ("안녕!\n", f"{WAITING}\n(기억: 이름: 민수)\n(알림)\n")


def a_turn(**fields):
    return SimpleNamespace(
        **{
            "prompt": "안녕",
            "reply": Reply("안녕! 😊"),
            "recalled": Recall(Memory("이름", "민수"), 0.9),
            "saved": (Memory("내일 일정", "이사", date(2026, 11, 22)),),
            "changed": (Change(Memory("사는 곳", "부산"), Memory("사는 곳", "서울")),),
            "expression": PropertyScores(eyes=-1.2, mouth=0.6, pose=-1.2),
            "notices": ("알림",),
            **fields,
        }
    )


def test_one_json_object_for_each_turn():
    class Told(Talk):
        def respond(self, said, on_wait):
            self.turn = None
            yield "안녕!"
            self.turn = a_turn(prompt=said)

    out, notes = io.StringIO(), io.StringIO()
    chat(
        Lines("안녕", "/왜", "또\n\ud800", echoes=True), JsonDisplay(out, notes), Told(obeys={"왜": CommandError("음")})
    )
    first, second = map(json.loads, out.getvalue().splitlines())
    assert datetime.fromisoformat(first.pop("time")).tzinfo is not None
    assert first == {
        "prompt": "안녕",
        "reply": "안녕! 😊",
        "recalled": {"memory": "이름: 민수", "score": 0.9},
        "saved": ["[내일 일정: 이사] (2026-11-22)"],
        "changed": [{"before": "[사는 곳: 부산]", "after": "[사는 곳: 서울]"}],
        "expression": {"eyes": -1.2, "mouth": 0.6, "pose": -1.2},
        "notices": ["알림"],
    }
    assert second["prompt"] == "또\n\ud800" and notes.getvalue() == f"(음)\n{GOODBYE}\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


ROWS = [("1", "이름", "민수"), ("12", "좋아하는 음식", "")]


@pytest.mark.parametrize("display", [Display(io.StringIO()), Display(Terminal(), plain=True)], ids=["pipe", "--plain"])
def test_a_table_in_plain_lines(display):
    display.table(("번호", "키", "값"), [*ROWS, ("3", "색\x1b[31m", "빨강\n")])
    assert display._out.getvalue() == "1  이름  민수\n12  좋아하는 음식\n3  색[31m  빨강\n"


def test_a_table_at_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    Display(out).table(("번호", "키", "값"), [*ROWS, ("3", "[bold]색", "빨강")])
    shown = re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())
    lines = [line.split() for line in shown.splitlines() if line.strip(" ─")]
    assert lines == [["번호", "키", "값"], ["1", "이름", "민수"], ["12", "좋아하는", "음식"], ["3", "[bold]색", "빨강"]]
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    Display(plain).table(("번호", "키", "값"), ROWS)
    assert plain.getvalue() == "1  이름  민수\n12  좋아하는 음식\n"


def test_a_picture_where_there_is_room_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("LINES", "50")
    for name in ("NO_COLOR", "TMUX", "KITTY_WINDOW_ID", "TERM_PROGRAM", "LC_TERMINAL", "KONSOLE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    path = tmp_path / "ohlora.png"
    Image.new("RGB", (64, 64), (0, 80, 160)).save(path)
    out = Terminal()
    display = Display(out)
    assert display.shows_pictures
    display.picture(path)
    lines = out.getvalue().splitlines()
    assert len(lines) == 10 and {line.count("▀") for line in lines} == {20}
    for other in (Display(io.StringIO()), Display(Terminal(), plain=True)):
        other.picture(path)
        assert not other.shows_pictures
        assert other._out.getvalue() == f"(여기에는 그림을 보여 줄 수 없어요. 그림 파일: {path})\n"


def test_a_picture_that_is_not_there_is_an_oserror_everywhere(tmp_path):
    for out in (io.StringIO(), Terminal()):
        with pytest.raises(FileNotFoundError):
            Display(out).picture(tmp_path / "ohlora.png")
        assert out.getvalue() == ""


def test_plain_lines_at_a_terminal():
    out = io.StringIO()
    lines = PlainLines(io.BytesIO("안녕\n".encode()), out)
    assert lines.echoes and lines.read(PROMPT) == "안녕" and lines.read(PROMPT) is None
    assert out.getvalue() == f"{PROMPT}{PROMPT}\n", "the terminal itself shows what is typed"


def test_output_is_utf8_and_never_fails_on_a_character():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    make_utf8(stream, io.StringIO(), None)
    Display(stream).line("👱‍♀️ 안녕 \ud800")
    assert raw.getvalue() == "👱‍♀️ 안녕 ?\n".encode()
