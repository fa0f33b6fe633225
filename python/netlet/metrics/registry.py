"""Find metrics by name or by what describes them, and write them as configs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netlet.errors import unknown_name
from netlet.losses import functions as losses
from netlet.metrics import functions
from netlet.metrics.accuracies import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from netlet.metrics.auc import AUC
from netlet.metrics.confusion import FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives
from netlet.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from netlet.metrics.f_score import F1Score, FBetaScore
from netlet.metrics.hinges import CategoricalHinge, Hinge, SquaredHinge
from netlet.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from netlet.metrics.metric import Metric
from netlet.metrics.operating_point import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from netlet.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from netlet.metrics.r2 import R2Score
from netlet.metrics.reduction import Mean, MeanMetricWrapper, Sum
from netlet.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
)
from netlet.utils.naming import to_snake_case
from netlet.utils.registry import Registry
from netlet.utils.registry import serialize as serialize_object

ACCURACY = ("accuracy", "acc")  # names that `compile` makes into the accuracy that fits the model

CLASSES: tuple[type[Metric], ...] = (
    *(Mean, Sum, MeanMetricWrapper),
    *(MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError),
    *(MeanSquaredLogarithmicError, CosineSimilarity, LogCoshError, R2Score),
    *(AUC, TruePositives, TrueNegatives, FalsePositives, FalseNegatives, Precision, Recall),
    *(PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity, SpecificityAtSensitivity),
    *(PearsonCorrelation, ConcordanceCorrelation, Hinge, SquaredHinge, CategoricalHinge),
    *(KLDivergence, Poisson, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy),
    *(Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy),
    *(TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy, F1Score, FBetaScore),
    *(IoU, BinaryIoU, MeanIoU, OneHotIoU, OneHotMeanIoU),
)
_ALIASES: dict[str, type[Metric]] = {
    "bce": BinaryCrossentropy,
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
}
REGISTRY = Registry(
    "metric",
    {
        **{cls.__name__: cls for cls in CLASSES},
        **{to_snake_case(cls.__name__): cls for cls in CLASSES},
        "f1_score": F1Score,
        **_ALIASES,
        **{name.upper(): cls for name, cls in _ALIASES.items()},
    },
)

#: Functions that have a class, which in a program or out of it computes their mean.
_CLASS_OF: dict[Callable[..., Any], type[Metric]] = {
    functions.accuracy: Accuracy,
    functions.binary_accuracy: BinaryAccuracy,
    functions.categorical_accuracy: CategoricalAccuracy,
    functions.sparse_categorical_accuracy: SparseCategoricalAccuracy,
    functions.top_k_categorical_accuracy: TopKCategoricalAccuracy,
    functions.sparse_top_k_categorical_accuracy: SparseTopKCategoricalAccuracy,
    pearson_correlation: PearsonCorrelation,
    concordance_correlation: ConcordanceCorrelation,
    losses.mean_squared_error: MeanSquaredError,
    losses.mean_absolute_error: MeanAbsoluteError,
    losses.mean_absolute_percentage_error: MeanAbsolutePercentageError,
    losses.mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    losses.log_cosh: LogCoshError,
    losses.hinge: Hinge,
    losses.squared_hinge: SquaredHinge,
    losses.categorical_hinge: CategoricalHinge,
    losses.kl_divergence: KLDivergence,
    losses.poisson: Poisson,
    losses.binary_crossentropy: BinaryCrossentropy,
    losses.categorical_crossentropy: CategoricalCrossentropy,
    losses.sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}
_WITHOUT_CLASS: tuple[Callable[..., Any], ...] = (
    losses.binary_focal_crossentropy,
    losses.categorical_focal_crossentropy,
    losses.huber,
)
FUNCTIONS = Registry("metric function", {f.__name__: f for f in (*_CLASS_OF, *_WITHOUT_CLASS)})


def get(identifier: Any) -> Metric | None:
    """Return a metric for ``identifier``.

    Args:
        identifier: None; a `Metric`; its class; a name, which becomes the metric's name; a config; or a function
            ``fn(y_true, y_pred)``, also a loss, whose mean is the metric. A function that has a class, such as
            `binary_accuracy`, becomes that.

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
    if not callable(identifier) or isinstance(identifier, type):
        raise ValueError(f"metric: expected a name, a config, a Metric or a function, got {identifier!r}")
    name = getattr(identifier, "name", None) or getattr(identifier, "__name__", None) or type(identifier).__name__
    try:
        cls = _CLASS_OF.get(identifier)
    except TypeError:  # an object that has no hash
        cls = None
    name = name if name.isidentifier() else to_snake_case(name)  # "<lambda>" becomes "lambda"
    return cls(name=name) if cls else MeanMetricWrapper(identifier, name=name)


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


def serialize(metric: Any) -> Any:
    """Return the config of a metric, ``{"class_name": str, "config": dict}``, or the name of a function.

    Raises: ValueError if it has neither ``get_config`` nor a name.
    """
    config = serialize_object(metric)
    if isinstance(metric, MeanMetricWrapper) and callable(function := config["config"].get("fn")):
        config["config"] = {**config["config"], "fn": serialize_object(function)}
    return config


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Metric:
    """Return the metric that a config or a name describes; the inverse of `serialize`.

    Args:
        config: a name, or ``{"class_name": str, "config": dict}``.
        custom_objects: classes and functions by name, besides the ones that Netlet has.

    Raises: ValueError if a name is unknown or the config is none.
    """
    custom = dict(custom_objects or {})
    if isinstance(config, Mapping) and isinstance(config.get("config"), Mapping):
        arguments = dict(config["config"])
        if isinstance(arguments.get("fn"), str) and arguments["fn"] in custom:
            arguments["fn"] = custom[arguments["fn"]]
        config = {**config, "config": arguments}
    if isinstance(config, str) and config not in custom:
        found = get(config)
    else:
        found = get(Registry("metric", {**REGISTRY.objects, **custom}).deserialize(config))
    assert found is not None
    return found


def find_function(function: Any) -> Any:
    """Return the function called ``function``, or what it is if it can be called; ValueError if it is unknown."""
    return function if callable(function) else FUNCTIONS.deserialize(function)


def config_of_function(function: Any) -> Any:
    """Return the name of a function that Netlet has; one of somebody's own as it is."""
    name = getattr(function, "__name__", "")
    return name if FUNCTIONS.objects.get(name) is function else function
