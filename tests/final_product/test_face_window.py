"""The window: what is seen when, on a hand-written clock and toolkit, and the real one on a display."""

import io
import os
import queue
import shutil
import subprocess
import time

import pytest
from PIL import Image

from final_product import window_link
from final_product.face_window import BLINK_SECONDS, GLIDE_SECONDS, SIDE, Animation, FaceWindow, _opened, _read
from final_product.frames import BLINK, GLIDE, Frames, write_frames
from final_product.window_link import WindowLink, why_no_window, window_command


def face(level, size=4):
    return Image.new("RGB", (size, size), (level, level, level))


def frames(kind, *levels, size=4):
    return Frames(kind, size, size, tuple(face(level, size).tobytes() for level in levels))


def level_at(animation, now):
    return animation.at(now).getpixel((0, 0))[0]


def shortest(low, high):
    return low


# --- what is seen when ----------------------------------------------------------------------------------------------


def test_nothing_moves_before_frames_come():
    animation = Animation(face(50), shortest, 0.0)
    assert {level_at(animation, now) for now in (0.0, 1.0, 100.0)} == {50}


def test_a_glide_goes_over_every_face_and_stays_at_the_last():
    animation = Animation(face(0), shortest, 0.0)
    animation.take(frames(GLIDE, 100, 200), 10.0)
    seen = [level_at(animation, 10.0 + GLIDE_SECONDS * share) for share in (0.0, 0.25, 0.5, 0.75, 1.0, 5.0)]
    assert seen == [0, 50, 100, 150, 200, 200]


def test_a_glide_begins_where_the_last_one_was():
    animation = Animation(face(0), shortest, 0.0)
    animation.take(frames(GLIDE, 100), 0.0)
    animation.take(frames(GLIDE, 200), GLIDE_SECONDS / 2)
    assert level_at(animation, GLIDE_SECONDS / 2) == 50
    assert level_at(animation, GLIDE_SECONDS) == 125 and level_at(animation, GLIDE_SECONDS * 2) == 200


def test_a_picture_of_another_size_glides_as_well():
    animation = Animation(face(0, size=9), shortest, 0.0)
    animation.take(frames(GLIDE, 100), 0.0)
    assert animation.at(GLIDE_SECONDS / 2).size == (4, 4) and level_at(animation, GLIDE_SECONDS / 2) == 50


def blinking(animation, start, seconds):
    seen = [level_at(animation, start + step * 0.01) for step in range(int(seconds * 100))]
    return [level for place, level in enumerate(seen) if place == 0 or seen[place - 1] != level]


def test_she_blinks_and_opens_her_eyes_again():
    rests = iter([1.0, 1.0, 2.0, 2.0, 9.0])
    animation = Animation(face(0), lambda low, high: next(rests), 0.0)
    animation.take(frames(GLIDE, 100), 0.0)
    level_at(animation, GLIDE_SECONDS)
    animation.take(frames(BLINK, 60, 20), GLIDE_SECONDS)
    assert blinking(animation, GLIDE_SECONDS, 1.9) == [100, 60, 20, 60, 100]
    assert blinking(animation, GLIDE_SECONDS + 1.9, 3.0) == [100, 60, 20, 60, 100]
    assert BLINK_SECONDS[-1][0] < 0.4


def test_no_blink_is_of_another_face():
    animation = Animation(face(0), shortest, 0.0)
    animation.take(frames(GLIDE, 100), 0.0)
    animation.take(frames(BLINK, 60, 20), 0.0)
    animation.take(frames(GLIDE, 200), 10.0)
    assert blinking(animation, 11.0, 20.0) == [200]
    animation.take(frames(BLINK), 31.0)
    assert blinking(animation, 31.0, 20.0) == [200], "asleep"


# --- the window -----------------------------------------------------------------------------------------------------


class Label:
    def __init__(self):
        self.shown = []

    def pack(self, **options):
        pass

    def configure(self, image):
        self.shown.append(image)


class Root:
    """Of the toolkit, what a window uses: it is as large as it is told, and its timer is rung by hand."""

    def __init__(self):
        self.title = self.geometry = self.minsize = lambda *arguments: None
        self.size, self.later, self.destroyed = (1, 1), None, False

    def winfo_width(self):
        return self.size[0]

    def winfo_height(self):
        return self.size[1]

    def after(self, milliseconds, task):
        self.later = task

    def destroy(self):
        self.destroyed = True

    def ring(self):
        task, self.later = self.later, None
        task()


def test_a_window_shows_what_comes_and_closes_with_the_chat():
    root, label, coming = Root(), Label(), queue.SimpleQueue()
    FaceWindow(root, label, lambda picture: Photo(picture), Animation(face(7), shortest, 0.0), coming)
    root.ring()
    assert [photo.picture.size for photo in label.shown] == [(SIDE, SIDE)], "drawn once while nothing changes"
    root.size = (200, 100)
    root.ring()
    assert label.shown[-1].picture.size == (100, 100)
    coming.put(frames(GLIDE, 200))
    root.ring()
    assert len(label.shown) == 3
    coming.put(None)
    root.ring()
    assert root.destroyed and root.later is None


class Photo:
    def __init__(self, picture):
        self.picture = picture


@pytest.mark.parametrize("rest", [b"", b'{"kind": "glide", "width": 4, "hei', b"hello\n"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_reading_ends_with_the_pipe_whatever_stands_in_it(rest):
    stream, came = io.BytesIO(), []
    write_frames(stream, frames(GLIDE, 1))
    try:
        _read(io.BytesIO(stream.getvalue() + rest), came.append)
    except ValueError:
        assert rest == b"hello\n"
    assert came == [frames(GLIDE, 1), None]


def test_a_picture_that_is_not_there_yet_or_broken(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    assert _opened(tmp_path / "none.png").size == _opened(tmp_path / "broken.png").size == (256, 256)
    face(9).save(tmp_path / "face.png")
    assert _opened(tmp_path / "face.png").getpixel((0, 0)) == (9, 9, 9)


# --- the real one ---------------------------------------------------------------------------------------------------


@pytest.fixture
def display():
    """A display: this one, or a virtual one."""
    if why_no_window(os.environ) is None:
        yield os.environ.get("DISPLAY")
        return
    if why_no_window({"DISPLAY": ":0"}) is not None or not shutil.which("Xvfb"):
        pytest.skip("no Tk, or no display and no Xvfb")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "500x500x24"], pass_fds=[write], stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as number:
        yield f":{number.readline().strip()}"
    server.terminate()
    server.wait()


def test_a_real_window(display, tmp_path, monkeypatch):
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setattr(window_link, "END_SECONDS", 60.0)
    told = []
    link = WindowLink(window_command(tmp_path / "ohlora.png"), told.append)
    link.show(Frames(GLIDE, 4, 4, (bytes([200, 30, 60]) * 16,)))
    try:
        if display is None or not shutil.which("Xvfb"):
            time.sleep(2.0)  # somebody's own screen is not looked at
        else:
            from PIL import ImageGrab

            deadline = time.monotonic() + 60
            while (200, 30, 60) not in {c for _, c in ImageGrab.grab(xdisplay=display).getcolors(2**16) or ()}:
                assert time.monotonic() < deadline and told == []
                time.sleep(0.2)
    finally:
        link.close()
    assert link._process.poll() == 0 and told == []
