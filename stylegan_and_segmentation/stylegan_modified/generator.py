"""The conditional StyleGAN (v1) generator: z and a label in, a picture out.

Names, shapes and numbers are those of the published StyleGAN-FineTune-v3, so that its state dict loads
strictly; other sizes come from `GeneratorConfig`. Knows no files (`generator_file.py`) and no training.

Source of the architecture: Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
Networks" (2019), with seven property scores joined to z before the mapping network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-8  # of both normalisations, as published
LEAK = 0.2  # slope of the leaky ReLU for negative values
CONV_GAIN = math.sqrt(2.0)  # He gain of the scaled convolution and dense weights
MAPPING_LR_SCALE = 0.01  # mapping weights are stored 100 times larger than they act
FIRST_RESOLUTION = 4


@dataclass(frozen=True)
class GeneratorConfig:
    """The size of a generator; the defaults are the published network."""

    z_dim: int = 512  # length of the random vector
    w_dim: int = 512  # length of the style vector, and width of every mapping layer
    label_dim: int = 7  # number of property scores
    label_embed_dim: int = 24  # length that the label is projected to before it joins z
    mapping_layers: int = 8  # dense layers of the mapping network
    resolution: int = 256  # width and height of the picture, a power of two
    image_channels: int = 3  # RGB
    fmap_base: int = 16384  # channels at resolution r: min(fmap_base / r, fmap_max)
    fmap_max: int = 512  # most channels of a layer
    transposed_from: int = 128  # from this resolution on, upsampling is a transposed convolution

    def __post_init__(self) -> None:
        log2 = self.resolution.bit_length() - 1
        if self.resolution < 2 * FIRST_RESOLUTION or self.resolution != 2**log2:
            raise ValueError(f"resolution must be a power of two of at least 8, got {self.resolution}")
        for name in (
            "z_dim",
            "w_dim",
            "label_dim",
            "label_embed_dim",
            "mapping_layers",
            "image_channels",
            "fmap_max",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.fmap_base < self.resolution:
            raise ValueError(f"fmap_base {self.fmap_base} leaves no channel at {self.resolution} pixels")

    @property
    def block_resolutions(self) -> tuple[int, ...]:
        """4, 8, ... up to `resolution`; each has two layers."""
        return tuple(2**power for power in range(2, self.resolution.bit_length()))

    @property
    def num_layers(self) -> int:
        """Layers of the synthesis network that take a style."""
        return 2 * len(self.block_resolutions)

    def channels(self, resolution: int) -> int:
        """Feature maps at a resolution."""
        return min(self.fmap_base // resolution, self.fmap_max)


class DenseLayer(nn.Module):
    """A mapping layer: lrelu(x @ (weight * s).T + bias * 0.01), s = sqrt(2) / sqrt(fan_in) * 0.01."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / MAPPING_LR_SCALE)
        self.bias = nn.Parameter(torch.zeros(out_features))
        self.scale = CONV_GAIN / math.sqrt(in_features) * MAPPING_LR_SCALE

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(F.linear(x * self.scale, self.weight, self.bias * MAPPING_LR_SCALE), LEAK)


class MappingNetwork(nn.Module):
    """z (N, z_dim) and label (N, label_dim) to w (N, w_dim)."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.label_weight = nn.Parameter(torch.randn(config.label_dim, config.label_embed_dim))
        for index in range(config.mapping_layers):
            fan_in = config.z_dim + config.label_embed_dim if index == 0 else config.w_dim
            self.add_module(f"dense{index}", DenseLayer(fan_in, config.w_dim))

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Returns w, shape (N, w_dim).

        Raises:
            ValueError: z or label has the wrong shape, or their batch sizes differ.
        """
        _check_shape("z", z, self.config.z_dim)
        _check_shape("label", label, self.config.label_dim)
        if len(z) != len(label):
            raise ValueError(f"z has {len(z)} rows but label has {len(label)}")
        x = torch.cat([z, label @ self.label_weight], dim=1)
        x = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + EPSILON)
        for index in range(self.config.mapping_layers):
            x = self.get_submodule(f"dense{index}")(x)
        return x


class Truncation(nn.Module):
    """Holds the average w of training. The chat does not truncate."""

    def __init__(self, w_dim: int) -> None:
        super().__init__()
        self.register_buffer("w_avg", torch.zeros(w_dim))


class NoiseInput(nn.Module):
    """A stored noise image (1, 1, r, r), added to every channel with that channel's weight."""

    def __init__(self, channels: int, resolution: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels))
        self.register_buffer("noise", torch.randn(1, 1, resolution, resolution))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(x, self.noise, self.weight.view(1, -1, 1, 1))


