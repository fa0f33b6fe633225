"""R2Score: how much of the labels' variance the predictions explain."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlet.errors import did_you_mean
from netlet.losses.functions import as_floats, match_ranks
from netlet.metrics.metric import Metric
from netlet.metrics.weights import broadcast_weight

_AGGREGATIONS = ("uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """The coefficient of determination, 1 - (sum of squared errors) / (sum of squared deviations from the mean).

    1 for perfect predictions, 0 for the mean of the labels, negative for worse; larger is better. A column whose labels
    are all equal scores 0, or NaN if they are predicted without error.

    Args:
        class_aggregation: "uniform_average" (the mean of the columns, the default), "variance_weighted_average" (their
            mean weighted by the labels' variance), or None: an array, one score per column.
        num_regressors: the number of predictors, by which the score is adjusted; 0, the default: not.
        name: default "r2_score".
        dtype: as of `Metric`.

    Shapes: y_true and y_pred ``[B, L]``. The result is a float, or an array ``[L]``.

    With p regressors and n the number of labels in all columns, the score becomes
    ``1 - (1 - score) (n - 1) / (n - p - 1)``; where n is not above p + 1 a warning says that it does not. Source:
    keras.metrics.R2Score, Keras 3.15.

    Raises: ValueError if an argument or a shape is none of these.
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation is not None and class_aggregation not in _AGGREGATIONS:
            raise ValueError(
                f"{self.name}: Invalid value for argument `class_aggregation`. Expected one of "
                f"{(None, *_AGGREGATIONS)}, got {class_aggregation!r}.{did_you_mean(class_aggregation, _AGGREGATIONS)}"
            )
        if num_regressors < 0:
            raise ValueError(
                f"{self.name}: Invalid value for argument `num_regressors`. Expected at least 0, got {num_regressors}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable(shape=(), initializer="zeros", name="num_samples")
        self._built = False

    def _build(self, columns: int) -> None:
        self.squared_sum = self.add_variable(shape=(columns,), initializer="zeros", name="squared_sum")
        self.sum = self.add_variable(shape=(columns,), initializer="zeros", name="sum")
        self.total_mse = self.add_variable(shape=(columns,), initializer="zeros", name="residual")
        self.count = self.add_variable(shape=(columns,), initializer="zeros", name="count")
        self._built = True

    def _make_state(self, shapes: Sequence[tuple[int, ...]]) -> None:
        if not self._built and shapes and len(shapes[-1]) == 1:
            self._build(shapes[-1][0])

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch; see `Metric.update_state`."""
        true, pred = match_ranks(as_floats(y_true, f"{self.name}: y_true"), as_floats(y_pred, f"{self.name}: y_pred"))
        if true.ndim != 2 or pred.shape != true.shape:
            raise ValueError(
                f"{self.name} expects 2D inputs with shape (batch_size, output_dim), one for y_true and y_pred. "
                f"Received: y_pred.shape={pred.shape} and y_true.shape={true.shape}"
            )
        weight = broadcast_weight(1.0 if sample_weight is None else sample_weight, true.shape, self.name)
        if not self._built:
            self._build(true.shape[1])
        if self.sum.shape != true.shape[1:]:
            raise ValueError(f"{self.name}: batch has {true.shape[1]} columns, expected {self.sum.shape[0]}")
        weighted = true * weight  # float64
        self.sum.assign_add(weighted.sum(axis=0))
        self.squared_sum.assign_add((true * weighted).sum(axis=0))
        self.total_mse.assign_add((np.square(true - pred) * weight).sum(axis=0))
        self.count.assign_add(np.broadcast_to(weight, true.shape).sum(axis=0))
        self.num_samples.assign_add(float(true.size))

    def result(self) -> Any:
        """Return the score since the last reset, or an array with one per column; 0 before the first batch."""
        if not self._built or not np.any(self.count):
            return 0.0 if self.class_aggregation is not None or not self._built else np.zeros(self.sum.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = np.asarray(self.squared_sum - self.sum * (self.sum / self.count))
            scores = 1 - self.total_mse / total
            scores = np.where(np.isinf(scores), 0.0, scores)
            if self.class_aggregation == "uniform_average":
                score: Any = float(scores.mean())
            elif self.class_aggregation == "variance_weighted_average":
                score = float((total * scores).sum() / total.sum())
            else:
                score = scores
        return self._adjusted(score)

    def _adjusted(self, score: Any) -> Any:
        """``score``, lowered for the number of predictors."""
        if not self.num_regressors:
            return score
        free = float(self.num_samples) - self.num_regressors - 1
        if free < 0:
            warnings.warn(f"{self.name}: more predictors than samples; the score is not adjusted", stacklevel=3)
            return score
        if free == 0:
            warnings.warn(f"{self.name}: as many predictors as samples; the score is not adjusted", stacklevel=3)
            return score
        return 1 - (1 - score) * (float(self.num_samples) - 1) / free

    def get_config(self) -> dict[str, Any]:
        config = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **config}
