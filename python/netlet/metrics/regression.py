"""Metrics of predicted numbers: mean errors of several kinds, and the cosine of the angle to the labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.losses import functions as losses
from netlet.metrics.functions import aligned
from netlet.metrics.reduction import FunctionMetric, Mean


class MeanSquaredError(FunctionMetric):
    """The mean of squared differences.

    In the square of the labels' unit; smaller is better. Shapes and errors of a batch: `losses.mean_squared_error`.

    Args: name, default "mean_squared_error"; dtype as of `Metric`.
    """

    op = "mean_squared_error"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(FunctionMetric):
    """The mean of absolute differences.

    In the labels' unit; smaller is better. Shapes and errors of a batch: `losses.mean_absolute_error`.

    Args: name, default "mean_absolute_error"; dtype as of `Metric`.
    """

    op = "mean_absolute_error"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(FunctionMetric):
    """The mean of absolute differences in percent of the labels.

    At least 0; smaller is better. Formula, shapes and errors of a batch: `losses.mean_absolute_percentage_error`.

    Args: name, default "mean_absolute_percentage_error"; dtype as of `Metric`.
    """

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(FunctionMetric):
    """The mean of squared differences of logarithms.

    At least 0; smaller is better. Formula, shapes and errors of a batch: `losses.mean_squared_logarithmic_error`.

    Args: name, default "mean_squared_logarithmic_error"; dtype as of `Metric`.
    """

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(FunctionMetric):
    """The mean of the logarithm of the hyperbolic cosine of the differences.

    At least 0; smaller is better. Shapes and errors of a batch: `losses.log_cosh`.

    Args: name, default "logcosh"; dtype as of `Metric`.
    """

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


class RootMeanSquaredError(Mean):
    """The square root of the mean of all squared differences.

    In the labels' unit, at least 0; smaller is better. Shapes: y_true and y_pred ``[B, ...]``, the same.

    Args: name, default "root_mean_squared_error"; dtype as of `Metric`.

    Raises: with a batch, ValueError if the shapes differ, TypeError if the values are not real numbers.
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch of labels and predictions ``[B, ...]``; weights broadcast from the first axis on."""
        true, pred = aligned(self.name, y_true, y_pred)
        super().update_state(np.square(pred - true), sample_weight)

    def result(self) -> float:
        """Return the root of the mean since the last reset."""
        mean = super().result()
        return math.sqrt(mean) if mean >= 0 else math.nan  # negative weights can make it so


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """Return the cosine of the angle between labels and predictions along ``axis``; 0 where one of them is zero.

    The negative of the loss of that name.

    From -1 to 1. Shapes, ``[B, ..., L]`` to ``[B, ...]``, and errors as of that.
    """
    found: NDArray[Any] = np.negative(losses.cosine_similarity(y_true, y_pred, axis=axis))
    return found


class CosineSimilarity(FunctionMetric):
    """The mean of the cosine of the angle between labels and predictions; 1 is best.

    From -1 to 1. Shapes and errors of a batch: `losses.cosine_similarity`.

    Args: name, default "cosine_similarity"; dtype as of `Metric`; axis along which the vectors lie, default -1.
    """

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)
        self.axis = axis
