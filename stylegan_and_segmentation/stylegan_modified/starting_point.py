"""Where the training of a generator begins: with fresh weights, or with those of a generator on disk.

Training only. Besides the parameters, the stored noise images are trained.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from .generator import Generator, GeneratorConfig
from .generator_file import load_generator


def fresh_generator(size: GeneratorConfig) -> Generator:
    """A generator with starting values that suit reconstruction: calm outputs, and noise that counts."""
    generator = Generator(size)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("apply_noise.weight"):
                parameter.normal_(0.0, 0.1)
            if "output" in name and name.endswith("weight"):
                parameter.mul_(0.3)
    return _learning_noise(generator)


def loaded_generator(source: Path) -> Generator:
    """A generator that goes on from another's weights, as the published v3 went on from v1.

    Args:
        source: what `load_generator` takes.

    Raises:
        WeightsError: it cannot be loaded.
    """
    loaded = load_generator(source)
    generator = Generator(loaded.config)  # what is loaded has its kernels worked out and learns no more
    generator.load_state_dict(loaded.state_dict())
    return _learning_noise(generator)


def widened_generator(narrow: Generator, size: GeneratorConfig) -> Generator:
    """A generator with more channels that draws what the narrow one draws, and can learn more.

    What is new listens to the old features and is not listened to yet, so only training makes it count
    (after Net2Net: Chen et al., "Accelerating Learning via Knowledge Transfer", 2016).

    Args:
        narrow: the generator to begin with.
        size: the new size; nothing but the number of channels may differ.

    Raises:
        ValueError: the size has fewer channels somewhere, or differs in something else.
    """
    old = narrow.config
    others = {**asdict(size), "fmap_base": old.fmap_base, "fmap_max": old.fmap_max}
    if others != asdict(old) or any(size.channels(r) < old.channels(r) for r in old.block_resolutions):
        raise ValueError(f"a generator of {old} cannot be widened to {size}")
    wide = fresh_generator(size)
    state = narrow.state_dict()
    with torch.no_grad():
        for name, new in wide.state_dict().items():
            if "style." in name:  # scales, then shifts
                for part, values in zip(new.chunk(2), state[name].chunk(2), strict=True):
                    part[: len(values)] = values
            elif not name.endswith("blur.kernel"):
                old_values = state[name]
                if name.endswith("weight") and new.ndim == 4 and new.shape[1] > old_values.shape[1]:
                    new[: len(old_values), old_values.shape[1] :] = 0.0
                    # A convolution divides its weights by the root of the number of its inputs.
                    old_values = old_values * math.sqrt(new.shape[1] / old_values.shape[1])
                new[tuple(slice(length) for length in old_values.shape)] = old_values
    return wide


@torch.no_grad()
def louder_z(generator: Generator, gain: float) -> Generator:
    """The generator with a mapping that hears z ``gain`` times as loud beside the label; returns itself.

    z's features and the label's are brought to one size together. The label's are several to a score, so that one
    feature of z moves w by far less than one score does, and is learned that much later.
    """
    generator.mapping.dense0.weight[:, : generator.config.z_dim] *= gain
    return generator


def trained_tensors(generator: nn.Module) -> list[tuple[str, Tensor]]:
    """Names of all that is trained, and the tensors: parameters and noise images."""
    noise = [(name, buffer) for name, buffer in generator.named_buffers() if name.endswith("apply_noise.noise")]
    return [*generator.named_parameters(), *noise]


def live_features(generator: Generator) -> int:
    """How many of z's features the mapping listens to: those up to the last one that has any weight."""
    listens = generator.mapping.dense0.weight[:, : generator.config.z_dim].abs().amax(dim=0) > 0.0
    live = listens.nonzero()
    return int(live[-1]) + 1 if len(live) else 0


def _learning_noise(generator: Generator) -> Generator:
    for name, buffer in generator.named_buffers():
        if name.endswith("apply_noise.noise"):
            buffer.requires_grad_(True)
    return generator
