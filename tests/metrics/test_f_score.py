"""F-scores: against scikit-learn, ties, and labels between 0 and 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from netlet.metrics import F1Score, FBetaScore

RNG = np.random.default_rng(4)
N, C = 60, 4
P = RNG.random((N, C)).astype(np.float32)
CLASSES = RNG.integers(0, C, N)
ONE_HOT = np.eye(C, dtype=np.float32)[CLASSES]
LABELS = RNG.integers(0, 2, (N, C)).astype(np.float32)
WEIGHT = RNG.random(N)
CHOSEN = P.argmax(axis=1)

# Keras adds 1e-7 to each of three denominators, which are at least 0.05
RTOL = 1e-5


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_scores_are_scikit_learns(average: Any, weight: Any, beta: float) -> None:
    want = sk.fbeta_score(CLASSES, CHOSEN, beta=beta, average=average, sample_weight=weight)
    np.testing.assert_allclose(FBetaScore(average, beta)(ONE_HOT, P, weight), want, rtol=RTOL)
    np.testing.assert_allclose(FBetaScore(average, beta)(CLASSES, P, weight), want, rtol=RTOL)
    want = sk.fbeta_score(LABELS, P > 0.5, beta=beta, average=average, sample_weight=weight)
    np.testing.assert_allclose(FBetaScore(average, beta, 0.5)(LABELS, P, weight), want, rtol=RTOL)


def test_f1_is_f_beta_of_one() -> None:
    np.testing.assert_array_equal(F1Score()(ONE_HOT, P), FBetaScore(beta=1.0)(ONE_HOT, P))
    got = F1Score(threshold=0.5)([[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
    np.testing.assert_allclose(got, [0.5, 0.8, 2 / 3], rtol=RTOL)  # the example of Keras' documentation


def test_all_of_equal_maxima_are_predicted_and_zeros_never() -> None:
    np.testing.assert_allclose(F1Score()([[1, 1, 0]], [[0.5, 0.5, 0.1]]), [1, 1, 0], rtol=RTOL)
    np.testing.assert_array_equal(F1Score()([[1, 0, 0]], [[0.0, 0.0, 0.0]]), [0, 0, 0])


def test_labels_between_0_and_1_count_in_part() -> None:
    # of the one prediction, 0.75 are right: tp 0.75, fp 0.25, fn 0
    assert F1Score("micro", 0.5)([[0.75, 0.0]], [[0.9, 0.1]]) == pytest.approx(1.5 / 1.75)


def test_every_position_is_a_row() -> None:
    p, y, weight = (v.reshape(12, 5, *v.shape[1:]) for v in (P, ONE_HOT, WEIGHT))
    np.testing.assert_array_equal(F1Score()(y, p, weight), F1Score()(ONE_HOT, P, WEIGHT))
    np.testing.assert_array_equal(F1Score()(y, p), F1Score()(CLASSES.reshape(12, 5), p))


def test_nothing_predicted_and_nothing_true_is_zero() -> None:
    assert F1Score("macro").result() == 0
    assert F1Score("macro", threshold=0.5)(np.zeros((3, 2)), np.zeros((3, 2))) == 0


def test_a_score_per_class_keeps_to_its_number_of_classes() -> None:
    metric = F1Score()
    metric.update_state(ONE_HOT, P)
    with pytest.raises(ValueError, match="batch has 2 classes, expected 4"):
        metric.update_state(ONE_HOT[:, :2], P[:, :2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: F1Score("micr"), "Invalid `average` argument value.*average=micr.*Did you mean 'micro'"),
        (lambda: F1Score(threshold=1), "Invalid `threshold` argument value. It should be a Python float"),
        (lambda: F1Score(threshold=0.0), "It should verify 0 < threshold <= 1"),
        (lambda: FBetaScore(beta=2), "Invalid `beta` argument value. It should be a Python float"),
        (lambda: FBetaScore(beta=-1.0), "Invalid `beta` argument value. It should be > 0"),
        (lambda: F1Score()(LABELS[:, 0], P[:, 0]), "expects 2D inputs"),
        (lambda: F1Score()(LABELS[:, :3], P), "y_true has shape"),
    ],
)
def test_bad_arguments_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
