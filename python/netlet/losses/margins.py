"""Hinge losses, as functions of arrays and as objects. The formulas lie with the program's ops."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from netlet.losses.arrays import along
from netlet.losses.loss import OpLoss

Array = NDArray[Any]


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean(max(1 - y_true y_pred, 0))`` over the last axis: ``[B, ..., L]`` to ``[B, ...]``.

    Labels are -1 and 1; if all of them are 0 or 1, they are taken as -1 and 1.

    At least 0. Shapes and errors as of `mean_squared_error`. Source: keras.losses.hinge, Keras 3.15.
    """
    return along("hinge", y_true, y_pred)


def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``mean(max(1 - y_true y_pred, 0)^2)`` over the last axis; labels as of `hinge`.

    At least 0. Shapes, ``[B, ..., L]`` to ``[B, ...]``, and errors as of `mean_squared_error`.
    """
    return along("squared_hinge", y_true, y_pred)


def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return ``max(1 - right + best wrong, 0)`` of one-hot labels: ``[B, ..., C]`` to ``[B, ...]``.

    right is ``sum(y_true y_pred)`` and best wrong ``max((1 - y_true) y_pred)``, which for one-hot labels is at least 0.
    Shapes and errors as of `mean_squared_error`. Source: keras.losses.categorical_hinge, Keras 3.15.
    """
    return along("categorical_hinge", y_true, y_pred)


class Hinge(OpLoss):
    """What margins lack to 1, for labels -1 and 1 (or 0 and 1); arguments as of `Loss`.

    At least 0. Formula, shapes and errors of a call: `hinge`.
    """

    op = "hinge"
    function = staticmethod(hinge)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)


class SquaredHinge(OpLoss):
    """The square of what margins lack to 1, for labels -1 and 1 (or 0 and 1); arguments as of `Loss`.

    At least 0. Formula, shapes and errors of a call: `squared_hinge`.
    """

    op = "squared_hinge"
    function = staticmethod(squared_hinge)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)


class CategoricalHinge(OpLoss):
    """By how much the best wrong class comes within 1 of the right one, for one-hot labels; arguments as of `Loss`.

    At least 0; the best wrong class counts as 0 if it is negative. Formula, shapes and errors of a call:
    `categorical_hinge`.
    """

    op = "categorical_hinge"
    function = staticmethod(categorical_hinge)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)
