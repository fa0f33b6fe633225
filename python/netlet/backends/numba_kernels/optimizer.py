"""Optimizers: one pass over the arena."""

from __future__ import annotations

from typing import Any

from netlet.backends.numba_kernels.jit import entry, kernel
from netlet.backends.numba_kernels.view import vector

__all__ = ["apply_sgd", "sgd_step"]


@kernel
def sgd_step(rate: float, momentum: float, nesterov: bool, g: Any, v: Any, w: Any) -> None:
    """v[P] <- momentum v - rate g; w[P] <- w + v, or with nesterov w <- w + momentum v - rate g.

    Without momentum v is not read (it may have no elements): w <- w - rate g.
    """
    t = w.dtype.type
    step, m = t(rate), t(momentum)
    if momentum == 0.0:
        for p in range(w.size):
            w[p] = w[p] - step * g[p]
    elif nesterov:
        for p in range(w.size):
            v[p] = m * v[p] - step * g[p]
            w[p] = (w[p] - step * g[p]) + m * v[p]
    else:
        for p in range(w.size):
            v[p] = m * v[p] - step * g[p]
            w[p] = w[p] + v[p]


@entry
def apply_sgd(rate: float, momentum: float, nesterov: bool, g: Any, slots: Any, w: Any) -> None:
    """:func:`sgd_step` for Python: g[1,P], slots[0 or 1,P], w[P]."""
    v = vector(slots, 0, w.size if slots.shape[0] > 0 else 0)
    sgd_step(rate, momentum, nesterov, vector(g, 0, g.size), v, w)
