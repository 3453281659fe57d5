"""The face's worker: every picture in its order, the newest last, and no failure that reaches the chat."""

import threading

import numpy as np

from final_product.face_worker import FaceWorker
from stylegan_and_segmentation.properties import PropertyScores


class Studio:
    """Paints a picture whose pixels are the requested eyes; may be told to fail at some of them, or to wait."""

    def __init__(self, bad_paint=(), bad_write=()):
        self.bad_paint, self.bad_write = bad_paint, bad_write
        self.painted, self.written, self.told, self.threads = [], [], [], set()
        self.open = threading.Event()
        self.open.set()

    def paint(self, scores):
        self.open.wait()
        self.threads.add(threading.current_thread())
        self.painted.append(scores.eyes)
        if scores.eyes in self.bad_paint:
            raise RuntimeError(f"paint {scores.eyes:g}")
        return np.full((2, 2, 3), scores.eyes, dtype=np.uint8)

    def write(self, picture):
        eyes = float(picture[0, 0, 0])
        if eyes in self.bad_write:
            raise PermissionError(f"write {eyes:g}")
        self.written.append(eyes)

    def worker(self):
        return FaceWorker(self.paint, self.write, lambda error: self.told.append(f"{type(error).__name__}: {error}"))

    def draw(self, *eyes):
        worker = self.worker()
        for each in eyes:
            worker.request(PropertyScores(eyes=each))
        assert worker.finish()
        return self


def test_one_picture_for_each_request_in_order():
    studio = Studio().draw(*range(20))
    assert studio.painted == studio.written == list(range(20)) and studio.told == []


def test_drawing_happens_elsewhere_and_asking_waits_for_nothing():
    studio = Studio()
    studio.open.clear()  # the model is still loading
    worker = studio.worker()
    for eyes in range(3):
        worker.request(PropertyScores(eyes=eyes))
    assert studio.written == []
    assert not worker.finish(timeout=0), "not every picture is on disk"
    studio.open.set()
    assert worker.finish()
    assert studio.written == [0, 1, 2]
    assert threading.current_thread() not in studio.threads and len(studio.threads) == 1


def test_nothing_asked_nothing_drawn():
    assert Studio().draw().painted == []


def test_whether_more_is_waiting():
    seen, go = [], threading.Event()
    worker = FaceWorker(lambda scores: seen.append(worker.waiting), lambda picture: None, seen.append)
    worker.then(go.wait)
    worker.request(PropertyScores())
    worker.request(PropertyScores())
    event = threading.Event()
    worker.then(event.set)
    go.set()
    assert event.wait(60) and seen[:2] == [True, True]
    assert not worker.waiting and worker.finish()


def test_what_is_to_be_done_between_two_pictures():
    studio = Studio(bad_paint=(2,))
    worker = studio.worker()
    studio.open.clear()
    seen, done = [], threading.Event()
    worker.request(PropertyScores(eyes=1))
    worker.then(lambda: seen.append(list(studio.written)))
    worker.request(PropertyScores(eyes=2))
    worker.then(done.set)
    assert not done.wait(0)
    studio.open.set()
    assert done.wait(10) and seen == [[1]] and studio.told == ["RuntimeError: paint 2"]
    assert worker.finish()


def test_what_fails_between_two_pictures_is_told_like_a_picture():
    studio = Studio(bad_paint=(1,))
    worker = studio.worker()
    worker.then(lambda: studio.paint(PropertyScores(eyes=1)))
    worker.request(PropertyScores(eyes=1))
    worker.request(PropertyScores(eyes=2))
    assert worker.finish() and studio.written == [2] and studio.told == ["RuntimeError: paint 1"]


def test_a_failure_is_told_once():
    studio = Studio(bad_paint=(1, 2, 3)).draw(0, 1, 2, 3)
    assert studio.written == [0] and studio.told == ["RuntimeError: paint 1"]


def test_a_failure_after_a_success_is_told_again():
    studio = Studio(bad_paint=(1, 2), bad_write=(4, 5)).draw(0, 1, 2, 3, 4, 5, 6)
    assert studio.written == [0, 3, 6]
    assert studio.told == ["RuntimeError: paint 1", "PermissionError: write 4"]


def test_a_failure_of_another_kind_in_a_row_is_not_told():
    studio = Studio(bad_paint=(0,), bad_write=(1,)).draw(0, 1, 2)
    assert studio.told == ["RuntimeError: paint 0"] and studio.written == [2]


def test_the_worker_never_holds_the_program_up():
    studio, before = Studio(), set(threading.enumerate())
    studio.open.clear()
    worker = studio.worker()
    worker.request(PropertyScores())
    (thread,) = set(threading.enumerate()) - before
    assert thread.daemon
    studio.open.set()
    assert worker.finish()
