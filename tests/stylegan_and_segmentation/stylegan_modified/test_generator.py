"""The generator against the published network's own answer, and its checks at the door."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stylegan_and_segmentation.stylegan_modified.generator import Generator, GeneratorConfig
from tests.stylegan_and_segmentation.published_weights import PARITY_FILE, published_shapes, rebuild_weights

TINY = GeneratorConfig(w_dim=32, mapping_layers=2, resolution=32, fmap_base=256, fmap_max=16, transposed_from=32)


@pytest.fixture(scope="module")
def published() -> Generator:
    with torch.device("meta"):
        generator = Generator()
    with np.load(PARITY_FILE) as parity:
        generator.load_state_dict(rebuild_weights(int(parity["seed"])), strict=True, assign=True)
    return generator.eval()


def test_names_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        state = Generator().state_dict()
    assert {key: tuple(value.shape) for key, value in state.items()} == published_shapes()
    assert len(state) == 123


@pytest.mark.parametrize("prepared", [False, True])
def test_published_answer(published: Generator, prepared: bool) -> None:
    if prepared:
        published.prepare_to_draw()
    with np.load(PARITY_FILE) as parity, torch.inference_mode():
        z, label = torch.from_numpy(parity["z"]), torch.from_numpy(parity["label"])
        w = published.mapping(z, label)
        image = published.synthesis(w)
        assert np.abs(w.numpy() - parity["w"]).max() < 1e-4
        assert np.abs(image.numpy() - parity["image"].astype(np.float32)).max() < 0.01


def test_prepared_generator_draws_the_same() -> None:
    generator = Generator(TINY).eval()
    random = torch.Generator().manual_seed(1)
    z, label = torch.randn(3, 512, generator=random), torch.randn(3, 7, generator=random)
    with torch.inference_mode():
        before = generator(z, label)
        after = generator.prepare_to_draw()(z, label)
    assert before.shape == (3, 3, 32, 32)
    assert torch.allclose(before, after, atol=1e-4)
    assert set(generator.state_dict()) == set(Generator(TINY).state_dict())


def test_a_batch_draws_each_picture_as_alone() -> None:
    generator = Generator(TINY).eval()
    z, label = torch.randn(2, 512), torch.randn(2, 7)
    with torch.inference_mode():
        together = generator(z, label)
        alone = torch.cat([generator(z[:1], label[:1]), generator(z[1:], label[1:])])
    assert torch.allclose(together, alone, atol=1e-4)


def test_lower_resolutions_have_their_own_output() -> None:
    generator = Generator(TINY)
    w = generator.mapping(torch.randn(1, 512), torch.zeros(1, 7))
    assert generator.synthesis(w, 8).shape == (1, 3, 8, 8)
    with pytest.raises(ValueError, match="resolution"):
        generator.synthesis(w, 64)


@pytest.mark.parametrize(
    ("z_shape", "label_shape", "name"),
    [((1, 511), (1, 7), "z"), ((1, 512), (1, 6), "label"), ((512,), (1, 7), "z"), ((2, 512), (1, 7), "rows")],
)
def test_wrong_shapes_are_named(z_shape: tuple[int, ...], label_shape: tuple[int, ...], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Generator(TINY)(torch.zeros(z_shape), torch.zeros(label_shape))


def test_wrong_style_shape_is_named() -> None:
    with pytest.raises(ValueError, match="w must have shape"):
        Generator(TINY).synthesis(torch.zeros(1, 33))


@pytest.mark.parametrize("values", [{"resolution": 100}, {"resolution": 4}, {"fmap_base": 100}, {"z_dim": 0}])
def test_impossible_sizes(values: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        GeneratorConfig(**values)
