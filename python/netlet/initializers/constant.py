"""Initializers without randomness: zeros, ones, a constant, the identity matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.initializers.base import Initializer, Shape, weight_dtype


class Zeros(Initializer):
    """All elements 0.

    Shapes: any. Errors as of `Initializer`.
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        return np.zeros(tuple(shape), weight_dtype(dtype))


class Ones(Initializer):
    """All elements 1.

    Shapes: any. Errors as of `Initializer`.
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        return np.ones(tuple(shape), weight_dtype(dtype))


class Constant(Initializer):
    """All elements ``value``: a number, or an array that broadcasts to the weight's shape.

    Args:
        value: default 0.

    Shapes: any.

    Raises: ValueError if ``value`` does not hold numbers, or does not broadcast to the shape.
    """

    def __init__(self, value: Any = 0.0) -> None:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"Constant: value must be a number or an array of numbers, got {value!r}")
        self.value: float | NDArray[Any] = float(array) if array.ndim == 0 else array.copy()

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        result = np.empty(tuple(shape), weight_dtype(dtype))
        try:
            result[...] = self.value
        except ValueError:
            raise ValueError(
                f"Constant: a value of shape {np.shape(self.value)} does not fit a weight of shape {tuple(shape)}"
            ) from None
        return result

    def get_config(self) -> dict[str, Any]:
        if isinstance(self.value, float):
            return {"value": self.value}
        config = {"value": self.value.tolist(), "dtype": self.value.dtype.name}
        return {"value": {"class_name": "__numpy__", "config": config}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        value = config.get("value", 0.0)
        if isinstance(value, dict):
            array = value.get("config")
            if value.get("class_name") != "__numpy__" or not isinstance(array, dict) or "value" not in array:
                raise ValueError(f"Constant config: expected a number or the config of an array, got {value!r}")
            dtype = array.get("dtype", "float64")
            if not isinstance(dtype, str) or not dtype.startswith(("bool", "int", "uint", "float")):
                raise ValueError(f"Constant config: expected the name of a number type, got {dtype!r}")
            value = np.array(array["value"], dtype)
        return cls(value)


class Identity(Initializer):
    """``gain`` on the diagonal of a matrix, 0 elsewhere.

    Args:
        gain: default 1.

    Shapes: ``[N, M]``.

    Raises: ValueError if the shape is not a matrix's.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = float(gain)

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        if len(shape) != 2:
            raise ValueError(f"Identity: shape must have two axes, got {tuple(shape)}")
        matrix: NDArray[Any] = np.eye(shape[0], shape[1], dtype=weight_dtype(dtype))
        matrix *= self.gain
        return matrix

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}
