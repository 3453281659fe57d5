"""The REPL: asks, has the answer shown, obeys commands, until the user goes. Knows no model, no keys and no colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any, Protocol

from final_product.commands import COMMANDS, END, HELP, Command, CommandError, is_command, read_command
from final_product.display import PROMPT, Display, printable
from final_product.input_line import LineSource
from llm.errors import PromptTooLongError

WELCOME = "(/도움말 을 쓰면 명령을 모두 볼 수 있어요.)"
GOODBYE = "오로라와의 대화를 마칠게요. 또 만나요!"
WAITING = "(모델을 불러오는 중이에요. 잠시만 기다려 주세요…)"
STOPPED = "(여기까지만 들을게요)"
KEYS = "(Alt+Enter 줄 바꾸기, ↑ 와 Ctrl+R 전에 쓴 말 찾기, Tab 명령 완성, Ctrl+C 답 멈추기와 끝내기)"
UNREADABLE = "(읽을 수 있는 글자가 없어요. 다시 말해 주세요.)"


class Conversation(Protocol):
    """The other end of the line, as ``final_product.session.Session`` is one."""

    turn: Any  # what came of the last prompt; None where nothing did

    def notices(self) -> Iterable[str]:
        """Lines that have come up in the background since the last call."""

    def respond(self, said: str, on_wait: Callable[[], None]) -> Iterator[str]:
        """The reply, piece by piece. Calls ``on_wait`` once if it takes waiting."""

    def obey(self, command: Command, rest: str) -> str | None:
        """Does what a command says. What it returns is to be answered like a prompt.

        Raises:
            CommandError: it cannot be done.
        """

    def after_turn(self) -> None:
        """Is called when all of a turn is on the screen."""


def chat(lines: LineSource, display: Display, conversation: Conversation) -> None:
    """Asks and answers until the input ends, ``/끝`` is read or Ctrl+C is pressed at the prompt.

    Raises:
        Whatever the conversation raises but PromptTooLongError and CommandError, which are shown.
    """
    while True:
        for notice in conversation.notices():
            display.line(notice)
        try:
            said = lines.read(PROMPT)
        except KeyboardInterrupt:
            break
        if said is None:
            break
        if not said.strip():
            continue
        if not lines.echoes:
            display.line(PROMPT + printable(said))
        with nullcontext() if is_command(said) else lines.quiet():  # a command may ask something
            goes_on = hear(said, display, conversation)
        if not goes_on:
            break
    display.end_line()
    display.line(GOODBYE)


def hear(said: str, display: Display, conversation: Conversation) -> bool:
    """Answers what the user said, or does what the command says; False where it ends the chat.

    Raises:
        as ``chat`` does.
    """
    if not printable(said).strip():
        display.line(UNREADABLE)
        return True
    try:
        if is_command(said):
            command, rest = read_command(said)
            if command is END:
                return False
            if command is HELP:
                _help(display)
                return True
            answer = conversation.obey(command, rest)
            if answer is None:
                return True
            said = answer
        _answer(said, display, conversation)
    except CommandError as error:
        display.line(f"({error})")
    except KeyboardInterrupt:
        display.line(STOPPED)
    return True


def _answer(said: str, display: Display, conversation: Conversation) -> None:
    pieces = conversation.respond(said, lambda: display.line(WAITING))
    try:
        display.reply(pieces)
    except PromptTooLongError as error:
        display.line(f"({error})")
    finally:
        pieces.close()  # type: ignore[attr-defined]  # an interrupted reply keeps what was shown
        if conversation.turn is not None:
            display.turn(conversation.turn)
    conversation.after_turn()


def _help(display: Display) -> None:
    display.table(
        ("명령", "영어로", "뜻"),
        [(", ".join(command.usages), f"/{command.alias}", command.summary) for command in COMMANDS],
    )
    display.line(KEYS)
