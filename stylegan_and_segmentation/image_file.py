"""A picture on disk as a PNG, replaced whole, also while a viewer holds the file open.

A reader sees the old picture or the new one, never half of one, and no temporary file is left behind. Knows
nothing of faces.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from .errors import ImageFileError

RETRY_SECONDS = 1.0  # a viewer on Windows lets go of a file within a few tenths of a second
RETRY_PAUSE = 0.05
COMPRESS_LEVEL = 4  # of zlib: half the time of Pillow's default for a few percent more bytes


def write_image(path: Path, rgb: np.ndarray, retry_seconds: float = RETRY_SECONDS) -> None:
    """Writes a picture as PNG in place of whatever is there.

    A sibling file is written and moved over the old one. While that is refused (the file is held open, on
    Windows), it is tried again for `retry_seconds`; after that the content is overwritten in one write.

    Args:
        path: the PNG; its folder must exist.
        rgb: uint8, (height, width, 3).
        retry_seconds: how long to wait for a reader to let go.

    Raises:
        ImageFileError: the picture cannot be written; the file is as it was.
        ValueError: the array is no RGB picture.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"a picture is uint8 (height, width, 3), got {rgb.dtype} {rgb.shape}")
    path = Path(path)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format="PNG", compress_level=COMPRESS_LEVEL)
    png = buffer.getvalue()
    if path.is_dir():
        raise ImageFileError(f"그림 파일 자리에 폴더가 있어요: {path} - 폴더를 옮기거나 다른 파일 이름을 정해 주세요.")
    try:
        if not _replace(path, png, retry_seconds):
            _overwrite(path, png)
    except OSError as error:
        raise ImageFileError(
            f"그림을 저장하지 못했어요: {path} ({error.strerror or error}) - "
            f"폴더가 있고 쓸 수 있는지, 다른 프로그램이 잡고 있지 않은지 확인해 주세요."
        ) from error


def _replace(path: Path, png: bytes, retry_seconds: float) -> bool:
    """Moves a sibling file over `path`; False where that, or a sibling, is not permitted."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".tmp", dir=path.parent)
    except PermissionError:
        return False
    sibling = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(png)
        # mkstemp makes files that only their owner reads; a picture is for whoever could read the old one.
        with suppress(OSError):
            sibling.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        deadline = time.monotonic() + retry_seconds
        while True:
            try:
                os.replace(sibling, path)
                return True
            except PermissionError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(RETRY_PAUSE)
    finally:
        with suppress(OSError):
            sibling.unlink(missing_ok=True)


def _overwrite(path: Path, png: bytes) -> None:
    """Writes the bytes into the existing file, without a moment in which it is empty."""
    with path.open("r+b" if path.exists() else "wb", buffering=0) as file:
        file.write(png)
        file.truncate()
