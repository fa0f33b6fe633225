"""Optimizers: gradient descent, and what the sign of an average says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.program.ops.optimizer_rule import OptimizerRule
from netlet.program.spec import Array, Attr, Attrs, Region

__all__ = ["Lion", "Sgd"]


class Sgd(OptimizerRule):
    """Gradient descent, with momentum and Nesterov's variant of it if asked for."""

    name = "sgd"
    signature = "w[P] g[P] v[P]? -> w[P] v[P]?"
    formula = "v <- momentum v - lr g;  w <- w + v, or with nesterov w <- w + momentum v - lr g"
    source = "keras.optimizers.SGD"
    variants: tuple[dict[str, Any], ...] = (
        {"momentum": 0.0, "nesterov": False},
        {"momentum": 0.9, "nesterov": False},
        {"momentum": 0.9, "nesterov": True},
    )

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("momentum", "float", 0.0, low=0.0, high=1.0), Attr("nesterov", "bool", False))

    def own_slots(self, attrs: Attrs) -> int:
        return 1 if attrs["momentum"] != 0 else 0

    def flops(self, attrs: Attrs) -> int:
        if attrs["momentum"] == 0:
            return 2
        return 6 if attrs["nesterov"] else 4

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        momentum = attrs["momentum"]
        g *= learning_rate
        if momentum == 0:
            np.subtract(w, g, out=w)
            return
        v = slots[0]
        v *= momentum
        v -= g
        if not attrs["nesterov"]:
            w += v
            return
        w -= g
        np.multiply(v, momentum, out=g)
        w += g


class Lion(OptimizerRule):
    """Steps of one size, by the sign of an average of the gradient."""

    name = "lion"
    signature = "w[P] g[P] m[P] -> w[P] m[P]"
    formula = "w <- w - lr sign(beta_1 m + (1 - beta_1) g);  m <- beta_2 m + (1 - beta_2) g"
    source = "Chen et al. (2023), https://arxiv.org/abs/2302.06675; keras.optimizers.Lion"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("beta_1", "float", 0.9, low=0.0, high=1.0),
            Attr("beta_2", "float", 0.99, low=0.0, high=1.0),
        )

    def own_slots(self, attrs: Attrs) -> int:
        return 1

    def flops(self, attrs: Attrs) -> int:
        return 9

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        beta_1, beta_2 = attrs["beta_1"], attrs["beta_2"]
        m = slots[0]
        direction = m * beta_1
        direction += g * (1.0 - beta_1)
        np.sign(direction, out=direction)
        direction *= learning_rate
        w -= direction
        m *= beta_2
        g *= 1.0 - beta_2
        m += g
