"""Activations as ops of their own: any elementwise function, softmax and log_softmax."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.ops.elementwise import ACTIVATIONS, activation_attributes
from netlet.program.spec import Array, Attr, Attrs, OpSpec, Shape, elements

__all__ = ["Activation", "LogSoftmax", "Softmax", "shifted", "softmax", "spread"]

# Zeros, numbers that are denormal in float32, and those around which exponentials over- or underflow in either type.
_MAGNITUDES = (1e-40, 1e-30, 1e-5, 0.5, 10.0, 20.0, 40.0, 87.0, 89.0, 104.0, 709.0, 711.0, 746.0, 1e4)
_EXTREMES = (0.0, -0.0, *_MAGNITUDES, *(-m for m in _MAGNITUDES))


class Activation(OpSpec):
    """``y = f(x)``, element by element."""

    name = "activation"
    signature = "x[B,...] -> y[B,...]"
    formula = "y = activation(x)"
    source = "keras.activations"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return activation_attributes(given, tuple(ACTIVATIONS))

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        return inputs[0]

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        ACTIVATIONS[attrs["activation"]].forward(attrs, xs[0], y)

    def backward(
        self,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        if dxs[0] is not None:
            ACTIVATIONS[attrs["activation"]].backward(attrs, xs[0], y, dy, dxs[0])

    def cases(self) -> Iterator[Case]:
        for name, f in ACTIVATIONS.items():
            attrs = {"activation": name}
            for n, size in enumerate(HOSTILE_SIZES):
                yield Case(self, (1, 3)[n % 2], ((size,),), attrs=attrs)
            yield Case(self, 4, ((3, 5),), attrs=attrs)
            yield Case(self, 5, ((),), attrs=attrs)
            yield Case(self, 7, ((61,),), attrs=attrs)
            yield Case(self, 1, ((len(_EXTREMES),),), attrs=attrs, data="extreme")
            yield Case(self, 1, ((11,),), attrs=attrs, data="special")
            for attr in f.attrs:
                values = (True,) if attr.kind == "bool" else (0.0, 0.01, 0.5, 3.0)
                for value in (v for v in values if v >= attr.low and v != attr.default):
                    yield Case(self, 3, ((17,),), attrs={**attrs, attr.name: value})
            if name == "relu_general":
                for alpha, threshold, highest in (
                    (0.25, 1.0, 3.0),
                    (0.0, 0.3, 2.0),
                    (-0.5, -1.0, 2.0),
                    (0.1, -2.0, None),
                ):
                    given = {**attrs, "alpha": alpha, "threshold": threshold, "max_value": highest}
                    yield Case(self, 3, ((61,),), attrs=given)
                    yield Case(self, 1, ((11,),), attrs=given, data="special")
            if name == "threshold":
                yield Case(self, 3, ((61,),), attrs={**attrs, "threshold": -1.0, "value": 7.0})
                yield Case(self, 1, ((11,),), attrs={**attrs, "threshold": -1.0, "value": 7.0}, data="special")
            if name == "gelu":
                yield Case(self, 1, ((len(_EXTREMES),),), attrs={**attrs, "approximate": True}, data="extreme")

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``normal``: odd multiples of 1/32 between -6 and 6, which hit no kink. ``extreme``: zeros, denormal numbers
        and where exponentials over- or underflow. ``special``: NaN and infinities, forward alone."""
        shape = (case.batch, *case.shapes[0])
        name = case.attrs["activation"]
        if case.data == "special":
            x = np.array([1.5, np.nan, -1.5, 0.0, np.nan, 2.0, -3.5, np.nan, 4.0, 5.0, 6.0])
            if name not in (
                "softsign",
                "gelu",
                "silu",
                "hard_silu",
                "mish",
            ):  # infinity / infinity and 0 * infinity have no one answer
                x[[3, 6]] = np.inf, -np.inf
            return {"x": x.reshape(shape)}
        x = (2 * rng.integers(-96, 96, shape) + 1) / 32
        if case.data == "extreme":
            x = rng.permutation(np.array(_EXTREMES)).reshape(shape)
            if name == "exponential":  # its largest value, times dy, must be finite in float32
                x = np.minimum(x, 80.0)
        return {"x": x, "dy": rng.standard_normal(shape)}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # y as the function says; dx = dy f'(x): the slope's error times dy, and two roundings
        f = ACTIVATIONS[case.attrs["activation"]]
        x, y = arrays["x"], want["y"]
        y_error = f.forward_error(case.attrs, x, y, eps)
        if "dy" not in arrays:
            return {"y": y_error}
        slope_error = f.slope_error(case.attrs, x, y, y_error, eps)
        return {"y": y_error, "dx": np.abs(arrays["dy"]) * slope_error + eps * np.abs(want["dx"])}

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return elements(inputs[0]) * ACTIVATIONS[attrs["activation"]].flops


def shifted(x: Array, out: Array) -> None:
    """out = x - max(x) along the last axis, so that no exponential overflows."""
    np.subtract(x, np.maximum.reduce(x, axis=-1, keepdims=True), out=out)


