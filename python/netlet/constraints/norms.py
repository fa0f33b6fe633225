"""Constraints on signs and on lengths of the vectors that a weight is made of.

``axis`` is the axis (or axes) along which such a vector runs: 0 for the kernel ``[I, O]`` of a Dense, whose vectors are
the weights into one unit; (0, 1, 2) for the kernel ``[H, W, C, O]`` of a convolution. Lengths are divided by with
Keras' fuzz factor of 1e-7 added, so that a vector of zeros stays one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.config import EPSILON
from netlet.constraints.constraint import Constraint
from netlet.utils.arrays import as_floats

Axis = int | Sequence[int]


def _lengths(w: NDArray[Any], axis: Axis) -> NDArray[Any]:
    axes = axis if isinstance(axis, int) else tuple(axis)
    lengths: NDArray[Any] = np.sqrt(np.sum(np.square(w), axis=axes, keepdims=True))
    return lengths


class MaxNorm(Constraint):
    """Shortens vectors longer than ``max_value`` to that length.

    Args:
        max_value: default 2.
        axis: default 0; see the module's text.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout", 2014, section 5.1.

    Shapes: w of any with such an axis, to the same.

    Raises: TypeError if w holds no real numbers, ValueError if it has no such axis.
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> NDArray[Any]:
        array = as_floats(w, "MaxNorm")
        lengths = _lengths(array, self.axis)
        result: NDArray[Any] = array * (
            np.clip(lengths, 0, array.dtype.type(self.max_value)) / (lengths + array.dtype.type(EPSILON))
        )
        return result

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Makes negative weights 0.

    Shapes: w of any to the same. Source: keras.constraints.NonNeg, Keras 3.15.

    Raises: TypeError if w holds no real numbers.
    """

    def __call__(self, w: Any) -> NDArray[Any]:
        array = as_floats(w, "NonNeg")
        result: NDArray[Any] = np.maximum(array, array.dtype.type(0))
        return result


class UnitNorm(Constraint):
    """Makes every vector one of length 1.

    Source: keras.constraints.UnitNorm, Keras 3.15.

    Args:
        axis: default 0; see the module's text.

    Shapes and errors as of `MaxNorm`.
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> NDArray[Any]:
        array = as_floats(w, "UnitNorm")
        result: NDArray[Any] = array / (_lengths(array, self.axis) + array.dtype.type(EPSILON))
        return result

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Brings the lengths of vectors towards the interval from ``min_value`` to ``max_value``.

    Source: keras.constraints.MinMaxNorm, Keras 3.15.

    Args:
        min_value, max_value: default 0 and 1.
        rate: 1 (default) brings them into the interval at once; below, the length becomes ``rate * clipped + (1 - rate)
            * length``.
        axis: default 0; see the module's text.

    Shapes and errors as of `MaxNorm`.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> NDArray[Any]:
        array = as_floats(w, "MinMaxNorm")
        number = array.dtype.type
        lengths = _lengths(array, self.axis)
        wanted = np.clip(lengths, number(self.min_value), number(self.max_value))
        wanted = number(self.rate) * wanted + number(1 - self.rate) * lengths
        result: NDArray[Any] = array * (wanted / (lengths + number(EPSILON)))
        return result

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}
