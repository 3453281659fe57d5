"""A companion with the embedded models and a clock that the scene turns, and what each of its turns did."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import torch

from final_product.companion import Companion, Turn
from llm.language_model import LanguageModel
from llm.memory_mechanism.memory_file import MemoryFile
from llm.memory_mechanism.retriever import MemoryRetriever

MODELS = Path(__file__).resolve().parents[2] / "llm" / "models" / "embedded"
_WEEKDAYS = "월화수목금토일"


class Scene:
    """Talks to her over the memory file at ``path``, from ``day`` on; ``lines`` is the transcript."""

    def __init__(self, path: Path, day: date, seed: int = 1) -> None:
        self.path, self.day = path, day
        self.lines: list[str] = []
        self.companion = Companion(
            LanguageModel.load(MODELS / "adapter", base=MODELS / "base"),
            MemoryRetriever.load(MODELS / "memory_sbert"),
            MemoryFile(path),
            lambda scores: None,
            torch.Generator().manual_seed(seed),
            today=lambda: self.day,
        )

    def begin(self, days: int = 0) -> None:
        """Goes on ``days`` days later."""
        self.day += timedelta(days=days)
        self.lines.append(f"\n== {self.day.isoformat()} ({_WEEKDAYS[self.day.weekday()]}) ==")

    def say(self, said: str) -> Turn:
        reply = "".join(self.companion.respond(said))
        turn = self.companion.turn
        self.lines += [f"나: {said}", f"👱‍♀️ {reply}"]
        if turn.recalled:
            self.lines.append(
                f"   떠올림: [{turn.recalled.memory.item}] {turn.recalled.score:.2f}  ← 적힌 줄 {turn.line}"
            )
        else:
            self.lines.append("   떠올림: 없음")
        self.lines += [f"   적음: {memory}" for memory in turn.saved]
        self.lines += [f"   바뀜: {change.before} → {change.after}" for change in turn.changed]
        self.lines += [f"   알림: {notice}" for notice in turn.notices]
        return turn

    def show_bytes(self, title: str) -> bytes:
        """Puts the file's bytes, a line of it a line, into the transcript."""
        data = self.path.read_bytes()
        self.lines.append(f"\n-- {title}: {len(data)} bytes")
        self.lines += [repr(line) for line in data.splitlines(keepends=True)]
        return data
