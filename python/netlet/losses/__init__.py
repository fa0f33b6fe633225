"""Losses: by how much a prediction misses.

As functions of arrays (``losses.mean_squared_error(y_true, y_pred)``, one number per row) and as objects
(``losses.MeanSquaredError()``, which `compile` takes and which called gives the mean). Names in snake or camel case and
the aliases mse, mae, bce, cce, scce (in capitals too) find them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netlet.losses.functions import (
    binary_crossentropy,
    categorical_crossentropy,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from netlet.losses.loss import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from netlet.utils.registry import Registry, serialize

LossFunction = Callable[..., Any]

_CLASSES: dict[LossFunction, type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}
_ALIASES: dict[str, LossFunction] = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "bce": binary_crossentropy,
    "cce": categorical_crossentropy,
    "scce": sparse_categorical_crossentropy,
}
REGISTRY = Registry(
    "loss",
    {
        **{function.__name__: function for function in _CLASSES},
        **{cls.__name__: cls for cls in _CLASSES.values()},
        **_ALIASES,
        **{name.upper(): function for name, function in _ALIASES.items()},
    },
)


def get(identifier: Any) -> Any:
    """Return the loss for ``identifier``, as Keras does: a function for a snake_case name or an alias, an object for a
    CamelCase name, a config or a class; a `Loss` or a function as it is; None for None.

    Raises: ValueError if it is none of these; an unknown name comes with the nearest known one.
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        found = REGISTRY.deserialize(identifier)
        return found() if isinstance(found, type) else found
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"loss: expected a name, a config, a Loss or a function, got {identifier!r}")


def as_loss(identifier: Any) -> Loss:
    """Return the loss object that trains for ``identifier``.

    Raises: ValueError if it is unknown, or a function that no op computes.
    """
    found = get(identifier)
    if isinstance(found, Loss):
        if not found.op:
            raise ValueError(f"loss: custom losses are not supported yet, got {found!r}")
        return found
    if found not in _CLASSES:
        raise ValueError(f"loss: custom losses are not supported yet, got {identifier!r}")
    return _CLASSES[found](name=identifier if isinstance(identifier, str) else None)


def deserialize(config: Any) -> Any:
    """Return the loss that a config describes; the inverse of `serialize`."""
    return get(config)


__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_crossentropy",
]
