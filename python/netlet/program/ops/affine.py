"""Images turned, shifted and zoomed at random while a model trains: each row by an affine map of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet import random
from netlet.program.case import Case
from netlet.program.spec import Array, Attr, Attrs, Context, OpSpec, Shape, elements

__all__ = ["FILL_MODES", "INTERPOLATIONS", "RandomAffine", "check_image", "uniform_rows"]

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("bilinear", "nearest")


def check_image(shape: Shape) -> None:
    """ValueError unless a row's shape is ``[H, W, C]``."""
    if len(shape) != 3:
        raise ValueError(f"expected images [H, W, C], got rows of shape {shape}")


def uniform_rows(attrs: Attrs, context: Context, rows: int, count: int) -> Array:
    """``count`` numbers in [0, 1) for each row, float64, of this op's seed and this step."""
    words = random.philox_words(attrs["seed"], random.DROPOUT, context.iteration, 0, rows * count)
    return words.reshape(rows, count) * 2.0**-32


def _fold(index: Array, size: int, mode: str) -> tuple[Array, Array | None]:
    """Indices within 0 .. size-1 for any, and for ``constant`` which of them were there already."""
    if mode == "constant":
        return index.clip(0, size - 1), (index >= 0) & (index < size)
    if mode == "wrap":
        return index % size, None
    if mode == "reflect":  # d c b a | a b c d | d c b a
        period = index % (2 * size)
        return np.minimum(period, 2 * size - 1 - period), None
    return index.clip(0, size - 1), None


def _taps(place: Array, size: int, attrs: Attrs) -> list[tuple[Array, Array | None, Array]]:
    """The grid points that a coordinate reads along one axis: index, whether it is inside (None: yes), weight."""
    mode = attrs["fill_mode"]
    if attrs["interpolation"] == "nearest":
        rounded = np.trunc(place + np.copysign(0.5, place)).astype(np.intp)  # halves away from 0
        return [(*_fold(rounded, size, mode), np.ones_like(place))]
    low = np.floor(place)
    above = place - low
    index = low.astype(np.intp)
    return [(*_fold(index, size, mode), 1.0 - above), (*_fold(index + 1, size, mode), above)]


