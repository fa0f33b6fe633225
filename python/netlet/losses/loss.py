"""Losses as objects: a name, their settings, the reduction of a batch, and the op that computes them in a program."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet import config
from netlet.losses.arrays import squeeze_or_expand_to_same_rank
from netlet.losses.reduction import REDUCTIONS, reduce_values, reduce_weighted_values, standardize_reduction
from netlet.program.ops import LOSSES
from netlet.program.spec import LossSpec
from netlet.utils.naming import auto_name, check_name

__all__ = [
    "REDUCTIONS",
    "Loss",
    "OpLoss",
    "reduce_values",
    "reduce_weighted_values",
    "squeeze_or_expand_to_same_rank",
    "standardize_reduction",
]

Array = NDArray[Any]

_NOTHING = object()


def _float_name(dtype: Any, owner: str) -> str:
    """The name of a float type; the default one of None, the compute type of a policy. ValueError if it is no float."""
    if dtype is None:
        floatx: Any = getattr(config, "floatx", None)
        return str(floatx()) if callable(floatx) else config.DEFAULT_DTYPE
    dtype = getattr(dtype, "compute_dtype", dtype)
    if dtype == "bfloat16":  # NumPy learns it from a package of its own
        try:
            importlib.import_module("ml_dtypes")
        except ImportError:
            raise ValueError(f"{owner}: dtype 'bfloat16' needs the package ml_dtypes") from None
    try:
        name: str = np.dtype(dtype).name
    except TypeError:
        name = ""
    if "float" not in name:
        raise ValueError(f"{owner}: dtype must be a float type such as 'float32', got {dtype!r}")
    return name


class Loss:
    """Base of the losses. A subclass has ``call(y_true, y_pred)``, which returns the losses of rows or positions.

    Called, ``loss(y_true, y_pred, sample_weight=None)``, it gives their reduction. To train with a loss of your own,
    give it a method ``gradient(y_true, y_pred)`` too: the gradient of ``call(y_true, y_pred).sum()`` with respect to
    y_pred, in its shape. It is checked when a model is compiled.

    Args:
        name: the loss's name; the class's in snake case if None.
        reduction: what becomes of the losses, which weights have multiplied:
            "sum_over_batch_size" (also "mean") divides their sum by their number; "sum" does not divide;
            "mean_with_sample_weight" divides by the sum of the weights; "none" and None leave them.
        dtype: the float type that labels and predictions are rounded to, and of the result; float32 if None.

    Shapes: y_pred ``[B, ..., L]``, L outputs or classes; y_true the same, or without the last axis where it holds class
        numbers. Losses ``[B, ...]``; reduced, a number.

    Raises: ValueError if an argument is none of these.
    """

    #: Name of the op in a program; empty where a Python function computes the loss.
    op: ClassVar[str] = ""
    #: Whether y holds class numbers (int32, without the last axis) instead of values of the prediction's shape.
    integer_labels: bool = False
    #: An optional method ``gradient(y_true, y_pred)``; see above.
    gradient: Callable[[Any, Any], Any] | None = None

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        kind = type(self).__name__
        self.name = auto_name(kind) if name is None else check_name(name, kind)
        self.reduction = standardize_reduction(reduction)
        self._dtype = _float_name(dtype, self.name)

    @property
    def dtype(self) -> str:
        """The name of the float type that it is computed in."""
        return self._dtype

    @property
    def spec(self) -> LossSpec:
        """What computes value and gradient in a program."""
        from netlet.losses.custom import CustomSpec

        return CustomSpec(self)

    def attrs(self) -> dict[str, Any]:
        """Return the op's attributes."""
        return {}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the losses: of y_pred ``[B, ..., L]``, usually ``[B, ...]``."""
        raise NotImplementedError(f"{type(self).__name__} has no call(y_true, y_pred)")

    def mask(self, y_true: Array, losses: Array) -> Array | None:
        """Return which of the losses count, or None for all."""
        return None

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None
    ) -> Any:
        """Return the reduced loss, a NumPy scalar, or an array where nothing is reduced.

        Args:
            y_true: labels.
            y_pred: predictions ``[B, ..., L]``.
            sample_weight: weights of the losses: a number, ``[B]``, or any shape that broadcasts with them.
            mask: which losses count; means are over these alone.

        Raises: ValueError if the shapes of labels, predictions, weights and mask do not fit, TypeError if the weights
            are not real numbers.
        """
        pred = np.asarray(y_pred).astype(self._dtype)
        true = np.asarray(y_true) if self.integer_labels else np.asarray(y_true).astype(self._dtype)
        losses = np.asarray(self.call(true, pred))
        own = self.mask(true, losses)
        if mask is not None and own is not None:
            given, own = squeeze_or_expand_to_same_rank(np.asarray(mask, bool), own)
            mask = given & own
        elif mask is None:
            mask = own
        return reduce_weighted_values(losses, sample_weight, mask, self.reduction, self._dtype, self.name)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Return a loss made with the arguments of ``config``."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class OpLoss(Loss):
    """A loss that an op of the program computes; the base of all that Netlet brings.

    A subclass sets ``op`` and ``function`` and hands its arguments, which become attributes, to this constructor.

    Called, it reduces what its ``function`` returns, whose docstring has formula, shapes and errors.

    Raises: ValueError if an argument is none that the op takes.
    """

    #: Keras' function of arrays, which `call` gives the arguments.
    function: ClassVar[Callable[..., Any]]
    #: Arguments that Keras leaves out of the config: here they stand in it where they are not the default, as given.
    left_out: ClassVar[dict[str, Any]] = {}

    def __init__(self, reduction: str | None, name: str | None, dtype: Any, **arguments: Any) -> None:
        super().__init__(name, reduction, dtype)
        self.integer_labels = LOSSES[self.op].integer_labels
        self._arguments = tuple(arguments)
        for key, value in arguments.items():
            setattr(self, key, value)
        try:
            LOSSES[self.op].normalize(self.attrs())
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    @property
    def spec(self) -> LossSpec:
        return LOSSES[self.op]

    def arguments(self) -> dict[str, Any]:
        """Return what the constructor took besides name, reduction and dtype."""
        return {key: getattr(self, key) for key in self._arguments}

    def attrs(self) -> dict[str, Any]:
        return {key: value.tolist() if hasattr(value, "tolist") else value for key, value in self.arguments().items()}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.function(y_true, y_pred, **self.arguments())

    def get_config(self) -> dict[str, Any]:
        told = {key: value for key, value in self.arguments().items() if self.left_out.get(key, _NOTHING) != value}
        return {**super().get_config(), **told}
