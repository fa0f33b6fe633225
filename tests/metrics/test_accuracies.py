"""Accuracies: against scikit-learn and by counting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from netlet import metrics
from netlet.metrics import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)

RNG = np.random.default_rng(1)
N, C = 60, 6
P = RNG.random((N, C)).astype(np.float32)
CLASSES = RNG.integers(0, C, N)
ONE_HOT = np.eye(C, dtype=np.float32)[CLASSES]
LABELS = RNG.integers(0, 2, (N, C)).astype(np.float32)
WEIGHT = RNG.random(N)
CHOSEN = P.argmax(axis=1)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_accuracies_are_scikit_learns(weight: Any) -> None:
    want = pytest.approx(sk.accuracy_score(CLASSES, CHOSEN, sample_weight=weight))
    assert SparseCategoricalAccuracy()(CLASSES, P, weight) == want
    assert SparseCategoricalAccuracy()(CLASSES[:, None], P, weight) == want
    assert CategoricalAccuracy()(ONE_HOT, P, weight) == want
    assert Accuracy()(CLASSES, CHOSEN, weight) == want


@pytest.mark.parametrize("k", [1, 2, 5, 6])
def test_top_k_is_scikit_learns(k: int) -> None:
    want = sk.top_k_accuracy_score(CLASSES, P, k=k, labels=range(C)) if k < C else 1
    assert TopKCategoricalAccuracy(k)(ONE_HOT, P) == pytest.approx(want)
    assert SparseTopKCategoricalAccuracy(k)(CLASSES, P) == pytest.approx(want)
    ranked = np.argsort(-P, axis=1)
    assert SparseTopKCategoricalAccuracy(k, from_sorted_ids=True)(CLASSES, ranked) == pytest.approx(want)


def test_top_k_with_ties_and_strange_classes() -> None:
    p = [[0.5, 0.5, 0.5, 0.1], [0.1, np.nan, 0.2, 0.3]]
    np.testing.assert_array_equal(metrics.sparse_top_k_categorical_accuracy([2, 1], p, k=1), [1, 0])
    np.testing.assert_array_equal(metrics.sparse_top_k_categorical_accuracy([-1, 4], p, k=4), [0, 0])
    np.testing.assert_array_equal(metrics.sparse_top_k_categorical_accuracy([3, 0], p, k=3), [0, 1])


def test_functions_keep_the_axes() -> None:
    p = P.reshape(4, 15, C)
    assert metrics.accuracy(p, p).shape == p.shape
    assert metrics.binary_accuracy(LABELS.reshape(p.shape), p).shape == p.shape
    for function in (metrics.categorical_accuracy, metrics.top_k_categorical_accuracy):
        assert function(ONE_HOT.reshape(p.shape), p).shape == (4, 15)
    for function in (metrics.sparse_categorical_accuracy, metrics.sparse_top_k_categorical_accuracy):
        assert function(CLASSES.reshape(4, 15), p).shape == (4, 15)
        assert function(CLASSES.reshape(4, 15, 1), p).shape == (4, 15)
        column = function(CLASSES[:, None], P[None])  # of a single row, whose axis the labels lack
        np.testing.assert_array_equal(column, function(CLASSES, P)[None])
        with pytest.raises(ValueError, match=r"y_true has shape \(60, 1\), expected \(4, 15\)"):
            function(CLASSES[:, None], p)


def test_binary_accuracy() -> None:
    assert BinaryAccuracy()([1, 1, 0, 0], [0.98, 1, 0, 0.6]) == 0.75  # the example of Keras' documentation
    assert BinaryAccuracy()([1, 1, 0, 0], [0.98, 0.5, 0, 0.6], sample_weight=[1, 0, 0, 1]) == 0.5
    assert BinaryAccuracy(threshold=0.4)([[True], [True]], [[0.5], [0.4]]) == 0.5
    assert BinaryAccuracy()(LABELS, P) == pytest.approx(((P > 0.5) == LABELS).mean())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: BinaryAccuracy(threshold="a"), ValueError, "threshold must be a number"),
        (lambda: CategoricalAccuracy()(CLASSES, P), ValueError, "y_true has shape"),
        (lambda: CategoricalAccuracy()(1.0, 1.0), ValueError, "expected at least one axis"),
        (lambda: SparseCategoricalAccuracy()(ONE_HOT, P), ValueError, "y_true has shape"),
        (lambda: TopKCategoricalAccuracy()(CLASSES, P), ValueError, "y_true has shape"),
        (lambda: SparseTopKCategoricalAccuracy()(ONE_HOT, P), ValueError, "y_true has shape"),
        (lambda: Accuracy()(CLASSES, P), ValueError, "y_true has shape"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
