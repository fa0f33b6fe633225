"""Losses of overlap, for segmentation, as functions and as objects. The formulas lie with the program's ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.losses.arrays import pair
from netlet.losses.loss import OpLoss
from netlet.program.ops import LOSSES
from netlet.program.ops.losses_overlap import Overlap

Array = NDArray[Any]
Axes = int | Sequence[int] | None


def _overlap(name: str, y_true: ArrayLike, y_pred: ArrayLike, **attrs: Any) -> Array:
    spec = LOSSES[name]
    assert isinstance(spec, Overlap)
    true, pred = pair(name, y_true, y_pred)
    axes = spec.axes(spec.normalize(attrs), pred.ndim)
    if axes is not None and any(not -pred.ndim <= axis < pred.ndim for axis in np.atleast_1d(attrs["axis"])):
        raise ValueError(f"{name}: axis={attrs['axis']} is out of range for arrays of {pred.ndim} axes")
    with np.errstate(all="ignore"):
        over, under, _ = spec.parts(spec.normalize(attrs), pred, true, axes)
        return np.asarray(np.squeeze(1 - over / under, axes))


def dice(y_true: ArrayLike, y_pred: ArrayLike, axis: Axes = None) -> Array:
    """Return ``1 - 2 sum(y_true y_pred) / (sum y_true + sum y_pred + 1e-7)``, over ``axis``; over all if None.

    From 0 for equal masks of 0 and 1 to 1 for masks that do not meet.

    Shapes: y_true and y_pred of one shape; to that without ``axis``, the batch being axis 0, and () for all.

    Raises: ValueError if the shapes differ or ``axis`` is none of theirs, TypeError for what is not real numbers.
    """
    return _overlap("dice", y_true, y_pred, axis=axis)


def tversky(y_true: ArrayLike, y_pred: ArrayLike, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None) -> Array:
    """Return 1 - the Tversky index, summed over ``axis``; over all if None.

    alpha weighs the misses, ``sum(y_true (1 - y_pred))``, and beta the false alarms, ``sum(y_pred (1 - y_true))``.

    ``1 - I / (I + alpha misses + beta false alarms + 1e-7)``, ``I = sum(y_true y_pred)``. Shapes as of `dice`. Source:
    Salehi, Erdogmus, Gholipour, "Tversky loss function for image segmentation using 3D fully convolutional deep
    networks", 2017, where alpha and beta have each other's part; here they are as in Keras 3.15.

    Raises: as `dice`, and ValueError if alpha or beta is not a finite number.
    """
    return _overlap("tversky", y_true, y_pred, alpha=alpha, beta=beta, axis=axis)


class Dice(OpLoss):
    """1 - the Dice coefficient.

    Args:
        axis: axes that are summed over, the batch being 0; all if None, the default: the loss of a whole batch.
        reduction, name, dtype: as of `Loss`.

    Formula, shapes and errors of a call: `dice`. Source: keras.losses.Dice, Keras 3.15.

    Raises: ValueError if ``axis`` is neither None nor one or more ints.
    """

    op = "dice"
    function = staticmethod(dice)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axes = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis)


class Tversky(OpLoss):
    """1 - the Tversky index: as Dice, with weights for misses and false alarms.

    Args:
        alpha: the weight of what the prediction misses; default 0.5.
        beta: the weight of what it adds; default 0.5.
        axis: axes that are summed over, the batch being 0; all if None, the default: the loss of a whole batch.
        reduction, name, dtype: as of `Loss`.

    Formula, shapes, source and errors of a call: `tversky`.

    Raises: ValueError if alpha or beta is not a finite number, or ``axis`` is neither None nor one or more ints.
    """

    op = "tversky"
    function = staticmethod(tversky)

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axes = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
