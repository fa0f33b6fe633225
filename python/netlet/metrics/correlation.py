"""How alike the ups and downs of labels and predictions are: Pearson's and Lin's coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.config import EPSILON
from netlet.metrics.functions import aligned
from netlet.metrics.reduction import FunctionMetric


def pearson_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """Return Pearson's coefficient along ``axis``: the covariance over the product of the standard deviations.

    From -1 to 1; NaN where labels or predictions are constant along the axis.

    Shapes: y_true and y_pred of one shape, to that without ``axis``. Source: Pearson, "Mathematical contributions to
        the theory of evolution III", 1896.

    Raises: ValueError if the shapes differ or ``axis`` is none of theirs, TypeError for what is not real numbers.
    """
    true, pred = aligned("pearson_correlation", y_true, y_pred)
    true, pred = (v - v.mean(axis=axis, keepdims=True) for v in (true, pred))
    with np.errstate(invalid="ignore", divide="ignore"):
        true, pred = (v / v.std(axis=axis, keepdims=True) for v in (true, pred))
        found: NDArray[Any] = (true * pred).mean(axis=axis)
    return found


def concordance_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """Return Lin's concordance coefficient along ``axis``.

    Twice the covariance over the sum of both variances and the squared difference of the means; 1e-7 is added to the
    denominator. From -1 to 1, and 1 only where predictions equal labels.

    Shapes and errors as of `pearson_correlation`. Source: Lin, "A concordance correlation coefficient to evaluate
    reproducibility", 1989; the 1e-7: keras.metrics, Keras 3.15.
    """
    true, pred = aligned("concordance_correlation", y_true, y_pred)
    true_mean, pred_mean = (v.mean(axis=axis, keepdims=True) for v in (true, pred))
    covariance = ((true - true_mean) * (pred - pred_mean)).mean(axis=axis, keepdims=True)
    spread = true.var(axis=axis, keepdims=True) + pred.var(axis=axis, keepdims=True) + (true_mean - pred_mean) ** 2
    found: NDArray[Any] = (2 * covariance / (spread + pred.dtype.type(EPSILON))).squeeze(axis)
    return found


class PearsonCorrelation(FunctionMetric):
    """The mean of `pearson_correlation`.

    From -1 to 1; larger is better. Shapes, source and errors of a batch: `pearson_correlation`.

    Args: name, default "pearson_correlation"; dtype as of `Metric`; axis along which to correlate, default -1.
    """

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(FunctionMetric):
    """The mean of `concordance_correlation`.

    From -1 to 1; larger is better. Shapes, source and errors of a batch: `concordance_correlation`.

    Args: name, default "concordance_correlation"; dtype as of `Metric`; axis along which to correlate, default -1.
    """

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
