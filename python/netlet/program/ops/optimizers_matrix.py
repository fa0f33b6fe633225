"""Optimizers that see a weight as the matrix that it is: Adafactor and Muon."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.optimizer_rule import OptimizerRule, squares
from netlet.program.ops.optimizers_adam import adam_step
from netlet.program.spec import Array, Attr, Attrs, Region

__all__ = ["Adafactor", "Muon", "orthogonalized"]


class Adafactor(OptimizerRule):
    """Second moments of a matrix as the product of those of its rows and of its columns.

    The rows' moments of a matrix (of each, where there are more than two axes) lie at the begin of its part of the
    first slot, the columns' at the begin of its part of the second; a vector's moments are in the first.
    """

    name = "adafactor"
    by_layer = True
    signature = "w[P] g[P] r[P] c[P] -> w[P] r[P] c[P]"
    formula = "v = r c / mean r;  d = g / √v;  w <- w - min(lr, 1/√t) max(eps_2, rms w) d / max(1, rms d / threshold)"
    source = "Shazeer & Stern (2018), https://arxiv.org/abs/1804.04235; keras.optimizers.Adafactor"
    variants: tuple[dict[str, Any], ...] = ({"clip_threshold": 0.5, "beta_2_decay": -0.6}, {})

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("beta_2_decay", "float", -0.8, high=0.0),
            Attr("epsilon_1", "float", 1e-30, low=0.0),
            Attr("epsilon_2", "float", 1e-3, low=0.0),
            Attr("clip_threshold", "float", 1.0, low=0.0),
        )

    def own_slots(self, attrs: Attrs) -> int:
        return 2

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return (0, 1)

    def flops(self, attrs: Attrs) -> int:
        return 13

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        fresh = float(t) ** attrs["beta_2_decay"]
        rate = min(learning_rate, 1.0 / math.sqrt(t))
        for r in regions:
            weight, direction = w[r.start : r.stop], g[r.start : r.stop]
            if len(r.shape) < 2:
                v = slots[0, r.start : r.stop]
                v *= 1.0 - fresh
                v += (direction * direction + attrs["epsilon_1"]) * fresh
                direction /= np.sqrt(v)
            else:
                self._factored(direction.reshape(r.shape), slots[:, r.start : r.stop], fresh, attrs["epsilon_1"])
            size = max(r.stop - r.start, 1)
            step = rate * max(attrs["epsilon_2"], math.sqrt(squares(weight) / size))
            direction *= step / max(1.0, math.sqrt(squares(direction) / size) / attrs["clip_threshold"])
            weight -= direction

    @staticmethod
    def _factored(g: Array, slots: Array, fresh: float, epsilon: float) -> None:
        """g [..., R, C] <- g over the root of its factored moments, which follow g^2."""
        square = np.square(g, dtype=np.float64)
        shapes = g.shape[:-1], g.shape[:-2] + g.shape[-1:]
        row, column = (slot[: math.prod(shape)].reshape(shape) for slot, shape in zip(slots, shapes, strict=True))
        for moment, axis in ((row, -1), (column, -2)):
            moment *= 1.0 - fresh
            moment += ((square.mean(axis=axis) + epsilon) * fresh).astype(g.dtype)
        scale = (row / row.mean(axis=-1, keepdims=True, dtype=np.float64)).astype(g.dtype)
        g /= np.sqrt(scale[..., np.newaxis] * column[..., np.newaxis, :])


def orthogonalized(x: Array, steps: int, a: float, b: float, c: float) -> Array:
    """The matrix ``x`` with its singular values brought near 1 by Newton and Schulz's iteration."""
    turns = x.shape[0] > x.shape[1]
    x = x.T if turns else x
    x = x * (1.0 / (math.sqrt(squares(x)) + 1e-7))
    for _ in range(steps):
        square = x @ x.T
        mix = b * square + c * (square @ square)
        x = a * x + mix @ x
    return x.T if turns else x


class Muon(OptimizerRule):
    """Momentum made orthogonal, for matrices; Adam for what is none, or is named in ``adam_params``."""

    name = "muon"
    by_layer = True
    signature = "w[P] g[P] m[P] v[P] -> w[P] m[P] v[P]"
    formula = "m <- g + momentum m;  w <- w - lr √max(R, C) rms_rate orthogonal(g + momentum m);  others as adam"
    source = "Jordan et al. (2024), https://kellerjordan.github.io/posts/muon; keras.optimizers.Muon"
    variants: tuple[dict[str, Any], ...] = (
        {"nesterov": False, "rms_rate": None, "adam_params": [0, 3], "adam_lr_ratio": 0.5, "ns_steps": 3},
        {},
    )

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("adam_beta_1", "float", 0.9, low=0.0, high=1.0),
            Attr("adam_beta_2", "float", 0.999, low=0.0, high=1.0),
            Attr("adam_weight_decay", "float or null", None),
            Attr("epsilon", "float", 1e-7, low=0.0),
            Attr("muon_a", "float", 3.4445),
            Attr("muon_b", "float", -4.775),
            Attr("muon_c", "float", 2.0315),
            Attr("adam_lr_ratio", "float", 1.0),
            Attr("momentum", "float", 0.95, low=0.0, high=1.0),
            Attr("ns_steps", "int", 5, low=0),
            Attr("nesterov", "bool", True),
            Attr("rms_rate", "float or null", 0.2, low=0.0),
            Attr("adam_params", "ints", (), low=0),
        )

    def own_slots(self, attrs: Attrs) -> int:
        return 2

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return (1,)

    @staticmethod
    def uses_adam(attrs: Attrs, region: Region) -> bool:
        """Whether Adam moves a parameter."""
        return len(region.shape) != 2 or region.place in attrs["adam_params"]

    def decays(self, attrs: Attrs, region: Region) -> float:
        if self.uses_adam(attrs, region):
            return attrs["adam_weight_decay"] or 0.0
        return super().decays(attrs, region)

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        beta_1, beta_2, momentum = attrs["adam_beta_1"], attrs["adam_beta_2"], attrs["momentum"]
        adam_rate = learning_rate * attrs["adam_lr_ratio"] * math.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)
        for r in regions:
            weight, gradient, m = w[r.start : r.stop], g[r.start : r.stop], slots[0, r.start : r.stop]
            if self.uses_adam(attrs, r):
                v = slots[1, r.start : r.stop]
                adam_step(weight, gradient, m, v, None, adam_rate, (beta_1, beta_2, attrs["epsilon"]))
                continue
            m *= momentum
            m += gradient
            direction = gradient + momentum * m if attrs["nesterov"] else m
            coefficients = attrs["muon_a"], attrs["muon_b"], attrs["muon_c"]
            update = orthogonalized(direction.reshape(r.shape), attrs["ns_steps"], *coefficients)
            rate = learning_rate
            if attrs["rms_rate"] is not None:
                rate *= math.sqrt(max(r.shape)) * attrs["rms_rate"]
            weight -= (update * rate).reshape(-1)

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # Errors of a matrix spread over all of it, so the largest bound holds everywhere. A sum of k products errs
        # like a relative change of its terms by some sqrt(k) roundings; there are three sums in each step.
        bounds = super().bound(case, arrays, want, eps)
        start = 0
        for i, shape in enumerate(case.shapes):
            part = slice(start, start + math.prod(shape))
            if len(shape) == 2 and i not in case.attrs["adam_params"]:
                more = 1 + 3 * case.attrs["ns_steps"] * math.sqrt(max(shape)) / self.roundings
                bounds["w"][part] = bounds["w"][part].max() * more
            start = part.stop
        return bounds
