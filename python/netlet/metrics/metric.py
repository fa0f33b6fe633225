"""What every metric shares: its name, the sums it keeps, how they become a number, and its op in a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.config import dtype_name
from netlet.program.ops import METRICS
from netlet.utils.naming import auto_name, check_name

Sums = NDArray[np.float64]


class Metric:
    """Base of the metrics: ``update_state`` adds a batch, ``result`` is the value so far, ``reset_state`` begins anew.

    While a model trains, its executor keeps the sums and a metric only turns them into a number (``value``); called
    by hand, a metric keeps sums of its own. Both are the same sums, of the op that ``lower`` names.

    Args:
        name: the metric's name; made from the class's if None.
        dtype: None, "float32" or "float64": accepted for Keras' sake; sums are always float64.
    """

    #: Name of the op in the program.
    op = ""
    #: How many sums there are before the first batch tells the number of classes.
    _width = 4

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        kind = type(self).__name__
        self.name = auto_name(kind) if name is None else check_name(name, kind)
        self.dtype = "float32" if dtype is None else dtype_name(dtype)
        self._sums: Sums | None = None

    def attrs(self) -> dict[str, Any]:
        """Return the op's attributes."""
        return {}

    def lower(self) -> tuple[str, dict[str, Any]]:
        """Return the op's name and attributes for the program."""
        return self.op, self.attrs()

    def value(self, sums: Sequence[float] | Sums) -> Any:
        """Return the metric's value for the sums of its op: a float, or an array where there is one per class."""
        raise NotImplementedError(f"{type(self).__name__} does not define value()")

    def batch_sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> Sums:
        """Return what one batch adds to the sums."""
        raise NotImplementedError(f"{type(self).__name__} does not define batch_sums()")

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch.

        Args:
            y_true: labels.
            y_pred: predictions ``[B, ..., L]``.
            sample_weight: None, a number, or ``[B, ...]``.

        Raises: ValueError if the shapes do not fit, TypeError if the values are not real numbers.
        """
        added = self.batch_sums(y_true, y_pred, sample_weight)
        if self._sums is None:
            self._sums = np.zeros(added.shape)
        elif self._sums.shape != added.shape:
            raise ValueError(f"{self.name}: batch has {added.size // 4} classes, expected {self._sums.size // 4}")
        self._sums += added

    def result(self) -> Any:
        """Return the value over all batches since the last reset; 0 before the first."""
        return self.value([0.0] * self._width if self._sums is None else self._sums)

    def reset_state(self) -> None:
        """Forget every batch."""
        self._sums = None

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Add a batch and return the value so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Return a metric made with the arguments of ``config``."""
        return cls(**config)

    @property
    def labels(self) -> str:
        """Which labels the op reads: "same" (as the prediction), "integer" (class numbers) or "either"."""
        return METRICS[self.op].labels

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def weighted(values: NDArray[Any], sample_weight: ArrayLike | None, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return values ``[B, ...]`` and their weights, both float64 and of one shape; weights of 1 if there are none.

    Raises: ValueError naming ``name`` if the weights' shape is neither a scalar's nor a beginning of the values'.
    """
    values = values.astype(np.float64)
    if sample_weight is None:
        return values, np.ones(values.shape)
    weight = np.asarray(sample_weight)
    if weight.dtype.kind not in "biuf":
        raise TypeError(f"{name}: sample_weight must hold real numbers, got an array of {weight.dtype}")
    weight = weight.astype(np.float64)
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    if weight.ndim > values.ndim or (weight.ndim and weight.shape != values.shape[: weight.ndim]):
        raise ValueError(f"{name}: sample_weight has shape {weight.shape}, expected {values.shape}")
    return values, np.broadcast_to(weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim)), values.shape)
