"""The figures of a classifier, read off its confusion matrix, and the text in which the examples print them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scores:
    """Scores of a classifier with C classes. A quotient 0/0, of a class that was never predicted, counts as 0.

    Attributes:
        precision: ``[C]``: of the samples taken for the class, the share that belong to it.
        recall: ``[C]``: of the samples of the class, the share that were taken for it.
        f1: ``[C]``: their harmonic mean.
        support: ``[C]``: the number of samples of the class.
        accuracy: the share of all samples that were taken for what they are.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]
    accuracy: float


def scores(matrix: NDArray[np.int64]) -> Scores:
    """The scores of a classifier with confusion matrix ``[C, C]`` (a row per true class)."""
    right, predicted, support = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    precision, recall = right / np.maximum(predicted, 1), right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(predicted + support, 1)
    return Scores(precision, recall, f1, support, float(right.sum() / matrix.sum()))


def score_table(result: Scores, names: Sequence[Any]) -> str:
    """A line per class, then the macro average: the mean over classes, each counting the same."""
    rows = [
        (str(name), *values)
        for name, *values in zip(names, result.precision, result.recall, result.f1, result.support, strict=True)
    ]
    means = (result.precision.mean(), result.recall.mean(), result.f1.mean(), result.support.sum())
    width = max(len("macro average"), *(len(row[0]) for row in rows))
    lines = [f"{'class':>{width}}{'precision':>11}{'recall':>9}{'F1':>9}{'samples':>9}"]
    for name, precision, recall, f1, support in (*rows, ("macro average", *means)):
        lines.append(f"{name:>{width}}{precision:11.4f}{recall:9.4f}{f1:9.4f}{support:9d}")
    return "\n".join(lines)


def matrix_table(matrix: NDArray[np.int64], names: Sequence[Any]) -> str:
    """The confusion matrix as text: a row per true class, a column per predicted class, a dot for none."""
    cells = [["true\\predicted", *map(str, names)]]
    cells += [
        [str(name), *(str(count) if count else "." for count in row)] for name, row in zip(names, matrix, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells)
