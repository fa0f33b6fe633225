"""The base of the regularizers, and the check of their factors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.utils.arrays import as_floats


class Regularizer:
    """A penalty on a weight, added to the loss: ``regularizer(w)`` is a number.

    This base penalizes nothing. A subclass defines ``__call__`` and, for training, ``gradient``; to be saved also
    ``get_config``.

    Shapes: w of any shape to a number of its type, float32 or float64.
    """

    def __call__(self, x: Any) -> Any:
        """Return the penalty on ``x``, an array of any shape: a number of its type, float32 or float64.

        Raises: TypeError if ``x`` holds no real numbers.
        """
        return as_floats(x, type(self).__name__).dtype.type(0)

    def gradient(self, x: Any) -> NDArray[Any]:
        """Return the penalty's gradient, an array of the shape and type of ``x``.

        Raises: NotImplementedError if a subclass has a penalty of its own, but not its gradient.
        """
        if type(self).__call__ is not Regularizer.__call__:
            raise NotImplementedError(f"{type(self).__name__} defines __call__, but not gradient(x)")
        return np.zeros_like(as_floats(x, type(self).__name__))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; NotImplementedError if a subclass does not define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_config()")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """Return a regularizer made with the arguments of ``config``; raises what the class does."""
        return cls(**config)

    def __repr__(self) -> str:
        try:
            config = self.get_config()
        except NotImplementedError:
            config = {}
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in config.items())})"


def validate_float_arg(value: Any, name: str) -> float:
    """Return ``value`` as a float if it is a finite number >= 0, else raise a ValueError that names the argument."""
    numeric = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not numeric or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name}: expected a non-negative float, got {value!r}")
    return float(value)
