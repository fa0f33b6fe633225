"""Schedules that lower the learning rate: exponentially, by the inverse of time, along a polynomial, in steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.optimizers.schedules.schedule import Formula, Rates, positive


class ExponentialDecay(Formula):
    """``initial_learning_rate * decay_rate ^ (step / decay_steps)``.

    Args:
        initial_learning_rate: the rate of step 0.
        decay_steps: after how many steps ``decay_rate`` has been multiplied in once; positive.
        decay_rate: the factor.
        staircase: whether the quotient is rounded down, so that the rate falls once every ``decay_steps``; default no.
        name: default "ExponentialDecay".

    Source: keras.optimizers.schedules, Keras 3.15.

    Raises: ValueError if ``decay_steps`` is not positive.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, f"{type(self).__name__}: decay_steps")
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def _quotient(self, step: Rates) -> Rates:
        quotient = step / float(self.decay_steps)
        return np.floor(quotient) if self.staircase else quotient

    def formula(self, step: Rates) -> Rates:
        rates: Rates = float(self.initial_learning_rate) * float(self.decay_rate) ** self._quotient(step)
        return rates

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(ExponentialDecay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; arguments as `ExponentialDecay`.

    With ``staircase`` the quotient ``step / decay_steps`` is rounded down. Source and errors as of `ExponentialDecay`.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def formula(self, step: Rates) -> Rates:
        rates: Rates = float(self.initial_learning_rate) / (1.0 + float(self.decay_rate) * self._quotient(step))
        return rates


class PiecewiseConstantDecay(Formula):
    """``values[i]`` for the first i with ``step <= boundaries[i]``, and the last value after all boundaries.

    Args:
        boundaries: steps, in ascending order.
        values: one more than there are boundaries.
        name: default "PiecewiseConstant".

    Source: keras.optimizers.schedules, Keras 3.15.

    Raises: ValueError if the numbers of boundaries and values do not fit, or the boundaries do not ascend.
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: expected one more value than boundaries, "
                f"got {len(values)} values and {len(boundaries)} boundaries"
            )
        if any(low > high for low, high in itertools.pairwise(boundaries)):
            raise ValueError(f"PiecewiseConstantDecay: boundaries must ascend, got {boundaries!r}")
        self.boundaries, self.values, self.name = boundaries, values, name

    def formula(self, step: Rates) -> Rates:
        places = np.searchsorted(np.asarray(self.boundaries, np.float64), step, side="left")
        rates: Rates = np.asarray(self.values, np.float64)[places]
        return rates

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class PolynomialDecay(Formula):
    """``(initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ^ power + end_learning_rate``.

    Args:
        initial_learning_rate: the rate of step 0.
        decay_steps: when the end is reached; positive.
        end_learning_rate: default 0.0001.
        power: default 1, a straight line.
        cycle: what happens beyond ``decay_steps``: False (default) stays at the end; True lengthens ``decay_steps`` to
            its next multiple that is not below the step, so that the rate rises again at each multiple.
        name: default "PolynomialDecay".

    Source: keras.optimizers.schedules, Keras 3.15.

    Raises: ValueError if ``decay_steps`` is not positive.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "PolynomialDecay: decay_steps")
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def formula(self, step: Rates) -> Rates:
        steps, end = float(self.decay_steps), float(self.end_learning_rate)
        if self.cycle:
            fraction = step / (steps * np.where(step == 0, 1.0, np.ceil(step / steps)))
        else:
            fraction = np.minimum(step, steps) / steps
        rates: Rates = (float(self.initial_learning_rate) - end) * (1.0 - fraction) ** float(self.power) + end
        return rates

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }
