"""Metrics: what to watch besides the loss.

In ``compile(metrics=[...])`` by name or as objects, or by hand: ``update_state``, ``result``, ``reset_state``. The
string "accuracy" (or "acc") stands for binary, categorical or sparse categorical accuracy, as loss and output demand.
"""

from __future__ import annotations

from typing import Any

from netlet.errors import unknown_name
from netlet.metrics.confusion import F1Score, Precision, Recall
from netlet.metrics.functions import binary_accuracy, categorical_accuracy, sparse_categorical_accuracy
from netlet.metrics.mean import (
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalAccuracy,
)
from netlet.metrics.metric import Metric
from netlet.utils.naming import to_snake_case
from netlet.utils.registry import Registry, serialize

ACCURACY = ("accuracy", "acc")  # names that need a model to become a metric

_CLASSES = (
    BinaryAccuracy,
    CategoricalAccuracy,
    F1Score,
    MeanAbsoluteError,
    MeanSquaredError,
    Precision,
    Recall,
    SparseCategoricalAccuracy,
)
_ALIASES = {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "MSE": MeanSquaredError, "MAE": MeanAbsoluteError}
REGISTRY = Registry(
    "metric",
    {
        **{cls.__name__: cls for cls in _CLASSES},
        **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
        "f1_score": F1Score,
        **_ALIASES,
    },
)
_FUNCTIONS: dict[Any, type[Metric]] = {
    binary_accuracy: BinaryAccuracy,
    categorical_accuracy: CategoricalAccuracy,
    sparse_categorical_accuracy: SparseCategoricalAccuracy,
}


def get(identifier: Any) -> Metric | None:
    """Return a metric for ``identifier``: None, a `Metric`, its class, a name or a config. A name becomes its name.

    Raises: ValueError if it is none of these; an unknown name comes with the nearest known one.
    """
    if identifier is None:
        return None
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        if identifier not in REGISTRY.objects:
            raise unknown_name("metric", identifier, [*REGISTRY.objects, *ACCURACY])
        made: Metric = REGISTRY.objects[identifier](name=identifier)
        return made
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    for function, cls in _FUNCTIONS.items():
        if identifier is function:
            return cls(name=function.__name__)
    if callable(identifier):
        raise ValueError(f"metric: custom metrics are not supported yet, got {identifier!r}")
    raise ValueError(f"metric: expected a name, a config or a Metric, got {identifier!r}")


def accuracy_for(name: str, *, integer_labels: bool, width: int) -> Metric:
    """Return the accuracy that the string "accuracy" stands for, called ``name``.

    Args:
        name: "accuracy" or "acc".
        integer_labels: whether the loss takes class numbers.
        width: size of the prediction's last axis.
    """
    if width == 1 and not integer_labels:
        return BinaryAccuracy(name=name)
    return SparseCategoricalAccuracy(name=name) if integer_labels else CategoricalAccuracy(name=name)


def deserialize(config: Any) -> Metric:
    """Return the metric that a config describes; the inverse of `serialize`."""
    if isinstance(config, str):
        found = get(config)
        assert found is not None
        return found
    made: Metric = REGISTRY.deserialize(config)
    return made


__all__ = [
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "F1Score",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "SparseCategoricalAccuracy",
    "accuracy_for",
    "binary_accuracy",
    "categorical_accuracy",
    "deserialize",
    "get",
    "serialize",
    "sparse_categorical_accuracy",
]
