"""Every chat as a file of JSON lines, one for each turn, in the user's data folder; and as Markdown.

A line that is torn or broken is passed over: no power cut takes more than the turn it hit. Knows no model and no
terminal; a turn is whatever has the attributes of ``final_product.companion.Turn``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

_SUFFIX = ".jsonl"
_NAME = "%Y%m%dT%H%M%S.%fZ"  # in UTC, so that names sort by time whatever the clock is set to


@dataclass(frozen=True)
class Record:
    """One turn as it is kept.

    Attributes:
        time: when the turn ended, with its zone.
        prompt: what the user said.
        reply: what she said; empty where she said nothing.
        recalled: the memory that stood before the prompt, as ``key: value``.
        score: its similarity, -1 to 1.
        saved: the memories written down, as they stand in the memory file.
        changed: the memories that took another one's place: before, after.
        eyes: of the expression, in standard deviations; ``mouth`` and ``pose`` alike.
        again: whether the reply took the place of the one before, to the same prompt.
    """

    time: datetime
    prompt: str
    reply: str
    recalled: str | None = None
    score: float | None = None
    saved: tuple[str, ...] = ()
    changed: tuple[tuple[str, str], ...] = ()
    eyes: float = 0.0
    mouth: float = 0.0
    pose: float = 0.0
    again: bool = False

    @classmethod
    def of(cls, turn: Any, time: datetime, again: bool = False) -> Record:
        """The record of a companion's turn."""
        face = turn.expression
        return cls(
            time=time,
            prompt=turn.prompt,
            reply=turn.reply.text,
            recalled=turn.recalled.memory.item if turn.recalled else None,
            score=round(turn.recalled.score, 4) if turn.recalled else None,
            saved=tuple(str(memory) for memory in turn.saved),
            changed=tuple((str(change.before), str(change.after)) for change in turn.changed),
            eyes=round(face.eyes, 4),
            mouth=round(face.mouth, 4),
            pose=round(face.pose, 4),
            again=again,
        )

    def to_json(self) -> str:
        """One line of JSON, without its line end. ``from_json`` reads it."""
        fields = {
            "time": self.time.isoformat(timespec="seconds"),
            "prompt": self.prompt,
            "reply": self.reply,
            "recalled": None if self.recalled is None else {"memory": self.recalled, "score": self.score},
            "saved": list(self.saved),
            "changed": [{"before": before, "after": after} for before, after in self.changed],
            "expression": {"eyes": self.eyes, "mouth": self.mouth, "pose": self.pose},
            "again": self.again,
        }
        # A lone surrogate has no UTF-8; the escape that stands for it is JSON's own.
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")

    @classmethod
    def from_json(cls, line: str | bytes) -> Record:
        """The record that ``line`` holds.

        Raises:
            ValueError, KeyError, TypeError: it holds none.
        """
        fields = json.loads(line)
        time = datetime.fromisoformat(fields["time"])
        if time.tzinfo is None:
            raise ValueError("a time without its zone")
        recalled, face = fields["recalled"], fields["expression"]
        return cls(
            time=time,
            prompt=_text(fields["prompt"]),
            reply=_text(fields["reply"]),
            recalled=None if recalled is None else _text(recalled["memory"]),
            score=None if recalled is None else float(recalled["score"]),
            saved=tuple(_text(memory) for memory in fields["saved"]),
            changed=tuple((_text(change["before"]), _text(change["after"])) for change in fields["changed"]),
            eyes=float(face["eyes"]),
            mouth=float(face["mouth"]),
            pose=float(face["pose"]),
            again=fields["again"] is True,
        )


class ChatLog:
    """The file of one chat. It is made with its first turn: a chat in which nothing was said leaves nothing behind."""

    def __init__(self, folder: Path, path: Path | None = None) -> None:
        """
        Args:
            folder: where chats are kept; need not exist.
            path: the chat to go on with; a new one by default.
        """
        self.folder = folder
        self.path = path

    def append(self, record: Record) -> None:
        """Adds a turn, in one write.

        Raises:
            OSError: the turn is not kept.
        """
        if self.path is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path = _new_file(self.folder)
        line = record.to_json().encode("utf-8") + b"\n"
        if _is_torn(self.path):
            line = b"\n" + line
        with open(self.path, "ab", opener=_for_the_user_alone) as file:
            file.write(line)


