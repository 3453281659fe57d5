"""The sheet of ten turns: every word and face is in it, and it is well-formed."""

from __future__ import annotations

import base64
import io
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from tests.record_faces import FACE, ROOT, WORDS, XLINK, Moment, sheet, wrapped

SVG = "{http://www.w3.org/2000/svg}"


def test_faces_and_words_are_on_the_sheet() -> None:
    face = np.full((8, 8, 3), 200, np.uint8)
    moments = [Moment("1 < 2 & 3?", "응, 맞아! 😊", "미소", face), *[Moment("안녕", "안녕안녕", "평온", face)] * 6]
    tree = ElementTree.fromstring(sheet(moments))
    pictures = tree.findall(f"{SVG}image")
    assert len(pictures) == 7 and {picture.get("width") for picture in pictures} == {str(FACE)}
    data = base64.b64decode(pictures[0].get(f"{{{XLINK}}}href").partition(",")[2])
    assert Image.open(io.BytesIO(data)).size == (8, 8)
    words = [text.text for text in tree.findall(f"{SVG}text")]
    assert words[:2] == ["1 < 2 & 3?", "응, 맞아! 😊 (미소)"]
    bottom = max(float(text.get("y")) for text in tree.findall(f"{SVG}text"))
    assert bottom < float(tree.get("height"))


def test_long_replies_are_wrapped_between_words() -> None:
    lines = wrapped("오늘은 정말 정말 긴 하루였지? 그래도 끝까지 해낸 네가 자랑스러워")
    assert len(lines) > 1 and all(len(line) <= WORDS for line in lines)
    assert " ".join(lines) == "오늘은 정말 정말 긴 하루였지? 그래도 끝까지 해낸 네가 자랑스러워"


def test_the_committed_sheet_has_ten_faces() -> None:
    tree = ElementTree.parse(ROOT / "docs" / "ten-turns.svg").getroot()
    assert len(tree.findall(f"{SVG}image")) == 10
