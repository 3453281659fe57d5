"""A skia surface in picture units (0..256), with the few strokes that the portrait is painted with.

Knows colours, paths, blurs and the parsing map's regions; knows nothing of faces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np
import skia

from .palette import Colour

_SMOOTH = skia.SamplingOptions(skia.FilterMode.kLinear)
SIZE = 256  # width and height of the picture, in pixels and in picture units


def to_skia(colour: Colour, alpha: float = 1.0) -> int:
    """A 32-bit skia colour; values outside the range are clipped."""
    red, green, blue, opacity = (int(round(min(255.0, max(0.0, value)))) for value in (*colour, alpha * 255.0))
    return skia.ColorSetARGB(opacity, red, green, blue)


def smooth_path(points: np.ndarray, closed: bool = False) -> skia.Path:
    """A Catmull-Rom curve through points of shape (N, 2), N >= 2."""
    path = skia.Path()
    path.moveTo(float(points[0, 0]), float(points[0, 1]))
    if closed:
        padded = np.concatenate([points[-1:], points, points[:2]])
    else:
        padded = np.concatenate([points[:1], points, points[-1:]])
    for index in range(1, len(padded) - 2):
        before, start, end, after = padded[index - 1 : index + 3]
        control1 = start + (end - before) / 6.0
        control2 = end - (after - start) / 6.0
        path.cubicTo(*(float(value) for value in (*control1, *control2, *end)))
    if closed:
        path.close()
    return path


def polygon_path(points: np.ndarray) -> skia.Path:
    """A closed polygon through points of shape (N, 2)."""
    path = skia.Path()
    path.addPoly([skia.Point(float(x), float(y)) for x, y in points], True)
    return path


def oval_path(x: float, y: float, radius_x: float, radius_y: float) -> skia.Path:
    path = skia.Path()
    path.addOval(skia.Rect.MakeLTRB(x - radius_x, y - radius_y, x + radius_x, y + radius_y))
    return path


def tapered_path(points: np.ndarray, widths: np.ndarray) -> skia.Path:
    """A brush stroke along points (N, 2) whose full width at each point is widths (N,)."""
    along = np.gradient(points, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    half = normal * widths[:, None] / 2.0
    return polygon_path(np.concatenate([points + half, (points - half)[::-1]]))


class Easel:
    """Paints in picture units on a surface that is `supersampling` times larger, and scales it down.

    Args:
        supersampling: surface pixels per picture pixel, at least 1.
    """

    def __init__(self, supersampling: int) -> None:
        if supersampling < 1:
            raise ValueError(f"supersampling must be at least 1, got {supersampling}")
        self._factor = supersampling
        self._surface = skia.Surface(SIZE * supersampling, SIZE * supersampling)
        self._canvas = self._surface.getCanvas()
        self._canvas.scale(supersampling, supersampling)
        self._map_surface = skia.Surface(SIZE, SIZE)
        self._map_surface.getCanvas().clear(skia.ColorBLACK)

    def backdrop(self, rgb: np.ndarray) -> None:
        """Covers the surface with a picture (h, w, 3), uint8, stretched smoothly."""
        image = _image(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]))
        sampling = skia.SamplingOptions(skia.FilterMode.kLinear)
        self._canvas.drawImageRect(image, skia.Rect.MakeWH(SIZE, SIZE), sampling)

    def zoom(self, factor: float, x: float, y: float) -> None:
        """From now on everything is painted `factor` times larger, the point (x, y) staying where it is."""
        for canvas in (self._canvas, self._map_surface.getCanvas()):
            canvas.translate(x * (1.0 - factor), y * (1.0 - factor))
            canvas.scale(factor, factor)

    def fill(
        self,
        path: skia.Path,
        colour: Colour = (0.0, 0.0, 0.0),
        alpha: float = 1.0,
        blur: float = 0.0,
        shader: skia.Shader | None = None,
        mode: skia.BlendMode = skia.BlendMode.kSrcOver,
    ) -> None:
        """Fills a path; `blur` is the Gaussian's sigma in picture units."""
        self._canvas.drawPath(path, _paint(colour, alpha, blur, shader, mode))

    def line(
        self,
        path: skia.Path,
        colour: Colour = (0.0, 0.0, 0.0),
        width: float = 1.0,
        alpha: float = 1.0,
        blur: float = 0.0,
        shader: skia.Shader | None = None,
        mode: skia.BlendMode = skia.BlendMode.kSrcOver,
    ) -> None:
        """Strokes a path with round ends."""
        paint = _paint(colour, alpha, blur, shader, mode)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        self._canvas.drawPath(path, paint)

    @contextmanager
    def clip(self, path: skia.Path) -> Iterator[None]:
        """Within the block, paint and regions stay inside the path."""
        for canvas in (self._canvas, self._map_surface.getCanvas()):
            canvas.save()
            canvas.clipPath(path, skia.ClipOp.kIntersect, canvas is self._canvas)
        try:
            yield
        finally:
            self._canvas.restore()
            self._map_surface.getCanvas().restore()

    def region(self, path: skia.Path, index: int) -> None:
        """Marks a path's pixels as class `index` in the parsing map; later regions cover earlier ones."""
        paint = skia.Paint(Color=skia.ColorSetRGB(index, index, index), AntiAlias=False)
        self._map_surface.getCanvas().drawPath(path, paint)

    def mesh(
        self,
        points: np.ndarray,
        texture: np.ndarray,
        index: int | None = None,
        from_right: bool = False,
        alpha: float = 1.0,
        mode: skia.BlendMode = skia.BlendMode.kSrcOver,
    ) -> None:
        """Stretches a texture over a grid of points.

        Args:
            points: picture points of the grid, (R, C, 2); the texture's corners lie on the grid's.
            texture: colours with alpha, 0..255, (H, W, 4).
            index: the class that the parsing map gets where the texture's alpha is above a half.
            from_right: paint the grid's right columns first, so that the left ones cover them where it folds.
            alpha: opacity of the whole.
            mode: how it mixes with what is there.
        """
        pixels = np.clip(np.round(texture), 0, 255).astype(np.uint8)
        vertices = _vertices(points, pixels.shape[1], pixels.shape[0], from_right)
        paint = skia.Paint(AntiAlias=True, Alphaf=float(alpha), BlendMode=mode)
        paint.setShader(_image(pixels).makeShader(samplingOptions=_SMOOTH))
        self._canvas.drawVertices(vertices, paint)
        if index is not None:
            mask = np.full(pixels.shape, index, np.uint8)
            mask[:, :, 3] = np.where(pixels[:, :, 3] > 127, 255, 0)
            paint = skia.Paint(AntiAlias=False, Shader=_image(mask).makeShader())
            self._map_surface.getCanvas().drawVertices(vertices, paint)

    def picture(self) -> np.ndarray:
        """The painted picture, scaled down by averaging: uint8, (256, 256, 3), RGB."""
        full = self._surface.toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, :3]
        if self._factor == 1:
            return np.ascontiguousarray(full)
        blocks = full.reshape(SIZE, self._factor, SIZE, self._factor, 3)
        return np.round(blocks.mean(axis=(1, 3), dtype=np.float32)).astype(np.uint8)

    def parsing_map(self) -> np.ndarray:
        """The class of each pixel: uint8, (256, 256)."""
        return np.ascontiguousarray(self._map_surface.toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, 0])


