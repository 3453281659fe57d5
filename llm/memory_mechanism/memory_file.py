"""The text file of memories, one ``[key: value]`` a line, that the user edits by hand at any time.

Whatever stands in the file stays as it is, byte for byte, in its own encoding; what becomes of its text is
``memory_text``'s. Knows no model, no clock and no terminal.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from llm.errors import MemoryFileError
from llm.memory_mechanism.meaning import Change, merge
from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.memory_text import Edit, memories_of, undone, with_memories, without
from llm.memory_mechanism.whole_file import keep_beside, replace_whole

LOCK_SECONDS = 5.0  # how long a second program may keep the file
ROUNDS = 20  # how often an editor may save the file while this program is about to, before it gives up
MAX_BYTES = 16 * 1024 * 1024  # a larger file is no list of memories; nothing of it is read or written

# A byte-order mark decides; UTF-32 is not among the encodings that Windows' editors offer.
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_GUESSES = ("utf-8", "cp949")


@dataclass(frozen=True)
class _Content:
    """The file's bytes and how they are to be read."""

    data: bytes = b""
    encoding: str = "utf-8"
    text: str = ""


@dataclass(frozen=True)
class Saved:
    """What a call of ``MemoryFile.add`` wrote.

    Attributes:
        added: memories in new lines.
        changed: memories that took another one's place.
        backup: where the old bytes are, if the file had to change its encoding.
    """

    added: tuple[Memory, ...] = ()
    changed: tuple[Change, ...] = ()
    backup: Path | None = None

    @property
    def notice(self) -> str | None:
        """What the user is to know about it (Korean), if anything."""
        if self.backup is None:
            return None
        return f"기억 파일을 UTF-8로 바꾸었어요. 원래 파일은 옆에 {self.backup.name} 으로 두었어요."


