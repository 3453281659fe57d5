"""Oh-LoRA: one turn from what the user said to her reply, her memory and her face. Knows no terminal.

The models are handed in, so that tests can hand in small fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from final_product.care import help_for
from final_product.expression import expression_of, scores_of
from llm.errors import MemoryFileError
from llm.expressions.reader import Reading
from llm.memory_mechanism.days import dated
from llm.memory_mechanism.meaning import Change, readings, says_something, suits, without_particle
from llm.memory_mechanism.memory import Memory, split_leading_memories
from llm.memory_mechanism.memory_file import MemoryFile, Saved
from llm.memory_mechanism.retriever import Recall
from llm.prompt import clean_user_text, render_prompt
from llm.reply import IGNORED, Reply, stream_reply
from stylegan_and_segmentation.properties import PropertyScores

LONGEST_RECALLED = 200  # characters of a memory that may stand before a prompt; a longer one would crowd it out
REMEMBER_THIS = "기억해 줘"  # what somebody means who types nothing but a memory


class Writer(Protocol):
    """A language model, as ``llm.language_model.LanguageModel`` is one."""

    def stream(self, prompt: str, generator: Any = None) -> Iterator[str]: ...


class Retriever(Protocol):
    """A memory retriever, as ``llm.memory_mechanism.retriever.MemoryRetriever`` is one."""

    def best(self, prompt: str, memories: Any, suits: Callable[[Memory], bool]) -> Recall | None: ...


class ExpressionReader(Protocol):
    """Reads which expression suits a reply, as ``llm.expressions.reader.ExpressionReader`` does."""

    def read(self, reply: str) -> Reading: ...


@dataclass(frozen=True)
class Turn:
    """What came of one prompt.

    Attributes:
        prompt: what the user said, brackets and all.
        reply: what she said; the part that was shown where the reply was stopped; empty where there was none.
        recalled: the memory that stood before the prompt, if any, as it reads today; one that the user typed scores 1.
        line: how it is written, with the day on which it was said where one is noted.
        saved: the memories that are new in the file, the user's own first, each with the day on which it was said.
        changed: the memories that took an older one's place in the file.
        expression: the face's scores.
        notices: Korean lines about what went wrong on the way.
        reading: what was read from the reply, where the face comes from there and not from the rules.
    """

    prompt: str
    reply: Reply
    recalled: Recall | None
    line: Memory | None
    saved: tuple[Memory, ...]
    changed: tuple[Change, ...]
    expression: PropertyScores
    notices: tuple[str, ...]
    reading: Reading | None = None


class Companion:
    """Answers one prompt after the other."""

    def __init__(
        self,
        language_model: Writer,
        retriever: Retriever,
        memory_file: MemoryFile,
        request_face: Callable[[PropertyScores], None],
        generator: Any = None,
        today: Callable[[], date] = date.today,
        expressions: ExpressionReader | None = None,
    ) -> None:
        """
        Args:
            language_model: writes the replies.
            retriever: finds the memory that fits.
            memory_file: holds the memories.
            request_face: asks for a picture and returns at once.
            generator: the language model's source of randomness.
            today: the clock; tells the day it is.
            expressions: reads the face from the reply; without it, and where it fails, the published rules do.
        """
        self.language_model = language_model
        self.retriever = retriever
        self.memory_file = memory_file
        self.request_face = request_face
        self.generator = generator
        self.today = today
        self.expressions = expressions
        self.turn: Turn | None = None
        self._lines: tuple[Memory, ...] | None = None  # of the file, as they were when last looked at
        self._day: date | None = None  # for which they were read
        self._readings: Mapping[Memory, Memory] = {}  # what may be recalled on that day -> its line

    def respond(self, said: str, again: bool = False) -> Iterator[str]:
        """Yields the reply's visible pieces; when it has ended, ``turn`` holds the whole.

        What the user put in brackets is saved before anything else happens. Whoever speaks of ending his life is
        pointed to people who can help, by a notice in place of a reply. Whoever stops early (closes the
        iterator) keeps what was shown; memories of a reply that was stopped are not saved, nor those that only say
        again what stood before the prompt: the user may have deleted that line while she spoke. What the user put in
        brackets is the last word on its keys in that turn.

        Args:
            said: what the user said.
            again: it has been answered before: what stood in brackets was saved then, and stays as it is by now.

        Raises:
            PromptTooLongError: the prompt leaves no room for a reply; the user's memories are saved all the same.
        """
        self.turn = None
        today = self.today()
        notices: list[str] = []
        typed, text = typed_in(said)
        saved = [] if again else [self._save(typed, said, today, notices)]
        help_line = help_for(text)
        if help_line:
            self.turn = _turn(said, Reply(""), None, None, saved, [*notices, help_line])
            return
        if typed and not text:
            text = REMEMBER_THIS
        if typed:
            recalled, line = Recall(typed[-1], 1.0), dated(typed[-1], today)
        else:
            recalled, line = self._recall(text, today, notices)
        prompt = render_prompt(text, recalled.memory.item if recalled else None)

        reply, shown = None, []
        pieces = stream_reply(lambda: self.language_model.stream(prompt, generator=self.generator))
        try:
            while True:
                try:
                    piece = next(pieces)
                except StopIteration as end:
                    reply = end.value
                    break
                shown.append(piece)
                yield piece
        finally:
            if reply is not None:
                written = [without_particle(memory, text) for memory in reply.memories if says_something(memory)]
                saved.append(self._save(_news(written, typed, recalled), text, today, notices))
            reply = reply or Reply("".join(shown))
            reading = self._read_expression(reply, notices)
            self.turn = _turn(said, reply, recalled, line, saved, notices, reading)
            if self.turn.reply.text:
                self.request_face(self.turn.expression)

    def _save(self, memories: Iterable[Memory], words: str, today: date, notices: list[str]) -> Saved:
        try:
            saved = self.memory_file.add([dated(memory, today) for memory in memories], words)
        except MemoryFileError as error:
            _note(notices, str(error))
            return Saved()
        if saved.notice:
            _note(notices, saved.notice)
        return saved

    def _read_expression(self, reply: Reply, notices: list[str]) -> Reading | None:
        if self.expressions is None or not reply.text or reply.text == IGNORED:
            return None
        if reply.warns:  # she says so herself
            return Reading("displeasure", 1.0)
        try:
            return self.expressions.read(reply.text)
        except RuntimeError as error:  # a device out of memory, say: the rules need none
            _note(notices, f"이번 표정은 규칙으로 지었어요: {' '.join(str(error).split())[:120]}")
        return None

    def _recall(self, text: str, today: date, notices: list[str]) -> tuple[Recall | None, Memory | None]:
        """The memory that fits and the line of the file that says so."""
        try:
            self._read(today)
            recalled = self.retriever.best(text, tuple(self._readings), lambda memory: suits(memory, text, today))
            return recalled, self._readings.get(recalled.memory) if recalled else None
        except MemoryFileError as error:
            _note(notices, str(error))
        except RuntimeError as error:  # a device out of memory, say: she answers all the same
            _note(notices, f"이번에는 기억을 떠올리지 못했어요: {' '.join(str(error).split())[:120]}")
        return None, None

    def _read(self, today: date) -> None:
        """Makes ``_readings`` those of ``today``; nothing is read anew while the file and the day are the same."""
        lines = self.memory_file.read()
        if lines is not self._lines or today != self._day:
            short = (line for line in lines if len(line.item) <= LONGEST_RECALLED)
            self._lines, self._day, self._readings = lines, today, readings(short, today)


def typed_in(said: str) -> tuple[list[Memory], str]:
    """The memories that the user typed before what he said, and the words, as they stand in a prompt."""
    typed, text = split_leading_memories(said)
    memories = (Memory.parse(clean_user_text(memory.item)) for memory in typed)
    return [memory for memory in memories if memory], clean_user_text(text)


def _news(memories: Iterable[Memory], typed: list[Memory], recalled: Recall | None) -> list[Memory]:
    """Those of a reply's ``memories`` that neither repeat what stood before the prompt nor have a typed one's key."""
    given = [*typed, *([recalled.memory] if recalled else [])]
    settled = {"".join(memory.key.split()) for memory in typed}
    return [
        memory
        for memory in memories
        if "".join(memory.key.split()) not in settled and not any(memory.same_as(other) for other in given)
    ]


def _turn(
    said: str,
    reply: Reply,
    recalled: Recall | None,
    line: Memory | None,
    saved: Iterable[Saved],
    notices: Iterable[str],
    reading: Reading | None = None,
) -> Turn:
    return Turn(
        prompt=said,
        reply=reply,
        recalled=recalled,
        line=line,
        saved=tuple(memory for part in saved for memory in part.added),
        changed=tuple(change for part in saved for change in part.changed),
        expression=scores_of(reading.expression) if reading else expression_of(reply.text),
        notices=tuple(notices),
        reading=reading,
    )


def _note(notices: list[str], notice: str) -> None:
    if notice not in notices:
        notices.append(notice)
