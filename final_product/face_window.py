"""Her face in a window of its own: a program that shows what comes through its standard input, until that ends.

``python -m final_product.face_window PICTURE`` is started by ``window_link`` and shows PICTURE until frames come
(``frames``). It glides from face to face and blinks now and then. Knows no models: they are the chat's.

Exit codes: 0 closed, 3 this Python has no Tk, 4 there is no display.
"""

from __future__ import annotations

import queue
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from final_product.frames import GLIDE, Frames, read_frames

NO_TK, NO_DISPLAY = 3, 4
TITLE = "오로라"
SIDE = 384  # pixels, at first; the user may drag it
GLIDE_SECONDS = 0.5
BLINK_SECONDS = ((0.05, 0), (0.15, 1), (0.22, 0))  # until when which picture of a blink is shown
REST_SECONDS = (2.5, 6.0)  # between two blinks
_SMALLEST = 64  # pixels
_TICK = 30  # milliseconds between two pictures
_NO_FACE_YET = Image.new("RGB", (256, 256), (214, 206, 216))


class Animation:
    """Which picture is to be seen when. Knows no window; what time it is comes from outside."""

    def __init__(self, face: Image.Image, random_number: Callable[[float, float], float], now: float) -> None:
        """
        Args:
            face: what is seen at first.
            random_number: gives one between two.
            now: seconds.
        """
        self._face = face
        self._random = random_number
        self._path: list[Image.Image] = []  # faces to glide over, the last one is to stay
        self._blink: list[Image.Image] = []
        self._begun = self._next_blink = now

    def take(self, frames: Frames, now: float) -> None:
        """Begins to glide, or learns how the face blinks."""
        pictures = [Image.frombytes("RGB", (frames.width, frames.height), data) for data in frames.pictures]
        if frames.kind == GLIDE:
            if pictures:
                start = self.at(now)
                self._path = [start if start.size == pictures[0].size else start.resize(pictures[0].size), *pictures]
                self._face, self._blink, self._begun = pictures[-1], [], now
        elif not pictures or len(pictures) == 2:
            self._blink = pictures
            self._rest(now)

    def at(self, now: float) -> Image.Image:
        """The picture to be seen."""
        if self._path:
            share = (now - self._begun) / GLIDE_SECONDS
            if share < 1:
                place = max(share, 0.0) * (len(self._path) - 1)
                step = int(place)
                return Image.blend(self._path[step], self._path[step + 1], place - step)
            self._path = []
            self._rest(now)
        if self._blink and now >= self._next_blink:
            for until, picture in BLINK_SECONDS:
                if now - self._next_blink < until:
                    return self._blink[picture]
            self._rest(now)
        return self._face

    def _rest(self, now: float) -> None:
        self._next_blink = now + self._random(*REST_SECONDS)


class FaceWindow:
    """The window."""

    def __init__(
        self, root: Any, label: Any, photo: Callable[[Image.Image], Any], animation: Animation, coming: Any
    ) -> None:
        """
        Args:
            root: a new ``tkinter.Tk``.
            label: its ``tkinter.Label`` that shows the picture.
            photo: makes what a label shows of a picture.
            animation: what to show.
            coming: a queue of Frames; None closes the window.
        """
        self._root = root
        self._label = label
        self._photo = photo
        self._animation = animation
        self._coming = coming
        self._seen: Image.Image | None = None
        self._side = 0  # pixels, of what is seen
        root.title(TITLE)
        root.geometry(f"{SIDE}x{SIDE}")
        root.minsize(_SMALLEST, _SMALLEST)
        label.pack(expand=True, fill="both")
        self.tick()

    def tick(self) -> None:
        """Shows the picture of this moment, and sees to the next."""
        now = time.monotonic()
        while not self._coming.empty():
            frames = self._coming.get()
            if frames is None:
                self._root.destroy()
                return
            self._animation.take(frames, now)
        picture = self._animation.at(now)
        side = min(self._root.winfo_width(), self._root.winfo_height())
        side = side if side >= _SMALLEST else SIDE  # before it is on the screen, a window is of one pixel
        if picture is not self._seen or side != self._side:
            self._seen, self._side = picture, side
            image = self._photo(picture.resize((side, side), Image.Resampling.BICUBIC))
            self._label.configure(image=image)
            self._label.image = image  # Tk holds no reference of its own
        self._root.after(_TICK, self.tick)


def main(argv: list[str]) -> int:
    try:
        import tkinter

        from PIL import ImageTk
    except ImportError:
        return NO_TK
    try:
        root = tkinter.Tk(className="Oh-LoRA")
    except tkinter.TclError:
        return NO_DISPLAY
    coming: queue.SimpleQueue[Frames | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, coming.put), daemon=True).start()
    animation = Animation(_opened(Path(argv[0])), random.uniform, time.monotonic())
    label = tkinter.Label(root, borderwidth=0, background="black")
    FaceWindow(root, label, ImageTk.PhotoImage, animation, coming)
    root.mainloop()
    return 0


def _read(stream: BinaryIO, put: Callable[[Frames | None], None]) -> None:
    frames: Frames | None = None
    try:
        while (frames := read_frames(stream)) is not None:
            put(frames)
    finally:
        put(None)


def _opened(path: Path) -> Image.Image:
    """The picture at ``path``; where there is none yet, an empty one."""
    try:
        with Image.open(path) as file:
            return file.convert("RGB")
    except OSError:
        return _NO_FACE_YET


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
