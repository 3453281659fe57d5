"""What lies between two faces, and a blink: the pictures that make her move, for whoever shows them in a row.

Runs where her face is drawn, after the picture that counts is on disk, and stops as soon as a newer one is wanted.
Knows neither windows nor files.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from final_product.frames import BLINK, GLIDE, Frames

MOST_BETWEEN = 5  # faces on the way; the window blends from one to the next
BETWEEN_SECONDS = 0.6  # that drawing them may take: on a slow computer there are fewer
CLOSED = -3.0  # the eyes' score in a blink, as asleep
DROWSY = -2.2  # eyes at or below this score do not blink


class Painter(Protocol):
    """As ``stylegan_and_segmentation.painter.FacePainter`` is one."""

    def draw(self, look: Any) -> np.ndarray: ...


class FaceMotion:
    """Follows her from face to face."""

    def __init__(
        self,
        show: Callable[[Frames], None],
        hurry: Callable[[], bool],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """
        Args:
            show: takes the frames; must return at once.
            hurry: whether something more important than motion is waiting.
            clock: seconds.
        """
        self._show = show
        self._hurry = hurry
        self._clock = clock
        self._last: Any = None  # the look that was shown last
        self._took = 0.0  # seconds, the last picture

    def move_to(self, look: Any, picture: np.ndarray, painter: Painter) -> None:
        """Shows the way from the last face to this one, and how this one blinks.

        Args:
            look: what the face is drawn from, a ``stylegan_and_segmentation.painter.Look``.
            picture: the face, uint8 (height, width, 3).
            painter: draws what is missing.
        """
        last, self._last = self._last, look
        between = [] if last is None else self._between(last, look)
        height, width = picture.shape[:2]
        for kind, looks, end in ((GLIDE, between, [picture]), (BLINK, self._blink(look), [])):
            pictures = [*self._drawn(looks, painter), *end]
            self._show(Frames(kind, width, height, tuple(each.tobytes() for each in pictures)))

    def _between(self, start: Any, end: Any) -> list[Any]:
        fit = int(BETWEEN_SECONDS / self._took) if self._took else MOST_BETWEEN
        count = max(1, min(MOST_BETWEEN, fit))
        return [start.toward(end, place / (count + 1)) for place in range(1, count + 1)]

    def _blink(self, look: Any) -> list[Any]:
        if look.eyes <= DROWSY:
            return []
        return [look.with_eyes((look.eyes + CLOSED) / 2), look.with_eyes(CLOSED)]

    def _drawn(self, looks: list[Any], painter: Painter) -> list[np.ndarray]:
        """The pictures of ``looks``; none, rather than some, where something more important has come."""
        pictures = []
        for look in looks:
            if self._hurry():
                return []
            began = self._clock()
            pictures.append(painter.draw(look))
            self._took = self._clock() - began
        return pictures
