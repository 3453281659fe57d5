"""Weights on disk, read strictly: what every network's loader of this room shares. Knows no network.

Whatever differs between a file and its network is collected into one error.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .errors import WeightsError

FOLDER_CURE = "폴더를 지우고 저장소에서 다시 받아 주세요."
SHOWN_MISMATCHES = 6  # of one kind, in an error's text

Sizes = TypeVar("Sizes")


def read_object(path: Path, what: str, cure: str = FOLDER_CURE) -> dict[str, Any]:
    """The JSON object of a settings file.

    Args:
        path: the file.
        what: whose settings they are, for the error (Korean).
        cure: what helps (Korean).

    Raises:
        WeightsError: it is missing, unreadable, or no object.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(f"{what}의 설정 파일이 없어요: {path} - {cure}") from None
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{what}의 설정 파일을 읽을 수 없어요: {path} ({reason}) - {cure}") from error
    if not isinstance(values, dict):
        raise WeightsError(f"{what}의 설정이 맞지 않아요: {path} (항목: ?) - {cure}")
    return values


def read_sizes(path: Path, kind: type[Sizes], what: str, cure: str = FOLDER_CURE) -> Sizes:
    """A network's size, a dataclass of whole numbers, from its settings file.

    Args:
        path: the file.
        kind: the dataclass; it refuses wrong numbers with a ValueError.
        what: whose settings they are, for the error (Korean).
        cure: what helps (Korean).

    Raises:
        WeightsError: the file is missing, unreadable, or says something else.
    """
    values = read_object(path, what, cure)
    names = {field.name for field in fields(kind)}
    if set(values) != names or not all(type(value) is int for value in values.values()):
        wrong = sorted(names.symmetric_difference(values))
        raise WeightsError(f"{what}의 설정이 맞지 않아요: {path} (항목: {wrong}) - {cure}")
    try:
        return kind(**values)
    except ValueError as error:
        raise WeightsError(f"{what}의 설정이 맞지 않아요: {path} ({error}) - {cure}") from error


def read_safetensors(path: Path, what: str, cure: str = FOLDER_CURE) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        WeightsError: it is missing or broken.
    """
    try:
        return load_file(str(path))
    except FileNotFoundError:
        raise WeightsError(f"{what} 파일이 없어요: {path} - {cure}") from None
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{what} 파일이 깨졌어요: {path} ({type(error).__name__}) - {cure}") from error


def write_safetensors(network: nn.Module, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Writes a network's tensors; the floating-point ones as `dtype`."""
    state = {
        key: value.detach().to("cpu", dtype if value.is_floating_point() else value.dtype).contiguous()
        for key, value in network.state_dict().items()
    }
    save_file(state, str(path))


def fill(
    network: nn.Module,
    state: dict[str, Tensor],
    path: Path,
    what: str,
    cure: str = FOLDER_CURE,
    more_problems: tuple[str, ...] = (),
) -> None:
    """Puts a file's tensors into a network, in float32 where they are floating-point.

    Args:
        network: may be on the meta device; the file's tensors take the place of its own.
        state: what the file holds.
        path: the file, for the error.
        what: what it is, for the error (Korean).
        cure: what helps (Korean).
        more_problems: what the caller found wrong besides (Korean).

    Raises:
        WeightsError: an entry is missing, unknown or of another shape; all are named.
    """
    problems = [*mismatches(network.state_dict(), state), *more_problems]
    if problems:
        raise WeightsError(f"{what} 파일이 신경망과 맞지 않아요: {path} ({'; '.join(problems)}) - {cure}")
    state = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    network.load_state_dict(state, strict=True, assign=True)


def mismatches(wanted: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    """Everything in which a file differs from a network, in Korean, one item a kind."""
    shapes = [
        f"{key} {tuple(found[key].shape)}≠{tuple(wanted[key].shape)}"
        for key in wanted
        if key in found and found[key].shape != wanted[key].shape
    ]
    kinds = {
        "없는 항목": [key for key in wanted if key not in found],
        "모르는 항목": [str(key) for key in found if key not in wanted],
        "모양이 다른 항목": shapes,
    }
    problems = []
    for kind, items in kinds.items():
        if items:
            more = f" 외 {len(items) - SHOWN_MISMATCHES}개" if len(items) > SHOWN_MISMATCHES else ""
            problems.append(f"{kind} {len(items)}개: {', '.join(items[:SHOWN_MISMATCHES])}{more}")
    return problems