def softmax(x: Array, y: Array) -> None:
    """y = exp(x) / sum(exp(x)) along the last axis. y may be x."""
    shifted(x, y)
    np.exp(y, out=y)
    y /= np.add.reduce(y, axis=-1, keepdims=True)


class _LastAxis(OpSpec):
    """What the ops that normalize along the last axis have in common."""

    signature = "x[B,...,C] -> y[B,...,C]"

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if not inputs[0]:
            raise ValueError("input has shape (None,), expected at least one axis besides the batch")
        return inputs[0]

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,),))
        yield Case(self, 2, ((10,),))
        yield Case(self, 61, ((10,),))
        yield Case(self, 4, ((3, 5),))
        yield Case(self, 2, ((2, 3, 17),))
        yield Case(self, 9, ((11,),), data="extreme")
        yield Case(self, 4, ((13,),), data="special")

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``extreme``: huge offsets, equal numbers, one far ahead. ``special``: minus infinity, as masks have it, and
        NaN, which makes its row NaN; forward alone."""
        shape = (case.batch, *case.shapes[0])
        x = 3 * rng.standard_normal(shape)
        if case.data == "extreme":
            x[0] += 1e4
            x[1] -= 1e4
            x[2] = 7.0
            x[3] *= 100
            x[4, 0] = 1e4
            x[5] = -1e30
            x[6, -1] = 1e30
        if case.data == "special":
            x[0, 3:5] = -np.inf
            x[1, -1] = np.nan
            x[2, 0] = np.nan
            return {"x": x}
        return {"x": x, "dy": rng.standard_normal(shape)}


def spread(x: Array, eps: float) -> tuple[Array, Array]:
    """|x - max x|, and a bound of the relative error of sum(exp(x - max x)), along the last axis."""
    distance = np.max(x, axis=-1, keepdims=True) - x
    weights = np.exp(-distance)
    weights /= weights.sum(axis=-1, keepdims=True)
    # each exponent is rounded (distance * eps/2) and its exponential errs by 2 eps; a sum of C terms by C eps/2
    error = (weights * np.where(weights > 0, distance, 0)).sum(axis=-1, keepdims=True) + x.shape[-1] + 4
    return distance, error * eps / 2


class Softmax(_LastAxis):
    """``y = exp(x) / sum(exp(x))`` along the last axis."""

    name = "softmax"
    formula = "y = exp(x - max x) / sum exp(x - max x)"

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        softmax(xs[0], y)

    def backward(
        self,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        """dx = y * (dy - sum(y * dy))"""
        dx = dxs[0]
        if dx is None:
            return
        np.multiply(y, dy, out=dx)
        inner = np.add.reduce(dx, axis=-1, keepdims=True)
        np.subtract(dy, inner, out=dx)
        dx *= y

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # y: the exponent's rounding, the exponential's 2 eps, the sum's error and a division, all relative
        y = want["y"]
        distance, total = spread(arrays["x"], eps)
        relative = np.where(y > 0, distance, 0) * eps / 2 + total + 3 * eps
        if "dy" not in arrays:
            return {"y": relative * y}
        # dx = y (dy - s), s = sum y dy: errors of y in s and in the factor, C roundings in s, three in the product
        dy = np.abs(arrays["dy"])
        size = (y * dy).sum(axis=-1, keepdims=True)
        s_error = (relative * y * dy).sum(axis=-1, keepdims=True) + (y.shape[-1] + 1) * eps / 2 * size
        return {"y": relative * y, "dx": y * (s_error + (relative + 2 * eps) * (dy + size))}

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 12 * elements(inputs[0])


class LogSoftmax(_LastAxis):
    """``y = x - log(sum(exp(x)))`` along the last axis."""

    name = "log_softmax"
    formula = "y = x - max x - log sum exp(x - max x)"

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        shifted(xs[0], y)
        y -= np.log(np.add.reduce(np.exp(y), axis=-1, keepdims=True))

    def backward(
        self,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        """dx = dy - exp(y) * sum(dy)"""
        dx = dxs[0]
        if dx is None:
            return
        np.exp(y, out=dx)
        dx *= np.add.reduce(dy, axis=-1, keepdims=True)
        np.subtract(dy, dx, out=dx)

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 12 * elements(inputs[0])

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # y = (x - max) - log(total): one rounding of the first, the total's relative error and 2 eps of the logarithm
        y = want["y"]
        distance, total = spread(arrays["x"], eps)
        logarithm = np.log(np.exp(-distance).sum(axis=-1, keepdims=True))
        y_error = eps * np.where(np.isfinite(y), distance + np.abs(y), 0) + total + 2 * eps * logarithm
        if "dy" not in arrays:
            return {"y": y_error}
        # dx = dy - exp(y) s, s = sum dy: y's error and 2 eps in the exponential, C roundings in s, two in the rest
        dy, p = arrays["dy"], np.exp(y)
        s, size = np.abs(dy.sum(axis=-1, keepdims=True)), np.abs(dy).sum(axis=-1, keepdims=True)
        p_error = p * (y_error + 2 * eps)
        return {
            "y": y_error,
            "dx": p_error * s + p * y.shape[-1] * eps / 2 * size + eps * (np.abs(dy) + p * s),
        }
