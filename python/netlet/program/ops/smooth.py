"""The rarer smooth elementwise activations: celu, squareplus, log_sigmoid, mish, tanh_shrink."""

from __future__ import annotations

import numpy as np

from netlet.program.ops.elementwise_base import Elementwise
from netlet.program.spec import Array, Attr, Attrs

__all__ = ["FUNCTIONS"]


class Celu(Elementwise):
    """Source: Barron, "Continuously differentiable exponential linear units", 2017."""

    name = "celu"
    formula = "x > 0 ? x : alpha * (exp(x / alpha) - 1)"
    attrs = (Attr("alpha", "float", 1.0, low=1e-6),)  # at 0 it would be relu, over a division by 0
    flops = 11

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        positive = x > 0
        curved = np.minimum(x, 0)
        curved /= attrs["alpha"]
        np.expm1(curved, out=curved)
        curved *= attrs["alpha"]
        np.copyto(curved, x, where=positive)
        np.copyto(y, curved)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        slope = y / attrs["alpha"]
        slope += 1  # exp(x / alpha)
        np.copyto(slope, 1, where=y > 0)
        np.multiply(dy, slope, out=dx)

    def forward_error(self, attrs: Attrs, x: Array, y: Array, eps: float) -> Array:
        # alpha, the quotient and the product are rounded, expm1 errs by 2 eps; what its argument errs by, relatively,
        # is no more in its value
        return 5 * eps * np.abs(y)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # y / alpha + 1: y's error, alpha's, the quotient's and the sum's, of numbers up to 1
        return np.where(y > 0, 0, y_error / attrs["alpha"] + 2 * eps)


class Squareplus(Elementwise):
    """Source: Barron, "Squareplus: a softplus-like algebraic rectifier", 2021. alpha is b there."""

    name = "squareplus"
    formula = "(x + sqrt(x^2 + alpha)) / 2 = alpha / (2 (sqrt(x^2 + alpha) - x))"
    attrs = (Attr("alpha", "float", 4.0, low=0.0),)
    flops = 6

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        # the second form for negative x, where the first would cancel
        total = x * x
        total += attrs["alpha"]
        np.sqrt(total, out=total)
        total += np.abs(x)
        negative = x < 0
        small = (0.5 * attrs["alpha"]) / total
        total *= 0.5
        np.copyto(total, small, where=negative)
        np.copyto(y, total)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        """f' = y / sqrt(x^2 + alpha), and sqrt(x^2 + alpha) = y + alpha / (4 y)"""
        slope, positive = np.zeros_like(y), y > 0  # elsewhere alpha is 0: relu
        np.divide(0.25 * attrs["alpha"], y, out=slope, where=positive)
        np.divide(slope, y, out=slope, where=positive)
        slope += 1
        np.divide(1, slope, out=slope)
        slope *= positive
        np.multiply(dy, slope, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # 1 / (1 + q), q = alpha / (4 y^2): q errs by twice y's relative error and 2 eps, times q / (1 + q) of the slope
        slope, positive = np.ones_like(y), y > 0
        self.backward(attrs, None, y, slope, slope)
        relative = np.divide(y_error, y, out=np.zeros_like(y), where=positive)
        error: Array = slope * ((1 - slope) * (2 * relative + 2 * eps) + eps)
        return error


class LogSigmoid(Elementwise):
    name = "log_sigmoid"
    formula = "-log(1 + exp(-x)) = min(x, 0) - log1p(exp(-|x|))"
    flops = 18

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        tail = np.log1p(np.exp(-np.abs(x)))
        np.minimum(x, 0, out=y)
        y -= tail

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        """f' = sigmoid(-x) = 1 - exp(y)"""
        slope = np.expm1(y)
        np.negative(slope, out=slope)
        np.multiply(dy, slope, out=dx)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # exp(y) of y's error, and expm1's 2 eps
        error: Array = np.exp(y) * y_error - 2 * eps * np.expm1(y)
        return error


class Mish(Elementwise):
    """Source: Misra, "Mish: a self regularized non-monotonic activation function", 2019.

    tanh(softplus(x)) = n / (n + 2) with n = e (e + 2), e = exp(x). Above 20 it is 1 in every type.
    """

    name = "mish"
    formula = "x * tanh(log(1 + exp(x)))"
    from_output = False
    flops = 14
    steepest = 1.1
    FLAT = 20.0

    def _gate(self, x: Array) -> tuple[Array, Array, Array]:
        e = np.exp(np.minimum(x, self.FLAT))
        n = e * (e + 2)
        return e, n, n / (n + 2)

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        np.multiply(x, self._gate(x)[2], out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        """f' = gate + x * 4 e (e + 1) / (n + 2)^2"""
        assert x is not None
        e, n, gate = self._gate(x)
        n += 2
        n *= n
        slope = e * (e + 1)
        slope *= 4
        slope /= n
        slope *= x
        slope += gate
        np.copyto(slope, 1, where=x >= self.FLAT)
        np.multiply(dy, slope, out=dx)

    def forward_error(self, attrs: Attrs, x: Array, y: Array, eps: float) -> Array:
        # e errs by 2 eps, n by 5, and so the quotient by 6 at most; one rounding more
        return 7 * eps * np.abs(y)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # the gate 6 eps of itself; the product: e 2, e + 1 3, (n + 2)^2 10 and the operations between them 3
        e, n, gate = self._gate(x)
        error: Array = 7 * eps * gate + 18 * eps * np.abs(x) * 4 * e * (e + 1) / (n + 2) ** 2 + eps
        return error


class TanhShrink(Elementwise):
    name = "tanh_shrink"
    formula = "x - tanh(x)"
    from_output = False
    flops = 11

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        np.subtract(x, np.tanh(x), out=y)

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        assert x is not None
        slope = np.tanh(x)
        slope *= slope
        np.multiply(dy, slope, out=dx)

    def forward_error(self, attrs: Attrs, x: Array, y: Array, eps: float) -> Array:
        # tanh's 2 eps, which are absolute in a difference that cancels, and its rounding
        return eps * (2 * np.abs(np.tanh(x)) + np.abs(y))

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        # twice tanh's 2 eps, and a rounding
        return 5 * eps * np.tanh(x) ** 2


#: What this file adds to the table of activations.
FUNCTIONS: tuple[Elementwise, ...] = (Celu(), Squareplus(), LogSigmoid(), Mish(), TanhShrink())
