"""What the user has typed, kept for the next run. Imported with the editor alone: prompt_toolkit is its base."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from prompt_toolkit.history import FileHistory

MOST = 1000  # entries that are read, the newest


class HistoryFile(FileHistory):
    """prompt_toolkit's history file, for the user's eyes alone; where it cannot be read or written, nothing is lost
    but the history."""

    def __init__(self, path: Path, keep: bool = True) -> None:
        """
        Args:
            path: the file; its folder need not exist.
            keep: whether what is typed goes to the file.
        """
        super().__init__(str(path))
        self._path = path
        self._keep = keep

    def load_history_strings(self) -> Iterable[str]:
        """The newest entries, the last one first."""
        try:
            return list(islice(super().load_history_strings(), MOST))
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        if not self._keep:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
            super().store_string(string)
        except OSError:  # a full disk, a folder that is not the user's: a chat does not stop for its history
            return
