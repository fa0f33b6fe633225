"""Metrics that are a mean over positions: squared and absolute error, and the three accuracies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.metrics import functions
from netlet.metrics.metric import Metric, Sums, weighted


class MeanMetric(Metric):
    """A metric whose sums are [weighted sum over positions, sum of weights] and whose value is their quotient."""

    _width = 2

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(self.op if name is None else name, dtype)

    def per_position(self, y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
        """Return the metric of every position: y_pred ``[B, ..., L]`` to ``[B, ...]``."""
        function = getattr(functions, self.op)
        result: NDArray[Any] = function(y_true, y_pred, **self.attrs())
        return result

    def batch_sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> Sums:
        values, weight = weighted(self.per_position(y_true, y_pred), sample_weight, self.name)
        return np.array([(values * weight).sum(), weight.sum()])

    def value(self, sums: Sequence[float] | Sums) -> float:
        total, count = sums
        return float(total / count) if count else 0.0


class MeanSquaredError(MeanMetric):
    """The mean of squared differences; arguments as of `Metric`."""

    op = "mean_squared_error"


class MeanAbsoluteError(MeanMetric):
    """The mean of absolute differences; arguments as of `Metric`."""

    op = "mean_absolute_error"


class BinaryAccuracy(MeanMetric):
    """How often ``y_pred > threshold`` equals y_true.

    Args:
        name, dtype: as of `Metric`.
        threshold: a number; default 0.5.
    """

    op = "binary_accuracy"

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
            raise ValueError(f"{self.name}: threshold must be a number, got {threshold!r}")
        self.threshold = float(threshold)

    def attrs(self) -> dict[str, Any]:
        return {"threshold": self.threshold}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(MeanMetric):
    """How often the most likely class is that of a one-hot label; arguments as of `Metric`."""

    op = "categorical_accuracy"


class SparseCategoricalAccuracy(MeanMetric):
    """How often the most likely class is that of a class number; arguments as of `Metric`."""

    op = "sparse_categorical_accuracy"
