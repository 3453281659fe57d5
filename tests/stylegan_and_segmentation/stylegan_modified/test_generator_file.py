"""Generators on disk: round trips, and one clear error for whatever is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from stylegan_and_segmentation.errors import WeightsError
from stylegan_and_segmentation.stylegan_modified.generator import Generator, GeneratorConfig
from stylegan_and_segmentation.stylegan_modified.generator_file import (
    CONFIG_FILE,
    PUBLISHED_FILE,
    WEIGHTS_FILE,
    load_generator,
    save_generator,
)
from tests.stylegan_and_segmentation.published_weights import rebuild_weights

TINY = GeneratorConfig(w_dim=32, mapping_layers=2, resolution=16, fmap_base=128, fmap_max=16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_generator(Generator(TINY), tmp_path)
    return tmp_path


def test_round_trip(tmp_path: Path) -> None:
    generator = Generator(TINY).eval()
    save_generator(generator, tmp_path / "new")
    loaded = load_generator(tmp_path / "new")
    assert loaded.config == TINY
    assert not loaded.training and not any(parameter.requires_grad for parameter in loaded.parameters())
    z, label = torch.randn(1, 512), torch.randn(1, 7)
    with torch.inference_mode():
        assert torch.allclose(generator(z, label), loaded(z, label), atol=1e-4)


def test_half_precision_is_loaded_as_float32(tmp_path: Path) -> None:
    save_generator(Generator(TINY), tmp_path, torch.float16)
    assert {value.dtype for value in load_file(tmp_path / WEIGHTS_FILE).values()} == {torch.float16}
    assert {value.dtype for value in load_generator(tmp_path).state_dict().values()} == {torch.float32}


def test_published_file(tmp_path: Path) -> None:
    weights = rebuild_weights(11)
    torch.save(weights, tmp_path / PUBLISHED_FILE)
    generator = load_generator(tmp_path)
    assert generator.config == GeneratorConfig()
    assert all(torch.equal(value, weights[key]) for key, value in generator.state_dict().items())
    (tmp_path / PUBLISHED_FILE).rename(tmp_path / "another_name.pth")
    assert load_generator(tmp_path / "another_name.pth").config == GeneratorConfig()


def test_published_file_mismatches_are_collected(tmp_path: Path) -> None:
    weights = rebuild_weights(11)
    del weights["truncation.w_avg"]
    weights["synthesis.more"] = torch.zeros(1)
    weights["mapping.label_weight"] = torch.zeros(3, 24)
    weights["synthesis.lod"] = torch.tensor(2.0)
    torch.save(weights, tmp_path / PUBLISHED_FILE)
    with pytest.raises(WeightsError) as caught:
        load_generator(tmp_path)
    for part in (PUBLISHED_FILE, "truncation.w_avg", "synthesis.more", "mapping.label_weight", "lod", "다시"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half a zip"])
def test_broken_published_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PUBLISHED_FILE).write_bytes(content)
    with pytest.raises(WeightsError, match=PUBLISHED_FILE):
        load_generator(tmp_path)


def test_published_file_with_objects_is_refused(tmp_path: Path) -> None:
    torch.save({"path": Path("x"), "model": Generator(TINY)}, tmp_path / PUBLISHED_FILE)
    with pytest.raises(WeightsError, match=PUBLISHED_FILE):
        load_generator(tmp_path)


def test_published_file_that_is_no_state_dict(tmp_path: Path) -> None:
    torch.save([1, 2, 3], tmp_path / PUBLISHED_FILE)
    with pytest.raises(WeightsError, match="가중치가 아닌"):
        load_generator(tmp_path)


def test_empty_folder_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        load_generator(tmp_path)
    assert PUBLISHED_FILE in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_half_a_folder(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(WeightsError, match=name):
        load_generator(folder)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"z_dim": 512}', "\ufeff\ufffd"])
def test_broken_config(folder: Path, text: str) -> None:
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError, match=CONFIG_FILE):
        load_generator(folder)


@pytest.mark.parametrize("change", [{"resolution": 100}, {"resolution": "16"}, {"w_dim": 33}])
def test_config_that_does_not_fit(folder: Path, change: dict[str, object]) -> None:
    values = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    (folder / CONFIG_FILE).write_text(json.dumps({**values, **change}), encoding="utf-8")
    with pytest.raises(WeightsError):
        load_generator(folder)


def test_truncated_weights(folder: Path) -> None:
    path = folder / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=WEIGHTS_FILE):
        load_generator(folder)


def test_missing_entry_is_named(folder: Path) -> None:
    state = load_file(folder / WEIGHTS_FILE)
    del state["synthesis.layer0.const"]
    save_file(state, folder / WEIGHTS_FILE)
    with pytest.raises(WeightsError, match="layer0.const"):
        load_generator(folder)
