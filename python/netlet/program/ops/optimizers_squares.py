"""Optimizers that divide by the root of gathered squares of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.optimizer_rule import STEPS, OptimizerRule, run_updates
from netlet.program.spec import Array, Attr, Attrs, Region

__all__ = ["Adadelta", "Adagrad", "Ftrl", "RmsProp"]


def _follow(s: Array, x: Array, rho: float, scratch: Array) -> None:
    """s <- rho s + (1 - rho) x^2."""
    s *= rho
    np.multiply(x, x, out=scratch)
    scratch *= 1.0 - rho
    s += scratch


class RmsProp(OptimizerRule):
    """Gradient over the root of the average of its square."""

    name = "rmsprop"
    signature = "w[P] g[P] v[P] p[P]? a[P]? -> w[P] v[P] p[P]? a[P]?"
    formula = "v, a <- averages of g², g;  s = lr g / √(v - a² + epsilon);  p <- momentum p + s;  w <- w - p"
    source = "Hinton (2012), lecture 6e; keras.optimizers.RMSprop"
    variants: tuple[dict[str, Any], ...] = (
        {},
        {"centered": True, "rho": 0.8},
        {"momentum": 0.9},
        {"momentum": 0.5, "centered": True, "epsilon": 1e-3},
    )

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("rho", "float", 0.9, low=0.0, high=1.0),
            Attr("momentum", "float", 0.0, low=0.0, high=1.0),
            Attr("epsilon", "float", 1e-7, low=0.0),
            Attr("centered", "bool", False),
        )

    def own_slots(self, attrs: Attrs) -> int:
        return 1 + int(attrs["momentum"] > 0) + int(attrs["centered"])

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return (0,)

    def flops(self, attrs: Attrs) -> int:
        return 8 + 2 * int(attrs["momentum"] > 0) + 5 * int(attrs["centered"])

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        rho, momentum = attrs["rho"], attrs["momentum"]
        v = slots[0]
        scratch = np.empty_like(g)
        _follow(v, g, rho, scratch)
        if attrs["centered"]:
            average = slots[2 if momentum > 0 else 1]
            average *= rho
            np.multiply(g, 1.0 - rho, out=scratch)
            average += scratch
            np.multiply(average, average, out=scratch)
            np.subtract(v, scratch, out=scratch)
            scratch += attrs["epsilon"]
        else:
            np.add(v, attrs["epsilon"], out=scratch)
        np.sqrt(scratch, out=scratch)
        g *= learning_rate
        g /= scratch
        if momentum > 0:
            p = slots[1]
            p *= momentum
            p += g
            w -= p
        else:
            w -= g

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        arrays = super().sample(case, rng)
        if case.attrs["centered"]:  # the square of an average is less than the average of squares
            arrays["slots"][2 if case.attrs["momentum"] > 0 else 1] *= 0.1
        return arrays


class Adagrad(OptimizerRule):
    """Gradient over the root of the sum of all its squares."""

    name = "adagrad"
    signature = "w[P] g[P] s[P] -> w[P] s[P]"
    formula = "s <- s + g²;  w <- w - lr g / √(s + epsilon)"
    source = "Duchi, Hazan & Singer (2011); keras.optimizers.Adagrad"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("epsilon", "float", 1e-7, low=0.0),)

    def own_slots(self, attrs: Attrs) -> int:
        return 1

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return (0,)

    def flops(self, attrs: Attrs) -> int:
        return 7

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        s = slots[0]
        s += g * g
        root = s + attrs["epsilon"]
        np.sqrt(root, out=root)
        g *= learning_rate
        g /= root
        w -= g


class Adadelta(OptimizerRule):
    """Steps of the size of those before, whatever the size of the gradient."""

    name = "adadelta"
    signature = "w[P] g[P] s[P] t[P] -> w[P] s[P] t[P]"
    formula = "s <- average of g²;  d = √(t + epsilon) g / √(s + epsilon);  t <- average of d²;  w <- w - lr d"
    source = "Zeiler (2012), https://arxiv.org/abs/1212.5701; keras.optimizers.Adadelta"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("rho", "float", 0.95, low=0.0, high=1.0), Attr("epsilon", "float", 1e-7, low=0.0))

    def own_slots(self, attrs: Attrs) -> int:
        return 2

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return (0, 1)

    def flops(self, attrs: Attrs) -> int:
        return 16

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        rho, epsilon = attrs["rho"], attrs["epsilon"]
        squares, deltas = slots[0], slots[1]
        scratch = np.empty_like(g)
        _follow(squares, g, rho, scratch)
        np.sqrt(deltas + epsilon, out=scratch)
        g *= scratch
        np.sqrt(squares + epsilon, out=scratch)
        g /= scratch
        _follow(deltas, g, rho, scratch)
        g *= learning_rate
        w -= g


class Ftrl(OptimizerRule):
    """Follow the regularized leader: L1 makes weights exactly 0."""

    name = "ftrl"
    signature = "w[P] g[P] s[P] z[P] -> w[P] s[P] z[P]"
    formula = "s' = s + g²;  z <- z + g - (s'^p - s^p) / lr w;  w <- (clip(z, ±l1) - z) / (s'^p / lr + 2 l2)"
    source = "McMahan et al. (2013); keras.optimizers.Ftrl. p = -learning_rate_power, l2 = l2_strength + beta / (2 lr)"
    variants: tuple[dict[str, Any], ...] = (
        {},
        {"learning_rate_power": -0.7, "l1_regularization_strength": 0.1},
        {"learning_rate_power": 0.0, "beta": 0.5},
        {
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.1,
        },
    )

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("learning_rate_power", "float", -0.5, high=0.0),
            Attr("l1_regularization_strength", "float", 0.0, low=0.0),
            Attr("l2_regularization_strength", "float", 0.0, low=0.0),
            Attr("l2_shrinkage_regularization_strength", "float", 0.0, low=0.0),
            Attr("beta", "float", 0.0, low=0.0),
        )

    def own_slots(self, attrs: Attrs) -> int:
        return 2

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return (0,)

    def flops(self, attrs: Attrs) -> int:
        return 17

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        power, l1 = -attrs["learning_rate_power"], attrs["l1_regularization_strength"]
        rate = w.dtype.type(learning_rate)  # 0 makes infinities, not an error
        l2 = w.dtype.type(attrs["l2_regularization_strength"]) + w.dtype.type(attrs["beta"]) / (2 * rate)
        s, z = slots[0], slots[1]
        total = s + g * g

        def raised(x: Array) -> Array:
            root: Array = np.sqrt(x) if power == 0.5 else np.power(x, power)
            return root

        strength = raised(total)
        sigma = (strength - raised(s)) / rate
        g += (2.0 * attrs["l2_shrinkage_regularization_strength"]) * w
        z += g - sigma * w
        np.divide(np.clip(z, -l1, l1) - z, strength / rate + 2 * l2, out=w)
        np.copyto(s, total)

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # The difference of the powers cancels: it errs with what is subtracted, s'^p, of which z gets w / lr times as
        # much, and w that over s'^p / lr. Both go on from there, at most once more in each later step. A root errs by
        # eps / 2; another power, the exponential of a logarithm times it, by 2 eps for each and |p log s| < 2 between.
        bounds = super().bound(case, arrays, want, eps)
        power = -case.attrs["learning_rate_power"]
        each = 1.0 if power in (0.0, 0.5) else 6.0

        def add(k: int, w: Array, slots: Array) -> None:
            strength = (slots[0] + arrays["g"][k] ** 2) ** power / arrays["learning_rate"][k]
            error = each * eps * strength * np.abs(w)
            bounds["slots"][1] += STEPS * error
            bounds["w"] += STEPS * error / strength

        run_updates(case, arrays, add)
        return bounds
