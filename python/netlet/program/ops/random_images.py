"""Ops on images ``[H, W, C]`` that act at random while a model trains: flipped, their contrast changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.affine import check_image, uniform_rows
from netlet.program.ops.images import ImageOp
from netlet.program.spec import Array, Attr, Attrs, Context, Shape, elements

__all__ = ["RandomContrast", "RandomFlip"]


class _Random(ImageOp):
    """What random ops on images share: without training they are the identity."""

    contextual = True

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        check_image(inputs[0])
        return inputs[0]


class RandomFlip(_Random):
    """Each image flipped with probability 1/2, along the axes that ``mode`` names at once."""

    name = "random_flip"
    formula = "y[b] = flip(x[b]) or x[b]"
    source = "keras.layers.RandomFlip"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        modes = ("horizontal", "vertical", "horizontal_and_vertical")
        return Attr("mode", "name", modes[2], names=modes), Attr("seed", "int", 0, 0, 2**63 - 1)

    @staticmethod
    def _flip(context: Context, attrs: Attrs, x: Array, y: Array) -> None:
        np.copyto(y, x)
        if context.training:
            axes = tuple(axis for axis, word in ((1, "vertical"), (2, "horizontal")) if word in attrs["mode"])
            chosen = uniform_rows(attrs, context, len(x), 1)[:, 0] < 0.5
            y[chosen] = np.flip(x[chosen], axes)

    def forward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
    ) -> None:
        self._flip(context, attrs, xs[0], y)

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
        if dxs[0] is not None:
            self._flip(context, attrs, dy, dxs[0])

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 0

    def cases(self) -> Iterator[Case]:
        for n, mode in enumerate(("horizontal", "vertical", "horizontal_and_vertical")):
            attrs = {"mode": mode, "seed": 2**62 + n}
            yield Case(self, 7, ((3, 4, 2),), attrs=attrs, training=True, iteration=n)
            yield Case(self, 3, ((3, 4, 2),), attrs=attrs)
        yield Case(self, 5, ((1, 9, 1),), attrs={"seed": 3}, training=True)

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        return {name: np.zeros_like(w) for name, w in want.items()}  # it moves numbers, it computes none


class RandomContrast(_Random):
    """Each channel's distance from its mean times a factor, one for each image, drawn from a range; then clipped."""

    name = "random_contrast"
    formula = "y = clip((x - mean(x)) * factor + mean(x), low, high)"
    source = "keras.layers.RandomContrast"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("factor", "float or list", (1.0, 1.0), 0.0, 2.0),
            Attr("value_range", "float or list", (0.0, 255.0)),
            Attr("seed", "int", 0, 0, 2**63 - 1),
        )

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        for name in ("factor", "value_range"):
            if not isinstance(attrs[name], tuple) or len(attrs[name]) != 2 or attrs[name][0] > attrs[name][1]:
                raise ValueError(f"{name} is {attrs[name]}, expected (low, high)")
        return super().output_shape(inputs, params, attrs, declared)

    @staticmethod
    def _factor(context: Context, attrs: Attrs, x: Array) -> Array:
        low, high = attrs["factor"]
        drawn: Array = low + (high - low) * uniform_rows(attrs, context, len(x), 1)
        return drawn.astype(x.dtype)[:, :, None, None]

    def _unclipped(self, context: Context, attrs: Attrs, x: Array, y: Array) -> None:
        mean = x.mean(axis=(1, 2), keepdims=True)
        np.subtract(x, mean, out=y)
        y *= self._factor(context, attrs, x)
        y += mean

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
        self._unclipped(context, attrs, xs[0], y)
        np.clip(y, *(y.dtype.type(end) for end in attrs["value_range"]), out=y)

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
        low, high = (dx.dtype.type(end) for end in attrs["value_range"])
        self._unclipped(context, attrs, xs[0], dx)
        dy *= (dx >= low) & (dx <= high)
        factor = self._factor(context, attrs, dy)
        np.multiply(dy, factor, out=dx)
        dx += (1 - factor) * dy.mean(axis=(1, 2), keepdims=True)

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 6 * elements(inputs[0])

    def cases(self) -> Iterator[Case]:
        for n, shape in enumerate(((5, 4, 2), (1, 1, 3), (3, 17, 1))):
            attrs = {"factor": (0.3, 1.9), "value_range": (-100.0, 100.0), "seed": n}
            yield Case(self, (1, 3, 7)[n], (shape,), attrs=attrs, training=True, iteration=n)
        yield Case(self, 3, ((4, 4, 2),), attrs={"factor": (0.5, 1.5)})
        clipping = {"factor": (0.5, 1.5), "value_range": (0.0, 0.5)}
        yield Case(self, 3, ((4, 4, 2),), attrs=clipping, data="extreme", training=True)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        arrays = super().sample(case, rng)
        return (
            {"x": arrays["x"]} if case.data == "extreme" else arrays
        )  # at the clip's edge, rounding decides the slope

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # A mean of n numbers errs by n/2 roundings at most; the factor is below 2; clipping only brings errors down.
        x = np.abs(arrays["x"])
        n = x.shape[1] * x.shape[2]
        size = x + x.mean(axis=(1, 2), keepdims=True)
        bounds = {"y": (4 + 2 * n) * eps * size}
        if "dy" in arrays:
            dy = np.abs(arrays["dy"])
            bounds["dx"] = (4 + n) * eps * 2 * (dy + dy.mean(axis=(1, 2), keepdims=True))
        return bounds
