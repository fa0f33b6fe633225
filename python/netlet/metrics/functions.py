"""Accuracies as functions of arrays: one number per position, a position being all axes of y_pred but the last."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.losses.functions import as_floats, match_ranks, mean_absolute_error, mean_squared_error

__all__ = [
    "binary_accuracy",
    "categorical_accuracy",
    "mean_absolute_error",
    "mean_squared_error",
    "sparse_categorical_accuracy",
]


def _pair(name: str, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    true, pred = match_ranks(as_floats(y_true, f"{name}: y_true"), as_floats(y_pred, f"{name}: y_pred"))
    if true.shape != pred.shape or pred.ndim == 0:
        raise ValueError(f"{name}: y_true has shape {true.shape}, expected {pred.shape} as y_pred has")
    return true, pred


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> NDArray[Any]:
    """Return the share of the last axis where ``y_pred > threshold`` equals y_true: ``[B, ..., L]`` to ``[B, ...]``."""
    true, pred = _pair("binary_accuracy", y_true, y_pred)
    right: NDArray[Any] = ((pred > threshold) == true).mean(axis=-1, dtype=np.float32)
    return right


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
    """Return 1 where the largest of y_pred is where the largest of y_true is, else 0: ``[B, ..., C]`` to ``[B, ...]``.

    Of equals, the first counts.
    """
    true, pred = _pair("categorical_accuracy", y_true, y_pred)
    right: NDArray[Any] = np.equal(true.argmax(axis=-1), pred.argmax(axis=-1)).astype(np.float32)
    return right


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
    """Return 1 where the largest of y_pred is at class y_true, else 0. Of equals, the first counts.

    Shapes: y_true ``[B, ...]`` or ``[B, ..., 1]``, y_pred ``[B, ..., C]`` to ``[B, ...]``.
    """
    pred = as_floats(y_pred, "sparse_categorical_accuracy: y_pred")
    true = np.asarray(y_true)
    if true.ndim == pred.ndim and true.shape[-1:] == (1,):
        true = true[..., 0]
    if pred.ndim == 0 or true.shape != pred.shape[:-1]:
        raise ValueError(f"sparse_categorical_accuracy: y_true has shape {true.shape}, expected {pred.shape[:-1]}")
    right: NDArray[Any] = np.equal(pred.argmax(axis=-1), true).astype(np.float32)
    return right
