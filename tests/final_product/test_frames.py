"""What goes into the pipe of the window comes out of it."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from final_product.frames import BLINK, GLIDE, Frames, read_frames, write_frames


def piped(*several):
    stream = io.BytesIO()
    for frames in several:
        write_frames(stream, frames)
    return stream.getvalue()


@given(st.sampled_from([GLIDE, BLINK]), st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.binary(max_size=27))
def test_frames_come_as_they_went(kind, width, height, count, noise):
    picture = (noise * 27 + bytes(27))[: 3 * width * height]
    frames = Frames(kind, width, height, (picture,) * count)
    stream = io.BytesIO(piped(frames, frames))
    assert [read_frames(stream) for _ in range(3)] == [frames, frames, None]


def test_an_end_within_the_frames_is_an_end():
    data = piped(Frames(GLIDE, 2, 1, (b"\n\n\n\n\n\n", b"123456")))
    assert all(read_frames(io.BytesIO(data[:length])) is None for length in range(len(data)))


@pytest.mark.parametrize("data", [b"hello\n", b"[]\n", b'{"kind": "glide"}\n', b"\xff\n"])
def test_something_else_in_the_pipe(data):
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_frames(io.BytesIO(data))


@pytest.mark.parametrize("frames", [(GLIDE, 2, 1, (b"12345",)), ("dance", 1, 1, ())])
def test_what_are_no_frames(frames):
    with pytest.raises(ValueError, match="no frames"):
        Frames(*frames)
