"""Initializers without randomness: zeros, ones, a constant, the identity matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.config import numpy_dtype
from netlet.initializers.base import Initializer, Shape


class Zeros(Initializer):
    """All elements 0."""

    def __call__(self, shape: Shape, dtype: Any = "float32") -> NDArray[Any]:
        return np.zeros(tuple(shape), numpy_dtype(dtype))


class Ones(Initializer):
    """All elements 1."""

    def __call__(self, shape: Shape, dtype: Any = "float32") -> NDArray[Any]:
        return np.ones(tuple(shape), numpy_dtype(dtype))


class Constant(Initializer):
    """All elements ``value``, a number."""

    def __init__(self, value: float = 0.0) -> None:
        try:
            self.value = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"Constant: value must be a number, got {value!r}") from None

    def __call__(self, shape: Shape, dtype: Any = "float32") -> NDArray[Any]:
        return np.full(tuple(shape), self.value, numpy_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


class Identity(Initializer):
    """``gain`` on the diagonal of a matrix, 0 elsewhere.

    Raises: ValueError if the shape is not a matrix's.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = float(gain)

    def __call__(self, shape: Shape, dtype: Any = "float32") -> NDArray[Any]:
        if len(shape) != 2:
            raise ValueError(f"Identity: shape must have two axes, got {tuple(shape)}")
        matrix: NDArray[Any] = np.eye(shape[0], shape[1], dtype=numpy_dtype(dtype))
        matrix *= self.gain
        return matrix

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}
