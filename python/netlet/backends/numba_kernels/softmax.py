"""Softmax and its logarithm along the last axis, forward beside backward; each row minus its maximum, as is usual.

A row with a NaN, or whose maximum is infinite, becomes NaN. Sums over a row are taken in float64.
"""

from __future__ import annotations

import math
from typing import Any

from netlet.backends.numba_kernels.jit import inlined, kernel
from netlet.backends.numba_kernels.view import row

__all__ = ["log_softmax_backward", "log_softmax_forward", "softmax_backward", "softmax_forward", "softmax_row"]


@kernel
def softmax_row(x: Any, p: Any) -> Any:
    """p[C] = softmax(x[C]); returns max(x) and log(sum(exp(x - max(x)))). p may be x."""
    t = x.dtype.type
    largest = x[0]
    for c in range(1, x.size):
        largest = x[c] if x[c] > largest else largest
    total = 0.0
    for c in range(x.size):
        e = math.exp(x[c] - largest)
        p[c] = e
        total += e
    divisor = t(total)
    for c in range(x.size):
        p[c] = p[c] / divisor
    return largest, math.log(divisor)


@inlined
def softmax_forward(x: Any, y: Any) -> None:
    """y[R,C] = softmax(x[R,C])."""
    for r in range(x.shape[0]):
        softmax_row(row(x, r), row(y, r))


@kernel
def softmax_backward(y: Any, dy: Any) -> None:
    """dy[R,C] <- dx = y * (dy - sum over c of dy * y)."""
    t = y.dtype.type
    for r in range(y.shape[0]):
        total = 0.0
        for c in range(y.shape[1]):
            total += dy[r, c] * y[r, c]
        mean = t(total)
        for c in range(y.shape[1]):
            dy[r, c] = y[r, c] * (dy[r, c] - mean)


@kernel
def log_softmax_forward(x: Any, y: Any) -> None:
    """y[R,C] = x - log(sum over c of exp(x))."""
    t = x.dtype.type
    for r in range(x.shape[0]):
        largest = x[r, 0]
        for c in range(1, x.shape[1]):
            largest = x[r, c] if x[r, c] > largest else largest
        total = 0.0
        for c in range(x.shape[1]):
            total += math.exp(x[r, c] - largest)
        log_total = math.log(t(total))
        for c in range(x.shape[1]):
            y[r, c] = (x[r, c] - largest) - log_total


@kernel
def log_softmax_backward(y: Any, dy: Any) -> None:
    """dy[R,C] <- dx = dy - exp(y) * sum over c of dy."""
    t = y.dtype.type
    for r in range(y.shape[0]):
        total = 0.0
        for c in range(y.shape[1]):
            total += dy[r, c]
        weight = t(total)
        for c in range(y.shape[1]):
            dy[r, c] = dy[r, c] - math.exp(y[r, c]) * weight
