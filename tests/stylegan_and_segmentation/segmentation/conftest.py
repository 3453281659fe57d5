"""Tiny portrait-like pictures for the trainings: nothing is drawn, no skia is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylegan_and_segmentation.portrait.parsing import FaceClass
from stylegan_and_segmentation.portrait.rendered_set import VARIATION_NAMES, shard_path
from stylegan_and_segmentation.segmentation.portrait_training import HELD_OUT_SEED


def pictures(count: int, seed: int) -> dict[str, np.ndarray]:
    """Grey pictures with a square of every class; the upper half is as bright as `background_mean` says.

    The lower half is as red as the variation `skin_warmth` says.
    """
    random = np.random.default_rng(seed)
    labels = random.uniform(-2.0, 2.0, (count, 7)).astype(np.float32)
    maps = np.zeros((count, 256, 256), np.uint8)
    for kind in FaceClass:
        row, column = divmod(int(kind), 4)
        maps[:, 140 + 36 * row : 170 + 36 * row, 20 + 60 * column : 60 + 60 * column] = kind
    rgb = np.repeat((maps * 20)[..., None], 3, axis=3)
    rgb[:, :128] = np.clip(128.0 + 40.0 * labels[:, 5], 0, 255).astype(np.uint8)[:, None, None, None]
    variations = random.normal(size=(count, len(VARIATION_NAMES))).astype(np.float32)
    warmth = variations[:, VARIATION_NAMES.index("skin_warmth")][:, None, None]
    rgb[:, 128:, :, 0] = np.clip(rgb[:, 128:, :, 0] + 60.0 + 40.0 * warmth, 0, 255).astype(np.uint8)
    return {"rgb": rgb, "labels": labels, "variations": variations, "parsing_maps": maps}


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of such pictures: 24 to learn from, 8 held out."""
    folder = tmp_path_factory.mktemp("portraits")
    np.savez(shard_path(folder, 0, 0), **pictures(24, 0))
    np.savez(shard_path(folder, 0, HELD_OUT_SEED), **pictures(8, 1))
    return folder
