"""Elementwise activations made of pieces: cut-off lines, shrinkage, thresholds, parabolas between two lines.

relu_general is Keras' relu with all its arguments; what needs none of them is relu, leaky_relu or relu6. NaN stays NaN
in all of them.
"""

from __future__ import annotations

import math

import numpy as np

from netlet.program.ops.elementwise_base import Elementwise
from netlet.program.spec import Array, Attr, Attrs

__all__ = ["FUNCTIONS", "PIECEWISE", "pieces"]


class _Cut(Elementwise):
    """``scale * x + shift``, cut off below at ``low`` and above at ``high``; a scale of 1 has no shift."""

    kinked = True
    scale, shift, low, high = 1.0, 0.0, 0.0, 1.0

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        line = x
        if self.scale != 1:
            line = np.multiply(x, self.scale, out=y)
            line += self.shift
        np.maximum(line, self.low, out=y)
        np.minimum(y, self.high, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        inside = (y > self.low) & (y < self.high)
        np.multiply(dy, inside, out=dx)
        if self.scale != 1:
            dx *= self.scale

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        return np.zeros_like(y)  # 1 or 1/2


class Relu6(_Cut):
    name = "relu6"
    formula = "min(max(x, 0), 6)"
    flops = 2
    high = 6.0


class HardTanh(_Cut):
    name = "hard_tanh"
    formula = "min(max(x, -1), 1)"
    flops = 2
    low = -1.0


class SparseSigmoid(_Cut):
    name = "sparse_sigmoid"
    formula = "min(max((x + 1) / 2, 0), 1)"
    flops = 4
    scale = shift = steepest = 0.5


class SparsePlus(Elementwise):
    name = "sparse_plus"
    formula = "x <= -1 ? 0 : x < 1 ? (x + 1)^2 / 4 : x"
    flops = 5

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        root = np.minimum(np.maximum(x, -1), 1)
        root += 1
        root *= 0.5
        root *= root
        np.copyto(root, x, where=x >= 1)
        np.copyto(y, root)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        """f' = (x + 1) / 2 = sqrt(y) between -1 and 1"""
        slope = np.sqrt(np.minimum(y, 1))
        np.multiply(dy, slope, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # (x + 1) / 2 moves by half of what x does, so by half of what y errs by because of x; and eps by rounding
        error: Array = 0.5 * y_error + 3 * eps * np.sqrt(np.minimum(y, 1))
        return error


class HardSilu(Elementwise):
    """Source: Howard et al., "Searching for MobileNetV3", 2019 (hard swish)."""

    name = "hard_silu"
    formula = "x * min(max(x / 6 + 0.5, 0), 1)"
    from_output = False
    flops = 5
    steepest = 1.5
    kinked = True

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        gate = x / 6
        gate += 0.5
        np.maximum(gate, 0, out=gate)
        np.minimum(gate, 1, out=gate)
        np.multiply(x, gate, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        assert x is not None
        slope = x / 3
        slope += 0.5
        np.copyto(slope, 0, where=x <= -3)
        np.copyto(slope, 1, where=x >= 3)
        np.multiply(dy, slope, out=dx)

    def forward_error(self, attrs: Attrs, x: Array, y: Array, eps: float) -> Array:
        # x / 6 and the sum are rounded, both below 1; then the product
        return eps * (np.where(np.abs(x) < 3, np.abs(x), 0) + np.abs(y))

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # x / 3 and the sum are rounded, both below 1.5
        return np.where(np.abs(x) < 3, 2 * eps, 0)


class SoftShrink(Elementwise):
    name = "soft_shrink"
    formula = "x - min(max(x, -alpha), alpha)"
    attrs = (Attr("alpha", "float", 0.5, low=0.0),)
    flops = 3
    kinked = True

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        near = np.minimum(np.maximum(x, -attrs["alpha"]), attrs["alpha"])
        np.subtract(x, near, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        np.multiply(dy, y != 0, out=dx)

    def forward_error(self, attrs: Attrs, x: Array, y: Array, eps: float) -> Array:
        # alpha and the difference are rounded
        return eps * np.where(y != 0, np.abs(y) + attrs["alpha"], 0)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        return np.zeros_like(y)


class HardShrink(Elementwise):
    name = "hard_shrink"
    formula = "|x| <= alpha ? 0 : x"
    attrs = (Attr("alpha", "float", 0.5, low=0.0),)
    flops = 2
    kinked = True

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        near = np.abs(x) <= attrs["alpha"]
        if y is not x:
            np.copyto(y, x)
        np.copyto(y, 0, where=near)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        np.multiply(dy, y != 0, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        return np.zeros_like(y)


class _Piecewise(Elementwise):
    """``x <= threshold ? (scale ? scale * (x - threshold) : value) : min(max(x, low), high)``; see `pieces`."""

    from_output = False
    flops = 5
    kinked = True

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        threshold, scale, value, low, high = pieces(self.name, attrs)
        below = x <= threshold
        left = (x - threshold) * scale if scale else np.full_like(x, value)
        np.maximum(x, low, out=y)
        np.minimum(y, high, out=y)
        np.copyto(y, left, where=below)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        assert x is not None
        threshold, scale, _, low, high = pieces(self.name, attrs)
        slope = ((x > low) & (x < high)).astype(x.dtype)
        np.copyto(slope, scale, where=x <= threshold)
        np.multiply(dy, slope, out=dx)

    def forward_error(self, attrs: Attrs, x: Array, y: Array, eps: float) -> Array:
        # each constant is rounded; the threshold's error is multiplied by the scale, as the rounded difference is
        threshold, scale, *_ = pieces(self.name, attrs)
        error: Array = 2 * eps * np.abs(y) + eps * abs(scale * threshold)
        return error

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        return np.full_like(y, eps * abs(pieces(self.name, attrs)[1]))


class ReluGeneral(_Piecewise):
    name = "relu_general"
    formula = "x <= threshold ? alpha * (x - threshold) : max_value is null ? x : min(max(x, 0), max_value)"
    attrs = (
        Attr("alpha", "float", 0.0),
        Attr("threshold", "float", 0.0),
        Attr("max_value", "float or null", None, low=0.0),
    )


class Threshold(_Piecewise):
    name = "threshold"
    formula = "x <= threshold ? value : x"
    flops = 1
    attrs = (Attr("threshold", "float", 0.0), Attr("value", "float", 0.0))


#: The names of those that are `pieces`.
PIECEWISE = (ReluGeneral.name, Threshold.name)


def pieces(name: str, attrs: Attrs) -> tuple[float, float, float, float, float]:
    """The numbers that describe relu_general or threshold: threshold, scale, value, low, high; see `_Piecewise`."""
    if name == Threshold.name:
        return attrs["threshold"], 0.0, attrs["value"], -math.inf, math.inf
    highest = attrs["max_value"]
    low, high = (-math.inf, math.inf) if highest is None else (0.0, highest)
    return attrs["threshold"], attrs["alpha"], 0.0, low, high


#: What this file adds to the table of activations.
FUNCTIONS: tuple[Elementwise, ...] = (
    Relu6(),
    HardTanh(),
    SparseSigmoid(),
    SparsePlus(),
    SoftShrink(),
    HardShrink(),
    HardSilu(),
    ReluGeneral(),
    Threshold(),
)
