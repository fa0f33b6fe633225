"""Losses of distributions and counts, as functions and as objects. The formulas lie with the program's ops."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from netlet.losses.arrays import along, as_floats, class_numbers, last_axis, losses_of
from netlet.losses.loss import OpLoss

Array = NDArray[Any]


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``sum(y_true log(y_true / y_pred))`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``.

    Both are clipped to [1e-7, 1].

    In nats, at least 0 for distributions. Shapes and errors as of `mean_squared_error`. Source: Kullback, Leibler, "On
    information and sufficiency", 1951.
    """
    return along("kl_divergence", y_true, y_pred)


def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean(y_pred - y_true log(y_pred + 1e-7))`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``.

    In nats; it may be negative, as ``log(y_true!)`` is left out. For means y_pred of at least 0. Shapes and errors as
    of `mean_squared_error`.
    """
    return along("poisson", y_true, y_pred)


def categorical_generalized_cross_entropy(y_true: ArrayLike, y_pred: ArrayLike, q: float = 0.5) -> Array:
    """Return ``(1 - p^q) / q``, p being the probability of the label's class, whose number y_true holds.

    Shapes: y_true ``[B, ...]`` or ``[B, ..., 1]``, y_pred ``[B, ..., C]`` to ``[B, ...]``. A class number outside
    [0, C) gives NaN.

    Source: Zhang, Sabuncu, "Generalized cross entropy loss for training deep neural networks with noisy labels", 2018.

    Raises: ValueError if the shapes do not fit or q is not in [1e-6, 1 - 1e-6], TypeError for what is not real numbers.
    """
    name = "categorical_generalized_cross_entropy"
    (pred,) = last_axis(name, -1, as_floats(y_pred, f"{name}: y_pred"))
    return losses_of(name, class_numbers(name, y_true, pred.shape[:-1], -1), pred, {"q": q})


class KLDivergence(OpLoss):
    """The Kullback-Leibler divergence of the prediction from the label; arguments as of `Loss`.

    In nats. Formula, shapes, source and errors of a call: `kl_divergence`.
    """

    op = "kl_divergence"
    function = staticmethod(kl_divergence)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)


class Poisson(OpLoss):
    """How unlikely counts are if the prediction is their mean, but for a constant; arguments as of `Loss`.

    Formula, shapes and errors of a call: `poisson`.
    """

    op = "poisson"
    function = staticmethod(poisson)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)


class CategoricalGeneralizedCrossEntropy(OpLoss):
    """Cross-entropy of class numbers that bears wrong labels: between cross-entropy and absolute error.

    Args:
        q: near 0 it is the cross-entropy, near 1 the absolute error; default 0.5.
        reduction, name, dtype: as of `Loss`.

    Formula, shapes, source and errors of a call: `categorical_generalized_cross_entropy`.

    Raises: ValueError if q is not between 0 and 1.
    """

    op = "categorical_generalized_cross_entropy"
    function = staticmethod(categorical_generalized_cross_entropy)

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"{name}: q must be in the interval (0, 1), got {q!r}")
        super().__init__(reduction, name, dtype, q=q)
