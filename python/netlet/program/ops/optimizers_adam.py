"""Optimizers: Adam and its kin, which keep moving averages of the gradient, m, and of its square, v."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.program.ops.optimizer_rule import OptimizerRule, squares
from netlet.program.spec import Array, Attr, Attrs, Region

__all__ = ["Adam", "Adamax", "Lamb", "Nadam", "adam_step"]


def _follow(m: Array, g: Array, fresh: float) -> Array:
    """m <- m + (g - m) fresh; returns scratch of its size."""
    change = g - m
    change *= fresh
    m += change
    return change


def _follow_square(v: Array, g: Array, fresh: float, scratch: Array) -> None:
    """v <- v + (g^2 - v) fresh."""
    np.multiply(g, g, out=scratch)
    scratch -= v
    scratch *= fresh
    v += scratch


def adam_step(
    w: Array, g: Array, m: Array, v: Array, hat: Array | None, rate: float, settings: tuple[float, float, float]
) -> None:
    """Adam's rule with the bias corrections in the rate.

    Args:
        hat: amsgrad's largest v so far, or None.
        settings: beta_1, beta_2, epsilon.
    """
    beta_1, beta_2, epsilon = settings
    scratch = _follow(m, g, 1.0 - beta_1)
    _follow_square(v, g, 1.0 - beta_2, scratch)
    if hat is not None:
        np.maximum(hat, v, out=hat)
        v = hat
    np.sqrt(v, out=g)
    g += epsilon
    np.multiply(m, rate, out=scratch)
    scratch /= g
    w -= scratch


class _Moments(OptimizerRule):
    """What Adam and its kin share."""

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("beta_1", "float", 0.9, low=0.0, high=1.0),
            Attr("beta_2", "float", 0.999, low=0.0, high=1.0),
            Attr("epsilon", "float", 1e-7, low=0.0),
        )

    def own_slots(self, attrs: Attrs) -> int:
        return 2

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return (1,)


class Adam(_Moments):
    """Steps by the average of the gradient over the root of the average of its square; also AdamW."""

    name = "adam"
    signature = "w[P] g[P] m[P] v[P] h[P]? -> w[P] m[P] v[P] h[P]?"
    formula = "m, v <- averages of g, g²;  w <- w - lr √(1 - beta_2^t) / (1 - beta_1^t) m / (√v + epsilon)"
    source = "Kingma & Ba (2014), https://arxiv.org/abs/1412.6980; keras.optimizers.Adam, AdamW"
    variants: tuple[dict[str, Any], ...] = ({"amsgrad": True}, {"beta_1": 0.8, "beta_2": 0.98, "epsilon": 1e-3}, {})

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (*super().attributes(given), Attr("amsgrad", "bool", False))

    def own_slots(self, attrs: Attrs) -> int:
        return 3 if attrs["amsgrad"] else 2

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return (1, 2) if attrs["amsgrad"] else (1,)

    def flops(self, attrs: Attrs) -> int:
        return 13 if attrs["amsgrad"] else 12

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        beta_1, beta_2 = attrs["beta_1"], attrs["beta_2"]
        rate = learning_rate * math.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)
        hat = slots[2] if attrs["amsgrad"] else None
        adam_step(w, g, slots[0], slots[1], hat, rate, (beta_1, beta_2, attrs["epsilon"]))


class Adamax(_Moments):
    """Adam with the largest gradient of late in the place of the root."""

    name = "adamax"
    signature = "w[P] g[P] m[P] u[P] -> w[P] m[P] u[P]"
    formula = "m <- average of g;  u <- max(beta_2 u, |g|);  w <- w - lr / (1 - beta_1^t) m / (u + epsilon)"
    source = "Kingma & Ba (2014), section 7.1, https://arxiv.org/abs/1412.6980; keras.optimizers.Adamax"

    def flops(self, attrs: Attrs) -> int:
        return 9

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        m, u = slots[0], slots[1]
        scratch = _follow(m, g, 1.0 - attrs["beta_1"])
        u *= attrs["beta_2"]
        np.abs(g, out=g)
        np.maximum(u, g, out=u)
        np.add(u, attrs["epsilon"], out=g)
        np.multiply(m, learning_rate / (1.0 - attrs["beta_1"] ** t), out=scratch)
        scratch /= g
        w -= scratch


#: For each beta_1, the last product that was asked for, and its t: the next one goes on from it.
_products: dict[float, tuple[int, float]] = {}


def nadam_product(beta_1: float, t: int) -> float:
    """The product of ``beta_1 (1 - 0.96^k / 2)`` over k = 1 .. t, always multiplied in this order."""
    done, product = _products.get(beta_1, (0, 1.0))
    if done > t:
        done, product = 0, 1.0
    for k in range(done + 1, t + 1):
        product *= beta_1 * (1.0 - 0.5 * 0.96**k)
        if product == 0.0:
            break
    _products[beta_1] = (t, product)
    return product


class Nadam(_Moments):
    """Adam that looks ahead along its momentum, as Nesterov's variant does."""

    name = "nadam"
    signature = "w[P] g[P] m[P] v[P] -> w[P] m[P] v[P]"
    formula = "m, v <- averages of g, g²;  w <- w - lr (u' m / (1 - Πu') + (1 - u) g / (1 - Πu)) / (√v' + epsilon)"
    source = "Dozat (2015), https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ; keras.optimizers.Nadam"

    def flops(self, attrs: Attrs) -> int:
        return 15

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        beta_1, beta_2 = attrs["beta_1"], attrs["beta_2"]
        m, v = slots[0], slots[1]
        scratch = _follow(m, g, 1.0 - beta_1)
        _follow_square(v, g, 1.0 - beta_2, scratch)
        u, after = beta_1 * (1.0 - 0.5 * 0.96**t), beta_1 * (1.0 - 0.5 * 0.96 ** (t + 1))
        product = nadam_product(beta_1, t)
        g *= learning_rate * (1.0 - u) / (1.0 - product)
        np.multiply(m, learning_rate * after / (1.0 - product * after), out=scratch)
        g += scratch
        np.multiply(v, 1.0 / (1.0 - beta_2**t), out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += attrs["epsilon"]
        g /= scratch
        w -= g


class Lamb(_Moments):
    """Adam's direction, and for each parameter steps in proportion to its norm."""

    name = "lamb"
    by_layer = True
    signature = "w[P] g[P] m[P] v[P] -> w[P] m[P] v[P]"
    formula = "m, v <- averages of g, g²;  d = m' / (√v' + epsilon);  w <- w - lr |w| / |d| d for each parameter"
    source = "You et al. (2019), https://arxiv.org/abs/1904.00962; keras.optimizers.Lamb"

    def flops(self, attrs: Attrs) -> int:
        return 17

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        beta_1, beta_2 = attrs["beta_1"], attrs["beta_2"]
        m, v = slots[0], slots[1]
        scratch = _follow(m, g, 1.0 - beta_1)
        _follow_square(v, g, 1.0 - beta_2, scratch)
        np.multiply(v, 1.0 / (1.0 - beta_2**t), out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += attrs["epsilon"]
        np.multiply(m, 1.0 / (1.0 - beta_1**t), out=g)
        g /= scratch
        for r in regions:
            weight, direction = w[r.start : r.stop], g[r.start : r.stop]
            w_norm, d_norm = math.sqrt(squares(weight)), math.sqrt(squares(direction))
            ratio = w_norm / d_norm if w_norm > 0 and d_norm > 0 else 1.0
            direction *= ratio * learning_rate
            weight -= direction
