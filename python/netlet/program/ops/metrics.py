"""Metrics: what a batch adds to a few float64 sums, from which Python makes the number that people read.

A position is an index into all axes of the prediction but the last. Except for ``confusion``, the sums are
``[sum over positions, number of positions]`` and the metric is their quotient. Sample weights do not enter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from netlet.program.case import Case
from netlet.program.spec import Array, Attr, Attrs, MetricSpec, Shape, elements

__all__ = [
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "Confusion",
    "MeanAbsoluteErrorMetric",
    "MeanSquaredErrorMetric",
    "SparseCategoricalAccuracy",
]


def _add(sums: Array, total: Any, count: int) -> None:
    sums[0] += float(total)
    sums[1] += count


_SHAPES: tuple[tuple[int, Shape], ...] = (
    (1, (1,)),
    (10, (1,)),
    (3, (3,)),
    (7, (4,)),
    (17, (8,)),
    (5, (9,)),
    (33, (10,)),
    (4, (17,)),
    (61, (5,)),
    (4, (3, 5)),
    (2, (2, 3, 7)),
)


class _SameLabels(MetricSpec):
    """What the metrics whose labels look like the prediction have in common."""

    def cases(self) -> Iterator[Case]:
        for batch, shape in _SHAPES:
            yield Case(self, batch, (shape,))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape = (case.batch, *case.shapes[0])
        return {"x": rng.standard_normal(shape), "y": rng.standard_normal(shape)}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # numbers are not negative, each errs by at most 2 eps, and rows of L are summed with L eps/2 at most
        return {"sums": np.array([(case.shapes[0][-1] / 2 + 4) * eps * want["sums"][0], 0.0])}


class _Counting(MetricSpec):
    """What the metrics that count have in common: counts are exact in every element type."""

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # the sums are float64, of whole numbers or of such divided by the last axis' length: a rounding a position
        positions = case.batch * elements(case.shapes[0][:-1])
        return {"sums": (positions + 1) * float(np.finfo(np.float64).eps) * np.abs(want["sums"])}


class MeanSquaredErrorMetric(_SameLabels):
    """The mean of squared differences."""

    name = "mean_squared_error"
    signature = "x[B,...,L] y[B,...,L] -> sums[2]"
    formula = "sum over positions of mean((x - y)^2)"
    source = "keras.metrics.MeanSquaredError"

    def update(self, attrs: Attrs, x: Array, y: Array, sums: Array) -> None:
        difference = np.subtract(x, y)
        difference *= difference
        _add(sums, difference.sum(dtype=np.float64) / x.shape[-1], elements(x.shape[:-1]))


class MeanAbsoluteErrorMetric(_SameLabels):
    """The mean of absolute differences."""

    name = "mean_absolute_error"
    signature = "x[B,...,L] y[B,...,L] -> sums[2]"
    formula = "sum over positions of mean(|x - y|)"
    source = "keras.metrics.MeanAbsoluteError"

    def update(self, attrs: Attrs, x: Array, y: Array, sums: Array) -> None:
        difference = np.subtract(x, y)
        np.abs(difference, out=difference)
        _add(sums, difference.sum(dtype=np.float64) / x.shape[-1], elements(x.shape[:-1]))


class BinaryAccuracy(_Counting):
    """How often ``x > threshold`` equals y."""

    name = "binary_accuracy"
    signature = "x[B,...,L] y[B,...,L] -> sums[2]"
    formula = "sum over positions of mean((x > threshold) == y)"
    source = "keras.metrics.BinaryAccuracy"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("threshold", "float", 0.5),)

    def update(self, attrs: Attrs, x: Array, y: Array, sums: Array) -> None:
        right = np.count_nonzero((x > attrs["threshold"]) == y)
        _add(sums, right / x.shape[-1], elements(x.shape[:-1]))

    def cases(self) -> Iterator[Case]:
        for n, (batch, shape) in enumerate(_SHAPES):
            yield Case(self, batch, (shape,), attrs={"threshold": (0.5, 0.25, 0.75)[n % 3]})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Predictions in eighths, so that some equal the threshold: those are below it."""
        shape = (case.batch, *case.shapes[0])
        return {"x": rng.integers(0, 9, shape) / 8, "y": rng.integers(0, 2, shape) * 1.0}


