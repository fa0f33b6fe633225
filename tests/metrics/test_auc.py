"""Areas under curves: against scikit-learn, and how columns are added up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from netlet.metrics import AUC, AUCCurve, AUCSummationMethod

RNG = np.random.default_rng(3)
N, L = 80, 3
Y = RNG.integers(0, 2, (N, L)).astype(np.float32)
P = ((np.floor(60 * Y + 140 * RNG.random((N, L))) + 0.5) / 200).astype(np.float32)  # halfway between 201 thresholds
WEIGHT = RNG.random(N)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_the_area_under_roc_is_scikit_learns(weight: Any) -> None:
    # a threshold between any two predictions that differ: the sum of columns is the area
    flat = np.repeat(weight, L) if weight is not None else None
    want = sk.roc_auc_score(Y.reshape(-1), P.reshape(-1), sample_weight=flat)
    assert AUC(201)(Y, P, weight) == pytest.approx(want)
    columns = sk.roc_auc_score(Y, P, average=None, sample_weight=weight)
    assert AUC(201, multi_label=True)(Y, P, weight) == pytest.approx(columns.mean())
    got = AUC(201, multi_label=True, label_weights=[1, 2, 0])(Y, P, weight)
    assert got == pytest.approx(np.average(columns, weights=[1, 2, 0]))


def test_minoring_precision_recall_lies_below_majoring() -> None:
    average = sk.average_precision_score(Y.reshape(-1), P.reshape(-1))
    low, middle, high = (AUC(200, "PR", method)(Y, P) for method in ("minoring", "interpolation", "majoring"))
    assert low < middle < high
    assert low < average < high


def test_the_thresholds_between_may_be_given() -> None:
    metric = AUC(thresholds=[0.5, 0.25, 0.75])
    assert metric.num_thresholds == 5
    assert metric.thresholds == [-1e-7, 0.25, 0.5, 0.75, 1 + 1e-7]
    assert metric(Y, P) == AUC(5)(Y, P)
    again = AUC.from_config(metric.get_config())
    assert again.get_config() == metric.get_config()
    assert AUC(thresholds=[])(Y, P) == 0.5


def test_batches_add_up() -> None:
    metric = AUC(multi_label=True)
    assert metric.result() == 0
    metric.update_state(Y[:50], P[:50])
    metric.update_state(Y[50:], P[50:])
    assert metric.result() == AUC(multi_label=True, num_labels=L)(Y, P)
    metric.reset_state()
    assert metric.result() == 0


def test_logits() -> None:
    logits = np.float32([-2000, -0.5, 0.5, 2000])
    with np.errstate(over="raise"):
        assert AUC(from_logits=True)([0, 1, 0, 1], logits) == 0.75


def test_a_perfect_and_a_useless_prediction() -> None:
    assert AUC()([0, 0, 1, 1], [0.0, 0.1, 0.9, 1.0]) == 1
    assert AUC()([0, 0, 1, 1], [0.5, 0.5, 0.5, 0.5]) == 0.5
    assert AUC(curve="PR")([0, 0, 1, 1], [0.0, 0.1, 0.9, 1.0]) == 1


@pytest.mark.parametrize("curve", ["ROC", "roc", AUCCurve.ROC])
@pytest.mark.parametrize("method", ["majoring", "Majoring", AUCSummationMethod.MAJORING])
def test_names(curve: Any, method: Any) -> None:
    config = AUC(curve=curve, summation_method=method).get_config()
    assert (config["curve"], config["summation_method"]) == ("ROC", "majoring")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AUC(1), "`num_thresholds` must be an integer > 1"),
        (lambda: AUC(curve="rock"), "Invalid AUC curve value: \"rock\".*Did you mean 'ROC'"),
        (lambda: AUC(summation_method="x"), 'Invalid AUC summation method value: "x"'),
        (lambda: AUC(thresholds=[2]), "Threshold values must be in"),
        (lambda: AUC(num_labels=3), "`num_labels` is needed only when `multi_label` is True"),
        (lambda: AUC(multi_label=True)(Y[:, 0], P[:, 0]), "`y_pred` must have rank 2 when `multi_label=True`"),
        (lambda: AUC(label_weights=[1, 2])(Y, P), "label_weights has shape"),
        (lambda: AUC(multi_label=True, num_labels=2)(Y, P), "expected shape"),
    ],
)
def test_bad_arguments_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
