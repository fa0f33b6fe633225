"""Losses as functions of arrays, one number per row. The formulas lie with the program's ops; here is Keras' call."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.program.ops import LOSSES


def as_floats(values: ArrayLike, what: str) -> NDArray[Any]:
    """Return ``values`` as a C-contiguous float32 or float64 array; TypeError naming ``what`` if not real numbers."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected real numbers, got an array of {array.dtype}")
    dtype = np.float64 if array.dtype == np.float64 else np.float32
    return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)


def match_ranks(y_true: NDArray[Any], y_pred: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both arrays with as many axes: a last axis of length 1 that only one of them has is given to vectors and
    taken from others, as Keras does, so that ``(n,)`` against ``(n, 1)`` does not broadcast to ``(n, n)``."""

    def fit(longer: NDArray[Any], shorter: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        if longer.ndim == shorter.ndim + 1 and longer.shape[-1] == 1:
            return (longer, shorter[:, None]) if shorter.ndim == 1 else (longer[..., 0], shorter)
        return longer, shorter

    if y_pred.ndim > y_true.ndim:
        y_pred, y_true = fit(y_pred, y_true)
    elif y_true.ndim > y_pred.ndim:
        y_true, y_pred = fit(y_true, y_pred)
    return y_true, y_pred


def _per_row(name: str, y_true: NDArray[Any], y_pred: NDArray[Any], attrs: dict[str, Any]) -> NDArray[Any]:
    """The op's loss of every position: y_pred [..., L] to [...]."""
    rows = y_pred.reshape(-1, y_pred.shape[-1])
    losses = np.empty(len(rows), rows.dtype)
    labels = y_true.reshape(-1) if LOSSES[name].integer_labels else y_true.reshape(rows.shape)
    with np.errstate(all="ignore"):
        LOSSES[name].value_and_gradient(attrs, rows, labels, None, losses, None, None)
    return losses.reshape(y_pred.shape[:-1])


def _same_shape(name: str, y_true: ArrayLike, y_pred: ArrayLike, **attrs: Any) -> NDArray[Any]:
    pred = as_floats(y_pred, f"{name}: y_pred")
    true, pred = match_ranks(as_floats(y_true, f"{name}: y_true").astype(pred.dtype, copy=False), pred)
    if true.shape != pred.shape:
        raise ValueError(f"{name}: y_true has shape {true.shape}, expected {pred.shape} as y_pred has")
    if pred.ndim == 0:
        raise ValueError(f"{name}: expected at least one axis, got scalars")
    return _per_row(name, np.ascontiguousarray(true), np.ascontiguousarray(pred), attrs)


def _neutral(name: str, **arguments: tuple[Any, Any]) -> None:
    """Refuse arguments of Keras' that this version does not act on: (given, neutral) by name."""
    for argument, (given, neutral) in arguments.items():
        if given != neutral:
            raise ValueError(f"{name}: {argument}={given!r} is not supported yet")


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
    """Return ``mean((y_true - y_pred)^2)`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``."""
    return _same_shape("mean_squared_error", y_true, y_pred)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
    """Return ``mean(|y_true - y_pred|)`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``."""
    return _same_shape("mean_absolute_error", y_true, y_pred)


def binary_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> NDArray[Any]:
    """Return the cross-entropy of yes-or-no labels, mean over the last axis: ``[B, ..., L]`` to ``[B, ...]``.

    Probabilities are clipped to [1e-7, 1 - 1e-7]. With ``from_logits``, y_pred is taken before its sigmoid.
    """
    _neutral("binary_crossentropy", label_smoothing=(label_smoothing, 0.0), axis=(axis, -1))
    return _same_shape("binary_crossentropy", y_true, y_pred, from_logits=from_logits)


def categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> NDArray[Any]:
    """Return the cross-entropy of one-hot labels over the classes of the last axis: ``[B, ..., C]`` to ``[B, ...]``.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7]. With ``from_logits``, y_pred is taken
    before its softmax.
    """
    _neutral("categorical_crossentropy", label_smoothing=(label_smoothing, 0.0), axis=(axis, -1))
    return _same_shape("categorical_crossentropy", y_true, y_pred, from_logits=from_logits)


def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> NDArray[Any]:
    """Return the cross-entropy of class numbers over the classes of the last axis.

    Shapes: y_true ``[B, ...]`` or ``[B, ..., 1]``, y_pred ``[B, ..., C]`` to ``[B, ...]``.

    Probabilities are clipped to [1e-7, 1 - 1e-7]. With ``from_logits``, y_pred is taken before its softmax. A class
    number outside [0, C) gives NaN.
    """
    name = "sparse_categorical_crossentropy"
    _neutral(name, ignore_class=(ignore_class, None), axis=(axis, -1))
    pred = as_floats(y_pred, f"{name}: y_pred")
    true = as_floats(y_true, f"{name}: y_true")
    if true.ndim == pred.ndim and true.shape[-1:] == (1,):
        true = true[..., 0]
    if pred.ndim == 0 or true.shape != pred.shape[:-1]:
        raise ValueError(f"{name}: y_true has shape {true.shape}, expected {pred.shape[:-1]}")
    labels = np.where(np.isfinite(true) & (np.abs(true) < 2**31 - 1), true, -1).astype(np.int32)
    return _per_row(name, labels, pred, {"from_logits": from_logits})
