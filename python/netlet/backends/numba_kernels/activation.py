"""Elementwise activations: each formula once, forward beside backward.

Backward is a slope, dy/dx, from x and y. From LINEAR to HARD_SIGMOID it follows from y alone, so these can be the
epilogue of a dense, whose x is gone: ``x`` is then y again. Constants take the arrays' type: float32 is computed in
float32.

The arrays are walked in place, one array in and out: of two that are one, LLVM's test for overlap would fail and leave
the loop scalar. The three common ones have loops of their own, vectorised where there is no exponential; the others
choose anew for each element, which costs two nanoseconds, but a tenth of the code to compile.

Sources: elu, Clevert, Unterthiner & Hochreiter (arXiv:1511.07289); selu, Klambauer et al. (arXiv:1706.02515); gelu,
Hendrycks & Gimpel (arXiv:1606.08415); silu, Elfwing, Uchibe & Doya (arXiv:1702.03118).
"""

from __future__ import annotations

import math
from typing import Any

from netlet.backends.numba_kernels.codes import (
    ELU,
    EXPONENTIAL,
    GELU,
    GELU_TANH,
    HARD_SIGMOID,
    LEAKY_RELU,
    LINEAR,
    RELU,
    SELU,
    SIGMOID,
    SILU,
    SOFTPLUS,
    SOFTSIGN,
    TANH,
)
from netlet.backends.numba_kernels.jit import kernel

__all__ = ["activation_backward", "activation_forward", "sigmoid"]

_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_SCALE_ALPHA = _SELU_SCALE * 1.6732632423543772848170429916717
_ROOT_HALF = 0.70710678118654752440
_ROOT_HALF_OVER_PI = 0.39894228040143267794
_ROOT_2_OVER_PI = 0.79788456080286535588
_CUBIC = 0.044715


@kernel
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow on either side."""
    one = type(x)(1)
    e = math.exp(-abs(x))
    return one / (one + e) if x >= 0 else e / (one + e)


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
        y = zero if y < zero else (one if y > one else y)
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
