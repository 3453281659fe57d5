"""The REPL: whole transcripts with fakes, and Ctrl+C wherever it may be pressed."""

import contextlib
import io
import json
from datetime import date, datetime
from types import SimpleNamespace

import pytest

from final_product.commands import COMMANDS, CommandError
from final_product.display import PROMPT, REPLY_PREFIX, Display, JsonDisplay
from final_product.input_line import PipeLines
from final_product.terminal import GOODBYE, KEYS, STOPPED, UNREADABLE, WAITING, chat, hear
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
        self.prompts, self.hushed = [], []
        self.echoes = echoes

    def read(self, prompt):
        self.prompts.append(prompt)
        line = self.lines.pop(0) if self.lines else None
        if isinstance(line, BaseException):
            raise line
        return line

    @contextlib.contextmanager
    def quiet(self):
        self.hushed.append(self.prompts[-1:])
        yield


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
    assert len(lines.hushed) == 1, "a command may ask something"


def test_what_a_command_returns_is_answered():
    talk = Talk(obeys={"다시": "안녕"})
    assert transcript(Lines("/다시", echoes=True), talk) == f"{REPLY_PREFIX}응.\n{GOODBYE}\n"
    assert talk.heard == ["안녕"] and talk.turns == 1


def test_ctrl_c_during_a_command_stops_that_command():
    talk = Talk(obeys={"얼굴": KeyboardInterrupt()})
    assert transcript(Lines("/얼굴", "안녕", echoes=True), talk) == f"{STOPPED}\n{REPLY_PREFIX}응.\n{GOODBYE}\n"


def test_help_lists_every_command():
    shown = transcript(Lines("/도움말", echoes=True), Talk()).splitlines()
    assert shown[len(COMMANDS) :] == [KEYS, GOODBYE]
    for line, command in zip(shown, COMMANDS, strict=False):
        assert line == f"{', '.join(command.usages)}  /{command.alias}  {command.summary}"


def test_a_chat_through_a_pipe_of_broken_bytes():
    talk = Talk()
    data = "안녕\n".encode() + b"\xff\xff\n" + "뭐해\n".encode("cp949")
    assert transcript(PipeLines(io.BytesIO(data)), talk) == (
        f"{PROMPT}안녕\n{REPLY_PREFIX}응.\n{PROMPT}뭐해\n{REPLY_PREFIX}응.\n{GOODBYE}\n"
    )


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
