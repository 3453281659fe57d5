"""The chat's end of the window: starts it, sends it frames, ends it, and says in one line why there is none.

The chat never waits for it: frames that a slow window has no room for are dropped. Knows no toolkit.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from final_product.frames import Frames, write_frames

_ROOT = Path(__file__).resolve().parent.parent  # in which the window's program is found
WAITING_FRAMES = 4  # that may stand in line
END_SECONDS = 2.0  # for the window to close
_HERE = "얼굴은 --show-face 로 터미널에서 볼 수 있어요."
NO_TK = (
    "이 파이썬에는 Tk가 없어서 얼굴 창을 열지 못했어요 - 리눅스는 python3-tk 를, 윈도우는 파이썬 설치에서 tcl/tk 를 "
    f"더해 주세요. {_HERE}"
)
NO_DISPLAY = f"화면(DISPLAY)이 없어서 얼굴 창을 열지 못했어요 - 원격이면 ssh -X 로 접속해 주세요. {_HERE}"
BROKEN = f"얼굴 창에 문제가 생겨서 닫았어요. {_HERE}"
_REASONS = {3: NO_TK, 4: NO_DISPLAY}  # exit codes of final_product.face_window


def why_no_window(
    environment: Mapping[str, str],
    platform: str = sys.platform,
    find: Callable[[str], object] = importlib.util.find_spec,
) -> str | None:
    """What is missing for a window, as far as can be told at once; None where nothing is."""
    if find("tkinter") is None or find("_tkinter") is None:
        return NO_TK
    if platform not in ("win32", "darwin") and not environment.get("DISPLAY"):
        return NO_DISPLAY
    return None


def window_command(picture: Path) -> list[str]:
    """The program of the window."""
    return [sys.executable, "-m", "final_product.face_window", str(picture.resolve())]


class WindowLink:
    """A window that is open, until the user or ``close`` closes it."""

    def __init__(self, command: Sequence[str], tell: Callable[[str], None]) -> None:
        """
        Args:
            command: the program; ``window_command`` gives it.
            tell: is called, from another thread, with a line about what went wrong.

        Raises:
            OSError: it cannot be started.
        """
        known = os.environ.get("PYTHONPATH")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), known)))}
        # In a group of its own: Ctrl+C at the terminal is meant for the chat.
        if os.name == "nt":
            alone = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        else:
            alone = {"start_new_session": True}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            **alone,
        )
        self._frames: queue.Queue[Frames | None] = queue.Queue(WAITING_FRAMES)
        self._closing = False
        self._tell = tell
        threading.Thread(target=self._send, name="window frames", daemon=True).start()
        self._watcher = threading.Thread(target=self._watch, name="window", daemon=True)
        self._watcher.start()

    def show(self, frames: Frames) -> None:
        """Sends frames and returns at once."""
        with contextlib.suppress(queue.Full):
            self._frames.put_nowait(frames)

    def close(self) -> None:
        """Closes the window, if it is still open."""
        self._closing = True
        try:
            self._frames.put(None, timeout=END_SECONDS)
        except queue.Full:  # it takes nothing any more
            self._process.kill()
        self._watcher.join(END_SECONDS)
        if self._watcher.is_alive():
            self._process.kill()
            self._watcher.join(END_SECONDS)

    def _send(self) -> None:
        pipe = self._process.stdin
        with contextlib.suppress(OSError):  # the user has closed the window
            while (frames := self._frames.get()) is not None:
                write_frames(pipe, frames)
        with contextlib.suppress(OSError):
            pipe.close()
        while frames is not None:  # nobody looks any more
            frames = self._frames.get()

    def _watch(self) -> None:
        status = self._process.wait()
        if status and not self._closing:
            self._tell(_REASONS.get(status, BROKEN))
