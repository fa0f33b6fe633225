"""Penalties on the size of weights: the sum of absolute values (L1), of squares (L2), and both."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.regularizers.regularizer import Regularizer, validate_float_arg
from netlet.utils.arrays import as_floats


class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x^2)``.

    Source: keras.regularizers.L1L2, Keras 3.15.

    Args:
        l1: factor of the absolute values; default 0, as None.
        l2: factor of the squares; default 0, as None.

    Shapes: x of any shape to a number of its type, float32 or float64.

    Raises: ValueError if a factor is not a finite number >= 0; TypeError if x holds no real numbers.
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        owner = type(self).__name__
        self.l1 = validate_float_arg(0.0 if l1 is None else l1, f"{owner}: l1")
        self.l2 = validate_float_arg(0.0 if l2 is None else l2, f"{owner}: l2")

    def __call__(self, x: Any) -> Any:
        array = as_floats(x, type(self).__name__)
        penalty = array.dtype.type(0)
        if self.l1:  # a factor of 0 penalizes nothing, infinite weights included
            penalty += array.dtype.type(self.l1) * np.sum(np.abs(array))
        if self.l2:
            penalty += array.dtype.type(self.l2) * np.sum(np.square(array))
        return penalty

    def gradient(self, x: Any) -> NDArray[Any]:
        """Return ``l1 * sign(x) + 2 * l2 * x``; at 0 the absolute value's slope is 0."""
        array = as_floats(x, type(self).__name__)
        result = np.zeros_like(array)
        if self.l1:
            result += array.dtype.type(self.l1) * np.sign(array)
        if self.l2:
            result += array.dtype.type(2 * self.l2) * array
        return result

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """``l1 * sum(|x|)``: draws weights to exactly 0.

    Source: keras.regularizers.L1, Keras 3.15.

    Args:
        l1: the factor; default 0.01, as None.

    Raises: ValueError if it is not a finite number >= 0.

    Shapes as of `L1L2`.
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        super().__init__(l1=0.01 if l1 is None else l1)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(L1L2):
    """``l2 * sum(x^2)``: keeps weights small.

    Source: keras.regularizers.L2, Keras 3.15.

    Args:
        l2: the factor; default 0.01, as None.

    Raises: ValueError if it is not a finite number >= 0.

    Shapes as of `L1L2`.
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        super().__init__(l2=0.01 if l2 is None else l2)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}
