"""Draws the face in a thread of its own: one picture for each reply, in order, the newest one last.

Knows no network and no terminal: painting, writing and telling are handed in.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import numpy as np

from stylegan_and_segmentation.properties import PropertyScores


class FaceWorker:
    """Turns requests into pictures on disk. A failure is told once and never reaches the chat."""

    def __init__(
        self,
        paint: Callable[[PropertyScores], np.ndarray],
        write: Callable[[np.ndarray], None],
        tell: Callable[[Exception], None],
    ) -> None:
        """
        Args:
            paint: scores to a picture, uint8 (height, width, 3); may wait for its model.
            write: puts a picture on disk.
            tell: is called, from this worker's thread, with the first failure after a success.
        """
        self._paint = paint
        self._write = write
        self._tell = tell
        self._failing = False
        self._requests: queue.Queue[PropertyScores | Callable[[], object] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="face", daemon=True)
        self._thread.start()

    def request(self, scores: PropertyScores) -> None:
        """Asks for a picture and returns at once."""
        self._requests.put(scores)

    def then(self, task: Callable[[], object]) -> None:
        """Has ``task`` done once every picture asked for until now is on disk, or has failed, and before the next."""
        self._requests.put(task)

    @property
    def waiting(self) -> bool:
        """Whether more is asked for than what is being done."""
        return not self._requests.empty()

    def finish(self, timeout: float | None = None) -> bool:
        """Waits until every picture is on disk, ``timeout`` seconds at most; whether all are."""
        self._requests.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (request := self._requests.get()) is not None:
            try:
                if callable(request):
                    request()
                    continue
                self._write(self._paint(request))
                self._failing = False
            except Exception as error:  # whatever befalls a face, the chat goes on
                if not self._failing:
                    self._tell(error)
                self._failing = True
