"""WomanNet: a face embedding of a given size that comes back from disk as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stylegan_and_segmentation.errors import WeightsError
from stylegan_and_segmentation.portrait.drawing import Variation, draw_portrait
from stylegan_and_segmentation.portrait.rendered_set import VARIATION_NAMES
from stylegan_and_segmentation.properties import PropertyScores
from stylegan_and_segmentation.segmentation.area_networks_file import CONFIG_FILE
from stylegan_and_segmentation.segmentation.property_net import PropertyNetConfig
from stylegan_and_segmentation.segmentation.same_woman import separation
from stylegan_and_segmentation.segmentation.woman_net import LOOKS, WomanNet, looks
from stylegan_and_segmentation.segmentation.woman_net_file import (
    WEIGHTS_FILE,
    load_woman_net,
    save_woman_net,
)

TINY = PropertyNetConfig(width=2, layers=3, hidden=3)


def test_looks_are_variations_of_her_own() -> None:
    assert set(LOOKS) < set(VARIATION_NAMES)
    assert not [name for name in LOOKS if "background" in name or name in ("light", "dress_hue")]


def test_looks_of_pictures() -> None:
    torch.manual_seed(0)
    network = WomanNet(TINY).eval()
    rgb = np.random.default_rng(0).integers(0, 256, (13, 256, 256, 3), dtype=np.uint8)
    found = looks(network, rgb)
    assert found.shape == (13, len(LOOKS)) and found.dtype == np.float64
    assert np.allclose(found[11:], looks(network, rgb[11:]), atol=1e-5)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="image"):
        WomanNet(TINY)(torch.zeros(1, 3, 128, 128))


def test_round_trip(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = WomanNet(TINY).eval()
    save_woman_net(network, tmp_path)
    assert {value.dtype for value in load_file(tmp_path / WEIGHTS_FILE).values()} == {torch.float16}
    loaded = load_woman_net(tmp_path)
    assert loaded.config == TINY and not loaded.training
    image = torch.randn(1, 3, 256, 256)
    assert torch.allclose(network(image), loaded(image), atol=1e-2)
    (tmp_path / CONFIG_FILE).write_text(json.dumps({"width": 2}), encoding="utf-8")
    with pytest.raises(WeightsError, match=CONFIG_FILE):
        load_woman_net(tmp_path)


def test_embedded_network_knows_her_from_others() -> None:
    """It is trained on the portraits as they are drawn now: a redrawn portrait needs a new one."""
    network, random = load_woman_net(), np.random.default_rng(5)
    expressions = [PropertyScores(eyes=e, mouth=m, pose=p) for e, m, p in ((-1.2, -1.2, -1.2), (2.0, 1.6, 2.5))]
    hers = [draw_portrait(scores, supersampling=1).rgb for scores in expressions]
    strangers = (Variation.from_vector(1.5 * np.sign(random.normal(size=len(VARIATION_NAMES)))) for _ in range(3))
    others = [draw_portrait(expressions[0], stranger, supersampling=1).rgb for stranger in strangers]
    assert separation(looks(network, np.stack(hers)), looks(network, np.stack(others))) == 1.0
