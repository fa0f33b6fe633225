"""Elementwise activations: each formula once, forward beside backward.

Backward is a slope, dy/dx, from x and y. From LINEAR to LOG_SIGMOID it follows from y alone, so these can be the
epilogue of a dense, whose x is gone: ``x`` is then y again. Constants take the arrays' type: float32 is computed in
float32.

The arrays are walked in place, one array in and out: of two that are one, LLVM's test for overlap would fail and leave
the loop scalar. The three common ones have loops of their own, vectorised where there is no exponential; the others
choose anew for each element, which costs two nanoseconds, but a tenth of the code to compile.

Sources: elu, Clevert, Unterthiner & Hochreiter (arXiv:1511.07289); selu, Klambauer et al. (arXiv:1706.02515); gelu,
Hendrycks & Gimpel (arXiv:1606.08415); silu, Elfwing, Uchibe & Doya (arXiv:1702.03118); celu and squareplus, Barron
(arXiv:1704.07483, 2112.11687); hard_silu, Howard et al. (arXiv:1905.02244); mish, Misra (arXiv:1908.08681).
"""

from __future__ import annotations

import math
from typing import Any

from netlet.backends.numba_kernels.codes import (
    CELU,
    ELU,
    EXPONENTIAL,
    GELU,
    GELU_TANH,
    HARD_SHRINK,
    HARD_SIGMOID,
    HARD_SILU,
    HARD_TANH,
    LEAKY_RELU,
    LINEAR,
    LOG_SIGMOID,
    MISH,
    RELU,
    RELU6,
    SELU,
    SIGMOID,
    SILU,
    SOFT_SHRINK,
    SOFTPLUS,
    SOFTSIGN,
    SPARSE_PLUS,
    SPARSE_SIGMOID,
    SQUAREPLUS,
    TANH,
    TANH_SHRINK,
)
from netlet.backends.numba_kernels.jit import kernel

__all__ = ["activation_backward", "activation_forward", "sigmoid"]

_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_SCALE_ALPHA = _SELU_SCALE * 1.6732632423543772848170429916717
_ROOT_HALF = 0.70710678118654752440
_ROOT_HALF_OVER_PI = 0.39894228040143267794
_ROOT_2_OVER_PI = 0.79788456080286535588
_CUBIC = 0.044715
_MISH_FLAT = 20.0  # from where on tanh(log(1 + exp(x))) is 1 in every type


