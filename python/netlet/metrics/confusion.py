"""Metrics of counts: true and false positives and negatives, and their ratios precision and recall."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlet.metrics.metric import Metric, Sums
from netlet.metrics.thresholds import LOWEST, Counts, check_thresholds, confusion_at_thresholds, evenly_spaced


def check_class_id(class_id: Any, owner: str) -> int | None:
    """Return ``class_id``; ValueError naming ``owner`` if it is neither None nor an int of at least 0."""
    if class_id is None:
        return None
    try:
        number = operator.index(class_id)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(f"{owner}: class_id must be None or a class number, got {class_id!r}")
    return number


def plain(thresholds: Any) -> Any:
    """``thresholds`` as a config holds them: an array becomes a list."""
    return thresholds.tolist() if isinstance(thresholds, (np.ndarray, np.generic)) else thresholds


def divide(a: Any, b: Any) -> Any:
    """Return a / b, and 0 where b is 0, as float64."""
    b = np.asarray(b, np.float64)
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b != 0)


class _Count(Metric):
    """The weighted number of predictions of one kind, at one or more thresholds."""

    _kind = ""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = plain(thresholds)
        self.thresholds = check_thresholds(thresholds, self.name)
        self._evenly = evenly_spaced(self.thresholds)
        self.accumulator = self.add_variable(shape=(len(self.thresholds),), initializer="zeros", name="accumulator")

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch; see `Metric.update_state`."""
        counts = confusion_at_thresholds(
            y_true, y_pred, self.thresholds, sample_weight, evenly=self._evenly, name=self.name
        )
        self.accumulator.assign_add(getattr(counts, self._kind))

    def result(self) -> Any:
        """Return the number since the last reset, or an array with one per threshold."""
        return float(self.accumulator[0]) if len(self.thresholds) == 1 else self.accumulator.numpy()

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """The number of positive predictions whose labels are positive.

    Args:
        thresholds: predictions above it are positive; a number in [0, 1], a list of them, or None for 0.5.
        name, dtype: as of `Metric`.

    The result is a float, or an array ``[T]`` for T thresholds: the sum of their weights, without weights a number of
    predictions. Labels are positive unless 0.

    Shapes: y_true and y_pred ``[...]`` of one shape, or class numbers ``[B, ...]`` for predictions ``[B, ..., C]``.

    Raises: ValueError if a threshold lies outside [0, 1].
    """

    _kind = "tp"


class FalsePositives(_Count):
    """The number of positive predictions whose labels are negative. Arguments as of `TruePositives`.

    Result, shapes and errors as of `TruePositives`.
    """

    _kind = "fp"


class TrueNegatives(_Count):
    """The number of negative predictions whose labels are negative. Arguments as of `TruePositives`.

    Result, shapes and errors as of `TruePositives`.
    """

    _kind = "tn"


class FalseNegatives(_Count):
    """The number of negative predictions whose labels are positive. Arguments as of `TruePositives`.

    Result, shapes and errors as of `TruePositives`.
    """

    _kind = "fn"


class _Ratio(Metric):
    """tp / (tp + another count); with one threshold and without ``top_k`` also in a program.

    There, the op counts [tp, fp, fn, tn], over everything or, for ``class_id``, per class.
    """

    op = "confusion"
    _other = "fp"
    _other_name = "false_positives"
    _other_cell = 1  # in the op's sums

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = plain(thresholds)
        self.top_k = None if top_k is None else _positive(top_k, f"{self.name}: top_k")
        self.class_id = check_class_id(class_id, self.name)
        self.thresholds = check_thresholds(thresholds, self.name, 0.5 if top_k is None else LOWEST)
        self._evenly = evenly_spaced(self.thresholds)
        if len(self.thresholds) > 1 or top_k is not None:
            self.op = ""
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape=shape, initializer="zeros", name="true_positives")
        self._others = self.add_variable(shape=shape, initializer="zeros", name=self._other_name)

    def attrs(self) -> dict[str, Any]:
        return {"threshold": self.thresholds[0], "per_class": self.class_id is not None}

    def value(self, sums: Sequence[float] | Sums) -> float:
        counts = np.asarray(sums).reshape(4, -1)
        column = self.class_id or 0
        if column >= counts.shape[1]:
            if not counts.any():
                return 0.0
            raise ValueError(f"{self.name}: class_id {column} is not below the number of classes, {counts.shape[1]}")
        hit, miss = counts[0, column], counts[self._other_cell, column]
        return float(divide(hit, hit + miss))

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch; see `Metric.update_state`."""
        counts = confusion_at_thresholds(
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
            evenly=self._evenly,
            name=self.name,
        )
        self.true_positives.assign_add(counts.tp)
        self._others.assign_add(getattr(counts, self._other))

    def result(self) -> Any:
        """Return the ratio since the last reset, or an array with one per threshold."""
        ratio = divide(self.true_positives, self.true_positives + self._others)
        return float(ratio[0]) if len(self.thresholds) == 1 else ratio

    def get_config(self) -> dict[str, Any]:
        config = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **config}


class Precision(_Ratio):
    """The share of positive predictions that are right: tp / (tp + fp); 0 if there are none.

    Args:
        thresholds: predictions above it are positive; a number in [0, 1], a list of them, or None: 0.5, and with
            ``top_k`` below everything.
        top_k: only the k largest predictions of the last axis can be positive; None: all can.
        class_id: count this class only; None counts all together.
        name, dtype: as of `Metric`.

    The result is a float, or an array ``[T]`` for T thresholds, in [0, 1]; larger is better.

    Shapes: as of `TruePositives`; with ``class_id``, y_pred ``[B, ..., C]``.

    Raises: ValueError if an argument is none of these or, with a batch, ``class_id`` is not below C.
    """

    @property
    def false_positives(self) -> Any:
        """The weighted number of positive predictions that are wrong, per threshold."""
        return self._others


class Recall(_Ratio):
    """The share of positive labels that are found: tp / (tp + fn); 0 if there are none.

    Args: as of `Precision`.

    Result, in [0, 1], shapes and errors as of `Precision`.
    """

    _other = "fn"
    _other_name = "false_negatives"
    _other_cell = 2

    @property
    def false_negatives(self) -> Any:
        """The weighted number of positive labels that were missed, per threshold."""
        return self._others


def _positive(value: Any, what: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"{what} must be a positive int, got {value!r}")
    return number


def add_counts(metric: Any, counts: Counts) -> None:
    """Add ``counts`` to the four variables of a metric that keeps them all."""
    metric.true_positives.assign_add(counts.tp)
    metric.false_positives.assign_add(counts.fp)
    metric.true_negatives.assign_add(counts.tn)
    metric.false_negatives.assign_add(counts.fn)
