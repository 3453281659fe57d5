"""Oh-LoRA: one turn from what the user said to her reply, her memory and her face. Knows no terminal.

The models are handed in, so that tests can hand in small fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from final_product.care import help_for
from final_product.expression import expression_of
from llm.errors import MemoryFileError
from llm.memory_mechanism.memory import Memory, split_leading_memories
from llm.memory_mechanism.memory_file import MemoryFile
from llm.memory_mechanism.retriever import Recall
from llm.prompt import clean_user_text, render_prompt
from llm.reply import Reply, stream_reply
from stylegan_and_segmentation.properties import PropertyScores

LONGEST_RECALLED = 200  # characters of a memory that may stand before a prompt; a longer one would crowd it out
REMEMBER_THIS = "기억해 줘"  # what somebody means who types nothing but a memory


class Writer(Protocol):
    """A language model, as ``llm.language_model.LanguageModel`` is one."""

    def stream(self, prompt: str, generator: Any = None) -> Iterator[str]: ...


class Retriever(Protocol):
    """A memory retriever, as ``llm.memory_mechanism.retriever.MemoryRetriever`` is one."""

    def best(self, prompt: str, memories: Any) -> Recall | None: ...


@dataclass(frozen=True)
class Turn:
    """What came of one prompt.

    Attributes:
        prompt: what the user said, brackets and all.
        reply: what she said; the part that was shown where the reply was stopped; empty where there was none.
        recalled: the memory that stood before the prompt, if any; one that the user typed scores 1.
        saved: the memories that are new in the file, the user's own first.
        expression: the face's scores.
        notices: Korean lines about what went wrong on the way.
    """

    prompt: str
    reply: Reply
    recalled: Recall | None
    saved: tuple[Memory, ...]
    expression: PropertyScores
    notices: tuple[str, ...]


class Companion:
    """Answers one prompt after the other."""

    def __init__(
        self,
        language_model: Writer,
        retriever: Retriever,
        memory_file: MemoryFile,
        request_face: Callable[[PropertyScores], None],
        generator: Any = None,
    ) -> None:
        """
        Args:
            language_model: writes the replies.
            retriever: finds the memory that fits.
            memory_file: holds the memories.
            request_face: asks for a picture and returns at once.
            generator: the language model's source of randomness.
        """
        self.language_model = language_model
        self.retriever = retriever
        self.memory_file = memory_file
        self.request_face = request_face
        self.generator = generator
        self.turn: Turn | None = None

    def respond(self, said: str) -> Iterator[str]:
        """Yields the reply's visible pieces; when it has ended, ``turn`` holds the whole.

        What the user put in brackets is saved before anything else happens. Whoever speaks of ending his life is
        pointed to people who can help, by a notice in place of a reply. Whoever stops early (closes the
        iterator) keeps what was shown; memories of a reply that was stopped are not saved.

        Raises:
            PromptTooLongError: the prompt leaves no room for a reply; the user's memories are saved all the same.
        """
        self.turn = None
        notices: list[str] = []
        typed, text = split_leading_memories(said)
        typed = [memory for memory in (Memory.parse(clean_user_text(m.item)) for m in typed) if memory]
        saved = self._save(typed, notices)
        help_line = help_for(clean_user_text(text))
        if help_line:
            self.turn = Turn(said, Reply(""), None, saved, expression_of(""), (*notices, help_line))
            return
        if typed and not clean_user_text(text):
            text = REMEMBER_THIS
        recalled = Recall(typed[-1], 1.0) if typed else self._recall(text, notices)
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
                saved += self._save(reply.memories, notices)
            reply = reply or Reply("".join(shown))
            expression = expression_of(reply.text)
            self.turn = Turn(said, reply, recalled, saved, expression, tuple(notices))
            if reply.text:
                self.request_face(expression)

    def _save(self, memories: Any, notices: list[str]) -> tuple[Memory, ...]:
        try:
            return self.memory_file.add(memories)
        except MemoryFileError as error:
            _note(notices, str(error))
            return ()

    def _recall(self, text: str, notices: list[str]) -> Recall | None:
        try:
            memories = [memory for memory in self.memory_file.read() if len(memory.item) <= LONGEST_RECALLED]
            return self.retriever.best(clean_user_text(text), memories)
        except MemoryFileError as error:
            _note(notices, str(error))
        except RuntimeError as error:  # a device out of memory, say: she answers all the same
            _note(notices, f"이번에는 기억을 떠올리지 못했어요: {' '.join(str(error).split())[:120]}")
        return None


def _note(notices: list[str], notice: str) -> None:
    if notice not in notices:
        notices.append(notice)
