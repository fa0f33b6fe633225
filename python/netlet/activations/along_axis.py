"""Activation functions that look at whole rows: softmax, log_softmax, sparsemax, glu.

In a layer, softmax and log_softmax run along the last axis. Over other axes, and the other two altogether, they are
functions of arrays alone: no op computes them yet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.program import OPS
from netlet.program.ops.elementwise_base import sigmoid
from netlet.utils.arrays import as_floats


def _array(x: ArrayLike, name: str) -> NDArray[Any]:
    array = as_floats(x, name)
    if array.ndim == 0:
        raise ValueError(f"{name}: expected at least one axis, got a scalar")
    return array


def _along(name: str, x: ArrayLike, axis: int | Sequence[int]) -> NDArray[Any]:
    """The op along one axis, or over several at once."""
    array = _array(x, name)
    if array.size == 0:
        return array
    axes = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    last = tuple(range(array.ndim - len(axes), array.ndim))
    moved = np.moveaxis(array, axes, last)
    rows = np.ascontiguousarray(moved).reshape(-1, math.prod(moved.shape[last[0] :]))
    y = np.empty_like(rows)
    with np.errstate(all="ignore"):
        OPS[name].forward({}, [rows], [], y)
    return np.ascontiguousarray(np.moveaxis(y.reshape(moved.shape), last, axes))


def softmax(x: ArrayLike, axis: int | Sequence[int] = -1) -> NDArray[Any]:
    """Return ``exp(x) / sum(exp(x))`` along ``axis``, or over several axes together.

    Shapes: any of at least one axis, to the same; float64 stays float64, everything else becomes float32.

    Raises: ValueError if x is a number or an axis is none of its, TypeError if x is not real numbers.
    """
    return _along("softmax", x, axis)


def log_softmax(x: ArrayLike, axis: int | Sequence[int] = -1) -> NDArray[Any]:
    """Return ``x - log(sum(exp(x)))`` along ``axis``, or over several axes together.

    Shapes and errors as of `softmax`.
    """
    return _along("log_softmax", x, axis)


def sparsemax(x: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """Return the probabilities nearest to ``x`` along ``axis``: ``max(x - tau, 0)``, with tau such that they sum to 1.

    Source: Martins, Astudillo, "From softmax to sparsemax", 2016. Keras 3.15 takes another tau where more than one
    probability is positive, and its results do not sum to 1.

    Shapes and errors as of `softmax`.
    """
    array = _array(x, "sparsemax")
    if array.size == 0:
        return array
    rows = np.moveaxis(array, axis, -1)
    with np.errstate(invalid="ignore"):  # infinity - infinity
        rows = rows - np.max(rows, axis=-1, keepdims=True)  # tau is then a small number; and a NaN makes its row NaN
    ordered = -np.sort(-rows, axis=-1)
    excess = np.cumsum(ordered, axis=-1) - 1
    counts = np.arange(1, rows.shape[-1] + 1, dtype=array.dtype)
    support = np.count_nonzero(ordered * counts > excess, axis=-1, keepdims=True)
    support = np.maximum(support, 1)  # it is none in a row of NaN
    tau = np.take_along_axis(excess, support - 1, axis=-1) / support.astype(array.dtype)
    return np.ascontiguousarray(np.moveaxis(np.maximum(rows - tau, 0), -1, axis))


def glu(x: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """Return ``a * sigmoid(b)``, a and b the halves of ``x`` along ``axis``.

    Source: Dauphin, Fan, Auli, Grangier, "Language modeling with gated convolutional networks", 2017.

    Shapes: ``[..., 2 L, ...]`` to ``[..., L, ...]``.

    Raises: ValueError if the axis has an odd size or x is a number, IndexError if x has no such axis, TypeError if x is
        not real numbers.
    """
    array = _array(x, "glu")
    if array.shape[axis] % 2:
        raise ValueError(f"glu: axis {axis} must have an even size, got an array of shape {array.shape}")
    a, b = np.split(array, 2, axis)
    gate = np.empty_like(b)
    sigmoid(b, gate)
    gate *= a
    return gate
