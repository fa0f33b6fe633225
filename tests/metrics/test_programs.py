"""Metrics that a program computes: by hand they are the same sums, and `runs_in_program` says which they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet import metrics
from netlet.metrics import (
    AUC,
    BinaryAccuracy,
    CategoricalAccuracy,
    F1Score,
    FBetaScore,
    MeanAbsoluteError,
    MeanMetricWrapper,
    MeanSquaredError,
    Metric,
    Precision,
    Recall,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
)
from netlet.program.ops import METRICS

RNG = np.random.default_rng(0)
N, C = 60, 4
P = RNG.random((N, C)).astype(np.float32)
CLASSES = RNG.integers(0, C, N)
ONE_HOT = np.eye(C, dtype=np.float32)[CLASSES]
LABELS = RNG.integers(0, 2, (N, C)).astype(np.float32)
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
    *[(FBetaScore(average, beta=0.5), CLASSES) for average in AVERAGES],
]


@pytest.mark.parametrize(("metric", "y"), EVERY)
def test_by_hand_and_in_a_program_are_the_same_sums(metric: Metric, y: np.ndarray) -> None:
    assert metric.runs_in_program
    op, attrs = metric.lower()
    spec = METRICS[op]
    attrs = spec.normalize(attrs)
    sums = np.zeros(spec.size((C,), attrs))
    labels = y.astype(np.int32) if y.ndim == 1 else y
    for part in (slice(0, 20), slice(20, N)):
        metric.update_state(y[part], P[part])
        spec.update(attrs, P[part], labels[part], sums)
    # the errors' sums are float32 within a row of 4: two roundings of 6e-8
    np.testing.assert_allclose(metric.result(), metric.value(sums), rtol=2e-7)
    metric.reset_state()
    assert np.all(np.asarray(metric.result()) == 0)


@pytest.mark.parametrize(("metric", "y"), EVERY)
def test_a_weight_of_zero_takes_a_row_out_and_two_counts_it_twice(metric: Metric, y: np.ndarray) -> None:
    weight = RNG.integers(0, 3, N)
    metric.reset_state()
    weighted = metric(y, P, sample_weight=weight)
    metric.reset_state()
    repeated = metric(np.repeat(y, weight, axis=0), np.repeat(P, weight, axis=0))
    # the same numbers, summed in float64 in another order
    np.testing.assert_allclose(weighted, repeated, rtol=1e-12)
    metric.reset_state()
    np.testing.assert_allclose(metric(y, P, weight[:, None]), repeated, rtol=1e-12)
    metric.reset_state()
    unweighted = metric(y, P)
    metric.reset_state()
    # F-scores add 1e-7 to counts of at least 10, here of three times as many
    np.testing.assert_allclose(metric(y, P, 3.0), unweighted, rtol=1e-7)


@pytest.mark.parametrize(("metric", "y"), EVERY)
def test_configs_make_the_same_metric(metric: Metric, y: np.ndarray) -> None:
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    assert again.lower() == metric.lower()


@pytest.mark.parametrize(
    "metric", [Precision([0.2, 0.4]), Recall(top_k=2), AUC(), RootMeanSquaredError(), MeanMetricWrapper(lambda y, p: p)]
)
def test_the_others_do_not_run_in_a_program(metric: Metric) -> None:
    assert not metric.runs_in_program
    assert metric.labels == "either"


@pytest.mark.parametrize("method", ["update_state", "result", "reset_state"])
def test_a_subclass_that_does_something_else_does_not_run_in_a_program(method: str) -> None:
    def other(self: Metric, *args: Any, **kwargs: Any) -> Any:
        return getattr(MeanSquaredError, method)(self, *args, **kwargs)

    changed: Any = type("Changed", (MeanSquaredError,), {method: other})
    named: Any = type("Named", (MeanSquaredError,), {})
    assert not changed().runs_in_program
    assert named().runs_in_program
    assert changed()(LABELS, P) == named()(LABELS, P)
