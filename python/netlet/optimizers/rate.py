"""The learning rate as an optimizer shows it: a number that can be treated as the variable that it is in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from netlet.optimizers.settings import Settings


class LearningRate(float):
    """An optimizer's learning rate at the time when it was asked for.

    A float, with what people do with Keras' variable: read its ``value``, ``assign`` another.

    Args:
        value: the rate.
        optimizer: whose it is.
    """

    __slots__ = ("_optimizer",)
    _optimizer: Settings

    def __new__(cls, value: float, optimizer: Settings) -> LearningRate:
        made = super().__new__(cls, value)
        made._optimizer = optimizer
        return made

    @property
    def value(self) -> np.float32:
        """The rate in single precision, which Keras keeps it in."""
        return np.float32(self)

    def numpy(self) -> np.float32:
        """Return ``value``."""
        return self.value

    def assign(self, value: Any) -> LearningRate:
        """Set the optimizer's learning rate, and return what it is then; raises as setting ``learning_rate`` does."""
        optimizer = self._optimizer
        optimizer.learning_rate = value
        found: LearningRate = optimizer.learning_rate
        return found

    @property
    def shape(self) -> tuple[int, ...]:
        """That of a number: ()."""
        return ()

    @property
    def dtype(self) -> str:
        """That of ``value``: "float32"."""
        return "float32"

    def __reduce__(self) -> Any:
        return float, (float(self),)  # a copy belongs to no optimizer
