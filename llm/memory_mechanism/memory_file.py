"""The text file of memories, one ``[key: value]`` a line, that the user edits by hand at any time.

Whatever stands in the file stays as it is, byte for byte: adding a memory appends a line in the file's own encoding
and line ends. Knows no model and no terminal.
"""

from __future__ import annotations

import codecs
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from llm.errors import MemoryFileError
from llm.memory_mechanism.memory import Memory, find_memories

LOCK_SECONDS = 5.0  # how long a second program may keep the file
REPLACE_SECONDS = 2.0  # how long an editor or a virus scanner may hold the file open (Windows)
MAX_BYTES = 16 * 1024 * 1024  # a larger file is no list of memories; nothing of it is read or written

# A byte-order mark decides; UTF-32 is not among the encodings that Windows' editors offer.
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_GUESSES = ("utf-8", "cp949")


@dataclass(frozen=True)
class _Content:
    """The file's bytes and how they are to be read."""

    data: bytes
    encoding: str
    text: str

    @property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"


class MemoryFile:
    """Reads and appends to the memory file at ``path``; the file need not exist yet."""

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
            self._memories = tuple(_memories_of(content.text)) if content else ()
            self._stamp = stamp
        return self._memories

    def add(self, memories: Iterable[Memory]) -> tuple[Memory, ...]:
        """Appends those of ``memories`` that the file does not hold yet, and returns them.

        The file is read anew under a lock, so that what an editor or another running program saved a moment ago is
        kept, and replaced whole: at any instant the old or the new file is there.

        Raises:
            MemoryFileError: nothing was written.
        """
        wanted = _distinct(memories, ())
        if not wanted:
            return ()
        if not _distinct(wanted, self.read()):
            return ()
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._target.with_name(f".{self._target.name}.lock"), timeout=LOCK_SECONDS):
                content = self._load()
                new = _distinct(wanted, _memories_of(content.text) if content else ())
                if new:
                    self._write(content, new)
        except Timeout as error:
            raise MemoryFileError(f"다른 프로그램이 기억 파일을 쓰고 있어서 적지 못했어요: {self.path}") from error
        except (OSError, UnicodeEncodeError) as error:  # a lone surrogate has no encoding
            raise MemoryFileError(f"기억 파일에 적지 못했어요: {self.path} ({_reason(error)})") from error
        return tuple(new)

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

    def _load(self) -> _Content | None:
        try:
            if self.path.stat().st_size > MAX_BYTES:
                size = self.path.stat().st_size // (1024 * 1024)
                raise MemoryFileError(f"기억 파일이 너무 커요 ({size}MB, 최대 16MB): {self.path}")
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
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
                return _Content(data, encoding, data.decode(encoding))
            except UnicodeDecodeError:
                continue
        raise MemoryFileError(
            f"기억 파일의 글자를 읽지 못했어요: {self.path} - 메모장에서 UTF-8로 다시 저장해 주세요. 내용은 그대로예요."
        )

    def _write(self, content: _Content | None, memories: list[Memory]) -> None:
        try:
            data = _append(content, memories)
        except UnicodeEncodeError:
            if content is None or content.encoding != "cp949":
                raise
            # The same text, in an encoding that Windows' editors know; the old bytes stay beside it.
            self._target.with_name(f"{self._target.name}.cp949.bak").write_bytes(content.data)
            data = _append(_Content(content.text.encode("utf-8-sig"), "utf-8-sig", content.text), memories)
        self._replace(data)

    def _replace(self, data: bytes) -> None:
        """Puts ``data`` in the file's place, whole: a sibling file is written, flushed to the disk and renamed."""
        target = self._target
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(13, "읽기 전용 파일")
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, target.stat().st_mode & 0o7777 if target.exists() else 0o644)
            _rename(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _rename(source: str, target: Path) -> None:
    deadline = time.monotonic() + REPLACE_SECONDS
    while True:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _append(content: _Content | None, memories: list[Memory]) -> bytes:
    if content is None:
        return "".join(f"{memory}\n" for memory in memories).encode("utf-8")
    newline = content.newline
    start = "" if not content.text.strip("\ufeff") or content.text.endswith(("\n", "\r")) else newline
    lines = start + "".join(f"{memory}{newline}" for memory in memories)
    encoding = "utf-8" if content.encoding == "utf-8-sig" else content.encoding
    return content.data + lines.encode(encoding)


def _memories_of(text: str) -> list[Memory]:
    """The memories of the lines that are nothing but memories; prose that mentions a bracket is none."""
    found: list[Memory] = []
    for line in text.lstrip("\ufeff").splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            found += find_memories(line)
    return found


def _distinct(memories: Iterable[Memory], known: Iterable[Memory]) -> list[Memory]:
    """Those of ``memories`` that neither ``known`` nor an earlier one says already."""
    seen, new = list(known), []
    for memory in memories:
        if not any(memory.same_as(other) for other in seen):
            seen.append(memory)
            new.append(memory)
    return new


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