def _image(pixels: np.ndarray) -> skia.Image:
    return skia.Image.fromarray(np.ascontiguousarray(pixels), colorType=skia.kRGBA_8888_ColorType)


@cache
def _grid_triangles(rows: int, columns: int, from_right: bool) -> list[int]:
    """Corner numbers of the two triangles of every cell, column by column."""
    start = np.arange(columns - 1)[:: -1 if from_right else 1]
    first = (start[:, None] + np.arange(rows - 1) * columns).reshape(-1, 1)
    return (first + [0, 1, columns, 1, columns + 1, columns]).reshape(-1).tolist()


def _vertices(points: np.ndarray, width: int, height: int, from_right: bool) -> skia.Vertices:
    rows, columns = points.shape[:2]
    v, u = np.meshgrid(np.linspace(0.5, height - 0.5, rows), np.linspace(0.5, width - 0.5, columns), indexing="ij")
    return skia.Vertices(
        skia.Vertices.kTriangles_VertexMode,
        [skia.Point(x, y) for x, y in points.reshape(-1, 2).tolist()],
        [skia.Point(x, y) for x, y in zip(u.ravel().tolist(), v.ravel().tolist(), strict=True)],
        None,
        _grid_triangles(rows, columns, from_right),
    )


def vertical_shader(top: float, bottom: float, colours: Sequence[Colour], stops: Sequence[float]) -> skia.Shader:
    """A gradient down the picture between two y values; stops run from 0 to 1."""
    return skia.GradientShader.MakeLinear(
        [skia.Point(0.0, top), skia.Point(0.0, bottom)],
        [to_skia(colour) for colour in colours],
        list(stops),
    )


def radial_shader(
    x: float,
    y: float,
    radius: float,
    colours: Sequence[Colour],
    stops: Sequence[float],
    alphas: Sequence[float] = (),
) -> skia.Shader:
    """A gradient around a point; `alphas` default to opaque."""
    opacities = list(alphas) or [1.0] * len(colours)
    return skia.GradientShader.MakeRadial(
        skia.Point(x, y),
        radius,
        [to_skia(colour, alpha) for colour, alpha in zip(colours, opacities, strict=True)],
        list(stops),
    )


def _paint(colour: Colour, alpha: float, blur: float, shader: skia.Shader | None, mode: skia.BlendMode) -> skia.Paint:
    paint = skia.Paint(Color=to_skia(colour, alpha), AntiAlias=True)
    if shader is not None:
        paint.setShader(shader)
        paint.setAlphaf(float(min(1.0, max(0.0, alpha))))
    if blur > 0.0:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    if mode != skia.BlendMode.kSrcOver:
        paint.setBlendMode(mode)
    return paint
