"""What the training scripts share: options out of a config's fields, the Trainer's settings, checkpoints, saving.

And the mean of two trained models' weights (Wortsman et al. 2022, "Model soups"). It means something only where one was
trained on from the other, or both from a third.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase
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


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Saves ``tokenizer`` with its JSON in one line: the library's indentation makes up almost half of the file."""
    tokenizer.save_pretrained(str(folder))
    file = folder / "tokenizer.json"
    fields = json.loads(file.read_text(encoding="utf-8"))
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    file.write_text(f"{text}\n", encoding="utf-8", newline="\n")


def add_average_options(parser: argparse.ArgumentParser, kind: str) -> None:
    """The options of a script that averages two models; ``kind`` says in English what lies in their folders."""
    parser.add_argument("--first", type=Path, required=True, help=f"{kind} folder")
    parser.add_argument("--second", type=Path, required=True, help="another, trained on from it or from its kin")
    parser.add_argument("--share", type=_share, default=0.33, help="how much the first one counts, 0 to 1")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model that is made")


def read_average_options(
    parser: argparse.ArgumentParser, kind: str, config_file: str, argv: list[str] | None
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """The options of ``argv``, and what the mean's ``config_file`` is to hold: the second one's, and the share.

    Ends the program where the second one has no such file.
    """
    add_average_options(parser, kind)
    options = parser.parse_args(argv)
    file = options.second / config_file
    if not file.is_file():
        parser.error(f"{file} 파일이 없어요")
    return options, json.loads(file.read_text(encoding="utf-8")) | {"averaged_share": options.share}


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError(f"0에서 1 사이여야 해요: {text}")
    return share


def average(first: torch.nn.Module, second: torch.nn.Module, share: float) -> None:
    """Gives ``second`` ``share`` (0 to 1) of the weights of ``first``, in place.

    Raises:
        ValueError: the two have other weights, or other shapes of them.
    """
    weights, others = second.state_dict(), first.state_dict()
    differing = [name for name in weights.keys() | others.keys() if _shape(weights, name) != _shape(others, name)]
    if differing:
        raise ValueError(f"두 모델의 구조가 달라요: {min(differing)} 등 {len(differing)}개")
    second.load_state_dict({name: torch.lerp(w, others[name], share) for name, w in weights.items()})


def average_or_end(
    parser: argparse.ArgumentParser, first: torch.nn.Module, second: torch.nn.Module, share: float
) -> None:
    """``average``; ends the program with one line where the two do not fit each other."""
    try:
        average(first, second, share)
    except ValueError as error:
        parser.error(str(error))


def _shape(weights: dict[str, torch.Tensor], name: str) -> torch.Size | None:
    return weights[name].shape if name in weights else None
