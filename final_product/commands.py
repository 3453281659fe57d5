"""The commands of the chat: the one table of them, reading them, and what completes them. Knows no model.

``python -m final_product.commands`` prints the table as the README has it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from final_product.named_expressions import NAMED_EXPRESSIONS

FARTHEST = 4.0  # standard deviations from the average face; what lies beyond is no face any more


class CommandError(Exception):
    """A command that cannot be done. ``str(error)`` is one Korean line that says what to do."""


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: its Korean name.
        alias: its English one.
        usages: the ways to write it.
        summary: what it does, in one Korean line.
        words: what may stand behind it, for completion.
        also: names that it has in other chat programs, or that people try.
    """

    name: str
    alias: str
    usages: tuple[str, ...]
    summary: str
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def misused(self) -> CommandError:
        """What to say to somebody who wrote it another way."""
        return CommandError(f"이렇게 써 주세요: {' 또는 '.join(self.usages)}")


MEMORIES = Command(
    "기억",
    "memory",
    ("/기억", "/기억 추가 [키: 값]"),
    "적어 둔 기억과 적은 때를 보여 주거나, 하나를 적어 둬요",
    ("추가",),
)
FORGET = Command("잊어", "forget", ("/잊어 N",), "N번째 기억을 지워요")
WHY = Command("왜", "why", ("/왜",), "마지막 답에 떠올린 기억과 비슷한 정도, 지은 표정, 걸린 시간을 보여 줘요")
AGAIN = Command(
    "다시", "again", ("/다시",), "마지막 말에 다시 답해요. 처음 답이 적은 기억은 되돌려요", also=("regen", "retry")
)
UNDO = Command("되돌리기", "undo", ("/되돌리기",), "기억을 마지막으로 바꾼 것을 되돌려요. 손으로 고친 줄은 그대로 둬요")
EXPRESSION = Command(
    "표정",
    "expression",
    ("/표정 이름", "/표정 눈 입 고개"),
    f"이름({', '.join(NAMED_EXPRESSIONS)})이나 -{FARTHEST:g}에서 {FARTHEST:g} 사이의 수로 표정을 그려요",
    tuple(NAMED_EXPRESSIONS),
)
FACE = Command("얼굴", "face", ("/얼굴",), "지금 얼굴을 터미널에 보여 줘요")
SAVE = Command("저장", "save", ("/저장 FILE.md",), "이 대화를 마크다운 파일로 저장해요")
CHATS = Command("기록", "log", ("/기록", "/기록 N"), "지난 대화를 늘어놓거나, 그 가운데 하나를 보여 줘요")
MODELS = Command(
    "모델", "model", ("/모델", "/모델 받기"), "쓰고 있는 모델을 보여 주거나, 공개 모델을 받아요", ("받기",)
)
SEED = Command("시드", "seed", ("/시드", "/시드 N"), "난수의 시드를 보여 주거나 바꿔요. 같은 수면 같은 답이 되풀이돼요")
END = Command("끝", "quit", ("/끝",), "대화를 끝내요", also=("exit", "bye", "q", "종료", "그만"))
HELP = Command("도움말", "help", ("/도움말",), "명령을 모두 보여 줘요", also=("?", "도움", "명령"))

COMMANDS = (MEMORIES, FORGET, WHY, AGAIN, UNDO, EXPRESSION, FACE, SAVE, CHATS, MODELS, SEED, END, HELP)

_BY_NAME = {name: command for command in COMMANDS for name in (command.name, command.alias)}
_MEANT = _BY_NAME | {name: command for command in COMMANDS for name in command.also}


def is_command(line: str) -> bool:
    """Whether ``line`` is meant as a command rather than said to her."""
    return line.lstrip().startswith("/")


def read_command(line: str) -> tuple[Command, str]:
    """The command that ``line`` names, and what stands behind it.

    Raises:
        CommandError: there is no such command; the nearest one is suggested.
    """
    name, rest = (*line.strip().removeprefix("/").split(maxsplit=1), "", "")[:2]
    name = unicodedata.normalize("NFC", name).lower()
    command = _MEANT.get(name)
    if command is None:
        raise CommandError(_unknown(name))
    return command, rest


def read_number(text: str, command: Command) -> int:
    """The number, 1 or more, that ``text`` is.

    Raises:
        CommandError: it is none.
    """
    if not text.isdecimal() or not text.isascii() or len(text) > 9 or int(text) == 0:
        raise command.misused
    return int(text)


def read_expression(text: str) -> tuple[float, float, float]:
    """Eyes, mouth and pose that ``text`` names, or lists as three numbers.

    Raises:
        CommandError: it does neither.
    """
    named = NAMED_EXPRESSIONS.get(unicodedata.normalize("NFC", text))
    if named:
        return named
    try:
        eyes, mouth, pose = map(float, text.replace(",", " ").split())
    except ValueError as error:
        names = ", ".join(NAMED_EXPRESSIONS)
        raise CommandError(f"{EXPRESSION.misused} (이름: {names})") from error
    if not all(-FARTHEST <= score <= FARTHEST for score in (eyes, mouth, pose)):
        raise CommandError(f"눈, 입, 고개는 -{FARTHEST:g}에서 {FARTHEST:g} 사이의 수로 써 주세요.")
    return eyes, mouth, pose


def completions(text: str) -> Iterator[tuple[str, str, int]]:
    """What may complete ``text``, a command that is being typed: the whole word, its meaning (Korean), and how many
    characters before the cursor it takes the place of."""
    typed = unicodedata.normalize("NFC", text).lstrip()
    if not typed.startswith("/"):
        return
    name, blank, rest = typed[1:].partition(" ")
    if not blank:
        for word, command in _BY_NAME.items():
            # Alone, a slash offers each command once.
            if word.startswith(name.lower()) and (name or word == command.name):
                yield f"/{word}", command.summary, len(text.lstrip())
    elif name.lower() in _BY_NAME and " " not in rest:
        for word in _BY_NAME[name.lower()].words:
            if word.startswith(rest):
                yield word, "", len(text) - text.rindex(" ") - 1


def markdown_table() -> str:
    """The table of commands as the README has it."""
    lines = ["| 명령 | 영어로 | 뜻 |", "|---|---|---|"]
    for command in COMMANDS:
        usages = "<br>".join(f"`{usage}`" for usage in command.usages)
        lines.append(f"| {usages} | `/{command.alias}` | {command.summary} |")
    return "\n".join(lines)


def _unknown(name: str) -> str:
    import difflib

    if not name:
        return f"명령을 써 주세요. /{HELP.name} 을 쓰면 모두 볼 수 있어요."
    letters = {_letters(known): known for known in _MEANT}
    near = [known for known in letters if known.startswith(_letters(name))]
    near += difflib.get_close_matches(_letters(name), letters, n=1)
    shown = "".join(c for c in name if c.isprintable())[:20]
    meant = f" 혹시 /{_MEANT[letters[near[0]]].name} 인가요?" if near else ""
    return f"/{shown} - 그런 명령은 없어요.{meant} /{HELP.name} 을 쓰면 모두 볼 수 있어요."


def _letters(name: str) -> str:
    """A name in its single letters: 기옥 is nearer to 기억 than its syllables show."""
    return unicodedata.normalize("NFD", name)


if __name__ == "__main__":
    print(markdown_table())
