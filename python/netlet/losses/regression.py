"""Losses of numbers, as functions of arrays and as objects. The formulas lie with the program's ops."""

from __future__ import annotations

from typing import Any, ClassVar

from numpy.typing import ArrayLike, NDArray

from netlet.losses.arrays import along
from netlet.losses.loss import OpLoss

Array = NDArray[Any]


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean((y_true - y_pred)^2)`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``."""
    return along("mean_squared_error", y_true, y_pred)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean(|y_true - y_pred|)`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``."""
    return along("mean_absolute_error", y_true, y_pred)


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``100 mean(|y_true - y_pred| / max(|y_true|, 1e-7))`` over the last axis."""
    return along("mean_absolute_percentage_error", y_true, y_pred)


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean((log(1 + y_true) - log(1 + y_pred))^2)`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``.

    Values below 1e-7 count as 1e-7.
    """
    return along("mean_squared_logarithmic_error", y_true, y_pred)


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Return minus the cosine of the angle between the vectors along ``axis``: ``[B, ..., L]`` to ``[B, ...]``."""
    return along("cosine_similarity", y_true, y_pred, axis)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Array:
    """Return the mean over the last axis of ``d^2 / 2``, or ``delta (d - delta / 2)`` for differences d above delta."""
    return along("huber", y_true, y_pred, delta=delta)


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean(log(cosh(y_pred - y_true)))`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``."""
    return along("log_cosh", y_true, y_pred)


class MeanSquaredError(OpLoss):
    """The mean of squared differences; arguments as of `Loss`."""

    op = "mean_squared_error"
    function = staticmethod(mean_squared_error)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)


class MeanAbsoluteError(OpLoss):
    """The mean of absolute differences; arguments as of `Loss`."""

    op = "mean_absolute_error"
    function = staticmethod(mean_absolute_error)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)


class MeanAbsolutePercentageError(OpLoss):
    """The mean of absolute differences in per cent of the labels; arguments as of `Loss`."""

    op = "mean_absolute_percentage_error"
    function = staticmethod(mean_absolute_percentage_error)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)


class MeanSquaredLogarithmicError(OpLoss):
    """The mean of squared differences of logarithms; arguments as of `Loss`."""

    op = "mean_squared_logarithmic_error"
    function = staticmethod(mean_squared_logarithmic_error)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)


class CosineSimilarity(OpLoss):
    """Minus the cosine between label and prediction: -1 where they point the same way.

    Args:
        axis: of the vectors; default -1.
        reduction, name, dtype: as of `Loss`.
    """

    op = "cosine_similarity"
    function = staticmethod(cosine_similarity)
    left_out: ClassVar[dict[str, Any]] = {"axis": -1}

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis)


class Huber(OpLoss):
    """Squared for small differences, straight for large ones.

    Args:
        delta: the difference from which on it is straight; default 1.
        reduction, name, dtype: as of `Loss`.
    """

    op = "huber"
    function = staticmethod(huber)
    left_out: ClassVar[dict[str, Any]] = {"delta": 1.0}

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, delta=delta)


class LogCosh(OpLoss):
    """The mean of the logarithm of the hyperbolic cosine of differences; arguments as of `Loss`."""

    op = "log_cosh"
    function = staticmethod(log_cosh)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)
