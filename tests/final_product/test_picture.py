"""Pictures in the terminal: which way for which terminal, and that each way shows the picture (decoded again here)."""

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from final_product.picture import CHOICE, Way, as_text, way_of

ROOT = Path(__file__).resolve().parents[2]

TERMINALS = {
    "kitty": ({"TERM": "xterm-kitty", "COLORTERM": "truecolor", "KITTY_WINDOW_ID": "1"}, Way.KITTY),
    "kitty over ssh": ({"TERM": "xterm-kitty"}, Way.KITTY),
    "Ghostty": ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, Way.KITTY),
    "Konsole": ({"TERM": "xterm-256color", "KONSOLE_VERSION": "230804", "COLORTERM": "truecolor"}, Way.KITTY),
    "old Konsole": ({"TERM": "xterm-256color", "KONSOLE_VERSION": "200401", "COLORTERM": "truecolor"}, Way.TRUE_COLOUR),
    "iTerm2": ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, Way.ITERM2),
    "iTerm2 over ssh": ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, Way.ITERM2),
    "WezTerm": ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, Way.ITERM2),
    "mintty": ({"TERM": "xterm", "TERM_PROGRAM": "mintty"}, Way.ITERM2),
    "foot": ({"TERM": "foot", "COLORTERM": "truecolor"}, Way.SIXEL),
    "Windows Terminal": ({"WT_SESSION": "7b"}, Way.TRUE_COLOUR),
    "Windows Terminal with WSL": ({"WT_SESSION": "7b", "TERM": "xterm-256color"}, Way.TRUE_COLOUR),
    "Windows' console": ({}, Way.TRUE_COLOUR),
    "GNOME Terminal": ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Way.TRUE_COLOUR),
    "Terminal.app": ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, Way.PALETTE),
    "tmux in kitty": ({"TERM": "tmux-256color", "TMUX": "default,1,0", "KITTY_WINDOW_ID": "1"}, Way.PALETTE),
    "screen in iTerm2": ({"TERM": "screen", "LC_TERMINAL": "iTerm2"}, Way.PALETTE),
    "Linux console": ({"TERM": "linux"}, Way.PALETTE),
    "no terminal to speak of": ({"TERM": "dumb"}, None),
    "no colours wanted": ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, None),
    "an empty NO_COLOR means nothing": ({"TERM": "xterm-kitty", "NO_COLOR": ""}, Way.KITTY),
    "the user knows better": ({"WT_SESSION": "7b", CHOICE: " Sixel "}, Way.SIXEL),
    "the user knows no such way": ({"TERM": "foot", CHOICE: "cinema"}, Way.SIXEL),
}


@pytest.mark.parametrize(("environment", "way"), TERMINALS.values(), ids=TERMINALS)
def test_the_way_comes_from_the_environment(environment, way):
    assert way_of(environment) is way


@pytest.fixture
def picture(tmp_path):
    """Four quarters of other colours."""
    pixels = np.zeros((64, 64, 3), dtype=np.uint8)
    pixels[:32, :32], pixels[:32, 32:], pixels[32:, :32], pixels[32:, 32:] = RED, WHITE, BLUE, GREY
    path = tmp_path / "face.png"
    Image.fromarray(pixels).save(path)
    return path


RED, WHITE, BLUE, GREY = (255, 0, 0), (255, 255, 255), (0, 0, 255), (8, 8, 8)


def test_half_blocks(picture):
    upper = "\x1b[38;2;255;0;0;48;2;255;0;0m▀▀\x1b[38;2;255;255;255;48;2;255;255;255m▀▀\x1b[0m\n"
    lower = "\x1b[38;2;0;0;255;48;2;0;0;255m▀▀\x1b[38;2;8;8;8;48;2;8;8;8m▀▀\x1b[0m\n"
    assert as_text(picture, Way.TRUE_COLOUR, 4) == upper + lower


def test_half_blocks_in_256_colours(picture):
    upper = "\x1b[38;5;196;48;5;196m▀▀\x1b[38;5;231;48;5;231m▀▀\x1b[0m\n"
    lower = "\x1b[38;5;21;48;5;21m▀▀\x1b[38;5;232;48;5;232m▀▀\x1b[0m\n"
    assert as_text(picture, Way.PALETTE, 4) == upper + lower


def test_the_first_sixteen_colours_are_left_to_the_terminal(tmp_path):
    Image.new("RGB", (8, 8), (0, 0, 0)).save(tmp_path / "black.png")
    assert "38;5;16;" in as_text(tmp_path / "black.png", Way.PALETTE, 4)


