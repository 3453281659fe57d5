"""What the training scripts share: options out of a config's fields, the Trainer's settings, the last checkpoint."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from transformers.trainer_utils import get_last_checkpoint

_KINDS = {"int": int, "float": float, "str": str}


def add_options(parser: argparse.ArgumentParser, config: type, but: tuple[str, ...] = ()) -> None:
    """One ``--option`` for each number and text field of the dataclass ``config``, its default the field's."""
    for field in fields(config):
        if field.name not in but:
            name = field.name.replace("_", "-")
            parser.add_argument(f"--{name}", type=_KINDS[str(field.type)], default=field.default)


def trainer_settings(seed: int, **own: Any) -> dict[str, Any]:
    """Keyword arguments of ``TrainingArguments`` that every run of ours has; ``own`` ones are added or count more."""
    return {
        "lr_scheduler_type": "cosine",
        "max_grad_norm": 1.0,
        "optim": "adamw_torch_fused",
        "bf16": True,
        "use_cpu": not torch.cuda.is_available(),
        "save_total_limit": 1,
        "report_to": [],
        "seed": seed,
        **own,
    }


def last_checkpoint(folder: Path) -> str | None:
    """The checkpoint in ``folder`` that an interrupted run goes on from."""
    return get_last_checkpoint(str(folder)) if folder.is_dir() else None
