"""Files that are replaced whole: at any instant the old bytes or the new ones are there, never a part.

Knows bytes and paths; knows nothing of what they say. Whoever calls holds the lock that keeps other programs of ours
from writing the same file; editors know no lock.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

REPLACE_SECONDS = 2.0  # how long an editor or a virus scanner may hold the file open (Windows)


def replace_whole(target: Path, data: bytes, unchanged: Callable[[], bool] = lambda: True) -> bool:
    """Puts ``data`` in the place of ``target``: a sibling file is written, flushed to the disk and renamed.

    What a program that was killed left half written beside it goes away.

    Args:
        unchanged: asked when all but the renaming is done; where it says no, nothing happens.

    Returns:
        whether ``target`` was replaced.

    Raises:
        OSError: nothing was written.
    """
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(13, "읽기 전용 파일")
    for left in target.parent.iterdir():
        if left.name.startswith(f".{target.name}.") and left.name.endswith(".tmp"):
            with suppress(OSError):
                left.unlink()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    replaced = False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, target.stat().st_mode & 0o7777 if target.exists() else 0o644)
        if unchanged():
            rename_over(Path(name), target)
            replaced = True
    finally:
        if not replaced:
            Path(name).unlink(missing_ok=True)
    return replaced


def keep_beside(target: Path, data: bytes, suffix: str) -> Path:
    """A file beside ``target`` that holds ``data``: under its name and ``suffix``, with a number where that is taken.

    What was kept before is never overwritten; what holds the same bytes already is not written again.

    Raises:
        OSError: nothing was written.
    """
    number = 1
    while True:
        path = target.with_name(f"{target.name}.{suffix}" if number == 1 else f"{target.name}.{number}.{suffix}")
        if not path.exists():
            replace_whole(path, data)
            return path
        if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
            return path
        number += 1


def rename_over(source: Path, target: Path) -> None:
    """Moves a file or folder over ``target``, waiting a moment for whoever holds it open (Windows).

    Raises:
        OSError: it cannot be moved.
    """
    deadline = time.monotonic() + REPLACE_SECONDS
    while True:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
