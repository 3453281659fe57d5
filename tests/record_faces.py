"""Chats ten turns with the embedded models and puts the ten faces with their words on one sheet, for the README.

python -m tests.record_faces [--out docs/ten-turns.svg] [--first docs/ohlora.png] [--seed 11]

An SVG, so that the words stay words: no font has to be on the computer that makes it. The faces lie in it as JPEG.
"""

from __future__ import annotations

import argparse
import base64
import io
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import torch
from PIL import Image

from final_product.companion import Companion
from final_product.model_store import expression_folders
from final_product.named_expressions import name_of
from final_product.word_wrap import WordWrap
from llm.expressions.reader import ExpressionReader
from llm.language_model import LanguageModel
from llm.memory_mechanism.memory_file import MemoryFile
from llm.memory_mechanism.retriever import MemoryRetriever
from stylegan_and_segmentation.contact_sheet import EMBEDDED_FOLDER, IDENTITY_NAME
from stylegan_and_segmentation.painter import FacePainter
from stylegan_and_segmentation.properties import PropertyScores

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 3, 2)  # for her memories, so that a recording can be repeated
SAID = (
    "안녕 로라야",
    "나 오늘 생일이야!",
    "웃긴 얘기 해 줘",
    "나 너무 슬퍼",
    "우울해",
    "미안해",
    "몸이 아파",
    "로라야 사랑해",
    "심장이 두근거려",
    "잘 자",
)
COLUMNS, FACE, MARGIN, LINE = 5, 192, 12, 17  # faces in a row; pixels
WORDS = 27  # columns of a terminal that fit below a face
XLINK = "http://www.w3.org/1999/xlink"  # how pictures were linked before SVG 2, which every viewer understands
LINES = 5  # of words below a face, at most


@dataclass(frozen=True)
class Moment:
    """One turn: what was said, what she answered, and her face with the name of its expression."""

    said: str
    reply: str
    expression: str
    face: np.ndarray  # uint8, (r, r, 3)


def chat(seed: int, said: Iterable[str] = SAID) -> list[Moment]:
    """The turns of a chat, as the program with the same seed and an empty memory has them."""
    faces: list[np.ndarray] = []
    models = ROOT / "llm" / "models" / "embedded"
    retriever = MemoryRetriever.load(models / "memory_sbert")
    painter = FacePainter.load(EMBEDDED_FOLDER, EMBEDDED_FOLDER / IDENTITY_NAME, seed=seed)

    def paint(scores: PropertyScores) -> None:
        faces.append(painter.paint(scores))

    moments = []
    with tempfile.TemporaryDirectory() as folder:
        companion = Companion(
            LanguageModel.load(models / "adapter", base=models / "base"),
            retriever,
            MemoryFile(Path(folder) / "memory.txt"),
            paint,
            torch.Generator().manual_seed(seed),
            today=lambda: DAY,
            expressions=ExpressionReader.load(*expression_folders(ROOT), retriever.encoder),
        )
        for text in said:
            reply = "".join(companion.respond(text))
            scores = companion.turn.expression
            name = name_of(scores.eyes, scores.mouth, scores.pose) or "규칙"
            moments.append(Moment(text, reply.strip(), name, faces[-1]))
    return moments


def sheet(moments: list[Moment]) -> str:
    """An SVG of the faces, each with what was said and answered below it."""
    cell, height = FACE + MARGIN, FACE + MARGIN + LINES * LINE
    rows = -(-len(moments) // COLUMNS)
    size = COLUMNS * cell + MARGIN, rows * height + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="{XLINK}" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for index, moment in enumerate(moments):
        left, top = MARGIN + index % COLUMNS * cell, MARGIN + index // COLUMNS * height
        parts.append(f'<image x="{left}" y="{top}" width="{FACE}" height="{FACE}" xlink:href="{_jpeg(moment.face)}"/>')
        lines = [("#6a6f7b", line) for line in wrapped(moment.said)]
        lines += [("#16181d", line) for line in wrapped(f"{moment.reply} ({moment.expression})")]
        for number, (colour, line) in enumerate(lines[:LINES]):
            y = top + FACE + (number + 1) * LINE
            parts.append(f'<text x="{left}" y="{y}" fill="{colour}">{escape(line)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def wrapped(text: str) -> list[str]:
    """A text in lines that fit below a face."""
    wrap = WordWrap(lambda: WORDS)
    return [line.strip() for line in (wrap.feed(text) + wrap.end()).split("\n")]


def _jpeg(face: np.ndarray) -> str:
    data = io.BytesIO()
    Image.fromarray(face).save(data, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "ten-turns.svg")
    parser.add_argument("--first", type=Path, help="where to put the first face by itself")
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    moments = chat(args.seed)
    for moment in moments:
        print(f"{moment.said}\n  {moment.reply} ({moment.expression})")
    if args.first:
        Image.fromarray(moments[0].face).save(args.first, optimize=True)
    args.out.write_text(sheet(moments), encoding="utf-8")


if __name__ == "__main__":
    main()
