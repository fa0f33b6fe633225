"""Labels and probabilities of classifiers, checked, as the curves take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["binary_labels", "per_class", "weights_of"]


def binary_labels(y_true: ArrayLike, y_score: ArrayLike, *, probabilities: bool) -> tuple[NDArray[np.bool_], Any]:
    """Return labels as bools ``[N]`` and scores as float64 ``[N]``; both may come as ``[N, 1]``.

    Raises: ValueError if the labels are not 0 and 1, shapes differ, or a score is NaN or, of ``probabilities``, not in
        [0, 1].
    """
    labels, scores = np.asarray(y_true), np.asarray(y_score, np.float64)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    scores = scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores
    if labels.ndim != 1 or labels.shape != scores.shape or labels.size == 0:
        raise ValueError(
            f"y_true and y_score: expected the same shape (N,), got {np.shape(y_true)} and {np.shape(y_score)}"
        )
    if not np.all((labels == 0) | (labels == 1)):
        raise ValueError("y_true: expected the labels 0 and 1")
    if np.isnan(scores).any():
        raise ValueError("y_score: holds NaN")
    if probabilities and not (scores.min() >= 0 and scores.max() <= 1):
        raise ValueError(f"y_prob: expected probabilities in [0, 1], got {scores.min():.6g} .. {scores.max():.6g}")
    return labels.astype(bool), scores


def per_class(y_true: ArrayLike, y_score: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Return integer labels ``[N]`` and scores ``[N, C]`` of a classifier with C > 1 classes, None of a binary one.

    Raises: ValueError if the labels, integers or one-hot rows, are not of C classes and N samples.
    """
    scores = np.asarray(y_score, np.float64)
    if scores.ndim != 2 or scores.shape[1] == 1:
        return None
    labels = np.asarray(y_true)
    if labels.shape == scores.shape:
        labels = labels.argmax(axis=1)
    elif labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != scores.shape[:1] or labels.size == 0:
        raise ValueError(f"y_true: expected {len(scores)} labels, as y_score has rows, got shape {np.shape(y_true)}")
    whole = labels.astype(np.int64)
    if not np.array_equal(whole, labels) or whole.min() < 0 or whole.max() >= scores.shape[1]:
        raise ValueError(f"y_true: expected integer labels in 0 .. {scores.shape[1] - 1}")
    return whole, scores


def weights_of(sample_weight: ArrayLike | None, count: int) -> NDArray[np.float64]:
    """Return one weight for each of ``count`` samples, 1 by default; ValueError for another shape or a negative one."""
    if sample_weight is None:
        return np.ones(count)
    weights = np.asarray(sample_weight, np.float64)
    if weights.shape != (count,) or not (weights >= 0).all():
        raise ValueError(f"sample_weight: expected {count} weights of at least 0, got shape {weights.shape}")
    return weights
