"""relu with all its arguments, and threshold: f(x) of two pieces, forward beside backward.

f(x) = x <= threshold ? (scale ? scale * (x - threshold) : value) : min(max(x, low), high). ``f`` holds these five
numbers in the order of `netlet.program.ops.piecewise.pieces`; they take the arrays' type. NaN stays NaN.
"""

from __future__ import annotations

from typing import Any

from netlet.backends.numba_kernels.jit import kernel

__all__ = ["piecewise_backward", "piecewise_forward"]


@kernel
def piecewise_forward(f: Any, x: Any, y: Any) -> None:
    """y[N] <- f(x)."""
    t = y.dtype.type
    threshold, scale, value, low, high = t(f[0]), t(f[1]), t(f[2]), t(f[3]), t(f[4])
    for n in range(x.size):
        at = x[n]
        if at <= threshold:
            y[n] = scale * (at - threshold) if scale != t(0) else value
        else:
            y[n] = low if at < low else (high if at > high else at)


@kernel
def piecewise_backward(f: Any, x: Any, dy: Any) -> None:
    """dy[N] <- dy * f'(x)."""
    t = dy.dtype.type
    threshold, scale, low, high = t(f[0]), t(f[1]), t(f[3]), t(f[4])
    for n in range(x.size):
        if x[n] <= threshold:
            dy[n] = scale * dy[n]
        elif not low < x[n] < high:
            dy[n] = t(0)