class StyleLayer(nn.Module):
    """The affine map from w to a scale and a shift for each channel: w @ (weight / sqrt(w_dim)).T + bias."""

    def __init__(self, w_dim: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2 * channels, w_dim))
        self.bias = nn.Parameter(torch.zeros(2 * channels))
        self.scale = 1.0 / math.sqrt(w_dim)

    def forward(self, w: Tensor) -> tuple[Tensor, Tensor]:
        scale, shift = F.linear(w * self.scale, self.weight, self.bias).chunk(2, dim=1)
        return scale + 1.0, shift


class BlurLayer(nn.Module):
    """A depthwise 3x3 blur with [1, 2, 1] in both directions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0])
        kernel = torch.outer(line, line) / 16.0
        self.register_buffer("kernel", kernel.expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        return F.conv2d(x, self.kernel, bias, padding=1, groups=self.kernel.shape[0])


class SynthesisLayer(nn.Module):
    """What all layers share: noise, bias, leaky ReLU, instance normalisation, style."""

    def __init__(self, config: GeneratorConfig, resolution: int) -> None:
        super().__init__()
        channels = config.channels(resolution)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.apply_noise = NoiseInput(channels, resolution)
        self.style = StyleLayer(config.w_dim, channels)

    def finish(self, x: Tensor, w: Tensor) -> Tensor:
        """Features (N, C, r, r) after the convolution and bias to the layer's output of the same shape."""
        x = F.leaky_relu(self.apply_noise(x), LEAK)
        scale, shift = self.style(w)
        n, c, height, width = x.shape
        # With each sample's channels apart, this is instance normalisation and style in one pass.
        x = F.batch_norm(
            x.reshape(1, n * c, height, width),
            running_mean=None,
            running_var=None,
            weight=scale.reshape(-1).float(),  # under autocast x may be bfloat16, weight and bias not
            bias=shift.reshape(-1).float(),
            training=True,
            eps=EPSILON,
        )
        return x.view(n, c, height, width)


