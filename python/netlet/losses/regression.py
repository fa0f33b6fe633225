"""Losses of numbers, as functions of arrays and as objects. The formulas lie with the program's ops."""

from __future__ import annotations

from typing import Any, ClassVar

from numpy.typing import ArrayLike, NDArray

from netlet.losses.arrays import along
from netlet.losses.loss import OpLoss

Array = NDArray[Any]


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean((y_true - y_pred)^2)`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``.

    Shapes: y_true and y_pred of one shape, but for a last axis of length 1 that one of them may have more. The result
        is float64 where y_pred is, else float32.

    Raises: ValueError if the shapes differ or are of no axis, TypeError if the values are not real numbers.
    """
    return along("mean_squared_error", y_true, y_pred)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean(|y_true - y_pred|)`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``.

    In the unit of the labels. Shapes and errors as of `mean_squared_error`.
    """
    return along("mean_absolute_error", y_true, y_pred)


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``100 mean(|y_true - y_pred| / max(|y_true|, 1e-7))`` over the last axis.

    In per cent, at least 0. Shapes, ``[B, ..., L]`` to ``[B, ...]``, and errors as of `mean_squared_error`.
    """
    return along("mean_absolute_percentage_error", y_true, y_pred)


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean((log(1 + y_true) - log(1 + y_pred))^2)`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``.

    Values below 1e-7 count as 1e-7.

    Without a unit, at least 0. Shapes and errors as of `mean_squared_error`.
    """
    return along("mean_squared_logarithmic_error", y_true, y_pred)


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Return minus the cosine of the angle between the vectors along ``axis``: ``[B, ..., L]`` to ``[B, ...]``.

    From -1, the same direction, to 1, the opposite one; 0 where a vector is zero. Vectors shorter than 1e-7 count as
    that long. Shapes as of `mean_squared_error`, with ``axis`` in the place of the last.

    Raises: as `mean_squared_error`, and ValueError if ``axis`` is no axis of the arrays.
    """
    return along("cosine_similarity", y_true, y_pred, axis)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Array:
    """Return the mean over the last axis of ``d^2 / 2``, or ``delta (d - delta / 2)`` for differences d above delta.

    delta is in the unit of the labels, the result in its square. Shapes, ``[B, ..., L]`` to ``[B, ...]``, as of
    `mean_squared_error`. Source: Huber, "Robust estimation of a location parameter", 1964.

    Raises: as `mean_squared_error`, and ValueError if delta is negative or not finite.
    """
    return along("huber", y_true, y_pred, delta=delta)


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean(log(cosh(y_pred - y_true)))`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``.

    At least 0: half the square of small differences, and large ones less log 2. Shapes and errors as of
    `mean_squared_error`.
    """
    return along("log_cosh", y_true, y_pred)


class MeanSquaredError(OpLoss):
    """The mean of squared differences; arguments as of `Loss`.

    In the square of the labels' unit. Formula, shapes and errors of a call: `mean_squared_error`.
    """

    op = "mean_squared_error"
    function = staticmethod(mean_squared_error)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)


class MeanAbsoluteError(OpLoss):
    """The mean of absolute differences; arguments as of `Loss`.

    In the labels' unit. Formula, shapes and errors of a call: `mean_absolute_error`.
    """

    op = "mean_absolute_error"
    function = staticmethod(mean_absolute_error)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)


class MeanAbsolutePercentageError(OpLoss):
    """The mean of absolute differences in per cent of the labels; arguments as of `Loss`.

    Labels nearer to 0 than 1e-7 count as 1e-7. Formula, shapes and errors of a call: `mean_absolute_percentage_error`.
    """

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
    """The mean of squared differences of logarithms; arguments as of `Loss`.

    For labels and predictions of at least 0. Formula, shapes and errors of a call: `mean_squared_logarithmic_error`.
    """

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

    From -1 to 1. Formula, shapes and errors of a call: `cosine_similarity`.

    Raises: ValueError if ``axis`` is not an int.
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

    Formula, shapes, source and errors of a call: `huber`.

    Raises: ValueError if delta is negative or not finite.
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
    """The mean of the logarithm of the hyperbolic cosine of differences; arguments as of `Loss`.

    As squares for small differences and as absolute values for large ones. Formula, shapes and errors of a call:
    `log_cosh`.
    """

    op = "log_cosh"
    function = staticmethod(log_cosh)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)