def chats_folder() -> Path:
    """Where this user's chats are kept."""
    from platformdirs import user_data_path

    return user_data_path("Oh-LoRA", appauthor=False) / "chats"


def find_chats(folder: Path) -> list[Path]:
    """The chats in ``folder``, the newest first."""
    return sorted(folder.glob(f"*{_SUFFIX}"), reverse=True)


def newest_chat(folder: Path) -> Path | None:
    """The newest chat in which something was said, or None."""
    return next((path for path in find_chats(folder) if read_chat(path)), None)


def read_chat(path: Path) -> tuple[Record, ...]:
    """The turns of a chat, those left out that another reply has replaced. A file that cannot be read has none."""
    records: list[Record] = []
    for record in _records(path):
        add_record(records, record)
    return tuple(records)


def add_record(records: list[Record], record: Record) -> None:
    """Puts ``record`` behind ``records``; what it takes the place of goes."""
    if record.again:
        places = [place for place, old in enumerate(records) if old.prompt == record.prompt]
        if places:
            del records[places[-1]]
    records.append(record)


def times_written(records: Iterable[Record]) -> dict[str, datetime]:
    """When each memory was last written down: its line in the memory file -> time."""
    times: dict[str, datetime] = {}
    for record in records:
        for memory in (*record.saved, *(after for _, after in record.changed)):
            times[memory] = record.time
    return times


def read_all(folder: Path) -> Iterator[Record]:
    """Every turn of every chat in ``folder``, the oldest chat first."""
    for path in reversed(find_chats(folder)):
        yield from _records(path)


def to_markdown(records: Iterable[Record]) -> str:
    """A chat for reading, with the expression of each reply's picture."""
    records = list(records)
    lines = ["# 오로라와의 대화", ""]
    if records:
        lines += [f"{records[0].time:%Y-%m-%d %H:%M}부터 {records[-1].time:%Y-%m-%d %H:%M}까지", ""]
    for record in records:
        lines += [f"**나** ({record.time:%H:%M})", "", *_quoted(record.prompt), ""]
        if record.reply:  # there is none to what a command wrote down
            face = f"눈 {record.eyes:g}, 입 {record.mouth:g}, 고개 {record.pose:g}"
            lines += [f"**오로라** (표정: {face})", "", *_quoted(record.reply), ""]
        if record.recalled:
            lines += [f"- 떠올린 기억: {_escaped(record.recalled)} ({record.score:.2f})"]
        lines += [f"- 적어 둔 기억: {_escaped(memory)}" for memory in record.saved]
        lines += [f"- 고친 기억: {_escaped(before)} → {_escaped(after)}" for before, after in record.changed]
        if lines[-1]:
            lines.append("")
    return "\n".join(lines)


def _records(path: Path) -> Iterator[Record]:
    try:
        data = path.read_bytes()
    except OSError:
        return
    for line in data.split(b"\n"):
        try:
            yield Record.from_json(line)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # torn, or no line of ours
            continue


def _new_file(folder: Path) -> Path:
    now = datetime.now(timezone.utc)
    while True:
        path = folder / f"{now.strftime(_NAME)}{_SUFFIX}"
        try:
            with open(path, "xb", opener=_for_the_user_alone):
                return path
        except FileExistsError:  # another program began at the same instant
            now += timedelta(microseconds=1)


def _is_torn(path: Path) -> bool:
    """Whether the file ends within a line."""
    try:
        with path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False


def _for_the_user_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, got {type(value).__name__}")
    return value


def _quoted(text: str) -> list[str]:
    """A Markdown quotation that shows ``text`` as it is, line by line."""
    lines = [_escaped(line) for line in text.splitlines()] or [""]
    return [f"> {line}\\" for line in lines[:-1]] + [f"> {lines[-1]}"]


def _escaped(text: str) -> str:
    shown = "".join(c for c in text if c.isprintable() or c == "\u200d")
    shown = re.sub(r"([\\`*_\[\]<>~|#&])", r"\\\1", shown)
    return re.sub(r"^(\s*(?:\d+(?=[.)]))?)([-+.)=])", r"\1\\\2", shown)
