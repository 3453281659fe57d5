"""Face parsers on disk: round trips, a downloaded one's names, and one clear error for whatever is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from stylegan_and_segmentation.errors import WeightsError
from stylegan_and_segmentation.portrait.drawing import draw_portrait
from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.properties import PropertyScores
from stylegan_and_segmentation.segmentation.face_parser import FaceParser, ParserInput
from stylegan_and_segmentation.segmentation.parser_file import (
    CONFIG_FILE,
    INPUT_FILE,
    WEIGHTS_FILE,
    load_face_parser,
    save_face_parser,
)
from stylegan_and_segmentation.segmentation.train_face_parser import confusion, intersection_over_union
from tests.stylegan_and_segmentation.segmentation.test_face_parser import CELEBA

OUR_NAMES = [kind.name.lower() for kind in FaceClass]


def network(names: list[str], seed: int = 0) -> SegformerForSemanticSegmentation:
    torch.manual_seed(seed)
    config = SegformerConfig(
        hidden_sizes=[4, 4, 8, 8], num_attention_heads=[1, 1, 1, 1], depths=[1, 1, 1, 1], decoder_hidden_size=8,
        id2label=dict(enumerate(names)), label2id={name: index for index, name in enumerate(names)},
    )  # fmt: skip
    return SegformerForSemanticSegmentation(config).eval()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_face_parser(FaceParser(network(OUR_NAMES), list(FaceClass), ParserInput(64, 64)), tmp_path, torch.float32)
    return tmp_path


def edit(path: Path, **changes: object) -> None:
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**values, **changes}), encoding="utf-8")


def test_round_trip(folder: Path) -> None:
    parser = load_face_parser(folder)
    assert parser.classes == tuple(FaceClass) and parser.wanted == ParserInput(64, 64)
    assert not parser.network.training and not any(p.requires_grad for p in parser.network.parameters())
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    wanted = FaceParser(network(OUR_NAMES), list(FaceClass), ParserInput(64, 64)).parse(picture)
    assert np.array_equal(parser.parse(picture), wanted)


def test_half_precision_is_loaded_as_float32(folder: Path) -> None:
    save_face_parser(load_face_parser(folder), folder)
    stored = {value.dtype for value in load_file(folder / WEIGHTS_FILE).values()}
    assert torch.float16 in stored and torch.float32 not in stored
    assert torch.float16 not in {value.dtype for value in load_face_parser(folder).network.state_dict().values()}


def test_downloaded_parser(tmp_path: Path) -> None:
    network(CELEBA).save_pretrained(tmp_path)
    (tmp_path / INPUT_FILE).write_text(
        json.dumps({"do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": 128}),
        encoding="utf-8",
    )
    parser = load_face_parser(tmp_path)
    assert len(parser.classes) == 19 and parser.classes[CELEBA.index("cloth")] == FaceClass.BACKGROUND
    assert parser.wanted == ParserInput(128, 128, (0.5,) * 3, (0.5,) * 3)
    assert parser.parse(np.zeros((50, 40, 3), np.uint8)).shape == (50, 40)


def test_unknown_names_are_listed(tmp_path: Path) -> None:
    names = [*OUR_NAMES, "building", "sky"]
    network(names).save_pretrained(tmp_path)
    (tmp_path / INPUT_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(WeightsError, match="building, sky"):
        load_face_parser(tmp_path)


def test_missing_classes_are_listed(tmp_path: Path) -> None:
    network(OUR_NAMES[:-2]).save_pretrained(tmp_path)
    (tmp_path / INPUT_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(WeightsError, match="lower_lip, hair"):
        load_face_parser(tmp_path)


@pytest.mark.parametrize("name", [CONFIG_FILE, INPUT_FILE, WEIGHTS_FILE])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(WeightsError, match=name):
        load_face_parser(folder)


@pytest.mark.parametrize("name", [CONFIG_FILE, INPUT_FILE])
@pytest.mark.parametrize("text", ["", "{", "[]", "\ufeff\ufffd"])
def test_broken_json(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError, match=name) as caught:
        load_face_parser(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [{"size": {}}, {"size": "big"}, {"size": 0}, {"image_mean": [0.5]}, {"image_std": [0, 1, 1]}, {"image_mean": 3},
     {"rescale_factor": 1.0}, {"do_rescale": False}],
)  # fmt: skip
def test_input_that_does_not_fit(folder: Path, changes: dict[str, object]) -> None:
    edit(folder / INPUT_FILE, **changes)
    with pytest.raises(WeightsError, match=INPUT_FILE):
        load_face_parser(folder)


@pytest.mark.parametrize(
    "changes",
    [{"model_type": "bert"}, {"hidden_sizes": [4, 4, 8, 16]}, {"depths": [1, 1, 1, 2]}, {"hidden_sizes": "x"}],
)
def test_config_that_does_not_fit(folder: Path, changes: dict[str, object]) -> None:
    edit(folder / CONFIG_FILE, **changes)
    with pytest.raises(WeightsError) as caught:
        load_face_parser(folder)
    assert "\n" not in str(caught.value)


def test_truncated_weights(folder: Path) -> None:
    path = folder / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="깨졌어요"):
        load_face_parser(folder)


def test_missing_entry_is_named(folder: Path) -> None:
    state = load_file(folder / WEIGHTS_FILE)
    del state["decode_head.classifier.bias"]
    save_file(state, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"classifier\.bias"):
        load_face_parser(folder)


def test_embedded_parser_parses_the_portraits() -> None:
    """It is trained on the portraits as they are drawn now: a redrawn portrait needs a new one."""
    parser, counts = load_face_parser(), np.zeros((11, 11), np.int64)
    for value in (-0.6, 1.0, 2.6):
        portrait = draw_portrait(PropertyScores(eyes=value, mouth=value, pose=value), supersampling=2)
        counts += confusion(parser.parse(portrait.rgb), portrait.parsing_map)
    assert intersection_over_union(counts).mean() > 0.85
