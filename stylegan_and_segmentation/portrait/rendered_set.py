"""The set of drawn training pictures, rendered once into shards in a folder and read back from there.

A shard is an .npz of pictures, their parsing maps and what they show. Shards carry the set's seed, so that a
folder can be filled further later; a training may start while it is still being filled.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..properties import PROPERTY_NAMES, PropertyScores

SHARD_SIZE = 100
DEFAULT_FOLDER = Path(__file__).resolve().parent / "rendered"
POSE, EYES, MOUTH = (PROPERTY_NAMES.index(name) for name in ("pose", "eyes", "mouth"))
ARRAYS = ("rgb", "labels", "variations", "parsing_maps")  # of a shard
LARGEST_VARIATION = 2.5  # standard deviations
# What may differ between two pictures with the same scores; the first features of a generator's z.
VARIATION_NAMES: tuple[str, ...] = (
    "light",
    "strands",
    "tint",
    "tip_hue",
    "hair_warmth",
    "iris_hue",
    "lip_hue",
    "skin_warmth",
    "dress_hue",
    "background_hue",
    "background_drift",
)
RESTING = -1.2  # what the chat asks of eyes, mouth and pose when nothing happens


@dataclass(frozen=True)
class RenderedSet:
    """Pictures with their labels and, where they were asked for, their parsing maps."""

    rgb: np.ndarray  # uint8, (N, 256, 256, 3)
    labels: np.ndarray  # float32, (N, 7), the order of PROPERTY_NAMES
    variations: np.ndarray  # float32, (N, 11), the order of VARIATION_NAMES
    parsing_maps: np.ndarray | None = None  # uint8, (N, 256, 256), values of FaceClass

    def __len__(self) -> int:
        return len(self.labels)


def draw_labels(count: int, random: np.random.Generator) -> np.ndarray:
    """Random labels, float32 (count, 7): eyes, mouth and pose over the chat's range (-1.2..3.6), at rest often."""
    labels = np.clip(random.standard_normal((count, len(PROPERTY_NAMES))), -3.0, 3.5)
    calm = random.random((count, len(PROPERTY_NAMES))) < 0.3
    labels[calm] = 0.0
    labels[:, EYES] = random.uniform(-2.8, 3.8, count)
    labels[:, MOUTH] = random.uniform(-1.8, 3.8, count)
    labels[:, POSE] = random.uniform(-2.2, 4.0, count)
    for column in (EYES, MOUTH, POSE):
        resting = random.random(count) < 0.22
        labels[resting, column] = RESTING
    return labels.astype(np.float32)


def drawn_variations(portraits: RenderedSet) -> np.ndarray:
    """The variations as far as they were drawn, float32 (N, 11): beyond `LARGEST_VARIATION` they are held."""
    return np.clip(portraits.variations, -LARGEST_VARIATION, LARGEST_VARIATION).astype(np.float32)


def render_shard(index: int, seed: int, supersampling: int) -> RenderedSet:
    """Draws the pictures of one shard; the same index and seed give the same pictures."""
    from .drawing import Variation, draw_portrait  # skia only where pictures are drawn

    random = np.random.default_rng([seed, index])
    labels = draw_labels(SHARD_SIZE, random)
    variations = random.standard_normal((SHARD_SIZE, len(VARIATION_NAMES))).astype(np.float32)
    portraits = [
        draw_portrait(PropertyScores.from_label(label), Variation.from_vector(variation), supersampling)
        for label, variation in zip(labels, variations, strict=True)
    ]
    return RenderedSet(
        rgb=np.stack([portrait.rgb for portrait in portraits]),
        labels=labels,
        variations=variations,
        parsing_maps=np.stack([portrait.parsing_map for portrait in portraits]),
    )


def shard_path(folder: Path, index: int, seed: int) -> Path:
    return folder / f"portraits_seed{seed}_{index:04d}.npz"


def render_set(folder: Path, count: int, seed: int = 0, supersampling: int = 3) -> None:
    """Fills a folder up to `count` pictures, shard by shard; shards that are there are kept."""
    from tqdm import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    shards = -(-count // SHARD_SIZE)
    for index in tqdm(range(shards), desc="portraits", unit="shard"):
        path = shard_path(folder, index, seed)
        if path.exists():
            continue
        shard = render_shard(index, seed, supersampling)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, **{name: getattr(shard, name) for name in ARRAYS})
        partial.replace(path)


def read_set(folder: Path, count: int, seed: int = 0, parsing_maps: bool = False) -> RenderedSet:
    """The first `count` pictures of a folder, or as many as are there; with their parsing maps if asked for.

    Raises:
        FileNotFoundError: the folder has none of this seed.
        ValueError: parsing maps are asked for, and a shard was rendered before they were kept.
    """
    paths = [
        path for path in (shard_path(folder, index, seed) for index in range(-(-count // SHARD_SIZE))) if path.exists()
    ]
    if not paths:
        raise FileNotFoundError(f"no rendered portraits with seed {seed} in {folder}")
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ARRAYS if parsing_maps or name != "parsing_maps"}
    for path in paths:
        with np.load(path) as shard:
            missing = sorted(set(parts) - set(shard.files))
            if missing:
                raise ValueError(f"{path} has no {', '.join(missing)}: delete it and render it again")
            for name, arrays in parts.items():
                arrays.append(shard[name])
    return RenderedSet(**{name: np.concatenate(arrays)[:count] for name, arrays in parts.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description="학습용 초상화를 미리 그려 둡니다.")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="그림을 둘 폴더")
    parser.add_argument("--images", type=int, default=2400, help="그릴 그림의 수")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--supersampling", type=int, default=3, help="몇 배로 크게 그려 줄일지")
    args = parser.parse_args()
    render_set(args.folder, args.images, args.seed, args.supersampling)


if __name__ == "__main__":
    main()
