"""The faces between two faces, and the blink, painted only while nothing else is waiting."""

import numpy as np
import pytest

from final_product.face_motion import CLOSED, MOST_BETWEEN, FaceMotion
from final_product.frames import BLINK, GLIDE
from stylegan_and_segmentation.painter import Look
from stylegan_and_segmentation.properties import PropertyScores


class Painter:
    """Paints a look as one pixel: its z, its eyes and its mouth, each a byte."""

    def __init__(self, seconds=0.01):
        self.seconds, self.now, self.drawn = seconds, 0.0, 0

    def draw(self, look):
        self.now += self.seconds
        self.drawn += 1
        eyes, mouth = (round(100 + 10 * score) for score in (look.eyes, look.scores.mouth))
        return np.array([[[round(float(look.z[0])), eyes, mouth]]], dtype=np.uint8)


def look(z, eyes, mouth=0.0):
    return Look(np.array([z], dtype=np.float32), PropertyScores(eyes=eyes, mouth=mouth))


class Stage:
    def __init__(self, seconds=0.01):
        self.painter, self.shown, self.waiting = Painter(seconds), [], 0
        self.motion = FaceMotion(self.shown.append, self._hurry, lambda: self.painter.now)

    def _hurry(self):
        return bool(self.waiting) and self.painter.drawn >= self.waiting

    def to(self, face):
        """Moves to a face; returns the pixels of the glide and of the blink."""
        self.shown.clear()
        picture = self.painter.draw(face)
        self.painter.drawn = 0
        self.motion.move_to(face, picture, self.painter)
        glide, blink = self.shown
        assert (glide.kind, blink.kind, glide.width, blink.height) == (GLIDE, BLINK, 1, 1)
        return [[tuple(pixel) for pixel in frames.pictures] for frames in (glide, blink)]


def test_the_first_face_comes_from_nowhere_and_blinks():
    glide, blink = Stage().to(look(10, 1.0))
    assert glide == [(10, 110, 100)]
    assert blink == [(10, 90, 100), (10, 100 + 10 * CLOSED, 100)], "half closed, closed; all else is as it is"


def test_from_face_to_face_in_even_steps():
    stage = Stage()
    stage.to(look(10, -1.2, -1.2))
    glide, _ = stage.to(look(70, 1.8, 1.8))
    assert [z for z, _, _ in glide] == [20, 30, 40, 50, 60, 70] and len(glide) == MOST_BETWEEN + 1
    assert [eyes for _, eyes, _ in glide] == [93, 98, 103, 108, 113, 118] == [mouth for _, _, mouth in glide]


def test_who_sleeps_does_not_blink():
    assert Stage().to(look(10, -3.0))[1] == []


@pytest.mark.parametrize(("seconds", "between"), [(0.01, MOST_BETWEEN), (0.19, 3), (0.5, 1), (9.0, 1)])
def test_a_slow_computer_paints_fewer(seconds, between):
    stage = Stage(seconds)
    stage.to(look(10, 0.0))
    assert len(stage.to(look(20, 0.0))[0]) == between + 1


def test_nothing_is_painted_while_something_else_waits():
    stage = Stage()
    stage.to(look(10, 0.0))
    stage.waiting = 2  # it comes while the second face between is painted
    assert stage.to(look(70, 0.0)) == [[(70, 100, 100)], []]
    assert stage.painter.drawn == 2
    stage.waiting = 0
    glide, blink = stage.to(look(10, 0.0))
    assert glide[0][0] == 60 and len(blink) == 2, "the way goes on from the face that was shown"
