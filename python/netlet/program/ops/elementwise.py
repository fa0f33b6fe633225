"""Elementwise activation functions, forward beside backward, each written once for every element type.

elementwise_base.py says what one is. The common ones are here, with the table of all; those made of straight pieces are
in piecewise.py, the rarer smooth ones in smooth.py.

Formulas and defaults are Keras 3's (keras.activations). At a kink the derivative is that of the left side: 0 for relu,
alpha for leaky_relu and elu; where a function is cut off it is 0 at both ends, as for hard_sigmoid.
"""

from __future__ import annotations

import math

import numpy as np

from netlet.program.ops import piecewise, smooth
from netlet.program.ops.elementwise_base import Elementwise, sigmoid
from netlet.program.ops.special import erfc
from netlet.program.spec import Array, Attr, Attrs

__all__ = ["ACTIVATIONS", "EPILOGUES", "Elementwise", "activation_attributes", "sigmoid"]


class Linear(Elementwise):
    name = "linear"
    formula = "x"
    flops = 0

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        if y is not x:
            np.copyto(y, x)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        if dx is not dy:
            np.copyto(dx, dy)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        return np.zeros_like(y)


class Relu(Elementwise):
    name = "relu"
    formula = "max(x, 0); NaN stays NaN"
    kinked = True

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        np.maximum(x, 0, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        np.multiply(dy, y > 0, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        return np.zeros_like(y)


class LeakyRelu(Elementwise):
    name = "leaky_relu"
    formula = "x > 0 ? x : alpha * x"
    attrs = (Attr("alpha", "float", 0.2, low=0.0),)  # below 0 the sign of y would not tell that of x
    flops = 2
    kinked = True

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        positive = x > 0
        scaled = x * attrs["alpha"]
        np.copyto(scaled, x, where=positive)
        np.copyto(y, scaled)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        np.multiply(dy, np.where(y > 0, y.dtype.type(1), y.dtype.type(attrs["alpha"])), out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        return np.full_like(y, attrs["alpha"] * eps)


class Elu(Elementwise):
    name = "elu"
    formula = "x > 0 ? x : alpha * (exp(x) - 1)"
    attrs = (Attr("alpha", "float", 1.0, low=0.0),)
    flops = 10
    kinked = True  # unless alpha is 1

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        positive = x > 0
        curved = np.expm1(np.minimum(x, 0))
        curved *= attrs["alpha"]
        np.copyto(curved, x, where=positive)
        np.copyto(y, curved)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        slope = y + attrs["alpha"]  # alpha * exp(x)
        np.copyto(slope, 1, where=y > 0)
        np.multiply(dy, slope, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # y + alpha: y's error, and one rounding of the sum and of alpha
        error: Array = y_error + 2 * eps * attrs["alpha"]
        return error


class Selu(Elementwise):
    """Source: Klambauer et al., "Self-normalizing neural networks", 2017."""

    name = "selu"
    formula = "1.0507 * (x > 0 ? x : 1.67326 * (exp(x) - 1))"
    flops = 11
    ALPHA = 1.6732632423543772848170429916717
    SCALE = 1.0507009873554804934193349852946
    steepest = 1.0507 * 1.67327
    kinked = True

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        positive = x > 0
        curved = np.expm1(np.minimum(x, 0))
        curved *= self.SCALE * self.ALPHA
        np.multiply(x, self.SCALE, out=curved, where=positive)
        np.copyto(y, curved)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        slope = y + self.SCALE * self.ALPHA
        np.copyto(slope, self.SCALE, where=y > 0)
        np.multiply(dy, slope, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # y + scale * alpha: as elu
        return y_error + 4 * eps


class Sigmoid(Elementwise):
    name = "sigmoid"
    formula = "1 / (1 + exp(-x))"
    flops = 10
    steepest = 0.25

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        sigmoid(x, y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        slope = 1 - y
        slope *= y
        np.multiply(dy, slope, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # y (1 - y): |1 - 2y| of y's error, and three roundings of numbers up to 1 times y
        error: Array = np.abs(1 - 2 * y) * y_error + 2 * eps * y
        return error


class Tanh(Elementwise):
    name = "tanh"
    formula = "tanh(x)"
    flops = 10

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        np.tanh(x, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        slope = y * y
        np.subtract(1, slope, out=slope)
        np.multiply(dy, slope, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # 1 - y^2: 2 |y| of y's error, and two roundings of numbers up to 1
        return 2 * np.abs(y) * y_error + eps


class Exponential(Elementwise):
    name = "exponential"
    formula = "exp(x)"
    flops = 8

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        np.exp(x, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        np.multiply(dy, y, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # the slope is y
        return y_error


class HardSigmoid(Elementwise):
    name = "hard_sigmoid"
    formula = "min(max(x / 6 + 0.5, 0), 1)"
    flops = 4
    steepest = 1 / 6
    kinked = True

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        np.divide(x, 6, out=y)
        y += 0.5
        np.maximum(y, 0, out=y)
        np.minimum(y, 1, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        inside = (y > 0) & (y < 1)
        np.divide(dy, 6, out=dx)
        np.multiply(dx, inside, out=dx)

    def forward_error(self, attrs: Attrs, x: Array, y: Array, eps: float) -> Array:
        # x / 6 and the sum are rounded; beyond the clip both are exact
        return eps * np.where((y > 0) & (y < 1), np.abs(x) / 6 + 1, 0)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # 1 / 6, rounded
        return np.full_like(y, eps / 6)


class Softplus(Elementwise):
    name = "softplus"
    formula = "log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))"
    from_output = False
    flops = 18

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        tail = np.log1p(np.exp(-np.abs(x)))
        np.maximum(x, 0, out=y)
        y += tail

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        assert x is not None
        slope = np.empty_like(x)
        sigmoid(x, slope)
        np.multiply(dy, slope, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # sigmoid
        return 4 * eps * np.exp(np.minimum(x, 0))


class Softsign(Elementwise):
    name = "softsign"
    formula = "x / (1 + |x|)"
    from_output = False
    flops = 3

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        np.divide(x, np.abs(x) + 1, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        assert x is not None
        root = np.abs(x) + 1
        np.divide(dy, root, out=dx)  # twice, so that the square of a large x does not overflow
        dx /= root

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # three roundings
        return 4 * eps / (1 + np.abs(x)) ** 2


class Gelu(Elementwise):
    """Source: Hendrycks, Gimpel, "Gaussian error linear units", 2016."""

    name = "gelu"
    formula = "x * Phi(x) = x/2 * erfc(-x/sqrt 2);  approximate: x/2 * (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))"
    from_output = False
    attrs = (Attr("approximate", "bool", False),)
    flops = 25
    ROOT_HALF = math.sqrt(0.5)
    ROOT_2_PI = math.sqrt(2.0 / math.pi)
    DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
    CUBIC = 0.044715
    steepest = 1.13

    def _tanh(self, x: Array) -> Array:
        inner: Array = x * x
        inner *= self.CUBIC
        inner += 1
        inner *= x
        inner *= self.ROOT_2_PI
        np.tanh(inner, out=inner)
        return inner

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        factor = self._tanh(x) + 1 if attrs["approximate"] else erfc(x * -self.ROOT_HALF)
        factor *= 0.5
        np.multiply(x, factor, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        assert x is not None
        if attrs["approximate"]:
            t = self._tanh(x)
            # x^2 at most 1e10: beyond, 1 - t^2 is 0, and 0 * infinity must not become NaN
            square = np.minimum(x * x, 1e10)
            slope = (1 - t * t) * (0.5 * self.ROOT_2_PI)
            slope *= x
            slope *= square * (3 * self.CUBIC) + 1
            slope += 0.5 * (1 + t)
        else:
            square = np.minimum(x * x, 1e4)  # exp(-5000) is 0 in every type
            slope = np.exp(square * -0.5)
            slope *= x
            slope *= self.DENSITY
            slope += 0.5 * erfc(x * -self.ROOT_HALF)
        np.multiply(dy, slope, out=dx)

    def forward_error(self, attrs: Attrs, x: Array, y: Array, eps: float) -> Array:
        # 1 + erf and 1 + tanh cancel for negative x: what is left has an absolute error, times x
        return 4 * eps * np.abs(x)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # Both terms are below 1.2; exp(-x^2/2) errs by x^2 eps of itself, and x^3 exp(-x^2/2) is below 1.2 as well.
        error = np.full_like(x, 8 * eps)
        if attrs["approximate"]:
            # 1 - tanh^2 has an absolute error of 6 eps, and is exactly 0 in any type where |x| > 8
            size = np.minimum(np.abs(x), 8)
            factor = 0.5 * self.ROOT_2_PI * size * (1 + 3 * self.CUBIC * size * size)
            error += np.where(np.abs(x) > 8, 0, 6 * eps * factor)
        return error


class Silu(Elementwise):
    """Source: Ramachandran, Zoph, Le, "Searching for activation functions", 2017 (swish)."""

    name = "silu"
    formula = "x / (1 + exp(-x))"
    from_output = False
    flops = 11
    steepest = 1.1

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        gate = np.empty_like(x)
        sigmoid(x, gate)
        np.multiply(x, gate, out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        assert x is not None
        gate = np.empty_like(x)
        sigmoid(x, gate)
        slope = 1 - gate
        slope *= x
        slope += 1
        slope *= gate
        np.multiply(dy, slope, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # gate (1 + x (1 - gate)): 1 - gate has an absolute error of 2 eps, times x; the gate errs by 4 eps of itself
        gate = np.exp(np.minimum(x, 0))  # at least the gate
        error: Array = eps * gate * (8 + 4 * np.abs(x))
        return error


#: Every elementwise activation, by name.
ACTIVATIONS: dict[str, Elementwise] = {
    f.name: f
    for f in (
        Linear(),
        Relu(),
        LeakyRelu(),
        Elu(),
        Selu(),
        Sigmoid(),
        Tanh(),
        Exponential(),
        HardSigmoid(),
        Softplus(),
        Softsign(),
        Gelu(),
        Silu(),
        *smooth.FUNCTIONS,
        *piecewise.FUNCTIONS,
    )
}

#: Those whose gradient follows from the output: a dense op takes them as its epilogue.
EPILOGUES: tuple[str, ...] = tuple(name for name, f in ACTIVATIONS.items() if f.from_output)


def activation_attributes(given: Attrs, names: tuple[str, ...]) -> tuple[Attr, ...]:
    """The attributes of an op that applies one of ``names``: the name itself and what that activation takes."""
    name = given.get("activation", "linear")
    own = ACTIVATIONS[name].attrs if isinstance(name, str) and name in names else ()
    return (Attr("activation", "name", "linear", names=names), *own)
