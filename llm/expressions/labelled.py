"""Replies and the expressions that suit them, as people wrote them down. Knows the files; knows no model.

``examples/`` has a file of typical replies for each expression. ``labelled/`` has replies of the conversations, one
label each: ``training`` and ``validation`` are for fitting and choosing, ``evaluation`` for measuring alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

EXPRESSIONS: tuple[str, ...] = (
    "neutral",
    "smile",
    "laughter",
    "surprise",
    "sadness",
    "worry",
    "embarrassment",
    "displeasure",
    "thinking",
)
EXAMPLES = Path(__file__).parent / "examples"
LABELLED = Path(__file__).parent / "labelled"


@dataclass(frozen=True)
class Labelled:
    """A reply and the name of the expression that suits it, one of ``EXPRESSIONS``."""

    expression: str
    reply: str


def load_examples(folder: Path = EXAMPLES) -> list[Labelled]:
    """The typical replies, one a line in ``<expression>.txt``.

    Raises:
        ValueError: a file is missing or names no expression.
    """
    known = {f"{name}.txt" for name in EXPRESSIONS}
    found = {path.name for path in folder.glob("*.txt")}
    if found != known:
        raise ValueError(
            f"{folder} must hold {', '.join(sorted(known))}; differs in {', '.join(sorted(found ^ known))}"
        )
    return [
        Labelled(name, line.strip())
        for name in EXPRESSIONS
        for line in (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]


def load_labelled(name: str, folder: Path = LABELLED) -> list[Labelled]:
    """The rows of ``<name>.tsv``: expression, tab, reply; lines that begin with ``#`` are for people.

    Raises:
        ValueError: a line that is no such row, with its number.
    """
    path = folder / f"{name}.tsv"
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        expression, tab, reply = line.partition("\t")
        if expression not in EXPRESSIONS or not tab or not reply.strip():
            raise ValueError(f"{path.name}:{number}: not an expression, a tab and a reply: {line!r}")
        rows.append(Labelled(expression, reply.strip()))
    return rows


def overlap(rows: Iterable[Labelled], others: Iterable[Labelled]) -> list[str]:
    """The replies of ``rows`` that also stand in ``others``, whatever their blanks, marks and emoji."""
    known = {letters(other.reply) for other in others}
    return [row.reply for row in rows if letters(row.reply) in known]


def letters(reply: str) -> str:
    """A reply's letters and digits alone."""
    return "".join(c for c in unicodedata.normalize("NFC", reply) if unicodedata.category(c)[0] in "LN")
