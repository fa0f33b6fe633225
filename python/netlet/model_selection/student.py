"""Student's t distribution, for p-values without SciPy."""

from __future__ import annotations

import math

__all__ = ["incomplete_beta", "two_sided_p"]

_TINY = 1e-300
_EPSILON = 1e-16
_ROUNDS = 10_000


def two_sided_p(t: float, freedom: float) -> float:
    """Return how likely a t-distributed number lies at least as far from 0 as ``t``.

    It is the regularized incomplete beta function I_x(f / 2, 1 / 2) at x = f / (f + t^2) (Abramowitz and Stegun 1964,
    26.7.1).

    Args:
        t: any number; infinite ones give 0.
        freedom: f, the degrees of freedom, above 0.

    Raises: ValueError if ``freedom`` is not positive.
    """
    if not freedom > 0:
        raise ValueError(f"freedom: expected a positive number, got {freedom!r}")
    if math.isnan(t):
        return math.nan
    if math.isinf(t):
        return 0.0
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t), t * t / (freedom + t * t))


def incomplete_beta(a: float, b: float, x: float, rest: float | None = None) -> float:
    """Return the regularized incomplete beta function I_x(a, b).

    By its continued fraction (Abramowitz and Stegun 26.5.8), evaluated from the front after Lentz, on the side of the
    mean where it converges fast.

    Args:
        a, b: above 0.
        x: in [0, 1].
        rest: 1 - x, where the caller knows it more exactly.
    """
    rest = 1 - x if rest is None else rest
    if x <= 0:
        return 0.0
    if rest <= 0:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, rest, x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)) / a
    above, below = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = below
    for m in range(1, _ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for term in (even, odd):
            above, below = _away(1 + term / above), 1 / _away(1 + term * below)
            change *= above * below
        value *= change
        if abs(change - 1) < _EPSILON:
            break
    return front * value


def _away(value: float) -> float:
    """``value``, not 0."""
    return value if abs(value) > _TINY else _TINY