class CategoricalAccuracy(_Counting):
    """How often the largest of x is where the largest of y is; of equals, the first counts."""

    name = "categorical_accuracy"
    signature = "x[B,...,C] y[B,...,C] -> sums[2]"
    formula = "number of positions with argmax x == argmax y"
    source = "keras.metrics.CategoricalAccuracy"

    def update(self, attrs: Attrs, x: Array, y: Array, sums: Array) -> None:
        right = np.count_nonzero(x.argmax(axis=-1) == y.argmax(axis=-1))
        _add(sums, right, elements(x.shape[:-1]))

    def cases(self) -> Iterator[Case]:
        for batch, shape in _SHAPES:
            yield Case(self, batch, (shape,))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Predictions in quarters, so that there are ties; labels one-hot."""
        shape = (case.batch, *case.shapes[0])
        x = rng.integers(-4, 5, shape) / 4
        return {"x": x, "y": np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]}


class SparseCategoricalAccuracy(_Counting):
    """How often the largest of x is at class y; of equals, the first counts."""

    name = "sparse_categorical_accuracy"
    signature = "x[B,...,C] y[B,...] int32 -> sums[2]"
    formula = "number of positions with argmax x == y"
    source = "keras.metrics.SparseCategoricalAccuracy"
    labels = "integer"

    def update(self, attrs: Attrs, x: Array, y: Array, sums: Array) -> None:
        right = np.count_nonzero(x.argmax(axis=-1) == y)
        _add(sums, right, elements(x.shape[:-1]))

    def cases(self) -> Iterator[Case]:
        for batch, shape in _SHAPES:
            yield Case(self, batch, (shape,))
        yield Case(self, 9, ((5,),), data="bad labels")

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Predictions in quarters, so that there are ties; ``bad labels``: class numbers that no class has."""
        shape = (case.batch, *case.shapes[0])
        labels = rng.integers(0, shape[-1], shape[:-1])
        if case.data == "bad labels":
            labels[[0, 2, 4]] = -1, shape[-1], 2**31 - 1
        return {"x": rng.integers(-4, 5, shape) / 4, "y": labels}


class Confusion(_Counting):
    """Counts of true positives, false positives, false negatives and true negatives: precision, recall, F1.

    ``threshold`` null: the classes of the largest x are predicted, all of equals, unless it is 0 (below 1e-9). Else:
    each with x > threshold. y is positive where it is not 0, or, if it holds class numbers, at the class that it names;
    a class number out of range names none.
    The sums are ``[tp, fp, fn, tn]``, or with ``per_class`` ``[tp[C], fp[C], fn[C], tn[C]]``.
    """

    name = "confusion"
    signature = "x[B,...,C] y[B,...,C] or y[B,...] int32 -> sums[4] or sums[4 C]"
    formula = "counts of (predicted, true) = (1, 1), (1, 0), (0, 1), (0, 0)"
    source = "keras.metrics.Precision, Recall, F1Score"
    labels = "either"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("threshold", "float or null", None), Attr("per_class", "bool", False))

    def size(self, prediction: Shape, attrs: Attrs) -> int:
        return 4 * prediction[-1] if attrs["per_class"] else 4

    def update(self, attrs: Attrs, x: Array, y: Array, sums: Array) -> None:
        classes = x.shape[-1]
        x2 = x.reshape(-1, classes)
        numbers = np.arange(classes)
        if attrs["threshold"] is None:
            predicted = (x2 == x2.max(axis=1, keepdims=True)) & (np.abs(x2) > 1e-9)
        else:
            predicted = x2 > attrs["threshold"]
        true = y.reshape(-1)[:, None] == numbers if y.ndim < x.ndim else y.reshape(-1, classes) != 0
        hit = np.count_nonzero(predicted & true, axis=0)
        positive = np.count_nonzero(predicted, axis=0)
        relevant = np.count_nonzero(true, axis=0)
        counts = np.stack((hit, positive - hit, relevant - hit, len(x2) - positive - relevant + hit))
        sums += counts.reshape(-1) if attrs["per_class"] else counts.sum(axis=1)

    def cases(self) -> Iterator[Case]:
        for per_class in (False, True):
            for n, (batch, shape) in enumerate(_SHAPES):
                for threshold in (None, 0.5):
                    attrs = {"threshold": threshold, "per_class": per_class}
                    yield Case(self, batch, (shape,), attrs=attrs, data="classes" if n % 2 else "normal")
            yield Case(self, 9, ((5,),), attrs={"per_class": per_class}, data="bad labels")

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``normal``: labels of 0, 1 and 1/4. ``classes``: class numbers. ``bad labels``: those that no class has too.

        Predictions are eighths from 0 to 1, so that there are ties, zeros, and equals of the threshold.
        """
        shape = (case.batch, *case.shapes[0])
        x = rng.integers(0, 9, shape) / 8
        if case.data == "normal":
            return {"x": x, "y": rng.choice([0.0, 1.0, 0.25], shape, p=[0.5, 0.4, 0.1])}
        labels = rng.integers(0, shape[-1], shape[:-1])
        if case.data == "bad labels":
            labels[[0, 2, 4]] = -1, shape[-1], 2**31 - 1
        return {"x": x, "y": labels}
