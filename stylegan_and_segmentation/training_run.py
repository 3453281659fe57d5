"""How a training goes: step after step, with a log, checkpoints to go on from, and figures on the way.

Training only. Knows neither networks nor pictures: a training says what a step and a checkpoint are.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Protocol

import torch
from tqdm import tqdm

CHECKPOINT_FILE = "checkpoint.pt"
LOG_FILE = "log.jsonl"
LOG_EVERY = 20  # steps


class Settings(Protocol):
    """What a run has to know of a training's settings."""

    @property
    def steps(self) -> int: ...

    @property
    def checkpoint_every(self) -> int: ...


class Stepping(Protocol):
    """A training that can be run."""

    step: int  # done so far

    @property
    def config(self) -> Settings: ...

    def train_step(self) -> dict[str, float]:
        """One optimiser step; returns what is logged of it."""

    def save(self, folder: Path) -> None:
        """Writes a checkpoint."""

    def review(self, folder: Path) -> dict[str, float]:
        """Looks at what is learned, after a checkpoint: figures for the log, and files for the folder."""


def write_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Writes the checkpoint; the old one stays until the new one is whole."""
    partial = folder / (CHECKPOINT_FILE + ".partial")
    torch.save(state, partial)
    os.replace(partial, folder / CHECKPOINT_FILE)


def read_checkpoint(folder: Path, device: torch.device) -> dict[str, Any]:
    """The checkpoint of a folder, its tensors on the device.

    Raises:
        FileNotFoundError: there is none.
    """
    return torch.load(folder / CHECKPOINT_FILE, map_location=device, weights_only=True)


def run(training: Stepping, out: Path, name: str, main_process: bool = True) -> None:
    """Trains to the last step; log.jsonl, checkpoints and what `review` finds on the way.

    Args:
        training: goes on from its `step`.
        out: the run's folder, which is there.
        name: what the progress bar says.
        main_process: of several that train together, the one that writes files and shows progress.
    """
    if not main_process:
        while training.step < training.config.steps:
            training.train_step()
        return
    config = training.config
    with (
        (out / LOG_FILE).open("a", encoding="utf-8") as log,
        tqdm(total=config.steps, initial=training.step, desc=name, mininterval=5.0) as bar,
    ):
        started = time.monotonic()
        while training.step < config.steps:
            figures = training.train_step()
            bar.update()
            last = training.step == config.steps
            saved = training.step % config.checkpoint_every == 0 or last
            if saved:
                training.save(out)
                figures = {**figures, **training.review(out)}
            if saved or training.step % LOG_EVERY == 0:
                bar.set_postfix(figures, refresh=False)
                line = {"step": training.step, "seconds": round(time.monotonic() - started, 1), **figures}
                log.write(json.dumps(line) + "\n")
                log.flush()
