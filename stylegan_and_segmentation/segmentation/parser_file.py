"""Face parsers on disk: a folder as transformers writes it, loaded strictly.

The embedded parser and one for photographs, that a user downloads, go through the same loader.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import SegformerConfig, SegformerForSemanticSegmentation
from transformers.utils import logging as transformers_logging

from ..errors import WeightsError
from ..portrait.parsing import FaceClass
from ..weights_file import read_object
from .class_names import class_of, missing_classes
from .face_parser import FaceParser, ParserInput

EMBEDDED_PARSER = Path(__file__).resolve().parent / "embedded" / "face_parser"
CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INPUT_FILE = "preprocessor_config.json"
WHAT = "얼굴 파싱 모델"
CURE = "폴더를 지우고 다시 받아 주세요."
SHOWN = 8  # names of one kind, in an error's text


def load_face_parser(folder: Path = EMBEDDED_PARSER, device: torch.device | str = "cpu") -> FaceParser:
    """The parser of a folder, in float32, ready to parse.

    Args:
        folder: has `config.json`, `preprocessor_config.json` and `model.safetensors` of a SegFormer for semantic
            segmentation, whose class names are those of a face parser.
        device: where the network goes.

    Raises:
        WeightsError: a file is missing or broken, the weights do not fit the network, or a class is unknown or missing.
    """
    folder = Path(folder)
    missing = [name for name in (CONFIG_FILE, INPUT_FILE, WEIGHTS_FILE) if not (folder / name).is_file()]
    if missing:
        raise WeightsError(f"{WHAT}의 파일이 없어요: {folder} ({', '.join(missing)}) - {CURE}")
    config = _read_config(folder / CONFIG_FILE)
    classes = _classes(config, folder / CONFIG_FILE)
    wanted = _read_input(folder / INPUT_FILE)
    network = _read_network(folder, config)
    return FaceParser(network.to(device).eval().requires_grad_(False), classes, wanted)


def save_face_parser(parser: FaceParser, folder: Path, dtype: torch.dtype = torch.float16) -> None:
    """Writes the folder that `load_face_parser` reads; float16 halves the weights."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    transformers_logging.disable_progress_bar()
    network = SegformerForSemanticSegmentation(parser.network.config)
    network.load_state_dict(parser.network.state_dict())
    network.to(dtype).save_pretrained(folder)
    wanted = parser.wanted
    values = {
        "image_processor_type": "SegformerImageProcessor",
        "do_resize": True,
        "size": {"height": wanted.height, "width": wanted.width},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1.0 / 255.0,
        "do_normalize": True,
        "image_mean": list(wanted.mean),
        "image_std": list(wanted.std),
    }
    (folder / INPUT_FILE).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _read_config(path: Path) -> SegformerConfig:
    values = read_object(path, WHAT, CURE)
    if values.get("model_type") != "segformer":
        raise WeightsError(f"{WHAT}은 SegFormer여야 해요: {path} (지금 {values.get('model_type')}) - {CURE}")
    try:
        return SegformerConfig.from_dict(values)
    except Exception as error:  # the library checks its fields with errors of its own
        reason = " ".join(str(error).split())
        raise WeightsError(f"{WHAT}의 설정이 맞지 않아요: {path} ({reason}) - {CURE}") from error


def _classes(config: SegformerConfig, path: Path) -> list[FaceClass]:
    names = [str(config.id2label[index]) for index in sorted(config.id2label)]
    classes = {name: class_of(name) for name in names}
    unknown = [name for name, kind in classes.items() if kind is None]
    if unknown:
        more = f" 외 {len(unknown) - SHOWN}개" if len(unknown) > SHOWN else ""
        raise WeightsError(
            f"{WHAT}에 모르는 클래스가 있어요: {path} ({', '.join(unknown[:SHOWN])}{more}) - "
            "얼굴의 부위를 나누는 모델을 넣어 주세요."
        )
    lacking = missing_classes(kind for kind in classes.values() if kind is not None)
    if lacking:
        raise WeightsError(
            f"{WHAT}에 없는 클래스가 있어요: {path} ({', '.join(lacking)}) - 얼굴의 부위를 나누는 모델을 넣어 주세요."
        )
    return [classes[name] for name in names]


def _read_input(path: Path) -> ParserInput:
    values = read_object(path, WHAT, CURE)
    defaults = ParserInput()
    try:
        height, width = _size(values.get("size", {"height": defaults.height, "width": defaults.width}))
        mean = tuple(float(value) for value in values.get("image_mean", defaults.mean))
        std = tuple(float(value) for value in values.get("image_std", defaults.std))
        factor = float(values.get("rescale_factor", 1.0 / 255.0))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{WHAT}의 입력 설정이 맞지 않아요: {path} ({error}) - {CURE}") from None
    if not values.get("do_normalize", True):
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    fits = len(mean) == len(std) == 3 and min(std) > 0.0 and 32 <= min(height, width) <= max(height, width) <= 2048
    if not fits or not values.get("do_rescale", True) or abs(factor * 255.0 - 1.0) > 1e-3:
        raise WeightsError(f"{WHAT}의 입력 설정이 맞지 않아요: {path} - {CURE}")
    return ParserInput(height, width, mean, std)


def _size(value: Any) -> tuple[int, int]:
    if isinstance(value, dict):
        return (int(value["height"]), int(value["width"])) if "height" in value else (int(value["shortest_edge"]),) * 2
    return int(value), int(value)


def _read_network(folder: Path, config: SegformerConfig) -> SegformerForSemanticSegmentation:
    transformers_logging.set_verbosity_error()  # what it would warn of is an error below
    transformers_logging.disable_progress_bar()
    try:
        # The library's own loading knows the names that older versions of it gave the weights.
        network, found = SegformerForSemanticSegmentation.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
            output_loading_info=True,
        )
    except Exception as error:  # every way in which a file can be broken: the library raises many types
        raise WeightsError(f"{WHAT} 파일이 깨졌어요: {folder} ({type(error).__name__}) - {CURE}") from error
    problems = [
        f"{kind} {len(found[key])}개: {', '.join(sorted(str(item) for item in found[key])[:SHOWN])}"
        for key, kind in (
            ("missing_keys", "없는 항목"),
            ("unexpected_keys", "모르는 항목"),
            ("mismatched_keys", "모양이 다른 항목"),
        )
        if found[key]
    ]
    if problems:
        raise WeightsError(
            f"{WHAT} 파일이 신경망과 맞지 않아요: {folder / WEIGHTS_FILE} ({'; '.join(problems)}) - {CURE}"
        )
    return network
