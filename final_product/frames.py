"""Pictures from the chat to its window, through a pipe: ``write_frames`` puts in what ``read_frames`` takes out.

Raw pixels behind one line that says how many: no file, no codec, and the reader needs the standard library alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import BinaryIO

GLIDE = "glide"  # the way to her next face: the faces between, and that face as the last
BLINK = "blink"  # that face with its eyes half closed, and closed; nothing where it does not blink


@dataclass(frozen=True)
class Frames:
    """Pictures that belong together.

    Attributes:
        kind: GLIDE or BLINK.
        width, height: in pixels.
        pictures: RGB, 3 * width * height bytes each, row by row from the top.
    """

    kind: str
    width: int
    height: int
    pictures: tuple[bytes, ...]

    def __post_init__(self) -> None:
        sizes = {len(picture) for picture in self.pictures}
        if self.kind not in (GLIDE, BLINK) or sizes - {3 * self.width * self.height}:
            raise ValueError(f"no frames: {self.kind} of {self.width}x{self.height}, {sizes} bytes")


def write_frames(stream: BinaryIO, frames: Frames) -> None:
    """Writes the frames and flushes.

    Raises:
        OSError: the other end has gone.
    """
    header = {"kind": frames.kind, "width": frames.width, "height": frames.height, "count": len(frames.pictures)}
    stream.write(json.dumps(header).encode("ascii") + b"\n")
    for picture in frames.pictures:
        stream.write(picture)
    stream.flush()


def read_frames(stream: BinaryIO) -> Frames | None:
    """The next frames, or None at the end, also where that comes within them.

    Raises:
        ValueError, KeyError, TypeError: there is something else in the pipe.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    header = json.loads(line)
    size = 3 * header["width"] * header["height"]
    pictures = tuple(stream.read(size) for _ in range(header["count"]))
    if any(len(picture) < size for picture in pictures):
        return None
    return Frames(header["kind"], header["width"], header["height"], pictures)
