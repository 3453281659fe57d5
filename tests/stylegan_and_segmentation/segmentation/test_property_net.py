"""PropertyNet: it looks at its areas alone, is differentiable, and comes back from disk as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from stylegan_and_segmentation.errors import WeightsError
from stylegan_and_segmentation.portrait.drawing import draw_portrait
from stylegan_and_segmentation.properties import PROPERTY_NAMES, PropertyScores
from stylegan_and_segmentation.segmentation.area_networks_file import CONFIG_FILE
from stylegan_and_segmentation.segmentation.property_net import AREAS, PropertyNet, PropertyNetConfig
from stylegan_and_segmentation.segmentation.property_net_file import (
    WEIGHTS_FILE,
    load_property_net,
    save_property_net,
)

TINY = PropertyNetConfig(width=2, layers=3, hidden=3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_property_net(PropertyNet(TINY), tmp_path, torch.float32)
    return tmp_path


def test_areas_are_the_published_ones() -> None:
    sizes = {area.properties[0]: (area.right - area.left, area.bottom - area.top) for area in AREAS}
    assert sizes == {
        "eyes": (128, 48), "mouth": (64, 48), "pose": (80, 48),
        "hair_color": (256, 256), "hair_length": (256, 128), "background_mean": (256, 128),
    }  # fmt: skip
    assert sorted(name for area in AREAS for name in area.properties) == sorted(PROPERTY_NAMES)


def test_each_score_depends_on_its_area_alone() -> None:
    torch.manual_seed(1)
    network = PropertyNet(TINY).eval()
    image = torch.randn(1, 3, 256, 256, requires_grad=True)
    scores = network(image)
    assert scores.shape == (1, 7)
    for column, name in enumerate(PROPERTY_NAMES):
        area = next(area for area in AREAS if name in area.properties)
        gradient = torch.autograd.grad(scores[0, column], image, retain_graph=True)[0].abs().sum(dim=(0, 1))
        seen = gradient.nonzero()
        assert len(seen)
        assert area.top <= seen[:, 0].min() and seen[:, 0].max() < area.bottom
        assert area.left <= seen[:, 1].min() and seen[:, 1].max() < area.right


def test_other_shapes_are_refused() -> None:
    network = PropertyNet(TINY)
    for shape in ((1, 3, 128, 128), (3, 256, 256), (1, 1, 256, 256)):
        with pytest.raises(ValueError, match="image"):
            network(torch.zeros(shape))
    for wrong in ({"width": 0}, {"layers": 6}, {"hidden": 0}):
        with pytest.raises(ValueError, match="width"):
            PropertyNetConfig(**wrong)


def test_round_trip(folder: Path) -> None:
    torch.manual_seed(0)
    network, loaded = PropertyNet(TINY).eval(), load_property_net(folder)
    assert loaded.config == TINY and not loaded.training
    image = torch.randn(2, 3, 256, 256)
    assert torch.allclose(network(image), loaded(image), atol=1e-6)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    save_property_net(loaded, folder)
    assert {value.dtype for value in load_file(folder / WEIGHTS_FILE).values()} == {torch.float16}
    assert torch.allclose(load_property_net(folder)(image), loaded(image), atol=1e-2)


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_half_a_folder(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(WeightsError, match=name):
        load_property_net(folder)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"width": 2}', '{"width": 2.0, "layers": 3, "hidden": 3}',
                                  '{"width": 2, "layers": 9, "hidden": 3}'])  # fmt: skip
def test_broken_config(folder: Path, text: str) -> None:
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError, match=CONFIG_FILE) as caught:
        load_property_net(folder)
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit(folder: Path) -> None:
    path = folder / CONFIG_FILE
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**values, "hidden": 4}), encoding="utf-8")
    with pytest.raises(WeightsError, match=r"areas\.0\.dense"):
        load_property_net(folder)
    path.write_text(json.dumps(values), encoding="utf-8")
    state = load_file(folder / WEIGHTS_FILE)
    state["more"] = state.pop("areas.1.scores.bias")
    save_file(state, folder / WEIGHTS_FILE)
    with pytest.raises(WeightsError, match=r"areas\.1\.scores\.bias.*more"):
        load_property_net(folder)


def test_embedded_network_reads_the_portraits() -> None:
    """It is trained on the portraits as they are drawn now: a redrawn portrait needs a new one."""
    network, values = load_property_net(), (-1.2, 1.0, 3.2)
    for column in (PROPERTY_NAMES.index(name) for name in ("eyes", "mouth", "pose")):
        labels = np.full((3, 7), 0.0, np.float32)
        labels[:, column] = values
        pictures = np.stack([draw_portrait(PropertyScores.from_label(label), supersampling=2).rgb for label in labels])
        images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        assert network(images)[:, column].tolist() == pytest.approx(values, abs=0.6)
