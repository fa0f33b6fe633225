"""Optimizers: schedule-free AdamW, which averages its iterates in the place of a schedule for the learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.program.ops.optimizer_rule import OptimizerRule
from netlet.program.spec import Array, Attr, Attrs, Region

__all__ = ["LEAST_BETA_1", "ScheduleFreeAdamW", "warmed_up"]

#: The least share of the average in the weights: what the weights are made of is found by dividing by it.
LEAST_BETA_1 = 1e-6


def warmed_up(learning_rate: float, warmup_steps: int, t: int) -> float:
    """The learning rate of update t = 1, 2, ..., which rises from 0 over the first ``warmup_steps``."""
    return learning_rate * min(t / warmup_steps, 1.0) if warmup_steps else learning_rate


class ScheduleFreeAdamW(OptimizerRule):
    """Adam's steps of z, without momentum; the weights lie between z and the average x of all z."""

    name = "schedule_free_adamw"
    signature = "w[P] g[P] z[P] v[P] -> w[P] z[P] v[P]"
    formula = (
        "v <- average of g²;  z' = z - lr g / (√(v / (1 - beta_2^t)) + epsilon);  x <- x + (z' - x) / t;  "
        "w <- (1 - beta_1) z' + beta_1 x"
    )
    source = "Defazio et al. (2024), https://arxiv.org/abs/2405.15682; keras.optimizers.ScheduleFreeAdamW"
    variants: tuple[dict[str, Any], ...] = ({"beta_1": 0.5, "beta_2": 0.98, "epsilon": 1e-3, "warmup_steps": 4}, {})

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("beta_1", "float", 0.9, low=LEAST_BETA_1, high=1.0),
            Attr("beta_2", "float", 0.999, low=0.0, high=1.0),
            Attr("epsilon", "float", 1e-8, low=0.0),
            Attr("warmup_steps", "int", 0, low=0),
        )

    def own_slots(self, attrs: Attrs) -> int:
        return 2

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return (1,)

    def flops(self, attrs: Attrs) -> int:
        return 18

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        beta_1, beta_2 = attrs["beta_1"], attrs["beta_2"]
        z, v = slots[0], slots[1]
        # w becomes x, which is what w is made of besides z.
        scratch = z * (1.0 - beta_1)
        w -= scratch
        w /= beta_1
        np.multiply(g, g, out=scratch)
        scratch -= v
        scratch *= 1.0 - beta_2
        v += scratch
        np.divide(v, 1.0 - beta_2**t, out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += attrs["epsilon"]
        g *= warmed_up(learning_rate, attrs["warmup_steps"], t)
        g /= scratch
        z -= g
        np.subtract(z, w, out=scratch)
        scratch *= 1.0 / t
        w += scratch
        w -= z
        w *= beta_1
        w += z
