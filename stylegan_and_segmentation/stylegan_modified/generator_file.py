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
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import WeightsError
from .generator import Generator, GeneratorConfig

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "generator.safetensors"
PUBLISHED_FILE = "stylegan_gen_fine_tuned_v3_ckpt_0005_gen.pth"
PUBLISHED_CURE = "파일을 지우고 다시 내려받아 주세요."
FOLDER_CURE = "폴더를 지우고 저장소에서 다시 받아 주세요."
SHOWN_MISMATCHES = 6  # of one kind, in an error's text


def load_generator(folder: Path, device: torch.device | str = "cpu") -> Generator:
    """The generator of a folder, in float32, ready to draw: eval mode, no gradients.

    Args:
        folder: has either the published file or `config.json` and `generator.safetensors`.
        device: where the generator goes.

    Raises:
        WeightsError: a file is missing, unreadable or does not fit the network.
    """
    folder = Path(folder)
    if (folder / PUBLISHED_FILE).is_file():
        path, config, cure = folder / PUBLISHED_FILE, GeneratorConfig(), PUBLISHED_CURE
        state = _read_published(path)
    elif (folder / CONFIG_FILE).is_file() or (folder / WEIGHTS_FILE).is_file():
        path, config, cure = folder / WEIGHTS_FILE, _read_config(folder / CONFIG_FILE), FOLDER_CURE
        state = _read_safetensors(path)
    else:
        raise WeightsError(
            f"얼굴 생성 모델이 없어요: {folder} 폴더에 {PUBLISHED_FILE} 파일이나 "
            f"{CONFIG_FILE}, {WEIGHTS_FILE} 파일을 넣어 주세요."
        )
    with torch.device("meta"):  # shapes only; the tensors are those of the file
        generator = Generator(config)
    problems = _mismatches(generator.state_dict(), state)
    if problems:
        raise WeightsError(f"얼굴 생성 모델 파일이 신경망과 맞지 않아요: {path} ({'; '.join(problems)}) - {cure}")
    generator.load_state_dict({key: value.float() for key, value in state.items()}, strict=True, assign=True)
    return generator.to(device).eval().requires_grad_(False).prepare_to_draw()


def save_generator(generator: Generator, folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Writes `config.json` and `generator.safetensors`; float16 halves the file."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: value.detach().to("cpu", dtype).contiguous() for key, value in generator.state_dict().items()}
    save_file(state, str(folder / WEIGHTS_FILE))
    text = json.dumps(asdict(generator.config), indent=2) + "\n"
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")


def _read_config(path: Path) -> GeneratorConfig:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(f"얼굴 생성 모델의 설정 파일이 없어요: {path} - {FOLDER_CURE}") from None
    except (OSError, ValueError) as error:
        raise WeightsError(f"얼굴 생성 모델의 설정 파일을 읽을 수 없어요: {path} ({error}) - {FOLDER_CURE}") from error
    names = {field.name for field in fields(GeneratorConfig)}
    if not isinstance(values, dict) or set(values) != names:
        wrong = sorted(names.symmetric_difference(values)) if isinstance(values, dict) else "?"
        raise WeightsError(f"얼굴 생성 모델의 설정이 맞지 않아요: {path} (항목: {wrong}) - {FOLDER_CURE}")
    if not all(type(value) is int for value in values.values()):
        raise WeightsError(f"얼굴 생성 모델의 설정은 모두 정수여야 해요: {path} - {FOLDER_CURE}")
    try:
        return GeneratorConfig(**values)
    except ValueError as error:
        raise WeightsError(f"얼굴 생성 모델의 설정이 맞지 않아요: {path} ({error}) - {FOLDER_CURE}") from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(str(path))
    except FileNotFoundError:
        raise WeightsError(f"얼굴 생성 모델 파일이 없어요: {path} - {FOLDER_CURE}") from None
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"얼굴 생성 모델 파일이 깨졌어요: {path} ({type(error).__name__}) - {FOLDER_CURE}"
        ) from error


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
        raise WeightsError(
            f"얼굴 생성 모델 파일이 깨졌어요: {path} ({type(error).__name__}) - {PUBLISHED_CURE}"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"얼굴 생성 모델 파일에 가중치가 아닌 것이 들어 있어요: {path} - {PUBLISHED_CURE}")
    return state


def _mismatches(wanted: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    """Everything in which a file differs from the network, in Korean, one item a kind."""
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
    lod = found.get("synthesis.lod")
    if lod is not None and lod.numel() == 1 and float(lod) != 0.0:
        problems.append(f"synthesis.lod 값이 0이 아니라 {float(lod):g}")
    return problems
