"""Cross-entropies, as functions of arrays and as objects. The formulas lie with the program's ops."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.losses.arrays import along, as_floats, class_numbers, last_axis, losses_of
from netlet.losses.loss import OpLoss

Array = NDArray[Any]


def warn_of_one_class(name: str, y_pred: ArrayLike) -> None:
    """Warn that there is nothing to choose from, as where a binary loss was meant."""
    if np.shape(y_pred)[-1:] == (1,):
        warnings.warn(
            f"{name}: y_pred has shape {np.shape(y_pred)}, one class alone, so the loss is the same whatever is "
            "predicted; for a yes or no, use binary_crossentropy",
            SyntaxWarning,
            stacklevel=3,
        )


def binary_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """Return the cross-entropy of yes-or-no labels, mean over ``axis``: ``[B, ..., L]`` to ``[B, ...]``.

    Probabilities are clipped to [1e-7, 1 - 1e-7]. With ``from_logits``, y_pred is taken before its sigmoid. Labels are
    drawn towards 1/2 by the share ``label_smoothing``.

    In nats, at least 0. Labels lie in [0, 1]. Shapes as of `mean_squared_error`. Source of the smoothing: Szegedy,
    Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the inception architecture for computer vision", 2016, section 7.

    Raises: as `mean_squared_error`, and ValueError if ``axis`` is no axis of the arrays or ``label_smoothing`` is not
        in [0, 1].
    """
    return along("binary_crossentropy", y_true, y_pred, axis, from_logits=from_logits, label_smoothing=label_smoothing)


def categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """Return the cross-entropy of one-hot labels over the classes along ``axis``: ``[B, ..., C]`` to ``[B, ...]``.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7]. With ``from_logits``, y_pred is taken
    before its softmax. Labels are drawn towards 1/C by the share ``label_smoothing``.

    In nats, at least 0. Shapes as of `mean_squared_error`; source of the smoothing and errors as of
    `binary_crossentropy`. Of a last axis of length 1, a SyntaxWarning says that there is nothing to choose from.
    """
    name = "categorical_crossentropy"
    warn_of_one_class(name, y_pred)
    return along(name, y_true, y_pred, axis, from_logits=from_logits, label_smoothing=label_smoothing)


def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Array:
    """Return the cross-entropy of class numbers over the classes along ``axis``.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7]. With ``from_logits``, y_pred is taken
    before its softmax. The loss of the label ``ignore_class`` is 0. A class number outside [0, C) gives NaN.

    Shapes: y_true ``[B, ...]`` or ``[B, ..., 1]``, y_pred ``[B, ..., C]`` to ``[B, ...]``.

    In nats, at least 0.

    Raises: ValueError if the shapes do not fit or ``axis`` is no axis of y_pred, TypeError if the values are not real
        numbers.
    """
    name = "sparse_categorical_crossentropy"
    (pred,) = last_axis(name, axis, as_floats(y_pred, f"{name}: y_pred"))
    labels = class_numbers(name, y_true, pred.shape[:-1], axis)
    attrs = {"from_logits": from_logits, "ignore_class": ignore_class, "over_valid": False}
    return losses_of(name, labels, pred, attrs)


class BinaryCrossentropy(OpLoss):
    """Cross-entropy of independent yes-or-no labels.

    Args:
        from_logits: whether y_pred is taken before its sigmoid; default False.
        label_smoothing: how far labels are drawn towards 1/2, from 0 (default) to 1.
        axis: that the mean is over; default -1.
        reduction, name, dtype: as of `Loss`.

    Formula, shapes, sources and errors of a call: `binary_crossentropy`.

    Raises: ValueError if ``label_smoothing`` is not in [0, 1] or ``from_logits`` is not a bool.
    """

    op = "binary_crossentropy"
    function = staticmethod(binary_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)

    def attrs(self) -> dict[str, Any]:
        # a row's mean is over all its axes anyway
        return {key: value for key, value in super().attrs().items() if key != "axis"}


class CategoricalCrossentropy(OpLoss):
    """Cross-entropy of one-hot labels over classes.

    Args:
        from_logits: whether y_pred is taken before its softmax; default False.
        label_smoothing: how far labels are drawn towards 1/C, from 0 (default) to 1.
        axis: of the classes; default -1.
        reduction, name, dtype: as of `Loss`.

    Formula, shapes, sources and errors of a call: `categorical_crossentropy`.

    Raises: ValueError if ``label_smoothing`` is not in [0, 1], ``from_logits`` is not a bool or ``axis`` is not an int.
    """

    op = "categorical_crossentropy"
    function = staticmethod(categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


class SparseCategoricalCrossentropy(OpLoss):
    """Cross-entropy of class numbers over classes.

    Args:
        from_logits: whether y_pred is taken before its softmax; default False.
        ignore_class: a label that does not count, such as -1 or 255: it has no loss, and means are over the other
            positions alone. Default None.
        axis: of the classes; default -1.
        reduction, name, dtype: as of `Loss`.

    Formula, shapes and errors of a call: `sparse_categorical_crossentropy`.

    Raises: ValueError if ``from_logits`` is not a bool, or ``ignore_class`` or ``axis`` is not an int.
    """

    op = "sparse_categorical_crossentropy"
    function = staticmethod(sparse_categorical_crossentropy)
    left_out: ClassVar[dict[str, Any]] = {"axis": -1}

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis)

    def attrs(self) -> dict[str, Any]:
        attrs = super().attrs()
        if attrs["ignore_class"] is not None:
            attrs["over_valid"] = self.reduction in ("mean", "sum_over_batch_size")
        return attrs

    def mask(self, y_true: Array, losses: Array) -> Array | None:
        ignore: int | None = self.arguments()["ignore_class"]
        return None if ignore is None else np.reshape(y_true != ignore, losses.shape)
