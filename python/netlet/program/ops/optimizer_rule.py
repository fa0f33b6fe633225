"""What the specs of optimizers share: the numbers that cases are made of, and how far results may be off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.spec import Array, Attrs, OptimizerSpec, Shape

__all__ = ["STEPS", "OptimizerRule", "run_updates", "squares"]

#: Updates in a row that a case makes.
STEPS = 3

_COMMON_CASES: tuple[dict[str, Any], ...] = (
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "no_decay": [1, 2, 6], "frozen": [0, 4]},
    {"clipnorm": 0.5},
    {"clipvalue": 0.3, "weight_decay": 0.05},
    {"global_clipnorm": 2.0, "frozen": [1]},
    {"ema_momentum": 0.9},
    {"ema_momentum": 0.9, "ema_overwrite_frequency": 2, "frozen": [2]},
    {"gradient_accumulation_steps": 2},
    {"gradient_accumulation_steps": 3, "clipnorm": 0.5, "weight_decay": 0.1, "ema_momentum": 0.8},
)

Disturbance = Callable[[int, Array, Array], None]


def squares(x: Array) -> float:
    """The sum of squares in float64."""
    return float(np.add.reduce(np.square(x, dtype=np.float64), axis=None))


def run_updates(case: Case, arrays: dict[str, Array], disturb: Disturbance | None = None) -> dict[str, Array]:
    """Runs the updates of an optimizer's case on ``arrays``; returns the weights and the slots.

    Args:
        disturb: called with the number of each update, the weights and the slots before it.
    """
    from netlet.program.program import Optimizer, Param
    from netlet.program.update import Update

    params, offset = [], 0
    for i, shape in enumerate(case.shapes):
        params.append(Param(f"w{i}", shape, offset))
        offset += params[-1].size
    w, slots = arrays["w"].copy(), arrays["slots"].copy()
    update = Update(Optimizer(case.op, case.attrs), params, w, slots)
    first = int(arrays["iteration"][0])
    for k, (g, rate) in enumerate(zip(arrays["g"], arrays["learning_rate"], strict=True)):
        if disturb is not None:
            disturb(k, w, slots)
        update(g.copy(), float(rate), first + k)
    return {"w": w, "slots": slots}


class OptimizerRule(OptimizerSpec):
    """The base of the specs of optimizers.

    Attributes:
        variants: attributes of the rule to make cases of.
        positive_slots: which of the rule's slots hold averages of squares, so that they are not negative.
        roundings: how many roundings of a quantity may lie between what goes into an update and what comes out.
    """

    variants: tuple[dict[str, Any], ...] = ({},)
    roundings: int = 8

    def positive_slots(self, attrs: Attrs) -> tuple[int, ...]:
        return ()

    def cases(self) -> Iterator[Case]:
        for attrs in self.variants:
            for shape in self.single_shapes():
                yield Case(self, 1, (shape,), attrs={k: v for k, v in attrs.items() if k != "adam_params"})
        several = ((3, 5), (7,), (1, 9), (17, 1), (), (2, 3, 4), (33,))
        for attrs in self.variants:
            yield Case(self, 1, several, attrs=attrs)
        for common in _COMMON_CASES:
            yield Case(self, 1, several, attrs={**self.variants[-1], **common})

    def single_shapes(self) -> Iterator[Shape]:
        """Shapes of a parameter that is alone."""
        for size in (*HOSTILE_SIZES, 61, 1025):
            yield (size,)
        if self.by_layer:
            yield from ((1, 1), (8, 8), (9, 16), (33, 3), (5, 300), (70, 65))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        size = sum(int(np.prod(shape, dtype=np.int64)) for shape in case.shapes)
        slots = rng.standard_normal((self.slots(case.attrs), size))
        for i in self.positive_slots(case.attrs):
            slots[i] = rng.uniform(0.5, 2.0, size)
        return {
            "w": rng.standard_normal(size),
            "g": rng.standard_normal((STEPS, size)),
            "slots": slots,
            "learning_rate": np.array([0.1, 0.05, 0.2])[:STEPS],
            "iteration": np.array([int(rng.integers(0, 6))]),
        }

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # What an update computes is the exact result of slightly other numbers: each rounding in it is a relative
        # change, by eps / 2 at most, of one of its inputs (weight, gradient, slot, rate). How the results change
        # with each of them is found by differences in float64; `roundings` bounds how many there are of each kind.
        # What is stored is rounded once more. Where elements depend on each other, inputs are changed all in the same
        # direction (which norms show) and each in its own (which matrices show).
        step = 1e-6
        total = {name: np.zeros_like(want[name]) for name in ("w", "slots")}
        signs = [np.ones(arrays["w"].shape)]
        if self.by_layer:
            signs.append(np.random.default_rng(0).choice([-1.0, 1.0], arrays["w"].shape))

        def count(moved: dict[str, Array], disturb: Disturbance | None = None) -> None:
            changed = run_updates(case, moved, disturb)
            for name, sum_ in total.items():
                sum_ += np.abs(changed[name] - want[name]) / step

        for k in range(STEPS):
            rates = arrays["learning_rate"].copy()
            rates[k] *= 1 + step
            count({**arrays, "learning_rate": rates})
            for sign in signs:
                gradients = arrays["g"].copy()
                gradients[k] *= 1 + step * sign
                count({**arrays, "g": gradients})
                for i in range(-1, len(arrays["slots"])):

                    def move(at: int, w: Array, slots: Array, k: int = k, i: int = i, sign: Array = sign) -> None:
                        if at == k:
                            changed = w if i < 0 else slots[i]
                            changed *= 1 + step * sign

                    count(arrays, move)
        return {name: self.roundings * eps / 2 * sum_ + eps * np.abs(want[name]) for name, sum_ in total.items()}