@pytest.mark.parametrize(("size", "rows"), [((64, 64), 8), ((64, 128), 16), ((64, 8), 1), ((300, 1), 1)])
def test_pictures_keep_their_form(tmp_path, size, rows):
    Image.new("RGB", size).save(tmp_path / "face.png")
    lines = as_text(tmp_path / "face.png", Way.TRUE_COLOUR, 16).splitlines()
    assert len(lines) == rows and {line.count("▀") for line in lines} == {16}


def test_kitty(picture, tmp_path):
    Image.effect_noise((200, 100), 90).save(tmp_path / "large.png")
    for path, size in ((picture, "c=16,r=8"), (tmp_path / "large.png", "c=16,r=4")):
        text = as_text(path, Way.KITTY, 16)
        chunks = re.findall(r"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\", text)
        assert text == "".join(f"\x1b_G{control};{chunk}\x1b\\" for control, chunk in chunks) + "\n"
        assert base64.b64decode("".join(chunk for _, chunk in chunks)) == path.read_bytes()
        assert all(len(chunk) <= 4096 for _, chunk in chunks)
        assert chunks[0][0] == f"a=T,f=100,{size},q=2,m={int(len(chunks) > 1)}"
        assert [control for control, _ in chunks[1:]] == ["m=1"] * (len(chunks) - 2) + ["m=0"] * (len(chunks) > 1)
    assert len(chunks) > 2


def test_iterm2(picture):
    found = re.fullmatch(
        r"\x1b]1337;File=inline=1;size=(\d+);width=16;height=8:([A-Za-z0-9+/=]+)\x07\n",
        as_text(picture, Way.ITERM2, 16),
    )
    assert base64.b64decode(found[2]) == picture.read_bytes() and int(found[1]) == picture.stat().st_size


def test_other_formats_are_sent_as_png(tmp_path):
    Image.new("RGB", (8, 8), RED).save(tmp_path / "face.bmp")
    payload = re.search(r":([A-Za-z0-9+/=]+)\x07", as_text(tmp_path / "face.bmp", Way.ITERM2))[1]
    with Image.open(io.BytesIO(base64.b64decode(payload))) as image:
        assert image.format == "PNG" and image.convert("RGB").getpixel((4, 4)) == RED


def test_sixel(picture, tmp_path):
    shown = decode_sixel(as_text(picture, Way.SIXEL, 8))
    assert shown.shape == (64, 64, 3), "64 is no multiple of six"
    assert np.abs(shown.astype(int) - np.asarray(Image.open(picture)).astype(int))[:28, :28].max() <= 3
    assert np.abs(shown[40:, 40:].astype(int) - GREY[0]).max() <= 3

    noise = Image.effect_noise((64, 64), 60).convert("RGB")
    noise.save(tmp_path / "noise.png")
    away = decode_sixel(as_text(tmp_path / "noise.png", Way.SIXEL, 8)).astype(int) - np.asarray(noise).astype(int)
    assert np.abs(away).mean() < 4


def decode_sixel(text):
    """A picture from its sixels, as a terminal reads them."""
    head = re.match(r'\x1bPq"1;1;(\d+);(\d+)', text)
    assert text.endswith("\x1b\\\n")
    width, height = int(head[1]), int(head[2])
    image, palette = np.zeros((height + 6, width, 3), dtype=np.uint8), {}
    x = top = 0
    colour = None
    body = text[head.end() : -3]
    for token in re.finditer(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])", body):
        number, red, green, blue, chosen, count, run, one, move = token.groups()
        if number:
            palette[number] = [round(int(part) * 255 / 100) for part in (red, green, blue)]
        elif chosen:
            colour = palette[chosen]
        elif move:
            x, top = 0, top + 6 * (move == "-")
        else:
            columns = int(count or 1)
            for bit in range(6):
                if (ord(run or one) - 63) >> bit & 1:
                    image[top + bit, x : x + columns] = colour
            x += columns
    assert len(re.sub(r"[?-~!#$;\d-]", "", body)) == 0
    return image[:height]


@pytest.mark.parametrize("content", [b"", b"no picture", None], ids=["empty", "text", "absent"])
@pytest.mark.parametrize("way", Way)
def test_what_is_no_picture_is_an_oserror(tmp_path, way, content):
    if content is not None:
        (tmp_path / "face.png").write_bytes(content)
    with pytest.raises(OSError):
        as_text(tmp_path / "face.png", way)


def test_nothing_is_loaded_before_there_is_a_picture_to_show():
    code = (
        "import sys, final_product.picture as p; p.way_of({}); "
        "assert not {'PIL', 'numpy'} & set(sys.modules), 'loaded too early'"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
