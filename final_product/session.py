"""One chat: what can be taken back of it, and what the commands do. Knows no model, no terminal.

What it needs of the program (a companion, a face, the models' names) and the screen are handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from final_product import commands
from final_product.chat_log import Record
from final_product.commands import Command, CommandError, read_expression, read_number
from final_product.kept_chat import KeptChat, reason, when
from final_product.named_expressions import name_of
from llm.memory_mechanism.memory_text import edits_of

MAX_SEED = 2**63 - 1
_TURNS_SHOWN = 5  # of the chat that goes on
_FACE_SECONDS = 60.0  # how long a picture may take; the first one waits for its model
_POLL_SECONDS = 0.1  # how soon Ctrl+C is noticed meanwhile


class Screen(Protocol):
    """Where it is shown, as ``final_product.display.Display`` is one."""

    def line(self, text: str) -> None: ...
    def memories(self, saved: Iterable[Any], changed: Iterable[Any]) -> None: ...
    def exchange(self, prompt: str, reply: str) -> None: ...
    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None: ...
    def picture(self, path: Path) -> None: ...


class Program(Protocol):
    """What a chat needs besides, as ``run.py`` puts it together."""

    image: Path  # her face
    memory_file: Any  # llm.memory_mechanism.memory_file.MemoryFile
    seed: int

    def companion(self, on_wait: Callable[[], None]) -> Any: ...
    def notices(self) -> Iterable[str]: ...
    def tell(self, notice: str) -> None: ...
    def draw(self, eyes: float, mouth: float, pose: float) -> bool: ...
    def drawn(self) -> Any: ...
    def reseed(self, seed: int) -> None: ...
    def models(self) -> Iterable[str]: ...
    def download(self) -> None: ...


@dataclass(frozen=True, eq=False)
class _Undoable:
    """A change of the memories, and the turn that made it (None for a command)."""

    edits: tuple[Any, ...]
    turn: Any = None


class Session:
    """The chat that goes on."""

    def __init__(
        self,
        program: Program,
        screen: Screen,
        folder: Path,
        log: bool = True,
        show_face: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            program: companion, face and models.
            screen: takes what commands show.
            folder: where chats are kept.
            log: whether this one is kept.
            show_face: whether her face is shown after each reply.
            clock: seconds.
        """
        self.turn: Any = None
        self._program = program
        self._screen = screen
        self._chat = KeptChat(folder, log, program.tell)
        self._show_face = show_face
        self._clock = clock
        self._seconds = 0.0  # that the last reply took
        self._undoable: list[_Undoable] = []
        self._again: tuple[Any, ...] | None = None  # for the next reply: the edits that stay of the one it replaces
        self._numbered: tuple[Any, ...] = ()  # the memories as they were last shown

    def resume(self) -> None:
        """Goes on with the newest chat, and shows its last lines."""
        records = self._chat.resume()
        if not records:
            self._screen.line("(이어 갈 대화가 없어서 새로 시작할게요.)")
            return
        for record in records[-_TURNS_SHOWN:]:
            self._screen.exchange(record.prompt, record.reply)
        self._screen.line(f"({when(records[-1].time)}에 나눈 대화를 이어서 해요.)")

    def notices(self) -> Iterable[str]:
        """Lines that have come up in the background since the last call."""
        return self._program.notices()

    def respond(self, said: str, on_wait: Callable[[], None]) -> Iterator[str]:
        """The reply, piece by piece; ``turn`` is what came of it, and is kept.

        Raises:
            as ``Companion.respond`` does.
        """
        self.turn = None
        stay, self._again = self._again, None
        companion = self._program.companion(on_wait)
        begun = self._clock()
        try:
            yield from companion.respond(said, again=stay is not None)
        finally:
            self._seconds = self._clock() - begun
            self.turn = companion.turn
            if self.turn is not None:
                self._remember(edits_of(self.turn.saved, self.turn.changed), self.turn)
                self._chat.keep(Record.of(self.turn, _now()) if stay is None else _of_both(self.turn, stay))

    def after_turn(self) -> None:
        """Shows her face where that is wanted."""
        if self._show_face and self.turn is not None and self.turn.reply.text:
            self._show_picture()

    def obey(self, command: Command, rest: str) -> str | None:
        """Does what ``command`` says; what it returns is to be answered like a prompt.

        Raises:
            CommandError: it cannot be done.
        """
        from llm.errors import MemoryFileError

        does: dict[Command, Callable[[str], str | None]] = {
            commands.MEMORIES: self._memories,
            commands.FORGET: self._forget,
            commands.WHY: self._why,
            commands.AGAIN: self._answer_again,
            commands.UNDO: self._undo,
            commands.EXPRESSION: self._expression,
            commands.FACE: self._face,
            commands.SAVE: self._save,
            commands.CHATS: self._chats,
            commands.MODELS: self._models,
            commands.SEED: self._seed,
        }
        if rest and not any(" " in usage for usage in command.usages):
            raise command.misused
        try:
            return does[command](rest)
        except MemoryFileError as error:
            raise CommandError(str(error)) from error

    # --- memories

    def _memories(self, rest: str) -> None:
        if rest:
            word, item = (*rest.split(maxsplit=1), "")[:2]
            if word != commands.MEMORIES.words[0]:
                raise commands.MEMORIES.misused
            self._add_memories(item)
            return
        self._numbered = self._program.memory_file.read()
        if not self._numbered:
            self._screen.line("(적어 둔 기억이 없어요.)")
            return
        times = self._chat.times_written()
        rows = []
        for number, memory in enumerate(self._numbered, start=1):
            time_written = times.get(str(memory))
            written = when(time_written) if time_written else str(memory.said or "")
            rows.append((str(number), memory.key, memory.value, written))
        self._screen.table(("번호", "키", "값", "적은 때"), rows)

    def _add_memories(self, text: str) -> None:
        from datetime import date

        from llm.memory_mechanism.days import dated
        from llm.memory_mechanism.memory import split_leading_memories
        from llm.prompt import clean_user_text

        text = clean_user_text(text)
        memories, left = split_leading_memories(text if text.startswith("[") else f"[{text}]")
        if not memories or left:
            raise commands.MEMORIES.misused
        saved = self._program.memory_file.add([dated(memory, date.today()) for memory in memories])
        if not saved.added and not saved.changed:
            self._screen.line("(이미 알고 있어요.)")
            return
        self._screen.memories(saved.added, saved.changed)
        if saved.notice:
            self._screen.line(f"({saved.notice})")
        self._remember(edits_of(saved.added, saved.changed))
        self._chat.keep(
            Record(
                _now(),
                f"/{commands.MEMORIES.name} {commands.MEMORIES.words[0]} {text}",
                "",
                saved=tuple(map(str, saved.added)),
                changed=tuple((str(change.before), str(change.after)) for change in saved.changed),
            )
        )

    def _forget(self, rest: str) -> None:
        number = read_number(rest, commands.FORGET)
        known = self._numbered if number <= len(self._numbered) else self._program.memory_file.read()
        if number > len(known):
            raise CommandError(f"{number}번 기억은 없어요. /{commands.MEMORIES.name} 을 쓰면 번호를 볼 수 있어요.")
        memory = known[number - 1]
        edit = self._program.memory_file.forget(memory, number - 1)
        if edit is None:
            raise CommandError(f"{memory.item} - 이미 없는 기억이에요.")
        self._remember((edit,))
        self._screen.line(f"(잊음: {memory.item})")

    def _undo(self, rest: str) -> None:
        if not self._undoable:
            raise CommandError("되돌릴 것이 없어요.")
        self._take_back(self._undoable[-1].edits)
        self._undoable.pop()

    def _take_back(self, edits: Sequence[Any]) -> None:
        kept = self._program.memory_file.undo(edits)
        for edit in reversed(edits):
            before, after = edit.before, edit.after
            if edit in kept:
                self._screen.line(f"({(after or before).item} - 그사이에 손으로 고치신 것이라 그대로 두었어요.)")
            elif before is None:
                self._screen.line(f"(되돌림: {after.item} 지움)")
            elif after is None:
                self._screen.line(f"(되돌림: {before.item} 다시 적음)")
            else:
                self._screen.line(f"(되돌림: {before.key} {after.value} → {before.value})")

    # --- the last reply

    def _why(self, rest: str) -> None:
        turn = self._last_turn()
        recalled = turn.recalled
        if recalled is None:
            self._screen.line("떠올린 기억: 없음")
        else:
            self._screen.line(f"떠올린 기억: {recalled.memory.item} (비슷한 정도 {recalled.score:.2f})")
            if turn.line is not None and turn.line != recalled.memory:
                self._screen.line(f"파일에 있는 줄: {turn.line}")
        face = turn.expression
        scores = face.eyes, face.mouth, face.pose
        about = [name for name in (name_of(*scores),) if name]
        if turn.reading is not None:
            about.append(f"답에서 읽음, 확률 {turn.reading.probability:.2f}")
        self._screen.line(f"표정: {_face_text(scores)}" + (f" ({', '.join(about)})" if about else ""))
        self._screen.line(f"걸린 시간: {self._seconds:.1f}초")

    def _answer_again(self, rest: str) -> str:
        from final_product.companion import typed_in

        turn = self._last_turn()
        typed, _ = typed_in(turn.prompt)
        stay: list[Any] = []
        for place, undoable in enumerate(self._undoable):
            if undoable.turn is turn:
                stay = [edit for edit in undoable.edits if any(edit.after.same_as(memory) for memory in typed)]
                self._take_back([edit for edit in undoable.edits if edit not in stay])
                self._undoable[place : place + 1] = [_Undoable(tuple(stay))] if stay else []
                break
        self._again = tuple(stay)
        return turn.prompt

    def _last_turn(self) -> Any:
        if self.turn is None:
            raise CommandError("아직 답한 말이 없어요. 먼저 말을 걸어 주세요.")
        return self.turn

    # --- her face

    def _expression(self, rest: str) -> None:
        scores = read_expression(rest)
        if not self._program.draw(*scores):
            raise CommandError("지금은 얼굴을 그리지 않아요. --no-face 없이 시작하면 그려요.")
        self._screen.line(f"(표정: {_face_text(scores)})")
        if self._show_face:
            self._show_picture()

    def _face(self, rest: str) -> None:
        self._show_picture()

    def _show_picture(self) -> None:
        drawn = self._program.drawn()
        deadline = time.monotonic() + _FACE_SECONDS
        while not drawn.wait(_POLL_SECONDS) and time.monotonic() < deadline:
            continue
        path = self._program.image
        try:
            self._screen.picture(path)
        except FileNotFoundError as error:
            raise CommandError(
                f"아직 그린 얼굴이 없어요. 말을 걸거나 /{commands.EXPRESSION.name} 을 써 보세요."
            ) from error
        except OSError as error:
            raise CommandError(f"얼굴 그림을 읽지 못했어요: {path} ({reason(error)})") from error

    # --- chats

    def _save(self, rest: str) -> None:
        name = rest.strip("\"'")
        if not name:
            raise commands.SAVE.misused
        path = self._chat.save(name)
        self._screen.line(f"(저장했어요: {path})")

    def _chats(self, rest: str) -> None:
        if rest:
            for record in self._chat.chat(read_number(rest, commands.CHATS)):
                self._screen.exchange(record.prompt, record.reply)
        else:
            self._screen.table(("번호", "시작한 때", "말한 횟수", "첫마디"), self._chat.table())

    def _remember(self, edits: tuple[Any, ...], turn: Any = None) -> None:
        if edits:
            self._undoable.append(_Undoable(edits, turn))

    # --- the program

    def _models(self, rest: str) -> None:
        if rest == commands.MODELS.words[0]:
            self._program.download()
        elif rest:
            raise commands.MODELS.misused
        else:
            for line in self._program.models():
                self._screen.line(line)

    def _seed(self, rest: str) -> None:
        if rest:
            if not (rest.isascii() and rest.isdecimal() and len(rest) < 20 and int(rest) <= MAX_SEED):
                raise commands.SEED.misused
            self._program.reseed(int(rest))
        self._screen.line(f"(시드: {self._program.seed})")


def _of_both(turn: Any, stay: Iterable[Any]) -> Record:
    """The record of a turn that takes another one's place, of which some edits stay."""
    record = Record.of(turn, _now(), again=True)
    saved = tuple(str(edit.after) for edit in stay if edit.before is None)
    changed = tuple((str(edit.before), str(edit.after)) for edit in stay if edit.before is not None)
    return replace(record, saved=saved + record.saved, changed=changed + record.changed)


def _now() -> datetime:
    return datetime.now().astimezone()


def _face_text(scores: tuple[float, float, float]) -> str:
    eyes, mouth, pose = scores
    return f"눈 {eyes:.2g}, 입 {mouth:.2g}, 고개 {pose:.2g}"
