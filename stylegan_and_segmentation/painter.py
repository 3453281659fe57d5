"""FacePainter: property scores in, a picture of her out. Knows no picture files.

What an expression means is decided elsewhere; here it is seven numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from .identity_file import read_identity
from .properties import PropertyScores
from .stylegan_modified.generator import Generator
from .stylegan_modified.generator_file import load_generator

IDENTITY_NOISE = 0.15  # of the published program: z + 0.15 * N(0, 1), so that no two faces are the same


@dataclass(frozen=True, eq=False)
class Look:
    """What one picture is drawn from.

    Attributes:
        z: float32 (z_dim,).
        scores: the label.
    """

    z: np.ndarray
    scores: PropertyScores

    @property
    def eyes(self) -> float:
        """The eyes' score."""
        return self.scores.eyes

    def with_eyes(self, eyes: float) -> Look:
        """The same look with other eyes."""
        return replace(self, scores=replace(self.scores, eyes=eyes))

    def toward(self, other: Look, share: float) -> Look:
        """The look on the straight way to ``other``: this one at a share of 0, the other one at 1."""
        z = ((1.0 - share) * self.z + share * other.z).astype(np.float32)
        label = (1.0 - share) * self.scores.label() + share * other.scores.label()
        return Look(z, PropertyScores.from_label(label))


class FacePainter:
    """Draws one woman with changing expressions.

    Args:
        generator: in eval mode.
        identity: her z, float, shape (generator.config.z_dim,).
        noise: how far each picture's z strays from her identity, in standard deviations.
        random: the source of that noise, a CPU generator; the same seed repeats the same pictures.

    Raises:
        ValueError: the identity does not fit the generator.
    """

    def __init__(
        self,
        generator: Generator,
        identity: np.ndarray,
        noise: float = IDENTITY_NOISE,
        random: torch.Generator | None = None,
    ) -> None:
        if identity.shape != (generator.config.z_dim,):
            raise ValueError(f"identity must have shape ({generator.config.z_dim},), got {identity.shape}")
        self._generator = generator
        self._device = next(generator.parameters()).device
        self._identity = torch.from_numpy(np.ascontiguousarray(identity, dtype=np.float32))[None]
        self._noise = noise
        self._random = random if random is not None else torch.Generator().manual_seed(0)

    @classmethod
    def load(cls, folder: Path, identity_file: Path, device: torch.device | str = "cpu", seed: int = 0) -> FacePainter:
        """A painter from a generator's folder and her identity.

        Raises:
            WeightsError: the generator cannot be loaded.
            IdentityError: the identity file cannot be read.
        """
        generator = load_generator(folder, device)
        identity = read_identity(identity_file, generator.config.z_dim)
        return cls(generator, identity, random=torch.Generator().manual_seed(seed))

    @property
    def resolution(self) -> int:
        """Width and height of the pictures, in pixels."""
        return self._generator.config.resolution

    def reseed(self, seed: int) -> None:
        """Begins the random strays anew: the same seed repeats the same pictures."""
        self._random.manual_seed(seed)

    def look(self, scores: PropertyScores) -> Look:
        """What her next picture is drawn from: her identity, strayed from anew."""
        stray = torch.randn(self._identity.shape, generator=self._random)
        return Look((self._identity + self._noise * stray)[0].numpy(), scores)

    def paint(self, scores: PropertyScores) -> np.ndarray:
        """A new picture of her, as ``draw`` gives it."""
        return self.draw(self.look(scores))

    @torch.inference_mode()
    def draw(self, look: Look) -> np.ndarray:
        """Draws her: uint8, (resolution, resolution, 3), RGB; values beyond the range are clipped."""
        z = torch.from_numpy(look.z)[None].to(self._device)
        label = torch.from_numpy(look.scores.label())[None].to(self._device)
        image = self._generator(z, label)[0]
        pixels = ((image + 1.0) * 127.5).round().clamp(0.0, 255.0).to(torch.uint8)
        return np.ascontiguousarray(pixels.permute(1, 2, 0).cpu().numpy())
