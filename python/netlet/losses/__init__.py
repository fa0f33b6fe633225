"""Losses: by how much a prediction misses.

As functions of arrays (``losses.mean_squared_error(y_true, y_pred)``, one number per row) and as objects
(``losses.MeanSquaredError()``, which `compile` takes and which called gives the mean). Names in snake or camel case and
the aliases mse, mae, mape, msle, bce, cce, scce, kld (in capitals too) find them.

For a loss of your own, subclass `Loss` or write a function of ``(y_true, y_pred)``; see `Loss` for what training needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netlet.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from netlet.losses.custom import LossFunctionWrapper, check_gradient
from netlet.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from netlet.losses.loss import Loss, OpLoss
from netlet.losses.margins import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from netlet.losses.overlap import Dice, Tversky, dice, tversky
from netlet.losses.probability import (
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
)
from netlet.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from netlet.losses.sequence import CTC, ctc
from netlet.losses.similarity import Circle, circle
from netlet.utils.registry import Registry, serialize

LossFunction = Callable[..., Any]

_OBJECTS: tuple[type[OpLoss], ...] = (
    MeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    CosineSimilarity,
    Huber,
    LogCosh,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    KLDivergence,
    Poisson,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
    Dice,
    Tversky,
    Circle,
    CTC,
)
_CLASSES: dict[LossFunction, type[OpLoss]] = {cls.function: cls for cls in _OBJECTS}
_ALIASES: dict[str, LossFunction] = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "bce": binary_crossentropy,
    "cce": categorical_crossentropy,
    "scce": sparse_categorical_crossentropy,
    "kld": kl_divergence,
}
REGISTRY = Registry(
    "loss",
    {
        **{function.__name__: function for function in _CLASSES},
        **{cls.__name__: cls for cls in (*_OBJECTS, LossFunctionWrapper)},
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


def as_loss(identifier: Any, prediction: tuple[int, ...] = (3,)) -> Loss:
    """Return the loss object that trains for ``identifier``.

    Args:
        identifier: as `get` takes it.
        prediction: the shape of a row of the model's output, for the check of a custom loss's gradient.

    Raises: ValueError if it is unknown, or a custom loss without a gradient, or with one that is off.
    """
    found = get(identifier)
    if not isinstance(found, Loss):
        if found in _CLASSES:
            cls: Any = _CLASSES[found]
            built: Loss = cls(name=identifier) if isinstance(identifier, str) else cls()
            return built
        found = LossFunctionWrapper(found, name=getattr(found, "__name__", "").strip("<>") or None)
    if not found.op:
        check_gradient(found, prediction)
    loss: Loss = found
    return loss


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the loss that a config describes; the inverse of `serialize`.

    Args:
        name: a name or a config.
        custom_objects: further classes and functions by name.

    Raises: ValueError if it describes none; an unknown name comes with the nearest known one.
    """
    if custom_objects:
        found = Registry("loss", {**REGISTRY.objects, **custom_objects}).deserialize(name)
        return found() if isinstance(found, type) else found
    return get(name)


__all__ = [
    "CTC",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
