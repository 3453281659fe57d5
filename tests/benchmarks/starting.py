"""How soon the program is there: ``--help``, from the start to the prompt, and from Ctrl+C in a reply to the prompt.

python -m tests.benchmarks.starting [--rounds 10]

Aims: the prompt within a second, ``--help`` within 0.3 s, Ctrl+C within 0.2 s, on two cores. On a busy computer the
least of the rounds is nearest to what the program takes; the processors' seconds are what it would take if they were
its own, at most: the models load beside the prompt. POSIX only.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from final_product.display import PROMPT, REPLY_PREFIX
from final_product.terminal import GOODBYE, STOPPED
from tests.pseudo_terminal import CTRL_C, ENTER, PseudoTerminal

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "final_product" / "run.py"
ASKED = PROMPT.rstrip()


def start(folder: str) -> PseudoTerminal:
    """The program at a terminal."""
    files = ["--memory", "memory.txt", "--image", "ohlora.png", "--no-log"]
    return PseudoTerminal([sys.executable, str(PROGRAM), *files], folder)


def help_seconds(folder: str) -> float:
    """How long ``--help`` takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, PROGRAM, "--help"], stdout=subprocess.DEVNULL, cwd=folder, check=True)
    return time.perf_counter() - began


def prompt_seconds(folder: str) -> float:
    """How long it takes until the prompt stands."""
    began = time.perf_counter()
    terminal = start(folder)
    terminal.wait(lambda: ASKED in terminal.output, "the prompt")
    took = time.perf_counter() - began
    terminal.kill()
    return took


def processor_seconds() -> float:
    """What programs that have ended have taken of the processors until now."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(seconds: Callable[[str], float], folder: str, rounds: int) -> tuple[list[float], float]:
    """The seconds of each round, and the processors' seconds of one."""
    before = processor_seconds()
    found = [seconds(folder) for _ in range(rounds)]
    return found, (processor_seconds() - before) / rounds


def talking(folder: str) -> PseudoTerminal:
    """The program at a terminal, its models loaded."""
    terminal = start(folder)
    terminal.expect(ASKED)
    terminal.type("안녕" + ENTER)
    terminal.expect(REPLY_PREFIX)
    terminal.expect(ASKED)
    return terminal


def interrupt_seconds(folder: str, rounds: int) -> list[float]:
    """How long it takes from Ctrl+C in a reply until the prompt is back."""
    found: list[float] = []
    terminal = talking(folder)
    while len(found) < rounds:
        terminal.type("오늘 하루 어땠는지 말해 줘" + ENTER)
        terminal.settle(0.1)  # she thinks, or has begun
        began = time.perf_counter()
        terminal.type(CTRL_C)
        if terminal.expect_either(STOPPED, GOODBYE) == GOODBYE:  # she had ended: it was for the program
            terminal.end()
            terminal = talking(folder)
            continue
        terminal.expect(ASKED)
        found.append(time.perf_counter() - began)
    terminal.kill()
    terminal.end()
    return found


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args(argv).rounds
    with tempfile.TemporaryDirectory() as folder:
        prompt_seconds(folder)  # the first one fills the disk cache
        helps, help_work = measured(help_seconds, folder, rounds)
        prompts, prompt_work = measured(prompt_seconds, folder, rounds)
        results = {
            "--help": (helps, f", {help_work:.3f} s of the processors"),
            "start to prompt": (prompts, f", {prompt_work:.3f} s of the processors"),
            "Ctrl+C to prompt": (interrupt_seconds(folder, rounds), ""),
        }
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, {rounds} rounds")
    for what, (seconds, work) in results.items():
        print(f"{what:>16}: least {min(seconds):.3f} s, median {statistics.median(seconds):.3f} s{work}")


if __name__ == "__main__":
    main()
