"""From the model's raw text to what the user sees: the visible reply and the memories inside it.

``ReplyParser`` reads character by character, so that its answer never depends on how the text was cut into pieces;
``stream_reply`` runs a model until it has said something fit to show. Knows no terminal, no file and no framework.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from llm.memory_mechanism.memory import Memory

IGNORED = "(읽씹)"  # the published answer when every attempt was unfit
MAX_ATTEMPTS = 30  # published
WARNING = "경고"  # what she puts in a bracket before words that turn something down; learned from the conversations

# What begins like one of these ends the reply: end marks, whole or broken, and a prompt that starts anew.
_STOPS = ("(답변", "( 답변", "###", "<|")
_INVISIBLE = "\u200b\ufeff\ufffd"
_UNPRINTABLE = ("Cc", "Cs", "Co", "Cn")  # Unicode categories: control, surrogate, private use, unassigned
_QUOTES = '"“”'  # the published program refuses replies with double quotes; a reply reads as well without them
_HAS_WORD = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣA-Za-z0-9]")
_SENTENCE_END = re.compile(r"[.!?~…)ㅋㅎㅠㅜ^;]$")


@dataclass(frozen=True)
class Reply:
    """What she said: ``text`` as shown, the memories that she wrote down with it, and whether it ``warns``."""

    text: str
    memories: tuple[Memory, ...] = ()
    warns: bool = False


class ReplyParser:
    """Takes the raw text in pieces; gives the visible text as soon as it can no longer be part of a marker.

    ``[…:…]`` is a memory and is cut, ``[…]`` without a colon is cut, an end mark ends the reply. The joined pieces of
    ``feed`` and ``finish`` are the ``text`` of the ``Reply``.
    """

    def __init__(self) -> None:
        self.ended = False  # an end mark was read
        self._shown: list[str] = []
        self._memories: list[Memory] = []
        self._warns = False
        self._bracket: list[str] | None = None  # what stands in the bracket that is open
        self._begun = False  # a visible character was read
        self._blank = False  # a blank is due before the next visible character
        self._held = ""  # may yet turn out to begin an end mark

    def feed(self, piece: str) -> str:
        """The visible text that ``piece`` settles; an empty string while nothing is certain."""
        visible = ""
        for character in piece:
            if self.ended:
                break
            for spoken in self._fold_blanks(self._cut_bracket(character)):
                visible += self._hold_end_mark(spoken)
        return self._show(visible)

    def finish(self) -> str:
        """What is still due when there is no more text. A sentence that was cut short (no end mark) gets an ``…``."""
        if self.ended:
            return ""
        visible, self._held, self.ended = self._held, "", True
        text = "".join(self._shown) + visible
        if text and not _ends_well(text):
            visible += "…"
        return self._show(visible)

    @property
    def in_bracket(self) -> bool:
        """Whether a bracket is open."""
        return self._bracket is not None

    @property
    def awaits_value(self) -> bool:
        """Whether a memory's key stands in the bracket that is open, and nothing of its value."""
        written = "".join(self._bracket or ())
        return written.find(":") == len(written) - 1 and Memory.parse(f"{written} ?") is not None

    @property
    def reply(self) -> Reply:
        return Reply("".join(self._shown), tuple(self._memories), self._warns)

    def _show(self, visible: str) -> str:
        if visible:
            self._shown.append(visible)
        return visible

    def _cut_bracket(self, character: str) -> str:
        """``character`` where it stands outside of brackets; an empty string inside."""
        if character == "[":
            self._bracket = []  # an outer bracket that is still open was never meant: the inner one counts
        elif self._bracket is None:
            return "" if character == "]" else character
        elif character == "]":
            content = "".join(c for c in self._bracket if c.isprintable())
            self._warns |= content.strip() == WARNING
            memory = Memory.parse(content)
            if memory is not None and not any(memory.same_as(other) for other in self._memories):
                self._memories.append(memory)
            self._bracket = None
        else:
            self._bracket.append(character)
        return ""

    def _fold_blanks(self, character: str) -> str:
        """``character`` as it is shown: blanks are folded, what cannot be shown is dropped."""
        if character.isspace():
            self._blank = True
            return ""
        if not character or character in _INVISIBLE + _QUOTES or unicodedata.category(character) in _UNPRINTABLE:
            return ""
        blank = " " if self._blank and self._begun else ""
        self._blank, self._begun = False, True
        return blank + character

    def _hold_end_mark(self, character: str) -> str:
        """What is certain not to be part of an end mark, now that ``character`` has come."""
        self._held += character
        visible = ""
        while self._held and not self.ended:
            if self._held.lstrip().startswith(_STOPS):
                self.ended, self._held = True, ""
            elif any(stop.startswith(self._held.lstrip()) for stop in _STOPS):
                break
            else:
                visible, self._held = visible + self._held[0], self._held[1:]
        return visible


def stream_reply(write: Callable[[], Iterator[str]], max_attempts: int = MAX_ATTEMPTS) -> Generator[str, None, Reply]:
    """Yields the visible pieces of a reply and returns the whole.

    Args:
        write: starts one attempt of the model and yields its raw text.
        max_attempts: attempts that may end with nothing to show before she answers ``(읽씹)``.

    Nothing is taken back once it was shown: an attempt is refused only while all of it is still hidden. Visible
    text is therefore held until it holds a letter or a digit, so that a stray symbol alone is never a reply.
    """
    for _ in range(max_attempts):
        parser = ReplyParser()
        waiting, opened = "", False
        for piece in write():
            waiting += parser.feed(piece)
            opened = opened or bool(_HAS_WORD.search(waiting))
            if opened and waiting:
                yield waiting
                waiting = ""
            if parser.ended:
                break
        waiting += parser.finish()
        if opened or _HAS_WORD.search(waiting):
            if waiting:
                yield waiting
            return parser.reply
    yield IGNORED
    return Reply(IGNORED)


def _ends_well(text: str) -> bool:
    return bool(_SENTENCE_END.search(text)) or unicodedata.category(text[-1]) in ("So", "Mn", "Cf")