@kernel
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow on either side."""
    one = type(x)(1)
    e = math.exp(-abs(x))
    return one / (one + e) if x >= 0 else e / (one + e)


@kernel
def clip(x: Any, low: Any, high: Any) -> Any:
    """min(max(x, low), high); a NaN stays one."""
    return low if x < low else (high if x > high else x)


@kernel
def value(code: int, alpha: Any, x: Any) -> Any:
    """activation(x), of those that have no loop of their own."""
    t = type(x)
    zero, half, one = t(0), t(0.5), t(1)
    y = x
    if code == LEAKY_RELU:
        y = x if x > zero else alpha * x
    elif code == ELU:
        y = x if x > zero else alpha * math.expm1(x)
    elif code == SELU:
        y = t(_SELU_SCALE) * x if x > zero else t(_SELU_SCALE_ALPHA) * math.expm1(x)
    elif code == EXPONENTIAL:
        y = math.exp(x)
    elif code == HARD_SIGMOID:  # clip(x / 6 + 1 / 2, 0, 1)
        y = x / t(6) + half
        y = clip(y, zero, one)
    elif code == RELU6:
        y = clip(x, zero, t(6))
    elif code == CELU:
        y = x if x > zero else alpha * math.expm1(x / alpha)
    elif code == SQUAREPLUS:  # (x + sqrt(x^2 + alpha)) / 2, which would cancel where x < 0
        s = math.sqrt(x * x + alpha) + abs(x)
        y = half * alpha / s if x < zero else half * s
    elif code == SOFT_SHRINK:
        y = x - clip(x, -alpha, alpha)
    elif code == HARD_SHRINK:
        y = zero if abs(x) <= alpha else x
    elif code == SPARSE_PLUS:
        s = half * (clip(x, -one, one) + one)
        y = s * s if x < one else x
    elif code == HARD_TANH:
        y = clip(x, -one, one)
    elif code == SPARSE_SIGMOID:
        y = half * (clip(x, -one, one) + one)
    elif code == LOG_SIGMOID:
        y = (x if x < zero else zero) - math.log1p(math.exp(-abs(x)))
    elif code == SOFTPLUS:  # log(1 + exp(x))
        y = (zero if x < zero else x) + math.log1p(math.exp(-abs(x)))
    elif code == SOFTSIGN:
        y = x / (one + abs(x))
    elif code == GELU:  # x Phi(x), with Phi(x) = erfc(-x / sqrt 2) / 2
        y = x * (half * math.erfc(-x * t(_ROOT_HALF)))
    elif code == GELU_TANH:
        y = x * (half * (one + math.tanh(t(_ROOT_2_OVER_PI) * x * (one + t(_CUBIC) * x * x))))
    elif code == SILU:
        y = x * sigmoid(x)
    elif code == HARD_SILU:
        y = x * clip(x / t(6) + half, zero, one)
    elif code == TANH_SHRINK:
        y = x - math.tanh(x)
    elif code == MISH:  # tanh(log(1 + exp(x))) = s / (s + 2) with s = e (e + 2), e = exp(x)
        e = math.exp(t(_MISH_FLAT) if x > t(_MISH_FLAT) else x)
        s = e * (e + t(2))
        y = x * (s / (s + t(2)))
    return y


@kernel
def slope(code: int, alpha: Any, x: Any, y: Any) -> Any:
    """activation'(x), for y = activation(x), of the same."""
    t = type(y)
    zero, half, one = t(0), t(0.5), t(1)
    d = one
    if code == LEAKY_RELU:
        d = one if y > zero else alpha
    elif code == ELU:
        d = one if y > zero else y + alpha
    elif code == SELU:
        d = t(_SELU_SCALE) if y > zero else y + t(_SELU_SCALE_ALPHA)
    elif code == EXPONENTIAL:
        d = y
    elif code == HARD_SIGMOID:
        d = t(1 / 6) if y > zero and y < one else zero
    elif code == RELU6:
        d = one if y > zero and y < t(6) else zero
    elif code == CELU:
        d = one if y > zero else y / alpha + one
    elif code == SQUAREPLUS:  # y / sqrt(x^2 + alpha), where the root is y + alpha / (4 y)
        d = one / (one + t(0.25) * alpha / y / y) if y > zero else zero
    elif code in (SOFT_SHRINK, HARD_SHRINK):
        d = zero if y == zero else one
    elif code == SPARSE_PLUS:
        d = math.sqrt(y) if y < one else one
    elif code == HARD_TANH:
        d = one if y > -one and y < one else zero
    elif code == SPARSE_SIGMOID:
        d = half if y > zero and y < one else zero
    elif code == LOG_SIGMOID:
        d = -math.expm1(y)
    elif code == SOFTPLUS:
        d = sigmoid(x)
    elif code == SOFTSIGN:
        root = one / (one + abs(x))
        d = root * root
    elif code == GELU:  # Phi(x) + x phi(x)
        square = min(x * x, t(1e4))  # exp(-5000) is 0 in every type, and 0 * infinity must not become NaN
        d = half * math.erfc(-x * t(_ROOT_HALF)) + x * (t(_ROOT_HALF_OVER_PI) * math.exp(-half * square))
    elif code == GELU_TANH:
        h = math.tanh(t(_ROOT_2_OVER_PI) * x * (one + t(_CUBIC) * x * x))
        square = min(x * x, t(1e10))  # beyond, 1 - h^2 is 0
        d = half * (one + h) + half * x * ((one - h * h) * (t(_ROOT_2_OVER_PI) * (one + t(3 * _CUBIC) * square)))
    elif code == SILU:
        s = sigmoid(x)
        d = s * (one + x * (one - s))
    elif code == HARD_SILU:
        d = zero if x <= t(-3) else (x / t(3) + half if x < t(3) else one)
    elif code == TANH_SHRINK:
        h = math.tanh(x)
        d = h * h
    elif code == MISH:
        e = math.exp(t(_MISH_FLAT) if x > t(_MISH_FLAT) else x)
        s = e * (e + t(2))
        h = s + t(2)
        d = one if x >= t(_MISH_FLAT) else s / h + x * (t(4) * e * (e + one) / (h * h))
    return d


@kernel
def activation_forward(code: int, alpha: float, y: Any) -> None:
    """y[N] <- activation(y)."""
    zero, a = y.dtype.type(0), y.dtype.type(alpha)
    if code == RELU:
        for n in range(y.size):
            y[n] = zero if y[n] < zero else y[n]  # a NaN stays one
    elif code == SIGMOID:
        for n in range(y.size):
            y[n] = sigmoid(y[n])
    elif code == TANH:
        for n in range(y.size):
            y[n] = math.tanh(y[n])
    elif code != LINEAR:
        for n in range(y.size):
            y[n] = value(code, a, y[n])


@kernel
def activation_backward(code: int, alpha: float, x: Any, y: Any, dy: Any) -> None:
    """dy[N] <- dy * activation'(x), for y[N] = activation(x[N])."""
    zero, one, a = y.dtype.type(0), y.dtype.type(1), y.dtype.type(alpha)
    if code == RELU:
        for n in range(y.size):
            dy[n] = dy[n] if y[n] > zero else zero
    elif code == SIGMOID:
        for n in range(y.size):
            dy[n] = dy[n] * (y[n] * (one - y[n]))
    elif code == TANH:
        for n in range(y.size):
            dy[n] = dy[n] * (one - y[n] * y[n])
    elif code != LINEAR:
        for n in range(y.size):
            dy[n] = dy[n] * slope(code, a, x[n], y[n])
