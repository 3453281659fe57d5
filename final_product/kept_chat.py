"""What is kept of this chat and of those before it. Knows the log's files; knows no screen and no model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from final_product import commands
from final_product.chat_log import (
    ChatLog,
    Record,
    add_record,
    find_chats,
    newest_chat,
    read_all,
    read_chat,
    times_written,
    to_markdown,
)
from final_product.commands import CommandError

_CHATS_SHOWN = 10
_FIRST_WORDS = 30  # characters of a chat's first prompt


class KeptChat:
    """The turns of one chat, in memory and in the folder of chats."""

    def __init__(self, folder: Path, log: bool, tell: Callable[[str], None]) -> None:
        """
        Args:
            folder: where chats are kept.
            log: whether this one is kept there.
            tell: takes the line that says, once, that it cannot be.
        """
        self.records: list[Record] = []
        self._folder = folder
        self._log = ChatLog(folder) if log else None
        self._log_fails = False
        self._tell = tell

    def resume(self) -> Sequence[Record]:
        """Goes on with the newest chat, and gives its turns; empty where there is none."""
        path = newest_chat(self._folder)
        if path is not None:
            self.records = list(read_chat(path))
            if self._log is not None:
                self._log.path = path
        return tuple(self.records)

    def keep(self, record: Record) -> None:
        """Adds a turn. One that cannot be written is kept in memory."""
        add_record(self.records, record)
        if self._log is None:
            return
        try:
            self._log.append(record)
            self._log_fails = False
        except OSError as error:
            if not self._log_fails:
                self._tell(f"대화를 적어 두지 못했어요: {self._folder} ({reason(error)})")
            self._log_fails = True

    def times_written(self) -> Mapping[str, datetime]:
        """When each memory was written, as far as any chat says so."""
        return times_written(read_all(self._folder)) | times_written(self.records)

    def save(self, name: str) -> Path:
        """Writes this chat into a new file (Markdown, unless ``name`` has a suffix), and gives its path.

        Raises:
            CommandError: there is nothing to save, the file is there already, or it cannot be written.
        """
        if not self.records:
            raise CommandError("아직 저장할 대화가 없어요.")
        try:
            path = Path(name).expanduser()
            path = path if path.suffix else path.with_suffix(".md")
            with path.open("x", encoding="utf-8", errors="replace") as file:
                file.write(to_markdown(self.records))
        except FileExistsError as error:
            raise CommandError(f"이미 있는 파일이에요: {path} - 다른 이름을 써 주세요.") from error
        except (OSError, ValueError, RuntimeError) as error:  # a name that cannot be one; a home that is not known
            raise CommandError(f"저장하지 못했어요: {name} ({reason(error)})") from error
        return path

    def chat(self, number: int) -> Sequence[Record]:
        """The turns of the chat that ``table`` gives that number.

        Raises:
            CommandError: there is none.
        """
        found = find_chats(self._folder)
        records = read_chat(found[number - 1]) if number <= len(found) else ()
        if not records:
            raise CommandError(f"{number}번 대화는 없어요. /{commands.CHATS.name} 을 쓰면 번호를 볼 수 있어요.")
        return records

    def table(self) -> Sequence[tuple[str, str, str, str]]:
        """(number, begun, turns, first words) of the newest chats.

        Raises:
            CommandError: there is none.
        """
        rows = []
        for place, path in enumerate(find_chats(self._folder)[:_CHATS_SHOWN], start=1):
            records = read_chat(path)
            if records:
                first = " ".join(records[0].prompt.split())[:_FIRST_WORDS]
                rows.append((str(place), when(records[0].time), f"{len(records)}번", first))
        if not rows:
            raise CommandError("남아 있는 대화가 없어요.")
        return rows


def when(moment: datetime) -> str:
    """A moment as the tables show it."""
    return f"{moment:%Y-%m-%d %H:%M}"


def reason(error: Exception) -> str:
    """What the system says of an error, in short."""
    return getattr(error, "strerror", None) or type(error).__name__
