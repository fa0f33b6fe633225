"""Optimizers: the rules that go element by element, one pass each.

All arrays [P]. ``c`` holds the rule's numbers as float64, in the order in which ``update.py`` writes them; arithmetic
is in the arrays' type.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netlet.backends.numba_kernels.jit import entry, kernel

__all__ = [
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "ftrl",
    "lion",
    "momentum",
    "nadam",
    "rmsprop",
    "schedule_free",
    "sgd_step",
]


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
def momentum(c: Any, g: Any, v: Any, w: Any) -> None:
    """:func:`sgd_step` for Python. c: rate, momentum, nesterov."""
    sgd_step(c[0], c[1], c[2] != 0.0, g, v, w)


@entry
def adam(c: Any, g: Any, m: Any, v: Any, h: Any, w: Any) -> None:
    """Adam; with amsgrad where h has elements. c: rate, 1 - beta_1, 1 - beta_2, epsilon."""
    t = w.dtype.type
    rate, fresh_1, fresh_2, epsilon = t(c[0]), t(c[1]), t(c[2]), t(c[3])
    if h.size > 0:
        for p in range(w.size):
            m[p] += (g[p] - m[p]) * fresh_1
            v[p] += (g[p] * g[p] - v[p]) * fresh_2
            h[p] = h[p] if h[p] > v[p] else v[p]
            w[p] -= m[p] * rate / (np.sqrt(h[p]) + epsilon)
    else:
        for p in range(w.size):
            m[p] += (g[p] - m[p]) * fresh_1
            v[p] += (g[p] * g[p] - v[p]) * fresh_2
            w[p] -= m[p] * rate / (np.sqrt(v[p]) + epsilon)


@entry
def adamax(c: Any, g: Any, m: Any, u: Any, w: Any) -> None:
    """Adamax. c: rate, 1 - beta_1, beta_2, epsilon."""
    t = w.dtype.type
    rate, fresh_1, beta_2, epsilon = t(c[0]), t(c[1]), t(c[2]), t(c[3])
    for p in range(w.size):
        m[p] += (g[p] - m[p]) * fresh_1
        size, kept = abs(g[p]), beta_2 * u[p]
        u[p] = kept if kept > size else size
        w[p] -= m[p] * rate / (u[p] + epsilon)


@entry
def nadam(c: Any, g: Any, m: Any, v: Any, w: Any) -> None:
    """Nadam. c: rate of m, rate of g, 1 - beta_1, 1 - beta_2, epsilon, 1 / (1 - beta_2^t)."""
    t = w.dtype.type
    rate, rate_g, fresh_1, fresh_2, epsilon, correction = t(c[0]), t(c[1]), t(c[2]), t(c[3]), t(c[4]), t(c[5])
    for p in range(w.size):
        m[p] += (g[p] - m[p]) * fresh_1
        v[p] += (g[p] * g[p] - v[p]) * fresh_2
        w[p] -= (rate * m[p] + rate_g * g[p]) / (np.sqrt(v[p] * correction) + epsilon)


@entry
def schedule_free(c: Any, g: Any, z: Any, v: Any, w: Any) -> None:
    """Schedule-free AdamW. c: rate, beta_1, 1 - beta_1, 1 - beta_2, epsilon, 1 / (1 - beta_2^t), 1 / t."""
    t = w.dtype.type
    rate, beta_1, fresh_1, fresh_2 = t(c[0]), t(c[1]), t(c[2]), t(c[3])
    epsilon, correction, share = t(c[4]), t(c[5]), t(c[6])
    for p in range(w.size):
        x = (w[p] - fresh_1 * z[p]) / beta_1
        v[p] += (g[p] * g[p] - v[p]) * fresh_2
        z[p] -= rate * g[p] / (np.sqrt(v[p] * correction) + epsilon)
        x += (z[p] - x) * share
        w[p] = z[p] + (x - z[p]) * beta_1


@entry
def rmsprop(c: Any, g: Any, v: Any, moving: Any, average: Any, w: Any) -> None:
    """RMSprop; with momentum and centered where these have elements. c: rate, rho, 1 - rho, epsilon, momentum."""
    t = w.dtype.type
    rate, rho, fresh, epsilon, kept = t(c[0]), t(c[1]), t(c[2]), t(c[3]), t(c[4])
    for p in range(w.size):
        v[p] = rho * v[p] + fresh * (g[p] * g[p])
        under = v[p]
        if average.size > 0:
            average[p] = rho * average[p] + fresh * g[p]
            under -= average[p] * average[p]
        step = rate * g[p] / np.sqrt(under + epsilon)
        if moving.size > 0:
            moving[p] = kept * moving[p] + step
            step = moving[p]
        w[p] -= step


@entry
def adagrad(c: Any, g: Any, s: Any, w: Any) -> None:
    """Adagrad. c: rate, epsilon."""
    t = w.dtype.type
    rate, epsilon = t(c[0]), t(c[1])
    for p in range(w.size):
        s[p] += g[p] * g[p]
        w[p] -= rate * g[p] / np.sqrt(s[p] + epsilon)


@entry
def adadelta(c: Any, g: Any, s: Any, d: Any, w: Any) -> None:
    """Adadelta; d: the average of squared steps. c: rate, rho, 1 - rho, epsilon."""
    t = w.dtype.type
    rate, rho, fresh, epsilon = t(c[0]), t(c[1]), t(c[2]), t(c[3])
    for p in range(w.size):
        s[p] = rho * s[p] + fresh * (g[p] * g[p])
        step = np.sqrt(d[p] + epsilon) * g[p] / np.sqrt(s[p] + epsilon)
        d[p] = rho * d[p] + fresh * (step * step)
        w[p] -= rate * step


@entry
def lion(c: Any, g: Any, m: Any, w: Any) -> None:
    """Lion. c: rate, beta_1, 1 - beta_1, beta_2, 1 - beta_2."""
    t = w.dtype.type
    rate, beta_1, fresh_1, beta_2, fresh_2 = t(c[0]), t(c[1]), t(c[2]), t(c[3]), t(c[4])
    for p in range(w.size):
        direction = beta_1 * m[p] + fresh_1 * g[p]
        w[p] -= rate * np.sign(direction)
        m[p] = beta_2 * m[p] + fresh_2 * g[p]


@kernel
def _raised(x: Any, power: Any) -> Any:
    """x^power, with the root where it is one."""
    if power == 0.5:
        return np.sqrt(x)
    return x**power


@entry
def ftrl(c: Any, g: Any, s: Any, z: Any, w: Any) -> None:
    """Ftrl. c: rate, power, l1, 2 l2, 2 shrinkage."""
    t = w.dtype.type
    rate, power, l1, l2, shrinkage = t(c[0]), t(c[1]), t(c[2]), t(c[3]), t(c[4])
    for p in range(w.size):
        total = s[p] + g[p] * g[p]
        strength = _raised(total, power)
        sigma = (strength - _raised(s[p], power)) / rate
        z[p] += (g[p] + shrinkage * w[p]) - sigma * w[p]
        s[p] = total
        most = z[p] if z[p] < l1 else l1
        w[p] = ((most if most > -l1 else -l1) - z[p]) / (strength / rate + l2)
