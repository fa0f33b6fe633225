"""Confusion matrices: how often each class was taken for each class, as counts and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.plotting.axes import square_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["confusion_matrix", "plot_confusion_matrix"]

CELL = 0.42  # inches, the side of a cell of a large matrix
SMALL = 2.2  # inches, the side of a small matrix, whose cells are larger
CHARACTER = 0.085  # inches, the width of one of a label


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, num_classes: int | None = None) -> NDArray[np.int64]:
    """Counts how often each class was taken for each class.

    Args:
        y_true: integer labels ``[N]`` in ``0 .. num_classes - 1``.
        y_pred: predicted labels ``[N]``; of class probabilities take ``probabilities.argmax(axis=-1)``.
        num_classes: C; by default one more than the largest label.

    Returns: int64 ``[C, C]``; row i, column j is the number of samples of class i that were taken for class j.
    Raises: ValueError if the labels are not integers, out of range, not one-dimensional or not equally many.
    """
    true, predicted = _labels("y_true", y_true), _labels("y_pred", y_pred)
    if true.shape != predicted.shape:
        raise ValueError(f"y_pred: expected as many labels as y_true, {true.size}, got {predicted.size}")
    if num_classes is None:
        num_classes = int(max(true.max(initial=-1), predicted.max(initial=-1))) + 1
    for name, labels in (("y_true", true), ("y_pred", predicted)):
        if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
            raise ValueError(f"{name}: expected labels in 0 .. {num_classes - 1}, got {labels.min()} .. {labels.max()}")
    counts = np.bincount(true * num_classes + predicted, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes).astype(np.int64)


def plot_confusion_matrix(matrix: ArrayLike, labels: Sequence[Any] | None = None, ax: Axes | None = None) -> Axes:
    """Draws a confusion matrix: the counts, shaded by their share of the true class.

    Args:
        matrix: ``[C, C]`` counts, a row per true class; see :func:`confusion_matrix`.
        labels: the C class names; by default ``0 .. C - 1``.
        ax: the matplotlib Axes to draw into; by default those of a new figure.

    Returns: the Axes.
    Raises: ValueError if ``matrix`` is not square or ``labels`` are not C; ImportError if matplotlib is missing.
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.size == 0:
        raise ValueError(f"matrix: expected shape (C, C), got {counts.shape}")
    classes = len(counts)
    names = [str(label) for label in (range(classes) if labels is None else labels)]
    if len(names) != classes:
        raise ValueError(f"labels: expected {classes} names, one per class, got {len(names)}")
    if ax is None:
        side = min(12.0, max(3.6, 1.6 + CELL * classes))
        ax = square_axes(side)
    rows = counts.sum(axis=1, keepdims=True)
    share = counts / np.maximum(rows, 1)
    ax.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for (true, predicted), count in np.ndenumerate(counts):
        if count:  # an empty cell says zero more clearly than a zero
            colour = "white" if share[true, predicted] > 0.5 else "black"
            ax.text(predicted, true, f"{count}", ha="center", va="center", color=colour)
    fits = max(map(len, names)) * CHARACTER <= max(CELL, SMALL / classes)
    ax.set_xticks(range(classes), names, rotation=0 if fits else 45)
    ax.set_yticks(range(classes), names)
    edges = np.arange(classes + 1) - 0.5
    ax.set_xticks(edges, minor=True)
    ax.set_yticks(edges, minor=True)
    ax.grid(which="minor", color="0.88", linewidth=0.6)
    ax.tick_params(which="both", length=0)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")
    ax.set_title(f"{int(np.trace(counts)):,} of {int(counts.sum()):,} right")
    return ax


def _labels(name: str, labels: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected labels of shape (N,), got shape {array.shape}")
    whole = array.dtype.kind in "iub" or (array.dtype.kind == "f" and bool(np.all(array == np.floor(array))))
    if array.size and not whole:
        raise ValueError(f"{name}: expected integer labels, got {array.dtype}")
    return array.astype(np.int64)
