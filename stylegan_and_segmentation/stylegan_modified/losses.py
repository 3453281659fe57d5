"""What the generator's training minimises: differences of pictures, of scores, and of z's distribution from N(0, 1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Parts of the picture that must come out sharp: left, top, right, bottom as shares of its size, and a weight.
# They are the areas that the property CNN looks at, wider to the right, where a turned head's features go.
WEIGHTED_AREAS: tuple[tuple[tuple[float, float, float, float], float], ...] = (
    ((0.22, 0.30, 0.84, 0.90), 1.5),  # face
    ((0.25, 0.38, 0.78, 0.57), 5.0),  # eyes
    ((0.36, 0.60, 0.72, 0.82), 4.0),  # mouth
)

LUMA = torch.tensor([0.299, 0.587, 0.114])  # brightness of red, green and blue (ITU-R BT.601)
SQUARE = 8  # pixels, of the texture's squares


def area_weights(resolution: int) -> Tensor:
    """The weight of each pixel, (1, 1, r, r), with soft edges and mean 1."""
    weights = torch.ones(1, 1, resolution, resolution)
    for (left, top, right, bottom), weight in WEIGHTED_AREAS:
        x0, y0, x1, y1 = (int(round(value * resolution)) for value in (left, top, right, bottom))
        weights[..., y0:y1, x0:x1] = torch.clamp(weights[..., y0:y1, x0:x1], min=weight)
    kernel = 2 * (resolution // 32) + 1
    weights = F.avg_pool2d(weights, kernel, stride=1, padding=kernel // 2, count_include_pad=False)
    return weights / weights.mean()


class PictureLoss(nn.Module):
    """Weighted L1 of pixels, of their gradients, and of coarser levels of a picture pyramid; and of the texture.

    Texture is how much detail of each direction there is in each small square. L1 alone smooths out what it cannot
    place, such as single hairs. It is for the end of a training: before the generator has found the hair it makes the
    detail up.

    Args:
        resolution: width of the pictures.
        gradient_weight: of the gradients' difference; it makes edges sharp.
        texture_weight: of the difference in detail.
        levels: halvings of the pyramid; the coarse levels move features to their places early.
    """

    def __init__(
        self, resolution: int, gradient_weight: float = 1.0, texture_weight: float = 0.0, levels: int = 3
    ) -> None:
        super().__init__()
        self.gradient_weight = gradient_weight
        self.texture_weight = texture_weight
        self.levels = levels
        self.register_buffer("weights", area_weights(resolution), persistent=False)

    def forward(self, drawn: Tensor, wanted: Tensor) -> Tensor:
        """The loss, a scalar, of pictures (N, 3, r, r) in [-1, 1]."""
        difference = drawn - wanted
        loss = (difference.abs() * self.weights).mean()
        across = difference[..., :, 1:] - difference[..., :, :-1]
        down = difference[..., 1:, :] - difference[..., :-1, :]
        loss = loss + self.gradient_weight * (across.abs() * self.weights[..., :, 1:]).mean()
        loss = loss + self.gradient_weight * (down.abs() * self.weights[..., 1:, :]).mean()
        if self.texture_weight:
            loss = loss + self.texture_weight * (texture(drawn) - texture(wanted)).abs().mean()
        weights = self.weights
        for _ in range(self.levels):
            difference, weights = F.avg_pool2d(difference, 2), F.avg_pool2d(weights, 2)
            loss = loss + (difference.abs() * weights).mean()
        return loss


def texture(pictures: Tensor) -> Tensor:
    """How much detail of each direction the brightness has in squares of 8 x 8 pixels: the mean size of three filters.

    They are the second differences across and down, whose sum is the Laplacian, and the mixed one. A chequered pattern,
    the easiest way to a large Laplacian, has far more of the last than any hair.

    Args:
        pictures: (N, 3, h, w), at least 10 pixels either way.

    Returns:
        (N, 3, (h - 2) // 8, (w - 2) // 8).
    """
    grey = (pictures * LUMA.to(pictures).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    middle = grey[..., 1:-1, 1:-1]
    across = grey[..., 1:-1, :-2] + grey[..., 1:-1, 2:] - 2.0 * middle
    down = grey[..., :-2, 1:-1] + grey[..., 2:, 1:-1] - 2.0 * middle
    mixed = middle + grey[..., 2:, 2:] - grey[..., 2:, 1:-1] - grey[..., 1:-1, 2:]
    return F.avg_pool2d(torch.cat([across, down, mixed], dim=1).abs(), SQUARE)


def prior_loss(mu: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mu, sigma²) from N(0, 1), averaged over the batch and the features: a scalar."""
    return 0.5 * (mu.square() + log_variance.exp() - 1.0 - log_variance).mean()


def score_loss(scores: Tensor, wanted: Tensor) -> Tensor:
    """How far what a network reads from pictures is from what was asked for: a scalar.

    The published training squares the error of the property scores; beyond half a deviation ours grows evenly, so that
    a few pictures which are not yet faces do not outweigh the rest.

    Args:
        scores: (N, K), read by a PropertyNet or a WomanNet.
        wanted: (N, K), the labels or the looks.
    """
    return F.smooth_l1_loss(scores, wanted, beta=0.5)