class MemoryFile:
    """Reads and writes the memory file at ``path``; the file need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._stamp: object = None
        self._memories: tuple[Memory, ...] = ()

    def read(self) -> tuple[Memory, ...]:
        """The memories in the order of their lines; the file is opened only when it changed.

        Raises:
            MemoryFileError: the file is there and cannot be read as text.
        """
        stamp = self._look()
        if stamp is None:
            self._stamp, self._memories = None, ()
        elif stamp != self._stamp:
            content = self._load()
            self._memories = memories_of(content.text)
            self._stamp = stamp
        return self._memories

    def add(self, memories: Iterable[Memory], words: str = "") -> Saved:
        """Writes down those of ``memories`` that say something new, as ``meaning.merge`` has it.

        The file is read anew under a lock, so that what an editor or another running program saved a moment ago is
        kept, and replaced whole: at any instant the old or the new file is there.

        Args:
            words: what the user said with them.

        Raises:
            MemoryFileError: nothing was written.
        """
        new = list(memories)
        known = self.read() if new else ()
        merged = merge(new, known, words)
        if merged == list(known):
            return Saved()
        if not all(_stands_in_a_line(memory) for memory in new):
            raise MemoryFileError(f"기억 파일에 적지 못했어요: {self.path} (한 줄로 적을 수 없는 글자가 있어요)")

        def say(text: str) -> str:
            nonlocal known, merged
            known = memories_of(text)
            merged = merge(new, known, words)
            return with_memories(text, merged)

        backup = self._rewrite(say)
        changed = tuple(Change(old, now) for old, now in zip(known, merged, strict=False) if old != now)
        return Saved(tuple(merged[len(known) :]), changed, backup)

    def forget(self, memory: Memory, number: int) -> Edit | None:
        """Removes ``memory``, which stood at place ``number``, counted from 0, when the user last looked.

        Where it stands elsewhere by now, that line goes; where it stands nowhere, nothing happens.

        Returns:
            what ``undo`` takes back; None where nothing happened.

        Raises:
            MemoryFileError: nothing was written.
        """
        edit = None

        def leave_out(text: str) -> str:
            nonlocal edit
            edit = None
            known = memories_of(text)
            if memory not in known:
                return text
            place = number if known[number : number + 1] == (memory,) else known.index(memory)
            text, edit = without(text, place)
            return text

        self._rewrite(leave_out)
        return edit

    def undo(self, edits: Iterable[Edit]) -> tuple[Edit, ...]:
        """Takes ``edits`` back, the last one first.

        Returns:
            those that stay, because their lines have been edited since.

        Raises:
            MemoryFileError: nothing was written.
        """
        taken_back, kept = tuple(edits), ()

        def take_back(text: str) -> str:
            nonlocal kept
            text, kept = undone(text, taken_back)
            return text

        self._rewrite(take_back)
        return kept

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps other programs from writing; whatever keeps this one from it becomes a MemoryFileError."""
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._target.with_name(f".{self._target.name}.lock"), timeout=LOCK_SECONDS):
                yield
        except Timeout as error:
            raise MemoryFileError(f"다른 프로그램이 기억 파일을 쓰고 있어서 적지 못했어요: {self.path}") from error
        except (OSError, UnicodeEncodeError) as error:  # a lone surrogate has no encoding
            raise MemoryFileError(f"기억 파일에 적지 못했어요: {self.path} ({_reason(error)})") from error

    @property
    def _target(self) -> Path:
        return Path(os.path.realpath(self.path))  # a link stays a link: what it points to is replaced

    def _look(self) -> tuple[int, int, int] | None:
        """What tells one state of the file from another; None where there is no file."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise MemoryFileError(f"기억 파일을 읽지 못했어요: {self.path} ({_reason(error)})") from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _load(self) -> _Content:
        try:
            if self.path.stat().st_size > MAX_BYTES:
                size = self.path.stat().st_size // (1024 * 1024)
                raise MemoryFileError(f"기억 파일이 너무 커요 ({size}MB, 최대 16MB): {self.path}")
            data = self.path.read_bytes()
        except FileNotFoundError:
            return _Content()
        except OSError as error:
            raise MemoryFileError(f"기억 파일을 읽지 못했어요: {self.path} ({_reason(error)})") from error
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                guesses: tuple[str, ...] = (encoding,)
                break
        else:
            guesses = _GUESSES
        for encoding in guesses:
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\0" not in text:  # else UTF-16 without its mark, or what a crash left: a line added would damage it
                return _Content(data, encoding, text)
        raise MemoryFileError(
            f"기억 파일의 글자를 읽지 못했어요: {self.path} - 메모장에서 UTF-8로 다시 저장해 주세요. 내용은 그대로예요."
        )

    def _rewrite(self, change: Callable[[str], str]) -> Path | None:
        """Puts ``change`` of the file's text in its place; returns where its old bytes are, if the encoding changed.

        An editor keeps no lock: where it saved the file while the new one was being written, that is read and changed.
        """
        with self._alone():
            for _ in range(ROUNDS):
                stamp = self._look()
                content = self._load()
                text = change(content.text)
                if text == content.text:
                    return None
                data, backup = self._encoded(content, text)
                if replace_whole(self._target, data, lambda stamp=stamp: self._look() == stamp):
                    return backup
        raise MemoryFileError(f"다른 프로그램이 기억 파일을 쓰고 있어서 적지 못했어요: {self.path}")

    def _encoded(self, content: _Content, text: str) -> tuple[bytes, Path | None]:
        """``text`` in the file's own encoding, or the one it has to change to, and then where its old bytes are."""
        try:
            return text.encode(content.encoding), None
        except UnicodeEncodeError:
            if content.encoding != "cp949":
                raise
            # The same text, in an encoding that Windows' editors know; the old bytes stay beside it.
            data = text.encode("utf-8-sig")
            return data, keep_beside(self._target, content.data, "cp949.bak")


def _stands_in_a_line(memory: Memory) -> bool:
    """Whether ``memory``, written down, is read back as itself and does no harm to the file."""
    found = memories_of(str(memory))
    return "\0" not in str(memory) and len(found) == 1 and found[0].same_as(memory)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
