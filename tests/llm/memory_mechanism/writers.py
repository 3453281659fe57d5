"""Programs that write one memory file at once, or are killed while they do: what they leave behind, counted.

Shared by the test, which runs a few rounds, and by ``tests/benchmarks/memory_file.py``, which runs many.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

_WRITER = """
file = MemoryFile(sys.argv[1])
for number in range(int(sys.argv[3])):
    file.add([Memory(sys.argv[2], str(number)), Memory("직업", f"{sys.argv[2]} {number}")])
"""
_ENDLESS_WRITER = """
file = MemoryFile(sys.argv[1])
for number in range(int(sys.argv[2]), 1000000):
    file.add([Memory(f"수 {number}", "값" * 3000), Memory("직업", str(number) * 500)])
    print(number, flush=True)
"""


@dataclass(frozen=True)
class Left:
    """What a trial left: writes that were reported done, and what is wrong with the file, in words."""

    rounds: int
    written: int
    wrong: tuple[str, ...]


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Another Python that has the memory file at hand."""
    script = f"import sys\nfrom llm.memory_mechanism.memory_file import Memory, MemoryFile\n{code}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], env=environment, stdout=subprocess.PIPE
    )


def write_together(path: Path, names: tuple[str, ...], lines: int) -> Left:
    """Every one of ``names`` is a program that adds ``lines`` lines and changes one value as often."""
    path.write_text("# 메모\n[직업: 학생]\n", encoding="utf-8")
    wrong = []
    writers = [start(_WRITER, path, name, lines) for name in names]
    for writer in writers:
        writer.communicate()
        if writer.returncode:
            wrong.append(f"a writer ended with {writer.returncode}")
    note, job, *added = path.read_text(encoding="utf-8").splitlines()
    if note != "# 메모" or job not in [f"[직업: {name} {lines - 1}]" for name in names]:
        wrong.append(f"the head is {note} {job}")
    expected = {f"[{name}: {number}]" for name in names for number in range(lines)}
    wrong += [f"lost {line}" for line in sorted(expected - set(added))]
    if len(added) != len(expected):
        wrong.append(f"{len(added)} lines for {len(expected)}")
    return Left(len(names), len(added), tuple(wrong))


def kill_again_and_again(path: Path, kills: int, seed: int) -> Left:
    """A program that adds a line of 9 kB and changes a value of 500 to 2,500 letters, without end, is killed ``kills``
    times, at any instant of a write, and another one goes on."""
    rng = random.Random(seed)
    path.write_bytes("# 메모\n[직업: 학생]\n".encode())
    wrong: list[str] = []
    done = 0
    for kill in range(kills):
        writer = start(_ENDLESS_WRITER, path, done)
        for _ in range(3):
            told = int(writer.stdout.readline())
        time.sleep(rng.uniform(0, 0.03))
        writer.kill()
        told = int((writer.communicate()[0].split() or [told])[-1])
        note, job, *lines = path.read_bytes().decode("utf-8").split("\n")
        done = len(lines) - 1
        if lines[-1] != "" or note != "# 메모":
            wrong.append(f"kill {kill}: it is not whole")
        if done < told + 1:
            wrong.append(f"kill {kill}: of {told + 1} writes that were reported done {done} are there")
        if lines[:-1] != [f"[수 {number}: {'값' * 3000}]" for number in range(done)]:
            wrong.append(f"kill {kill}: a line is damaged")
        if job != f"[직업: {str(done - 1) * 500}]":
            wrong.append(f"kill {kill}: half of a write")
    return Left(kills, done, tuple(wrong))
