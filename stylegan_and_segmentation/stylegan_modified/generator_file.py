"""Generators on disk: our folder (config.json + generator.safetensors) and the published .pth file.

Both are loaded strictly: every mismatch is collected into one error that names the file and the cure.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from dataclasses import asdict, fields
from pathlib import Path

import torch
from torch import Tensor

from ..errors import WeightsError
from ..weights_file import FOLDER_CURE, fill, read_object, read_safetensors, write_safetensors
from .generator import Generator, GeneratorConfig

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "generator.safetensors"
PUBLISHED_FILE = "stylegan_gen_fine_tuned_v3_ckpt_0005_gen.pth"
PUBLISHED_CURE = "파일을 지우고 다시 내려받아 주세요."
WHAT = "얼굴 생성 모델"


def load_generator(folder: Path, device: torch.device | str = "cpu") -> Generator:
    """The generator of a folder, in float32, ready to draw: eval mode, no gradients.

    Args:
        folder: has either the published file or `config.json` and `generator.safetensors`; or a file of the published
            form, whatever its name.
        device: where the generator goes.

    Raises:
        WeightsError: a file is missing, unreadable or does not fit the network.
    """
    folder = Path(folder)
    if folder.is_file() or (folder / PUBLISHED_FILE).is_file():
        path = folder if folder.is_file() else folder / PUBLISHED_FILE
        config, cure = GeneratorConfig(), PUBLISHED_CURE
        state = _read_published(path)
    elif (folder / CONFIG_FILE).is_file() or (folder / WEIGHTS_FILE).is_file():
        path, config, cure = folder / WEIGHTS_FILE, _read_config(folder / CONFIG_FILE), FOLDER_CURE
        state = read_safetensors(path, WHAT)
    else:
        raise WeightsError(
            f"{WHAT}이 없어요: {folder} 폴더에 {PUBLISHED_FILE} 파일이나 "
            f"{CONFIG_FILE}, {WEIGHTS_FILE} 파일을 넣어 주세요."
        )
    with torch.device("meta"):  # shapes only; the tensors are those of the file
        generator = Generator(config)
    fill(generator, state, path, WHAT, cure, _lod_problem(state))
    return generator.to(device).eval().requires_grad_(False).prepare_to_draw()


def save_generator(generator: Generator, folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Writes `config.json` and `generator.safetensors`; float16 halves the file."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(generator, folder / WEIGHTS_FILE, dtype)
    text = json.dumps(asdict(generator.config), indent=2) + "\n"
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")


def _read_config(path: Path) -> GeneratorConfig:
    values = read_object(path, WHAT)
    names = {field.name for field in fields(GeneratorConfig)}
    if set(values) != names:
        wrong = sorted(names.symmetric_difference(values))
        raise WeightsError(f"{WHAT}의 설정이 맞지 않아요: {path} (항목: {wrong}) - {FOLDER_CURE}")
    if not all(type(value) is int for value in values.values()):
        raise WeightsError(f"{WHAT}의 설정은 모두 정수여야 해요: {path} - {FOLDER_CURE}")
    try:
        return GeneratorConfig(**values)
    except ValueError as error:
        raise WeightsError(f"{WHAT}의 설정이 맞지 않아요: {path} ({error}) - {FOLDER_CURE}") from error


def _read_published(path: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        OSError,
        RuntimeError,
        EOFError,
        ValueError,
        KeyError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise WeightsError(f"{WHAT} 파일이 깨졌어요: {path} ({type(error).__name__}) - {PUBLISHED_CURE}") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{WHAT} 파일에 가중치가 아닌 것이 들어 있어요: {path} - {PUBLISHED_CURE}")
    return state


def _lod_problem(state: dict[str, Tensor]) -> tuple[str, ...]:
    """A file from the midst of progressive training draws with another output layer than ours."""
    lod = state.get("synthesis.lod")
    if lod is None or lod.numel() != 1 or float(lod) == 0.0:
        return ()
    return (f"synthesis.lod 값이 0이 아니라 {float(lod):g}",)
