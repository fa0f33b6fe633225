"""Metrics made from counts of true and false positives and negatives: precision, recall, F1."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.config import EPSILON
from netlet.errors import unknown_name
from netlet.losses.functions import as_floats, match_ranks
from netlet.metrics.metric import Metric, Sums, weighted

AVERAGES = ("micro", "macro", "weighted")


def _labels(y_true: ArrayLike, pred: NDArray[Any], name: str) -> NDArray[np.bool_]:
    """Which classes are true: labels of the prediction's shape are positive above 0.5; class numbers become one-hot."""
    true = as_floats(y_true, f"{name}: y_true")
    if true.ndim == pred.ndim - 1 and pred.shape[-1] > 1:
        if true.shape != pred.shape[:-1]:
            raise ValueError(f"{name}: y_true has shape {true.shape}, expected {pred.shape[:-1]} or {pred.shape}")
        return np.asarray(true[..., None] == np.arange(pred.shape[-1]))
    true, _ = match_ranks(true, pred)
    if true.shape != pred.shape:
        raise ValueError(f"{name}: y_true has shape {true.shape}, expected {pred.shape} as y_pred has")
    return np.asarray(true > 0.5)


class ConfusionMetric(Metric):
    """A metric of the counts [tp, fp, fn, tn], each of them over everything or per class.

    Attributes:
        threshold: predictions above it are positive; None: the most likely class is, and no other.
        per_class: whether each class is counted for itself.
    """

    op = "confusion"
    threshold: float | None = 0.5
    per_class = False

    def attrs(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "per_class": self.per_class}

    def batch_sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> Sums:
        pred = as_floats(y_pred, f"{self.name}: y_pred")
        if pred.ndim == 1:  # a vector of predictions is one column
            pred = pred[:, None]
        if pred.ndim < 2:
            raise ValueError(f"{self.name}: y_pred must have at least one axis")
        true = _labels(y_true, pred, self.name)
        if self.threshold is None:
            positive = pred.argmax(axis=-1)[..., None] == np.arange(pred.shape[-1])
        else:
            positive = pred > self.threshold
        _, weight = weighted(np.zeros(pred.shape[:-1]), sample_weight, self.name)
        classes = pred.shape[-1]
        true, positive = true.reshape(-1, classes), positive.reshape(-1, classes)
        rows = weight.reshape(-1)
        cells = (positive & true, positive & ~true, ~positive & true, ~positive & ~true)
        counts = np.stack([rows @ cell for cell in cells])
        result: Sums = counts.reshape(-1) if self.per_class else counts.sum(axis=1)
        return result

    def value(self, sums: Sequence[float] | Sums) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define value()")


class _Ratio(ConfusionMetric):
    """tp / (tp + the counts that ``_other`` names), over everything or for one class."""

    _other = 1

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        if top_k is not None:
            raise ValueError(f"{self.name}: top_k={top_k!r} is not supported yet")
        if isinstance(thresholds, (list, tuple, np.ndarray)):
            if len(thresholds) != 1:
                raise ValueError(f"{self.name}: more than one threshold is not supported yet, got {thresholds!r}")
            thresholds = thresholds[0]
        if thresholds is not None and (isinstance(thresholds, bool) or not isinstance(thresholds, (int, float))):
            raise ValueError(f"{self.name}: thresholds must be a number in [0, 1], got {thresholds!r}")
        if thresholds is not None and not 0 <= thresholds <= 1:
            raise ValueError(f"{self.name}: thresholds must be a number in [0, 1], got {thresholds!r}")
        self.thresholds = None if thresholds is None else float(thresholds)
        self.threshold = 0.5 if thresholds is None else float(thresholds)
        if class_id is not None:
            try:
                class_id = operator.index(class_id)
            except TypeError:
                class_id = -1
            if class_id < 0:
                raise ValueError(f"{self.name}: class_id must be None or a class number")
        self.class_id = class_id
        self.per_class = class_id is not None

    def value(self, sums: Sequence[float] | Sums) -> float:
        counts = np.asarray(sums).reshape(4, -1)
        column = self.class_id or 0
        if column >= counts.shape[1]:
            if not counts.any():
                return 0.0
            raise ValueError(f"{self.name}: class_id {column} is not below the number of classes, {counts.shape[1]}")
        hit, miss = float(counts[0, column]), float(counts[self._other, column])
        return hit / (hit + miss) if hit + miss else 0.0

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.thresholds, "top_k": None, "class_id": self.class_id}


class Precision(_Ratio):
    """The share of positive predictions that are right: tp / (tp + fp); 0 if there are none.

    Args:
        thresholds: predictions above it are positive; a number in [0, 1], None is 0.5.
        top_k: not supported yet.
        class_id: count this class only; None counts all together.
        name, dtype: as of `Metric`.
    """


class Recall(_Ratio):
    """The share of true labels that are found: tp / (tp + fn); 0 if there are none.

    Args: as of `Precision`.
    """

    _other = 2


class F1Score(ConfusionMetric):
    """The harmonic mean of precision and recall, per class or averaged.

    Args:
        average: None: an array, one score per class; "micro": of the counts of all classes together; "macro": the mean
            of the classes; "weighted": their mean weighted by how often they occur.
        threshold: predictions above it are positive, a float in (0, 1]; None: the most likely class is.
        name: default "f1_score".
        dtype: as of `Metric`.

    As Keras does, 1e-7 is added to the denominators, so that a class without predictions and labels scores 0.

    Raises: ValueError if an argument is none of these.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        if average is not None and average not in AVERAGES:
            raise unknown_name("average", average, AVERAGES)
        if threshold is not None:
            if not isinstance(threshold, float):
                raise ValueError(f"{self.name}: threshold must be a float, got {threshold!r}")
            if not 0.0 < threshold <= 1.0:
                raise ValueError(f"{self.name}: threshold must lie in (0, 1], got {threshold!r}")
        self.average = average
        self.threshold = threshold
        self.per_class = average != "micro"

    def value(self, sums: Sequence[float] | Sums) -> Any:
        hit, wrong, missed, _ = np.asarray(sums).reshape(4, -1)
        precision = hit / (hit + wrong + EPSILON)
        recall = hit / (hit + missed + EPSILON)
        scores = 2.0 * precision * recall / (precision + recall + EPSILON)
        if self.average is None:
            return scores
        if self.average == "weighted":
            support = hit + missed
            return float((scores * support).sum() / (support.sum() + EPSILON))
        return float(scores.mean())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "average": self.average, "threshold": self.threshold}
