"""Metrics: what a block of rows adds to float64 sums. Labels are y[R,C], or class numbers labels[R].

All but the confusion counts add ``[sum, number of positions]``.
"""

from __future__ import annotations

from typing import Any

from netlet.backends.numba_kernels.codes import (
    ABSOLUTE_ERROR_METRIC,
    BINARY_ACCURACY,
    CATEGORICAL_ACCURACY,
    CONFUSION,
    SPARSE_CATEGORICAL_ACCURACY,
    SQUARED_ERROR_METRIC,
)
from netlet.backends.numba_kernels.jit import inlined, kernel
from netlet.backends.numba_kernels.view import row

__all__ = ["argmax", "update_metric"]


@kernel
def argmax(x: Any) -> int:
    """The place of the first maximum of x[C]; a NaN counts as the maximum, as in NumPy."""
    best = 0
    for c in range(1, x.size):
        if x[c] > x[best] or (x[c] != x[c] and x[best] == x[best]):
            best = c
    return best


@kernel
def update_confusion(x: Any, y: Any, labels: Any, threshold: float, per_class: int, sums: Any) -> None:
    """Adds [tp, fp, fn, tn], or [tp[C], fp[C], fn[C], tn[C]] per class. Threshold NaN: the maxima are predicted."""
    limit = x.dtype.type(threshold)
    for r in range(x.shape[0]):
        largest = x[r, argmax(row(x, r))] if limit != limit else limit
        for c in range(x.shape[1]):
            if limit != limit:
                predicted = x[r, c] == largest and abs(x[r, c]) > 1e-9
            else:
                predicted = x[r, c] > limit
            true = labels[r] == c if labels.size > 0 else y[r, c] != 0
            kind = (0 if predicted else 2) + (0 if true else 1)
            sums[kind * x.shape[1] + c if per_class else kind] += 1.0


@inlined
def update_metric(code: int, x: Any, y: Any, labels: Any, threshold: float, per_class: int, sums: Any) -> None:
    """Adds the positions x[R,C] with their y[R,C] or labels[R] to the metric's sums."""
    if code == CONFUSION:
        update_confusion(x, y, labels, threshold, per_class, sums)
        return
    limit = x.dtype.type(threshold)
    total = sums[0]  # one sum over all positions, wherever they are cut into blocks
    for r in range(x.shape[0]):
        share = 0.0
        if code == SQUARED_ERROR_METRIC:
            for c in range(x.shape[1]):
                d = x[r, c] - y[r, c]
                share += d * d
            share /= x.shape[1]
        elif code == ABSOLUTE_ERROR_METRIC:
            for c in range(x.shape[1]):
                share += abs(x[r, c] - y[r, c])
            share /= x.shape[1]
        elif code == BINARY_ACCURACY:
            for c in range(x.shape[1]):
                predicted = 1.0 if x[r, c] > limit else 0.0
                share += 1.0 if predicted == y[r, c] else 0.0
            share /= x.shape[1]
        elif code == CATEGORICAL_ACCURACY:
            share = 1.0 if argmax(row(x, r)) == argmax(row(y, r)) else 0.0
        elif code == SPARSE_CATEGORICAL_ACCURACY:
            share = 1.0 if argmax(row(x, r)) == labels[r] else 0.0
        total += share
    sums[0] = total
    sums[1] += x.shape[0]
