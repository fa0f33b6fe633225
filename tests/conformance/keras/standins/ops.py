"""``keras.ops`` as tests use it to prepare data and expectations: NumPy, with Keras' default types.

What NumPy calls the same is NumPy's own function.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from standins.backend import cast, convert_to_numpy, convert_to_tensor, is_tensor, shape, standardize_dtype

less, greater, add, log = np.less, np.greater, np.add, np.log  # callbacks are asked whether they compare with these


def array(x: Any, dtype: Any = None) -> np.ndarray:
    return convert_to_tensor(x, dtype)


def zeros(shape: Any, dtype: Any = None) -> np.ndarray:
    return np.zeros(shape, standardize_dtype(dtype))


def ones(shape: Any, dtype: Any = None) -> np.ndarray:
    return np.ones(shape, standardize_dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> np.ndarray:
    return np.full(shape, fill_value, standardize_dtype(dtype))


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> np.ndarray:
    return np.eye(n, m, k, standardize_dtype(dtype))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> np.ndarray:
    values = np.arange(start, step=step) if stop is None else np.arange(start, stop, step)
    return values.astype(dtype) if dtype is not None else convert_to_tensor(values.tolist())


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> np.ndarray:
    classes = np.asarray(x).astype("int64")
    hot = np.equal(classes[..., None], np.arange(num_classes)).astype(standardize_dtype(dtype))
    return np.moveaxis(hot, -1, axis)


def __getattr__(name: str) -> Any:
    return getattr(np, name)


__all__ = ["cast", "convert_to_numpy", "convert_to_tensor", "is_tensor", "shape"]
