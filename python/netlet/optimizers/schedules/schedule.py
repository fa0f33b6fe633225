"""The base of the learning-rate schedules, and of those given by a formula over arrays of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rates = NDArray[np.float64]


class LearningRateSchedule:
    """A learning rate that follows from the number of updates made so far: ``schedule(step)``.

    A subclass defines ``__call__`` for one step and, to be saved, ``get_config``.

    Steps are updates, counted from 0 over all epochs; a rate has no unit.

    Raises: NotImplementedError where a subclass lacks a method that is called.
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of update ``step``, counted from 0."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(step)")

    def rates(self, first: int, last: int) -> Rates:
        """Return the learning rates of updates ``first`` to ``last - 1``, as float64 ``[last - first]``."""
        return np.array([float(self(step)) for step in range(first, last)], np.float64)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_config()")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """Return a schedule made with the arguments of ``config``."""
        return cls(**config)

    def __repr__(self) -> str:
        try:
            config = self.get_config()
        except NotImplementedError:
            config = {}
        arguments = ", ".join(f"{key}={value!r}" for key, value in config.items() if key != "name")
        return f"{type(self).__name__}({arguments})"


class Formula(LearningRateSchedule):
    """A schedule whose subclass defines `formula` over a float64 array of steps.

    ``schedule(step)`` takes a number, and returns a float, or an array, and returns a float64 array of its shape.
    """

    def formula(self, step: Rates) -> Rates:
        """Return the learning rates of an array of steps."""
        raise NotImplementedError(f"{type(self).__name__} does not define formula(step)")

    def __call__(self, step: Any) -> Any:
        steps = np.asarray(step, np.float64)
        rates = self.formula(np.atleast_1d(steps))
        return float(rates[0]) if steps.ndim == 0 else rates

    def rates(self, first: int, last: int) -> Rates:
        if type(self).__call__ is not Formula.__call__:  # a subclass of a schedule may call it for another step
            return super().rates(first, last)
        return np.ascontiguousarray(self.formula(np.arange(first, last, dtype=np.float64)))


def positive(value: Any, name: str) -> Any:
    """Return ``value`` if it is greater than 0, else raise a ValueError that names the argument."""
    if not value > 0:
        raise ValueError(f"{name} must be greater than 0, got {value!r}")
    return value