class RandomAffine(OpSpec):
    """Each image turned, shifted and zoomed by numbers drawn evenly from ranges; the identity without training.

    A pixel of the output at p = (x, y) reads the input at ``c + R(angle) Z (p - c) - shift``: c is the image's center,
    Z multiplies by the zooms, a zoom below 1 magnifies, and a shift is a share of the image's width and height. What
    lies beyond the border follows ``fill_mode``. Coordinates are computed in float64 whatever the type, for where one
    is rounded to a pixel, or floored, the last bit would choose another; pixels are computed in the type.
    """

    name = "random_affine"
    signature = "x[B,H,W,C] -> y[B,H,W,C]"
    formula = "y[p] = x[c + R(angle) Z (p - c) - shift], interpolated"
    source = "keras.layers.RandomRotation, RandomTranslation, RandomZoom"
    contextual = True
    native = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("angle", "float or list", (0.0, 0.0), -1.0, 1.0),  # in turns
            Attr("shift_y", "float or list", (0.0, 0.0), -1.0, 1.0),
            Attr("shift_x", "float or list", (0.0, 0.0), -1.0, 1.0),
            Attr("zoom_y", "float or list", (1.0, 1.0), 0.0, 1e6),
            Attr("zoom_x", "float or list", (1.0, 1.0), 0.0, 1e6),
            Attr("same_zoom", "bool", False),  # zoom_x is what zoom_y drew
            Attr("fill_mode", "name", "reflect", names=FILL_MODES),
            Attr("fill_value", "float", 0.0),
            Attr("interpolation", "name", "bilinear", names=INTERPOLATIONS),
            Attr("seed", "int", 0, 0, 2**63 - 1),
        )

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        check_image(inputs[0])
        for name in ("angle", "shift_y", "shift_x", "zoom_y", "zoom_x"):
            if not isinstance(attrs[name], tuple) or len(attrs[name]) != 2 or attrs[name][0] > attrs[name][1]:
                raise ValueError(f"{name} is {attrs[name]}, expected (low, high)")
        return inputs[0]

    def coordinates(self, attrs: Attrs, context: Context, rows: int, height: int, width: int) -> tuple[Array, Array]:
        """Where each pixel of the output reads: y and x, float64 ``[rows, H, W]``."""
        drawn = uniform_rows(attrs, context, rows, 5)
        ranges = [attrs[name] for name in ("angle", "shift_y", "shift_x", "zoom_y", "zoom_x")]
        values = [low + (high - low) * drawn[:, i] for i, (low, high) in enumerate(ranges)]
        angle, shift_y, shift_x, zoom_y, zoom_x = (value[:, None, None] for value in values)
        if attrs["same_zoom"]:
            zoom_x = zoom_y
        angle = 2.0 * np.pi * angle
        center_y, center_x = (height - 1) / 2.0, (width - 1) / 2.0
        y = zoom_y * (np.arange(height)[None, :, None] - center_y)
        x = zoom_x * (np.arange(width)[None, None, :] - center_x)
        cos, sin = np.cos(angle), np.sin(angle)
        return (
            center_y + (sin * x + cos * y) - shift_y * height,
            center_x + (cos * x - sin * y) - shift_x * width,
        )

    def _reads(self, attrs: Attrs, context: Context, x: Array) -> Iterator[tuple[Array, Array | None, Array]]:
        """What each pixel reads: places in ``x`` as ``[B * H * W, C]``, whether they are inside, weights."""
        rows, height, width, _ = x.shape
        y_places, x_places = self.coordinates(attrs, context, rows, height, width)
        first = np.arange(rows)[:, None, None] * height
        for i, y_inside, y_weight in _taps(y_places, height, attrs):
            for j, x_inside, x_weight in _taps(x_places, width, attrs):
                inside = None if y_inside is None or x_inside is None else y_inside & x_inside
                yield (first + i) * width + j, inside, (y_weight * x_weight).astype(x.dtype)[..., None]

    def forward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
    ) -> None:
        if not context.training:
            np.copyto(y, xs[0])
            return
        pixels = xs[0].reshape(-1, y.shape[-1])
        y[...] = 0
        for place, inside, weight in self._reads(attrs, context, xs[0]):
            read = pixels[place]
            if inside is not None:
                read = np.where(inside[..., None], read, y.dtype.type(attrs["fill_value"]))
            read *= weight
            y += read

    def backward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        dx = dxs[0]
        if dx is None:
            return
        if not context.training:
            np.copyto(dx, dy)
            return
        dx[...] = 0
        pixels = dx.reshape(-1, dx.shape[-1])
        for place, inside, weight in self._reads(attrs, context, xs[0]):
            share = dy * weight
            if inside is not None:
                share *= inside[..., None]
            np.add.at(pixels, place, share)

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return (8 if attrs["interpolation"] == "bilinear" else 2) * elements(inputs[0])

    def cases(self) -> Iterator[Case]:
        moves: tuple[Attrs, ...] = (
            {"angle": (-0.3, 0.4)},
            {"shift_y": (-0.6, 0.6), "shift_x": (-0.9, 0.2)},
            {"zoom_y": (0.4, 1.8), "zoom_x": (0.6, 1.0)},
            {"zoom_y": (0.4, 1.8), "same_zoom": True, "angle": (-1.0, 1.0), "shift_x": (0.1, 0.1)},
        )
        shapes: Sequence[Shape] = ((5, 4, 1), (3, 7, 2), (1, 8, 3), (6, 1, 1))
        for n, mode in enumerate(FILL_MODES):
            for m, move in enumerate(moves):
                way = INTERPOLATIONS[(n + m) % 2]
                attrs = {**move, "fill_mode": mode, "interpolation": way, "fill_value": 0.5, "seed": 7 + m}
                yield Case(self, (1, 3, 4)[n % 3], (shapes[m],), attrs=attrs, training=True, iteration=n)
        yield Case(self, 3, ((4, 4, 2),), attrs=moves[0])

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape = (case.batch, *case.shapes[0])
        return {"x": rng.standard_normal(shape), "dy": rng.standard_normal(shape)}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # A weight is rounded, each of 4 products, their sum; a gradient is a sum of as many terms as read the pixel.
        context, attrs = Context(case.training, case.iteration), case.attrs
        x, dy = np.abs(arrays["x"]), np.abs(arrays["dy"])
        size, total = np.empty_like(x), np.empty_like(x)
        self.forward_in(context, {**attrs, "fill_value": abs(attrs["fill_value"])}, [x], [], [], size)
        self.backward_in(context, attrs, [x], [], [], size, dy, [total], [])
        reads = 4 * x.shape[1] * x.shape[2]
        return {"y": 4 * eps * size, "dx": (1 + reads / 2) * eps * total}
