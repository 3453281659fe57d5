"""The chat's end of the window, on small programs in the window's place: none of them ever holds the chat up."""

import sys
import time

import pytest

from final_product import window_link
from final_product.frames import GLIDE, Frames
from final_product.window_link import (
    BROKEN,
    NO_DISPLAY,
    NO_TK,
    WAITING_FRAMES,
    WindowLink,
    why_no_window,
    window_command,
)

SMALL = Frames(GLIDE, 1, 1, (b"abc",))
LARGE = Frames(GLIDE, 256, 256, (bytes(3 * 256 * 256),) * 3)


class Window:
    """A link to a program in Python; ``told`` is what it says to the user."""

    def __init__(self, program):
        self.told = []
        self.link = WindowLink([sys.executable, "-c", program], self.told.append)

    def ended(self):
        self.link._watcher.join(60)
        assert not self.link._watcher.is_alive()
        return self.link._process.returncode


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A program may take its time to start on a busy computer."""
    monkeypatch.setattr(window_link, "END_SECONDS", 60.0)


def test_frames_arrive_and_the_window_ends_with_the_chat(tmp_path):
    window = Window(
        f"import sys; data = sys.stdin.buffer.read(); open({str(tmp_path / 'seen')!r}, 'wb').write(data[-4:])"
    )
    window.link.show(SMALL)
    window.link.close()
    assert window.ended() == 0 and window.told == []
    assert (tmp_path / "seen").read_bytes() == b"\nabc"


def test_the_windows_module_is_found_from_everywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    window = Window("import final_product.frames")
    assert window.ended() == 0
    assert window_command(tmp_path / "face.png")[1:] == ["-m", "final_product.face_window", str(tmp_path / "face.png")]


def test_a_window_that_the_user_closes_leaves_the_chat_alone():
    window = Window("")
    assert window.ended() == 0
    for _ in range(WAITING_FRAMES + 3):
        window.link.show(LARGE)
    window.link.close()
    assert window.told == []


@pytest.mark.parametrize(("status", "said"), [(3, NO_TK), (4, NO_DISPLAY), (1, BROKEN)])
def test_why_it_closed_is_one_line(status, said):
    window = Window(f"raise SystemExit({status})")
    assert window.ended() == status and window.told == [said]
    window.link.show(SMALL)
    window.link.close()


def test_a_window_that_hangs_holds_nothing_up(monkeypatch):
    monkeypatch.setattr(window_link, "END_SECONDS", 0.3)
    window = Window("import time; time.sleep(600)")
    began = time.monotonic()
    for _ in range(WAITING_FRAMES + 3):
        window.link.show(LARGE)
    window.link.close()
    assert time.monotonic() - began < 30
    assert window.ended() != 0 and window.told == [], "it was killed, and that was meant"


def test_why_there_is_none(monkeypatch):
    def without(*missing):
        return lambda name: None if name in missing else object()

    display = {"DISPLAY": ":0"}
    assert why_no_window(display, "linux", without()) is None
    assert why_no_window({}, "linux", without()) == why_no_window({"DISPLAY": ""}, "linux", without()) == NO_DISPLAY
    assert why_no_window({}, "win32", without()) is None
    for name in ("tkinter", "_tkinter"):
        assert why_no_window(display, "linux", without(name)) == NO_TK
