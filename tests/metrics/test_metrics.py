"""Metrics by hand: against scikit-learn, against the program's ops, and in their lives of update, result, reset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from netlet import metrics
from netlet.metrics import (
    BinaryAccuracy,
    CategoricalAccuracy,
    F1Score,
    MeanAbsoluteError,
    MeanSquaredError,
    Metric,
    Precision,
    Recall,
    SparseCategoricalAccuracy,
)
from netlet.program.ops import METRICS
from netlet.utils import clear_session

RNG = np.random.default_rng(0)
N, C = 60, 4
P = RNG.random((N, C)).astype(np.float32)
CLASSES = RNG.integers(0, C, N)
ONE_HOT = np.eye(C, dtype=np.float32)[CLASSES]
LABELS = RNG.integers(0, 2, (N, C)).astype(np.float32)
WEIGHT = RNG.random(N)
CHOSEN = P.argmax(axis=1)
AVERAGES: list[Any] = [None, "micro", "macro", "weighted"]

EVERY: list[tuple[Metric, np.ndarray]] = [
    (MeanSquaredError(), LABELS),
    (MeanAbsoluteError(), LABELS),
    (BinaryAccuracy(), LABELS),
    (BinaryAccuracy(threshold=0.2), LABELS),
    (CategoricalAccuracy(), ONE_HOT),
    (SparseCategoricalAccuracy(), CLASSES),
    (Precision(), LABELS),
    (Precision(), CLASSES),
    (Precision(0.2, class_id=3), LABELS),
    (Recall(), ONE_HOT),
    (Recall([0.7]), CLASSES),
    *[(F1Score(average), ONE_HOT) for average in AVERAGES],
    *[(F1Score(average, threshold=0.4), LABELS) for average in AVERAGES],
    *[(F1Score(average), CLASSES) for average in AVERAGES],
]


@pytest.mark.parametrize(("metric", "y"), EVERY)
def test_by_hand_and_in_a_program_are_the_same_sums(metric: Metric, y: np.ndarray) -> None:
    op, attrs = metric.lower()
    spec = METRICS[op]
    attrs = spec.normalize(attrs)
    sums = np.zeros(spec.size((C,), attrs))
    labels = y.astype(np.int32) if y.ndim == 1 else y
    for part in (slice(0, 20), slice(20, N)):
        metric.update_state(y[part], P[part])
        spec.update(attrs, P[part], labels[part], sums)
    np.testing.assert_allclose(metric.result(), metric.value(sums), rtol=1e-6)
    metric.reset_state()
    assert np.all(np.asarray(metric.result()) == 0)


@pytest.mark.parametrize(("metric", "y"), EVERY)
def test_a_weight_of_zero_takes_a_row_out_and_two_counts_it_twice(metric: Metric, y: np.ndarray) -> None:
    weight = RNG.integers(0, 3, N)
    metric.reset_state()
    weighted = metric(y, P, sample_weight=weight)
    metric.reset_state()
    repeated = metric(np.repeat(y, weight, axis=0), np.repeat(P, weight, axis=0))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-6)
    metric.reset_state()
    np.testing.assert_allclose(metric(y, P, weight[:, None]), repeated, rtol=1e-6)
    metric.reset_state()
    np.testing.assert_allclose(metric(y, P, 3.0), EVERY_VALUE(metric, y), rtol=1e-6)


def EVERY_VALUE(metric: Metric, y: np.ndarray) -> Any:
    """The unweighted value, from a metric of the same config."""
    return type(metric).from_config(metric.get_config())(y, P)


def test_means_and_accuracies() -> None:
    assert MeanSquaredError()(LABELS, P) == pytest.approx(sk.mean_squared_error(LABELS, P))
    assert MeanAbsoluteError()(LABELS, P) == pytest.approx(sk.mean_absolute_error(LABELS, P))
    assert BinaryAccuracy()(LABELS, P) == pytest.approx(((P > 0.5) == LABELS).mean())
    assert SparseCategoricalAccuracy()(CLASSES, P) == pytest.approx(sk.accuracy_score(CLASSES, CHOSEN))
    assert SparseCategoricalAccuracy()(CLASSES[:, None], P) == pytest.approx(sk.accuracy_score(CLASSES, CHOSEN))
    assert CategoricalAccuracy()(ONE_HOT, P) == pytest.approx(sk.accuracy_score(CLASSES, CHOSEN))
    got = SparseCategoricalAccuracy()(CLASSES, P, WEIGHT)
    assert got == pytest.approx(sk.accuracy_score(CLASSES, CHOSEN, sample_weight=WEIGHT))


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_f1_is_scikit_learns(average: Any, weight: Any) -> None:
    # Keras adds 1e-7 to each of three denominators of at least 0.05
    want = sk.f1_score(CLASSES, CHOSEN, average=average, sample_weight=weight)
    np.testing.assert_allclose(F1Score(average)(ONE_HOT, P, weight), want, rtol=1e-5)
    np.testing.assert_allclose(F1Score(average)(CLASSES, P, weight), want, rtol=1e-5)
    want = sk.f1_score(LABELS, P > 0.5, average=average, sample_weight=weight)
    np.testing.assert_allclose(F1Score(average, threshold=0.5)(LABELS, P, weight), want, rtol=1e-5)


@pytest.mark.parametrize("threshold", [None, 0.3])
def test_precision_and_recall_are_scikit_learns(threshold: Any) -> None:
    positive = (0.5 if threshold is None else threshold) < P
    flat = (LABELS.reshape(-1), positive.reshape(-1))
    assert Precision(threshold)(LABELS, P) == pytest.approx(sk.precision_score(*flat))
    assert Recall(threshold)(LABELS, P) == pytest.approx(sk.recall_score(*flat))
    column = (LABELS[:, 2], positive[:, 2])
    assert Precision(threshold, class_id=2)(LABELS, P) == pytest.approx(sk.precision_score(*column))
    assert Recall(threshold, class_id=2)(LABELS, P) == pytest.approx(sk.recall_score(*column))
    weighted = sk.precision_score(*flat, sample_weight=np.repeat(WEIGHT, C))
    assert Precision(threshold)(LABELS, P, WEIGHT) == pytest.approx(weighted)


def test_vectors_of_predictions() -> None:
    # the examples of Keras' documentation
    assert Precision()([0, 1, 1, 1], [1, 0, 1, 1]) == pytest.approx(2 / 3)
    assert Precision()([0, 1, 1, 1], [1, 0, 1, 1], sample_weight=[0, 0, 1, 0]) == 1
    assert Recall()([0, 1, 1, 1], [1, 0, 1, 1]) == pytest.approx(2 / 3)
    assert BinaryAccuracy()([1, 1, 0, 0], [0.98, 1, 0, 0.6]) == 0.75
    got = F1Score(threshold=0.5)([[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
    np.testing.assert_allclose(got, [0.5, 0.8, 2 / 3], rtol=1e-5)


def test_nothing_predicted_and_nothing_true_is_zero() -> None:
    zeros = np.zeros((3, 2))
    assert Precision()(zeros, zeros) == 0
    assert Recall()(zeros, zeros) == 0
    assert F1Score("macro", threshold=0.5)(zeros, zeros) == 0


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("mse", MeanSquaredError),
        ("MSE", MeanSquaredError),
        ("mean_absolute_error", MeanAbsoluteError),
        ("MeanAbsoluteError", MeanAbsoluteError),
        ("binary_accuracy", BinaryAccuracy),
        ("sparse_categorical_accuracy", SparseCategoricalAccuracy),
        ("precision", Precision),
        ("recall", Recall),
        ("f1_score", F1Score),
        ("F1Score", F1Score),
    ],
)
def test_a_name_finds_a_metric_and_becomes_its_name(name: str, cls: type[Metric]) -> None:
    metric = metrics.get(name)
    assert type(metric) is cls
    assert metric.name == name


def test_names() -> None:
    clear_session()
    assert [Precision().name, Precision().name, Recall().name] == ["precision", "precision_1", "recall"]
    assert [MeanSquaredError().name, F1Score().name, F1Score().name] == ["mean_squared_error", "f1_score", "f1_score"]
    assert metrics.get(None) is None
    assert type(metrics.get(BinaryAccuracy)) is BinaryAccuracy
    assert type(metrics.get(metrics.binary_accuracy)) is BinaryAccuracy


@pytest.mark.parametrize(("metric", "y"), EVERY)
def test_configs_make_the_same_metric(metric: Metric, y: np.ndarray) -> None:
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    assert again.lower() == metric.lower()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: metrics.get("acuracy"), ValueError, "Did you mean 'accuracy'"),
        (lambda: metrics.get(3), ValueError, "metric: expected a name"),
        (lambda: metrics.get(lambda y, p: 0), ValueError, "custom metrics are not supported yet"),
        (lambda: BinaryAccuracy(threshold="a"), ValueError, "threshold must be a number"),
        (lambda: Precision(1.5), ValueError, r"thresholds must be a number in \[0, 1\], got 1.5"),
        (lambda: Precision("a"), ValueError, "thresholds must be a number"),
        (lambda: Precision([0.1, 0.2]), ValueError, "more than one threshold is not supported yet"),
        (lambda: Recall(top_k=2), ValueError, "top_k=2 is not supported yet"),
        (lambda: Recall(class_id=-1), ValueError, "class_id must be None or a class number"),
        (lambda: Recall(class_id="a"), ValueError, "class_id must be None or a class number"),
        (lambda: Recall(class_id=4)(LABELS, P), ValueError, "class_id 4 is not below the number of classes, 4"),
        (lambda: F1Score("micr"), ValueError, "unknown average 'micr'. Did you mean 'micro'"),
        (lambda: F1Score(threshold=1), ValueError, "threshold must be a float"),
        (lambda: F1Score(threshold=0.0), ValueError, r"threshold must lie in \(0, 1\]"),
        (lambda: MeanSquaredError(name=""), ValueError, "name must be a non-empty string"),
        (lambda: MeanSquaredError(dtype="int8"), ValueError, "dtype: expected one of"),
        (lambda: MeanSquaredError()(LABELS, P[:, :2]), ValueError, "y_true has shape"),
        (lambda: CategoricalAccuracy()(CLASSES, P), ValueError, "y_true has shape"),
        (lambda: SparseCategoricalAccuracy()(ONE_HOT, P), ValueError, "y_true has shape"),
        (lambda: Precision()(ONE_HOT[:3], P), ValueError, "y_true has shape"),
        (lambda: Precision()(CLASSES[:3], P), ValueError, "y_true has shape"),
        (lambda: MeanSquaredError()(LABELS, P, np.ones(3)), ValueError, "sample_weight has shape"),
        (lambda: MeanSquaredError()(LABELS, P, "a"), TypeError, "sample_weight must hold real numbers"),
        (lambda: MeanSquaredError()(LABELS.astype(str), P), TypeError, "y_true: expected real numbers"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_metric_per_class_keeps_to_its_number_of_classes() -> None:
    metric = F1Score()
    metric.update_state(ONE_HOT, P)
    with pytest.raises(ValueError, match="batch has 2 classes, expected 4"):
        metric.update_state(ONE_HOT[:, :2], P[:, :2])
