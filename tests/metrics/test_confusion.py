"""Counts at thresholds, precision, recall, rates at rates: against scikit-learn and a table of comparisons."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from netlet.metrics import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
    confusion_at_thresholds,
)

RNG = np.random.default_rng(2)
N, C = 60, 4
P = RNG.random((N, C)).astype(np.float32)
CLASSES = RNG.integers(0, C, N)
ONE_HOT = np.eye(C, dtype=np.float32)[CLASSES]
LABELS = RNG.integers(0, 2, (N, C)).astype(np.float32)
WEIGHT = RNG.random(N)


def table(y: Any, p: Any, thresholds: Any, weight: Any, multi_label: bool) -> list[np.ndarray]:
    """Counts by comparing every prediction with every threshold."""
    axis = 1 if multi_label else (1, 2)
    positive = p > np.asarray(thresholds, p.dtype)[:, None, None]
    true = y != 0
    cells = (positive & true, positive & ~true, ~positive & ~true, ~positive & true)
    return [(cell * weight).sum(axis=axis) for cell in cells]


@given(
    thresholds=st.lists(st.sampled_from([0.0, 0.125, 0.25, 0.3, 0.5, 0.875, 1.0]), min_size=1, max_size=9),
    seed=st.integers(0, 1000),
    multi_label=st.booleans(),
    weighted=st.booleans(),
)
def test_counts_are_those_of_the_table(thresholds: Any, seed: int, multi_label: bool, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, (13, 3))
    p = (rng.integers(-1, 10, (13, 3)) / 8).astype(np.float32)
    p[rng.random(p.shape) < 0.1] = np.nan
    weight = rng.integers(1, 4, (13, 1)) if weighted else None
    got = confusion_at_thresholds(y, p, thresholds, weight, multi_label=multi_label)
    for mine, want in zip(got, table(y, p, thresholds, 1 if weight is None else weight, multi_label), strict=True):
        np.testing.assert_array_equal(mine, want)


@pytest.mark.parametrize("count", [3, 5, 200, 201])
@pytest.mark.parametrize("outer", [0.0, 1e-7])
def test_evenly_spaced_thresholds_have_the_same_counts(count: int, outer: float) -> None:
    thresholds = np.arange(count) / (count - 1)
    thresholds[[0, -1]] += -outer, outer
    p = np.concatenate([P.reshape(-1), np.float32([0, 1, 0.25, 0.5])])
    y = RNG.integers(0, 2, p.shape)
    searched = confusion_at_thresholds(y, p, thresholds)
    for mine, want in zip(confusion_at_thresholds(y, p, thresholds, evenly=True), searched, strict=True):
        np.testing.assert_array_equal(mine, want)


def test_counts_need_memory_for_the_predictions_not_for_the_table() -> None:
    n, t = 200_000, 500
    p = RNG.random(n).astype(np.float32)
    y = RNG.integers(0, 2, n).astype(np.float32)
    thresholds = np.sort(RNG.random(t))
    tracemalloc.start()
    try:
        confusion_at_thresholds(y, p, thresholds)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * n  # a table of bytes would be 500 n


def test_the_four_counts() -> None:
    for metric, want in ((TruePositives, 2), (TrueNegatives, 1), (FalsePositives, 1), (FalseNegatives, 1)):
        assert metric()([0, 1, 1, 1, 0], [1, 0, 1, 1, 0]) == want
    np.testing.assert_array_equal(TruePositives([0.9, 0.5])([1, 1, 0], [0.95, 0.6, 1]), [1, 2])
    assert TruePositives(np.array([0.5])).get_config()["thresholds"] == [0.5]


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


def test_several_thresholds_give_an_array_in_their_order() -> None:
    got = Recall([0.8, 0.2])(LABELS, P)
    np.testing.assert_array_equal(got, [Recall(0.8)(LABELS, P), Recall(0.2)(LABELS, P)])


def test_class_numbers_are_labels() -> None:
    assert Precision()(CLASSES, P) == Precision()(ONE_HOT, P)
    assert Recall(class_id=1)(CLASSES, P) == Recall(class_id=1)(ONE_HOT, P)


def test_top_k_is_recall_at_k() -> None:
    for k in (1, 2, 3):
        assert Recall(top_k=k)(ONE_HOT, P) == pytest.approx(sk.top_k_accuracy_score(CLASSES, P, k=k, labels=range(C)))
    assert Recall(top_k=C)(ONE_HOT, P) == 1
    assert Precision(top_k=2)([[0, 1, 0]], [[0.5, 0.5, 0.5]]) == 0.5  # of equals, the first


def test_vectors_of_predictions() -> None:
    # the examples of Keras' documentation
    assert Precision()([0, 1, 1, 1], [1, 0, 1, 1]) == pytest.approx(2 / 3)
    assert Precision()([0, 1, 1, 1], [1, 0, 1, 1], sample_weight=[0, 0, 1, 0]) == 1
    assert Precision(top_k=2)([0, 0, 1, 1], [1, 1, 1, 1]) == 0
    assert Recall()([0, 1, 1, 1], [1, 0, 1, 1]) == pytest.approx(2 / 3)


def test_nothing_predicted_and_nothing_true_is_zero() -> None:
    zeros = np.zeros((3, 2))
    assert Precision()(zeros, zeros) == 0
    assert Recall()(zeros, zeros) == 0
    assert RecallAtPrecision(0.5)(zeros, zeros) == 0


def test_rates_at_rates() -> None:
    # the examples of Keras' documentation
    y, p = [0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]
    assert SensitivityAtSpecificity(0.5)(y, p) == 0.5
    assert SensitivityAtSpecificity(0.5)(y, p, sample_weight=[1, 1, 2, 2, 1]) == pytest.approx(1 / 3)
    assert SpecificityAtSensitivity(0.5)(y, p) == pytest.approx(2 / 3)
    assert PrecisionAtRecall(0.5)(y, p) == 0.5
    assert RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]) == 0.5


def test_the_best_threshold_of_a_curve() -> None:
    y, p = LABELS[:, 0], P[:, 0]
    precision, recall, _ = sk.precision_recall_curve(y, p)
    # 10,000 thresholds separate 60 predictions
    assert RecallAtPrecision(0.6, num_thresholds=10_001)(y, p) == pytest.approx(recall[precision >= 0.6].max())
    assert PrecisionAtRecall(0.6, num_thresholds=10_001)(y, p) == pytest.approx(precision[recall >= 0.6].max())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Precision(1.5), r"Threshold values must be in \[0, 1\]. Received: \[1.5\]"),
        (lambda: Precision("a"), r"Threshold values must be in \[0, 1\]. Received: \['a'\]"),
        (lambda: Precision([0.1, None]), r"Threshold values must be in \[0, 1\]. Received: \[None\]"),
        (lambda: Precision([]), r"Threshold values must be in \[0, 1\]. Received: \[\]"),
        (lambda: Recall(top_k=0), "top_k must be a positive int, got 0"),
        (lambda: Recall(top_k="a"), "top_k must be a positive int, got 'a'"),
        (lambda: Recall(class_id=-1), "class_id must be None or a class number"),
        (lambda: Recall(class_id="a"), "class_id must be None or a class number"),
        (lambda: Recall(class_id=4)(LABELS, P), "class_id 4 is not below the number of classes, 4"),
        (lambda: Recall(class_id=4).value(np.ones(16)), "class_id 4 is not below the number of classes, 4"),
        (lambda: Recall(class_id=0)(LABELS[0], P[0]), "When class_id is provided, y_pred must be a 2D array"),
        (lambda: Precision()(ONE_HOT[:3], P), "y_true has shape"),
        (lambda: Precision()(CLASSES[:3], P), "y_true has shape"),
        (lambda: SensitivityAtSpecificity(2), r"`specificity` must be in the range \[0, 1\]"),
        (lambda: PrecisionAtRecall(0.5, num_thresholds=0), "`num_thresholds` must be an integer > 0"),
        (lambda: confusion_at_thresholds(LABELS, P, [0.5], label_weights=[1, 2]), "label_weights has shape"),
    ],
)
def test_bad_arguments_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
