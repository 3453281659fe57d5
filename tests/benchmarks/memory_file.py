"""What many kills and many writers at once leave of a memory file.

    python -m tests.benchmarks.memory_file [--kills 200] [--rounds 10] [--lines 100] [--seed 4]

A program that is killed while it writes must leave the old file or the new one, whole, with every write that it had
reported done; two programs that write at once must lose no line of each other's.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.llm.memory_mechanism.writers import kill_again_and_again, write_together


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10, help="of two programs that write at once")
    parser.add_argument("--lines", type=int, default=100, help="that each of the two adds in a round")
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.txt"
        written, wrong, kills = 0, [], 0
        while kills < options.kills:  # a file that grows without end would make one write longer and longer
            left = kill_again_and_again(path, min(20, options.kills - kills), options.seed + kills)
            kills, written, wrong = kills + left.rounds, written + left.written, [*wrong, *left.wrong]
        print(f"killed {kills} times during {written:,} writes: {len(wrong)} losses {wrong[:5] or ''}")
        written, wrong = 0, []
        for _ in range(options.rounds):
            left = write_together(path, ("하나", "둘"), options.lines)
            written, wrong = written + left.written, [*wrong, *left.wrong]
        print(f"two writers, {options.rounds} rounds, {written:,} lines: {len(wrong)} losses {wrong[:5] or ''}")


if __name__ == "__main__":
    main()