class ConstantLayer(SynthesisLayer):
    """`layer0`: starts from the learned constant, without a convolution."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config, FIRST_RESOLUTION)
        channels = config.channels(FIRST_RESOLUTION)
        self.const = nn.Parameter(torch.randn(1, channels, FIRST_RESOLUTION, FIRST_RESOLUTION))

    def forward(self, w: Tensor) -> Tensor:
        return self.finish(self.const.expand(len(w), -1, -1, -1) + self.bias.view(1, -1, 1, 1), w)


class ConvLayer(SynthesisLayer):
    """A 3x3 convolution that keeps the resolution."""

    def __init__(self, config: GeneratorConfig, in_channels: int, resolution: int) -> None:
        super().__init__(config, resolution)
        self.weight = nn.Parameter(torch.randn(config.channels(resolution), in_channels, 3, 3))
        self.scale = CONV_GAIN / math.sqrt(9 * in_channels)
        self.register_buffer("drawing_weight", None, persistent=False)  # see Generator.prepare_to_draw

    def prepare_to_draw(self) -> None:
        self.drawing_weight = (self.weight * self.scale).detach()

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        weight = self.weight * self.scale if self.drawing_weight is None else self.drawing_weight
        return self.finish(F.conv2d(x, weight, self.bias, padding=1), w)


class UpsamplingLayer(ConvLayer):
    """A 3x3 convolution that doubles the resolution, then a blur."""

    def __init__(self, config: GeneratorConfig, in_channels: int, resolution: int) -> None:
        super().__init__(config, in_channels, resolution)
        self.blur = BlurLayer(config.channels(resolution))
        self.transposed = resolution >= config.transposed_from

    def prepare_to_draw(self) -> None:
        """Either way of upsampling gives each of the four pixels, that a pixel becomes, its own 2x2 kernel.

        The four are convolved at once at the low resolution, with 4/9 of the multiplications. They are stored
        as (4 * C, in_channels, 2, 2), for output pixels at even and odd rows and columns, in this order.
        """
        weight = (self.weight * self.scale).detach()
        kernels = [kernel for rows in self._phases(weight, 2) for kernel in self._phases(rows, 3)]
        self.drawing_weight = torch.cat(kernels)

    def _phases(self, weight: Tensor, dim: int) -> tuple[Tensor, Tensor]:
        """Kernels for even and for odd output pixels along a dimension.

        Nearest doubling and a kernel [a, b, c] mean [a, b + c] for even pixels and [a + b, c] for odd ones.
        The transposed convolution of stride 2 with [a, a + b, b + c, c] means [c, a + b] and [b + c, a].
        """
        a, b, c = weight.split(1, dim=dim)
        even, odd = ((c, a + b), (b + c, a)) if self.transposed else ((a, b + c), (a + b, c))
        return torch.cat(even, dim=dim), torch.cat(odd, dim=dim)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        upsampled = self._upsample(x) if self.drawing_weight is None else self._upsample_in_phases(x)
        return self.finish(self.blur(upsampled, self.bias), w)

    def _upsample(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        if not self.transposed:
            return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
        padded = F.pad(weight, (1, 1, 1, 1))
        kernel = padded[..., 1:, 1:] + padded[..., :-1, 1:] + padded[..., 1:, :-1] + padded[..., :-1, :-1]
        return F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2, padding=1)

    def _upsample_in_phases(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        phases = F.conv2d(F.pad(x, (1, 1, 1, 1)), self.drawing_weight)
        phases = phases.view(n, 2, 2, -1, height + 1, width + 1)
        upsampled = x.new_empty(n, phases.shape[3], 2 * height, 2 * width)
        for i in (0, 1):
            for j in (0, 1):
                upsampled[..., i::2, j::2] = phases[:, i, j, :, i : i + height, j : j + width]
        return upsampled


class OutputLayer(nn.Module):
    """Features to RGB: a 1x1 convolution with gain 1, linear."""

    def __init__(self, in_channels: int, image_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(image_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(image_channels))
        self.scale = 1.0 / math.sqrt(in_channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias)


class SynthesisNetwork(nn.Module):
    """w (N, w_dim) to a picture (N, image_channels, resolution, resolution), about [-1, 1]; no tanh."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("lod", torch.zeros(()))  # level of detail of progressive training; 0 is the end
        self.layer0 = ConstantLayer(config)
        in_channels = config.channels(FIRST_RESOLUTION)
        for block, resolution in enumerate(config.block_resolutions):
            if block > 0:
                self.add_module(f"layer{2 * block}", UpsamplingLayer(config, in_channels, resolution))
                in_channels = config.channels(resolution)
            self.add_module(f"layer{2 * block + 1}", ConvLayer(config, in_channels, resolution))
            # Only the last output draws; the others stand in the published file from progressive training.
            self.add_module(f"output{block}", OutputLayer(in_channels, config.image_channels))

    def forward(self, w: Tensor, resolution: int | None = None) -> Tensor:
        """Returns the picture.

        Args:
            w: (N, w_dim).
            resolution: stop at this resolution and use its output, as progressive training does.

        Raises:
            ValueError: w has the wrong shape, or the network has no such resolution.
        """
        _check_shape("w", w, self.config.w_dim)
        resolution = resolution or self.config.resolution
        if resolution not in self.config.block_resolutions:
            raise ValueError(f"resolution must be one of {self.config.block_resolutions}, got {resolution}")
        block = self.config.block_resolutions.index(resolution)
        x = self.layer0(w)
        for index in range(1, 2 * block + 2):
            x = self.get_submodule(f"layer{index}")(x, w)
        return self.get_submodule(f"output{block}")(x)


class Generator(nn.Module):
    """`synthesis(mapping(z, label))`.

    Args:
        config: the size; the default is the published network (123 state-dict entries, 26.3 M values).
    """

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config or GeneratorConfig()
        self.mapping = MappingNetwork(self.config)
        self.truncation = Truncation(self.config.w_dim)
        self.synthesis = SynthesisNetwork(self.config)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Draws pictures.

        Args:
            z: (N, z_dim), standard normal.
            label: (N, label_dim), property scores in the order of `PROPERTY_NAMES`.

        Returns:
            (N, image_channels, resolution, resolution), RGB, about [-1, 1], not clipped.

        Raises:
            ValueError: an argument has the wrong shape.
        """
        return self.synthesis(self.mapping(z, label))

    def prepare_to_draw(self) -> Generator:
        """Works out the kernels once that every picture needs; drawing gets faster, the numbers stay.

        For a generator whose weights will not change any more. Returns the generator itself.
        """
        for module in self.modules():
            if isinstance(module, ConvLayer):
                module.prepare_to_draw()
        return self


def _check_shape(name: str, x: Tensor, features: int) -> None:
    if x.ndim != 2 or x.shape[1] != features:
        raise ValueError(f"{name} must have shape (N, {features}), got {tuple(x.shape)}")
