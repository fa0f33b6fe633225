"""Losses as objects: a name, their settings, the mean over a batch, and the op that computes them in a program."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.errors import unknown_name
from netlet.losses import functions
from netlet.program.ops import LOSSES
from netlet.utils.naming import auto_name, check_name

REDUCTIONS = ("sum_over_batch_size", "mean")
_LATER = ("sum", "mean_with_sample_weight", "none", None)


class Loss:
    """Base of the losses. ``loss(y_true, y_pred, sample_weight=None)`` is the mean over all rows and positions.

    Args:
        name: the loss's name.
        reduction: "sum_over_batch_size" (also "mean"): the sum of the weighted losses divided by their number.
            Keras' other reductions are not supported yet.
        dtype: None, "float32" or "float64": the type that ``__call__`` computes in; None takes y_pred's.

    Raises: ValueError if an argument is none of these.
    """

    #: Name of the op in the program.
    op = ""

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        kind = type(self).__name__
        self.name = self.op or auto_name(kind) if name is None else check_name(name, kind)
        if reduction not in REDUCTIONS:
            if reduction in _LATER:
                raise ValueError(f"{self.name}: reduction={reduction!r} is not supported yet")
            raise unknown_name("reduction", str(reduction), REDUCTIONS)
        self.reduction = reduction
        self.dtype = dtype

    @property
    def integer_labels(self) -> bool:
        """Whether y holds class numbers instead of values of the prediction's shape."""
        return LOSSES[self.op].integer_labels

    def attrs(self) -> dict[str, Any]:
        """Return the op's attributes."""
        return {}

    def call(self, y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[Any]:
        """Return the loss of every row: y_pred ``[B, ..., L]`` to ``[B, ...]``."""
        function = getattr(functions, self.op)
        result: NDArray[Any] = function(y_true, y_pred, **self.attrs())
        return result

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Return the mean loss, a NumPy scalar; weights multiply the losses and leave the divisor alone.

        Args:
            y_true: labels.
            y_pred: predictions ``[B, ..., L]``.
            sample_weight: ``[B]``, or as many axes as the losses have.
        """
        pred = np.asarray(y_pred) if self.dtype is None else np.asarray(y_pred, dtype=self.dtype)
        losses = self.call(y_true, pred)
        if sample_weight is not None:
            weight = functions.as_floats(sample_weight, f"{self.name}: sample_weight").astype(losses.dtype)
            if weight.ndim == losses.ndim + 1 and weight.shape[-1] == 1:
                weight = weight[..., 0]
            if weight.ndim and weight.shape != losses.shape[: weight.ndim]:
                raise ValueError(f"{self.name}: sample_weight has shape {weight.shape}, expected {losses.shape}")
            losses = losses * weight.reshape(weight.shape + (1,) * (losses.ndim - weight.ndim))
        return losses.sum(dtype=losses.dtype) / losses.dtype.type(max(losses.size, 1))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Return a loss made with the arguments of ``config``."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class MeanSquaredError(Loss):
    """The mean of squared differences; arguments as of `Loss`."""

    op = "mean_squared_error"


class MeanAbsoluteError(Loss):
    """The mean of absolute differences; arguments as of `Loss`."""

    op = "mean_absolute_error"


class _Crossentropy(Loss):
    """What the cross-entropies share: whether y_pred holds logits, and Keras' arguments that take one value only."""

    #: Keras' further arguments and the value they must have.
    _not_yet: ClassVar[dict[str, Any]] = {"label_smoothing": 0.0, "axis": -1}

    def __init__(
        self,
        from_logits: bool = False,
        *,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        if not isinstance(from_logits, bool):
            raise ValueError(f"{self.name}: from_logits must be True or False, got {from_logits!r}")
        for key, value in kwargs.items():
            if key not in self._not_yet:
                raise TypeError(f"{type(self).__name__}: unexpected argument {key!r}")
            if value != self._not_yet[key]:
                raise ValueError(f"{self.name}: {key}={value!r} is not supported yet")
        self.from_logits = from_logits

    def attrs(self) -> dict[str, Any]:
        return {"from_logits": self.from_logits}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "from_logits": self.from_logits}


class BinaryCrossentropy(_Crossentropy):
    """Cross-entropy of independent yes-or-no labels.

    Args:
        from_logits: whether y_pred is taken before its sigmoid; default False.
        name, reduction, dtype: as of `Loss`.
        label_smoothing, axis: accepted at their defaults, 0 and -1.
    """

    op = "binary_crossentropy"


class CategoricalCrossentropy(_Crossentropy):
    """Cross-entropy of one-hot labels over the classes of the last axis.

    Args:
        from_logits: whether y_pred is taken before its softmax; default False.
        name, reduction, dtype: as of `Loss`.
        label_smoothing, axis: accepted at their defaults, 0 and -1.
    """

    op = "categorical_crossentropy"


class SparseCategoricalCrossentropy(_Crossentropy):
    """Cross-entropy of class numbers over the classes of the last axis.

    Args:
        from_logits: whether y_pred is taken before its softmax; default False.
        name, reduction, dtype: as of `Loss`.
        ignore_class, axis: accepted at their defaults, None and -1.
    """

    op = "sparse_categorical_crossentropy"
    _not_yet: ClassVar[dict[str, Any]] = {"ignore_class": None, "axis": -1}
