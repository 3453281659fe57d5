"""A picture file as text for the terminal: by its graphics protocol where it has one, else in half blocks.

Which terminal it is comes from the environment alone: a terminal that is asked answers on the same line on which the
user types. Knows no model and nothing of faces.

The protocols, from their documentation:
    kitty    https://sw.kovidgoyal.net/kitty/graphics-protocol/
    iTerm2   https://iterm2.com/documentation-images.html
    sixel    https://vt100.net/docs/vt3xx-gp/chapter14.html
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

CHOICE = "OHLORA_PICTURE"  # the environment variable by which a user names the way
COLUMNS = 32  # a picture's width
_CELL_WIDTH = 8  # of a column in pixels, for sixels, which count in pixels
_SIXEL_COLOURS = 128  # of a picture; terminals hold 256, xterm's default
_KITTY_CHUNK = 4096  # base64 characters of one escape sequence, the protocol's limit
_KITTY_SINCE = 220400  # the first Konsole that shows pictures
_UPPER_HALF = "▀"


class Way(Enum):
    """How a picture is shown; the value is what a user calls it."""

    KITTY = "kitty"
    ITERM2 = "iterm2"
    SIXEL = "sixel"
    TRUE_COLOUR = "blocks"
    PALETTE = "blocks256"


def way_of(environment: Mapping[str, str]) -> Way | None:
    """The best way that the terminal of ``environment`` is known for; None where it shows no colours.

    ``OHLORA_PICTURE`` decides where it names a way. tmux and screen pass no pictures on.
    """
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    chosen = environment.get(CHOICE, "").strip().lower()
    if chosen in {way.value for way in Way}:
        return Way(chosen)
    if term == "dumb" or environment.get("NO_COLOR"):
        return None
    if "TMUX" not in environment and not term.startswith(("screen", "tmux")):
        if "KITTY_WINDOW_ID" in environment or term in ("xterm-kitty", "xterm-ghostty") or program == "ghostty":
            return Way.KITTY
        if program in ("iTerm.app", "WezTerm", "mintty") or environment.get("LC_TERMINAL") == "iTerm2":
            return Way.ITERM2
        konsole = environment.get("KONSOLE_VERSION", "")
        if konsole.isdecimal() and int(konsole) >= _KITTY_SINCE:
            return Way.KITTY
        if term.startswith(("foot", "mlterm", "contour", "yaft")):
            return Way.SIXEL
    # Windows' own console names no TERM, and has shown all colours since 2017.
    many = environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "WT_SESSION" in environment or not term
    return Way.TRUE_COLOUR if many else Way.PALETTE


def as_text(path: Path, way: Way, columns: int = COLUMNS) -> str:
    """What shows the picture when it is written to the terminal, line end included.

    Args:
        path: a picture that Pillow reads.
        columns: its width; the height follows, a row counting as two columns.

    Raises:
        OSError: the file cannot be read, or is no picture.
    """
    from PIL import Image

    data = path.read_bytes()
    with Image.open(io.BytesIO(data)) as file:
        kind, image = file.format, file.convert("RGB")
    columns = max(columns, 2)
    rows = max(round(columns * image.height / image.width / 2), 1)
    if way in (Way.KITTY, Way.ITERM2):
        png = data if kind == "PNG" else _as_png(image)
        return (_kitty if way is Way.KITTY else _iterm2)(png, columns, rows)
    if way is Way.SIXEL:
        return _sixel(image.resize((columns * _CELL_WIDTH, rows * 2 * _CELL_WIDTH), Image.Resampling.LANCZOS))
    small = image.resize((columns, rows * 2), Image.Resampling.BOX)
    return _true_colour(small) if way is Way.TRUE_COLOUR else _palette(small)


def _kitty(png: bytes, columns: int, rows: int) -> str:
    payload = base64.standard_b64encode(png).decode("ascii")
    chunks = [payload[start : start + _KITTY_CHUNK] for start in range(0, len(payload), _KITTY_CHUNK)]
    text = ""
    for number, chunk in enumerate(chunks):
        more = int(number < len(chunks) - 1)
        # a=T: send and show; f=100: PNG; q=2: never answer
        control = f"a=T,f=100,c={columns},r={rows},q=2,m={more}" if number == 0 else f"m={more}"
        text += f"\x1b_G{control};{chunk}\x1b\\"
    return text + "\n"


def _iterm2(png: bytes, columns: int, rows: int) -> str:
    payload = base64.standard_b64encode(png).decode("ascii")
    return f"\x1b]1337;File=inline=1;size={len(png)};width={columns};height={rows}:{payload}\x07\n"


def _sixel(image: Image.Image) -> str:
    """Six rows at a time: for each colour that occurs in them, one character of six bits a column."""
    import numpy as np

    indexed = image.quantize(_SIXEL_COLOURS)
    pixels = np.asarray(indexed)
    pixels = np.pad(pixels.astype(np.int16), ((0, -len(pixels) % 6), (0, 0)), constant_values=-1)
    colours = np.asarray(indexed.getpalette(), dtype=np.float64).reshape(-1, 3) / 255 * 100
    text = f'\x1bPq"1;1;{image.width};{image.height}'
    text += "".join(f"#{n};2;{r:.0f};{g:.0f};{b:.0f}" for n, (r, g, b) in enumerate(colours))
    bits = (1 << np.arange(6, dtype=np.uint8))[:, None]
    for top in range(0, len(pixels), 6):
        band = pixels[top : top + 6]
        rows = []
        for colour in np.unique(band[band >= 0]):
            row = (((band == colour) * bits).sum(axis=0) + ord("?")).astype(np.uint8).tobytes().decode("ascii")
            rows.append(f"#{colour}" + re.sub(r"(.)\1{3,}", lambda run: f"!{len(run[0])}{run[1]}", row))
        text += "$".join(rows) + "-"
    return text + "\x1b\\\n"


def _true_colour(image: Image.Image) -> str:
    pixels = image.load()
    return _half_blocks(image, lambda x, y: "2;" + ";".join(map(str, pixels[x, y])))


def _palette(image: Image.Image) -> str:
    """In the 240 colours that all terminals of 256 have in common: a cube of 6 x 6 x 6 and 24 greys."""
    from PIL import Image

    steps = (0, 95, 135, 175, 215, 255)
    cube = [(r, g, b) for r in steps for g in steps for b in steps]
    greys = [(level, level, level) for level in range(8, 239, 10)]
    chart = Image.new("P", (1, 1))
    chart.putpalette([part for colour in [cube[0]] * 16 + cube + greys for part in colour])
    pixels = image.quantize(palette=chart, dither=Image.Dither.NONE).load()
    return _half_blocks(image, lambda x, y: f"5;{max(pixels[x, y], 16)}")  # the first 16 are each terminal's own


def _half_blocks(image: Image.Image, colour: Callable[[int, int], str]) -> str:
    """Two pixels a character: the upper one in the letter's colour, the lower one in the background's."""
    text = ""
    for y in range(0, image.height, 2):
        last = None
        for x in range(image.width):
            pair = f"\x1b[38;{colour(x, y)};48;{colour(x, y + 1)}m"
            text += ("" if pair == last else pair) + _UPPER_HALF
            last = pair
        text += "\x1b[0m\n"
    return text


def _as_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
