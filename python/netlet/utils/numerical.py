"""Small array helpers that Keras keeps in ``keras.utils``: one-hot encoding and normalization."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[np.float64]:
    """Return the one-hot encoding of integer classes.

    Args:
        x: classes ``[...]`` or ``[..., 1]``, integers in ``[0, num_classes)``.
        num_classes: C; ``max(x) + 1`` when None.

    Returns: float64 ``[..., C]``.

    Raises: ValueError if ``x`` is empty and ``num_classes`` is None, or a class is out of range.
    """
    classes = np.array(x, dtype=np.int64)
    shape = classes.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    flat = classes.reshape(-1)
    if num_classes is None:
        if flat.size == 0:
            raise ValueError("to_categorical: x is empty, so num_classes must be given")
        num_classes = int(flat.max()) + 1
    bad = np.flatnonzero((flat < 0) | (flat >= num_classes))
    if bad.size:
        raise ValueError(f"to_categorical: class {flat[bad[0]]} at position {bad[0]} is outside [0, {num_classes})")
    one_hot = np.zeros((flat.size, num_classes))
    one_hot[np.arange(flat.size), flat] = 1.0
    return one_hot.reshape((*shape, num_classes))


def normalize(x: ArrayLike, axis: int = -1, order: int = 2) -> NDArray[Any]:
    """Return ``x`` divided by its norm of the given ``order`` along ``axis``; zero vectors stay zero.

    Args:
        x: vectors ``[..., L]``, or along another ``axis``; default -1.
        order: of the norm, as of ``numpy.linalg.norm``; default 2, the length.

    Returns: an array of x's shape, floating-point. Source: keras.utils.normalize, Keras 3.15.

    Raises: ValueError if x has no such axis.
    """
    array = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(array, order, axis))
    norm[norm == 0] = 1
    result: NDArray[Any] = array / np.expand_dims(norm, axis)
    return result
