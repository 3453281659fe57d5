"""Cost of a turn's retrieval over a large memory file, against one encoding of the prompt alone.

    python -m tests.benchmarks.retrieval [--model FOLDER] [--lines 10000] [--rounds 30] [--threads 2]

The first turn embeds every line; the turns after it embed the prompt alone. Both sides are measured in turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch

from llm.memory_mechanism.memory import Memory
from llm.memory_mechanism.retriever import MemoryRetriever

KEYS = ("좋아하는 음식", "내일 일정", "친구 이름", "사는 곳", "취미", "가고 싶은 곳", "오늘 기분", "최근에 본 영화")
PROMPTS = ("나 내일 뭐하지", "내 친구 이름 기억나?", "저녁 뭐 먹을까", "나 어디 산다고 했지", "주말에 뭐 하지")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("llm/models/embedded/memory_sbert"))
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    retriever = MemoryRetriever.load(options.model)
    memories = [Memory(KEYS[i % len(KEYS)], f"{i}번째 값") for i in range(options.lines)]

    start = time.perf_counter()
    retriever.best(PROMPTS[0], memories)
    first = time.perf_counter() - start
    turns, encodings = [], []
    for round_ in range(options.rounds):
        prompt = PROMPTS[round_ % len(PROMPTS)]
        start = time.perf_counter()
        retriever.encoder.encode_query([prompt], convert_to_numpy=True, show_progress_bar=False)
        encodings.append(time.perf_counter() - start)
        start = time.perf_counter()
        retriever.best(prompt, memories)
        turns.append(time.perf_counter() - start)
    ratio = statistics.median(a / b for a, b in zip(turns, encodings, strict=True))
    print(f"{options.lines:,} lines: first turn {first:.1f} s")
    print(
        f"later turns {statistics.median(turns) * 1e3:.2f} ms, one encoding {statistics.median(encodings) * 1e3:.2f} ms"
    )
    print(f"ratio {ratio:.2f} (median of {options.rounds})")


if __name__ == "__main__":
    main()
