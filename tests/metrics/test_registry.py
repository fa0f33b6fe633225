"""Names, configs and functions find metrics."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import losses, metrics
from netlet.metrics import AUC, BinaryAccuracy, F1Score, MeanMetricWrapper, MeanSquaredError, Metric
from netlet.metrics.registry import CLASSES

ARGUMENTS: dict[str, dict[str, Any]] = {
    "MeanMetricWrapper": {"fn": losses.mean_squared_error},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5, "num_thresholds": 20},
    "RecallAtPrecision": {"precision": 0.5, "class_id": 2},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 1]},
    "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": (0, 1)},
    "OneHotMeanIoU": {"num_classes": 3},
    "AUC": {"thresholds": [0.2, 0.7], "curve": "PR", "multi_label": True, "label_weights": np.array([1.0, 2.0])},
    "Precision": {"thresholds": np.array([0.2, 0.7]), "top_k": 3},
}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_metric_survives_json(cls: Any) -> None:
    metric = cls(**ARGUMENTS.get(cls.__name__, {}), name="mine")
    config = json.loads(json.dumps(metrics.serialize(metric)))
    again = metrics.deserialize(config)
    assert type(again) is cls
    assert again.name == "mine"
    assert again.get_config() == metric.get_config()


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("mse", MeanSquaredError),
        ("MSE", MeanSquaredError),
        ("mean_absolute_error", metrics.MeanAbsoluteError),
        ("MeanAbsoluteError", metrics.MeanAbsoluteError),
        ("MAPE", metrics.MeanAbsolutePercentageError),
        ("msle", metrics.MeanSquaredLogarithmicError),
        ("bce", metrics.BinaryCrossentropy),
        ("accuracy", metrics.Accuracy),
        ("binary_accuracy", BinaryAccuracy),
        ("sparse_categorical_accuracy", metrics.SparseCategoricalAccuracy),
        ("kl_divergence", metrics.KLDivergence),
        ("auc", AUC),
        ("precision", metrics.Precision),
        ("f1_score", F1Score),
        ("F1Score", F1Score),
    ],
)
def test_a_name_finds_a_metric_and_becomes_its_name(name: str, cls: type[Metric]) -> None:
    metric = metrics.get(name)
    assert type(metric) is cls
    assert metric.name == name


def halved(y_true: Any, y_pred: Any) -> Any:
    return np.asarray(y_pred) / 2


class Mine(Metric):
    def __init__(self, name: str | None = None, dtype: Any = None, scale: int = 1) -> None:
        super().__init__(name=name, dtype=dtype)
        self.scale = scale

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}


def test_get() -> None:
    assert metrics.get(None) is None
    metric = AUC()
    assert metrics.get(metric) is metric
    assert type(metrics.get(BinaryAccuracy)) is BinaryAccuracy
    config = {"class_name": "BinaryAccuracy", "config": {"threshold": 0.25}}
    assert metrics.get(config).threshold == 0.25  # type: ignore[union-attr]


def test_a_function_becomes_a_metric() -> None:
    metric = metrics.get(halved)
    assert type(metric) is MeanMetricWrapper
    assert metric.name == "halved"
    assert metric([0, 0], [1.0, 2.0]) == 0.75
    unnamed = metrics.get(lambda y, p: p)
    assert unnamed is not None
    assert unnamed.name == "lambda"
    loss = metrics.get(losses.MeanSquaredError())
    assert loss is not None
    assert loss.name == "mean_squared_error"
    assert loss([[0.0]], [[2.0]]) == 4


@pytest.mark.parametrize(
    ("function", "cls"),
    [(metrics.binary_accuracy, BinaryAccuracy), (losses.mean_squared_error, MeanSquaredError)],
)
def test_a_function_that_has_a_class_becomes_that(function: Any, cls: type[Metric]) -> None:
    metric = metrics.get(function)
    assert type(metric) is cls
    assert metric.name == function.__name__


def test_custom_objects() -> None:
    config = json.loads(json.dumps(metrics.serialize(Mine(scale=3))))
    assert metrics.deserialize(config, custom_objects={"Mine": Mine}).scale == 3  # type: ignore[attr-defined]
    assert type(metrics.deserialize("Mine", custom_objects={"Mine": Mine})) is Mine
    config = json.loads(json.dumps(metrics.serialize(metrics.get(halved))))
    again = metrics.deserialize(config, custom_objects={"halved": halved})
    assert again([0], [3.0]) == 1.5
    with pytest.raises(ValueError, match="unknown metric function 'halved'"):
        metrics.deserialize(config)
    with pytest.raises(ValueError, match="unknown metric 'Mine'"):
        metrics.deserialize("Mine")


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("acuracy", "Did you mean 'accuracy'"),
        (3, "metric: expected a name"),
        (int, "metric: expected a name"),
        ({"class": "AUC"}, "metric config: expected"),
    ],
)
def test_what_is_no_metric_is_refused(identifier: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.get(identifier)


def test_names_of_the_module_are_what_they_say() -> None:
    for name in netlet.metrics.__all__:
        assert name in ("ACCURACY", "REGISTRY") or getattr(netlet.metrics, name).__name__ == name
