"""Connectionist temporal classification, as a function of arrays and as an object."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.losses.arrays import as_floats
from netlet.losses.loss import OpLoss
from netlet.program.ops import LOSSES

Array = NDArray[Any]


def ctc(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return minus the logarithm of the chance that the labels come out, in their order, at whatever times.

    Args:
        y_true: class numbers ``[B, N]``, filled up with 0, which is the blank and no label.
        y_pred: logits ``[B, T, C]``.

    Shapes: to ``[B]``. Labels that do not fit into T times have a loss of infinity.

    The result is in nats; a label that no class has gives NaN. Source: Graves, Fernandez, Gomez, Schmidhuber,
    "Connectionist temporal classification", 2006, section 4.1.

    Raises: ValueError if the shapes are others or an axis of y_pred is empty, TypeError for what is not real numbers.
    """
    x = as_floats(y_pred, "ctc: y_pred")
    labels = np.asarray(y_true)
    if labels.ndim != 2:
        raise ValueError(f"ctc: y_true has shape {labels.shape}, expected (batch, length), class numbers")
    if x.ndim != 3 or len(x) != len(labels) or 0 in x.shape:
        raise ValueError(f"ctc: y_pred has shape {x.shape}, expected (batch, times, classes) for {len(labels)} rows")
    losses = np.empty(len(x), x.dtype)
    with np.errstate(all="ignore"):
        LOSSES["ctc"].value_and_gradient({}, x, labels.astype(np.int32), None, losses, None, None)
    return losses


class CTC(OpLoss):
    """The loss of labels without their places in time: y ``[B, N]``, filled up with 0, and logits ``[B, T, C]``.

    Arguments as of `Loss`.

    Shapes, source and errors of a call: `ctc`.
    """

    op = "ctc"
    function = staticmethod(ctc)

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None
    ) -> None:
        super().__init__(reduction, name, dtype)
