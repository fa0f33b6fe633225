"""Accuracies as functions of arrays: one number per position, a position being all axes of y_pred but the last."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.losses.functions import as_floats, match_ranks


def aligned(name: str, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return labels and predictions as floating-point arrays of one shape.

    Raises: ValueError naming ``name`` if their shapes differ, TypeError if they do not hold real numbers.
    """
    true, pred = match_ranks(as_floats(y_true, f"{name}: y_true"), as_floats(y_pred, f"{name}: y_pred"))
    if true.shape != pred.shape:
        raise ValueError(f"{name}: y_true has shape {true.shape}, expected {pred.shape} as y_pred has")
    return true, pred


def _class_numbers(name: str, y_true: ArrayLike, pred: NDArray[Any]) -> NDArray[Any]:
    """y_true ``[B, ...]`` or ``[B, ..., 1]`` as ``[B, ...]`` for predictions ``[B, ..., C]``.

    Of a single row of positions, labels may come without the axis of the row: ``[T, 1]`` for ``[1, T, C]``.
    """
    true = as_floats(y_true, f"{name}: y_true")
    if true.ndim == pred.ndim and true.shape[-1:] == (1,):
        true = true[..., 0]
    elif true.ndim == 2 and true.shape[-1] == 1 and pred.shape[:-1] == (1, len(true)):
        true = true.T
    if pred.ndim == 0 or true.shape != pred.shape[:-1]:
        raise ValueError(f"{name}: y_true has shape {true.shape}, expected {pred.shape[:-1]}")
    return true


def _one_hot_pair(name: str, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    true, pred = aligned(name, y_true, y_pred)
    if pred.ndim == 0:
        raise ValueError(f"{name}: expected at least one axis, got scalars")
    return true, pred


def _float32(right: Any) -> NDArray[Any]:
    found: NDArray[Any] = np.asarray(right).astype(np.float32)
    return found


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
    """Return 1 where y_pred equals y_true, else 0: ``[...]`` to ``[...]``.

    Shapes: y_true and y_pred of one shape, but for a last axis of length 1 that one of them may have more. The result
        is float32.

    Raises: ValueError if the shapes differ, TypeError if the values are not real numbers.
    """
    true, pred = aligned("accuracy", y_true, y_pred)
    return _float32(true == pred)


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> NDArray[Any]:
    """Return 1 where ``y_pred > threshold`` equals y_true, else 0: ``[...]`` to ``[...]``.

    Shapes and errors as of `accuracy`.
    """
    true, pred = aligned("binary_accuracy", y_true, y_pred)
    return _float32((pred > threshold) == true)


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
    """Return 1 where the largest of y_pred is where the largest of y_true is, else 0: ``[B, ..., C]`` to ``[B, ...]``.

    Of equals, the first counts.

    Raises: ValueError if the shapes differ or are of no axis, TypeError if the values are not real numbers.
    """
    true, pred = _one_hot_pair("categorical_accuracy", y_true, y_pred)
    return _float32(true.argmax(axis=-1) == pred.argmax(axis=-1))


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
    """Return 1 where the largest of y_pred is at class y_true, else 0. Of equals, the first counts.

    Shapes: y_true ``[B, ...]`` or ``[B, ..., 1]``, y_pred ``[B, ..., C]`` to ``[B, ...]``.

    Raises: ValueError if the shapes do not fit, TypeError if the values are not real numbers.
    """
    pred = as_floats(y_pred, "sparse_categorical_accuracy: y_pred")
    true = _class_numbers("sparse_categorical_accuracy", y_true, pred)
    return _float32(pred.argmax(axis=-1) == true)


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> NDArray[Any]:
    """Return 1 where fewer than k classes are likelier than the largest of y_true: ``[B, ..., C]`` to ``[B, ...]``.

    Of the largest of y_true the first counts, and 0 where y_pred is NaN there. Errors as of `categorical_accuracy`.
    """
    true, pred = _one_hot_pair("top_k_categorical_accuracy", y_true, y_pred)
    return _in_top_k(true.argmax(axis=-1), pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> NDArray[Any]:
    """Return 1 where fewer than k classes are likelier than class y_true, else 0.

    With ``from_sorted_ids``, y_pred holds class numbers, the likeliest first, and the first k are searched for y_true.

    Shapes: y_true ``[B, ...]`` or ``[B, ..., 1]``, y_pred ``[B, ..., C]`` to ``[B, ...]``. A class number that no class
    has gives 0.

    Raises: ValueError if the shapes do not fit, TypeError if the values are not real numbers.
    """
    pred = as_floats(y_pred, "sparse_top_k_categorical_accuracy: y_pred")
    true = _class_numbers("sparse_top_k_categorical_accuracy", y_true, pred)
    if from_sorted_ids:
        return _float32((pred[..., :k] == true[..., None]).any(axis=-1))
    known = (true >= 0) & (true < pred.shape[-1])
    return _float32((_in_top_k(np.where(known, true, 0).astype(np.int64), pred, k) > 0) & known)


def _in_top_k(classes: NDArray[Any], pred: NDArray[Any], k: int) -> NDArray[Any]:
    chosen = np.take_along_axis(pred, classes[..., None], axis=-1)
    likelier = (pred > chosen).sum(axis=-1)
    return _float32((likelier < k) & ~np.isnan(chosen[..., 0]))
