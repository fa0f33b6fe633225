"""Focal cross-entropies, as functions of arrays and as objects. The formulas lie with the program's ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.losses.arrays import along
from netlet.losses.crossentropy import warn_of_one_class
from netlet.losses.loss import OpLoss

Array = NDArray[Any]


def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Return the focal cross-entropy of yes-or-no labels, mean over ``axis``: ``[B, ..., L]`` to ``[B, ...]``.

    Arguments: see `BinaryFocalCrossentropy`.

    ``mean(f^gamma b)``, b the `binary_crossentropy` of an element and ``f = y_true (1 - p) + (1 - y_true) p`` what its
    prediction lacks. In nats, at least 0. Source: Lin, Goyal, Girshick, He, Dollar, "Focal loss for dense object
    detection", 2017, section 3.

    Raises: as `binary_crossentropy`, and ValueError if gamma is negative or not finite.
    """
    return along(
        "binary_focal_crossentropy",
        y_true,
        y_pred,
        axis,
        from_logits=from_logits,
        apply_class_balancing=apply_class_balancing,
        alpha=alpha,
        gamma=gamma,
        label_smoothing=label_smoothing,
    )


def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float | Sequence[float] | Array = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Return the focal cross-entropy of one-hot labels over the classes along ``axis``.

    Shapes: ``[B, ..., C]`` to ``[B, ...]``. Arguments: see `CategoricalFocalCrossentropy`.

    ``-sum(alpha (1 - p)^gamma y_true log(p))``, with p clipped as by `categorical_crossentropy`. In nats, at least 0.
    Source, for two classes: see `binary_focal_crossentropy`; for more: keras.losses, Keras 3.15.

    Raises: as `categorical_crossentropy`, and ValueError if gamma is negative or not finite, or alpha is a list whose
        length is not C.
    """
    name = "categorical_focal_crossentropy"
    warn_of_one_class(name, y_pred)
    weights = alpha if isinstance(alpha, (int, float)) else np.asarray(alpha).tolist()
    return along(
        name,
        y_true,
        y_pred,
        axis,
        from_logits=from_logits,
        alpha=weights,
        gamma=gamma,
        label_smoothing=label_smoothing,
    )


class BinaryFocalCrossentropy(OpLoss):
    """Cross-entropy of yes-or-no labels in which what is predicted well counts less.

    Args:
        apply_class_balancing: whether a yes weighs alpha, and a no 1 - alpha; default False.
        alpha: default 0.25.
        gamma: the power of what a prediction lacks, by which its cross-entropy is multiplied; default 2.
        from_logits: whether y_pred is taken before its sigmoid; default False.
        label_smoothing: how far labels are drawn towards 1/2, from 0 (default) to 1.
        axis: that the mean is over; default -1.
        reduction, name, dtype: as of `Loss`.

    Formula, shapes, source and errors of a call: `binary_focal_crossentropy`.

    Raises: ValueError if ``label_smoothing`` is not in [0, 1], alpha is not finite, or gamma is not finite or negative.
    """

    op = "binary_focal_crossentropy"
    function = staticmethod(binary_focal_crossentropy)

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
        )

    def attrs(self) -> dict[str, Any]:
        # a row's mean is over all its axes anyway
        return {key: value for key, value in super().attrs().items() if key != "axis"}


class CategoricalFocalCrossentropy(OpLoss):
    """Cross-entropy of one-hot labels in which what is predicted well counts less.

    Args:
        alpha: a weight, or one for each class; default 0.25.
        gamma: the power of what a probability lacks to 1, by which its cross-entropy is multiplied; default 2.
        from_logits: whether y_pred is taken before its softmax; default False.
        label_smoothing: how far labels are drawn towards 1/C, from 0 (default) to 1.
        axis: of the classes; default -1.
        reduction, name, dtype: as of `Loss`.

    Formula, shapes, source and errors of a call: `categorical_focal_crossentropy`.

    Raises: ValueError if ``label_smoothing`` is not in [0, 1], alpha is not finite, or gamma is not finite or negative.
    """

    op = "categorical_focal_crossentropy"
    function = staticmethod(categorical_focal_crossentropy)

    def __init__(
        self,
        alpha: float | Sequence[float] | Array = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        weights = alpha.tolist() if isinstance(alpha, np.ndarray) else alpha
        super().__init__(
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            alpha=weights,
            gamma=gamma,
        )
