"""What every loss does with what it is given: arrays of numbers, of ranks that fit, moved so that classes come last."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.program.ops import LOSSES

Array = NDArray[Any]


def as_floats(values: ArrayLike, what: str) -> Array:
    """Return ``values`` as a C-contiguous float32 or float64 array; TypeError naming ``what`` if not real numbers.

    Narrower types become float32, in which their losses are computed.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" and "float" not in array.dtype.name:  # bfloat16 is of a kind of its own
        raise TypeError(f"{what}: expected real numbers, got an array of {array.dtype}")
    dtype = np.float64 if array.dtype == np.float64 else np.float32
    return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Array, Array]:
    """Return both arrays with as many axes, if a last axis of length 1 is all that one has more than the other.

    It is given to a vector (with ``expand_rank_1``) and taken from others, so that ``(n,)`` against ``(n, 1)`` does not
    broadcast to ``(n, n)``.
    """

    def fit(longer: Array, shorter: Array) -> tuple[Array, Array]:
        if longer.ndim == shorter.ndim + 1 and longer.shape[-1] == 1:
            return (longer, shorter[:, None]) if shorter.ndim == 1 and expand_rank_1 else (longer[..., 0], shorter)
        return longer, shorter

    x1, x2 = np.asarray(x1), np.asarray(x2)
    if x1.ndim > x2.ndim:
        return fit(x1, x2)
    x2, x1 = fit(x2, x1)
    return x1, x2


def match_ranks(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Return labels and prediction with as many axes; see `squeeze_or_expand_to_same_rank`."""
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


def pair(name: str, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array]:
    """Return labels and prediction as arrays of one type and shape.

    Raises: TypeError if they are not real numbers, ValueError if their shapes differ.
    """
    pred = as_floats(y_pred, f"{name}: y_pred")
    true, pred = match_ranks(as_floats(y_true, f"{name}: y_true").astype(pred.dtype, copy=False), pred)
    if true.shape != pred.shape:
        raise ValueError(
            f"{name}: y_true has shape {true.shape}, but y_true and y_pred must have the same shape {pred.shape}"
        )
    return true, pred


def last_axis(name: str, axis: Any, *arrays: Array) -> list[Array]:
    """Return the arrays with ``axis`` as their last; ValueError if they have no such axis."""
    rank = arrays[0].ndim
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise ValueError(f"{name}: axis must be of type int, got {axis!r}")
    if rank == 0:
        raise ValueError(f"{name}: expected at least one axis, got scalars")
    if not -rank <= axis < rank:
        raise ValueError(f"{name}: axis={axis} is out of range for arrays of {rank} axes")
    return [np.ascontiguousarray(np.moveaxis(array, axis, -1)) for array in arrays]


def losses_of(name: str, y_true: Array, y_pred: Array, attrs: dict[str, Any]) -> Array:
    """Return the loss of every position: y_pred ``[..., L]`` to ``[...]``. The op ``name`` computes it."""
    spec = LOSSES[name]
    rows = y_pred.reshape(-1, y_pred.shape[-1])
    losses = np.empty(len(rows), rows.dtype)
    labels = y_true.reshape(-1) if spec.integer_labels else y_true.reshape(rows.shape)
    attrs = _normalized(name, attrs)
    with np.errstate(all="ignore"):
        if len(rows):
            spec.value_and_gradient(attrs, rows, labels, None, losses, None, None)
    return losses.reshape(y_pred.shape[:-1])


def _normalized(name: str, attrs: dict[str, Any]) -> dict[str, Any]:
    try:
        return LOSSES[name].normalize(attrs)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def along(name: str, y_true: ArrayLike, y_pred: ArrayLike, axis: Any = -1, **attrs: Any) -> Array:
    """Return the op's losses of labels and predictions of one shape, along ``axis``."""
    true, pred = last_axis(name, axis, *pair(name, y_true, y_pred))
    return losses_of(name, true, pred, attrs)


def class_numbers(name: str, y_true: ArrayLike, shape: tuple[int, ...], axis: int) -> Array:
    """Return ``y_true`` as int32 of ``shape``; a number that is none of a class becomes -1.

    An axis of length 1 in the classes' place is dropped. Raises: ValueError for any other shape.
    """
    true = as_floats(y_true, f"{name}: y_true")
    if true.ndim == len(shape) + 1 and true.shape[axis] == 1:
        true = np.squeeze(true, axis)
    if true.shape != shape:
        raise ValueError(
            f"{name}: y_true has shape {true.shape}, expected {shape}: y_true and y_pred must have the same shape but "
            "for the axis of classes"
        )
    return np.where(np.isfinite(true) & (np.abs(true) < 2**31 - 1), true, -(2**31) + 1).astype(np.int32)
