"""The recorded session: a file that public players read, and nothing of the computer it was made on."""

import json
import re
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("sessions are recorded in a POSIX pseudo-terminal", allow_module_level=True)

from final_product.display import PROMPT, REPLY_PREFIX
from tests.record_session import Cast

DOCS = Path(__file__).resolve().parents[1] / "docs"
FOLDERS = re.compile(r"/(?:home|root|tmp|work|Users|usr|opt)\b|[A-Z]:\\\\|site-packages")


def read(text):
    header, *events = map(json.loads, text.splitlines())
    return header, events


def check(text):
    """Whether ``text`` is what the format's description says: https://docs.asciinema.org/manual/asciicast/v2/."""
    header, events = read(text)
    assert header["version"] == 2 and header["width"] > 0 and header["height"] > 0
    times = [at for at, _, _ in events]
    assert times == sorted(times) and times[0] >= 0.0
    assert all(kind == "o" and isinstance(data, str) and data for _, kind, data in events)
    return "".join(data for _, _, data in events)


def test_a_recording_is_an_asciicast():
    cast = Cast(80, 24, "제목")
    for text in ("안녕\r\n", "", "\x1b[1m👱‍♀️\x1b[0m"):
        cast.listen(text)
    assert check(cast.text()) == "안녕\r\n\x1b[1m👱‍♀️\x1b[0m"
    header, events = read(cast.text())
    assert (header["width"], header["height"], header["title"]) == (80, 24, "제목") and events[0][0] == 0.0


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.cast")), ids=lambda path: path.name)
def test_the_recordings_that_are_kept(path):
    shown = check(path.read_text(encoding="utf-8"))
    assert PROMPT.rstrip() in shown and REPLY_PREFIX.rstrip() in shown
    assert not FOLDERS.search(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown))
