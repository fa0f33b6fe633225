"""Errors, R2 and correlations: against scikit-learn and SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from netlet import metrics
from netlet.metrics import (
    ConcordanceCorrelation,
    CosineSimilarity,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    PearsonCorrelation,
    R2Score,
    RootMeanSquaredError,
)

RNG = np.random.default_rng(6)
N, L = 50, 4
Y = RNG.uniform(0.5, 3, (N, L)).astype(np.float32)
P = (Y + RNG.normal(0, 0.3, (N, L))).astype(np.float32).clip(0.1)
WEIGHT = RNG.random(N)

# float32 rows of 4 numbers: a few roundings of 6e-8, summed in float64
RTOL = 1e-6


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_errors_are_scikit_learns(weight: Any) -> None:
    for metric, want in (
        (MeanSquaredError, sk.mean_squared_error),
        (MeanAbsoluteError, sk.mean_absolute_error),
        (MeanSquaredLogarithmicError, sk.mean_squared_log_error),
    ):
        assert metric()(Y, P, weight) == pytest.approx(want(Y, P, sample_weight=weight), rel=RTOL)
    percent = 100 * sk.mean_absolute_percentage_error(Y, P, sample_weight=weight)
    assert MeanAbsolutePercentageError()(Y, P, weight) == pytest.approx(percent, rel=RTOL)
    square = sk.mean_squared_error(Y, P, sample_weight=weight)
    assert RootMeanSquaredError()(Y, P, weight) == pytest.approx(square**0.5, rel=RTOL)


def test_cosine_similarity_is_one_for_the_same_direction() -> None:
    assert CosineSimilarity()(Y, 3 * Y) == pytest.approx(1, rel=RTOL)
    assert CosineSimilarity()(Y, -Y) == pytest.approx(-1, rel=RTOL)
    assert CosineSimilarity()([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]]) == pytest.approx(0.5, rel=RTOL)
    assert CosineSimilarity()([[0.0, 0.0]], [[1.0, 0.0]]) == 0
    assert CosineSimilarity(axis=0)(Y, 2 * Y) == pytest.approx(1, rel=RTOL)
    assert CosineSimilarity.from_config(CosineSimilarity(axis=0).get_config()).axis == 0


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (None, "raw_values"),
        ("uniform_average", "uniform_average"),
        ("variance_weighted_average", "variance_weighted"),
    ],
)
def test_r2_is_scikit_learns(weight: Any, mine: Any, theirs: str) -> None:
    metric = R2Score(mine)
    for part in (slice(0, 30), slice(30, N)):
        metric.update_state(Y[part], P[part], None if weight is None else weight[part])
    want = sk.r2_score(Y, P, sample_weight=weight, multioutput=theirs)
    np.testing.assert_allclose(metric.result(), want, rtol=RTOL)


def test_r2_of_offsets_keeps_its_digits() -> None:
    # labels near 1000 with a spread of 1: sums of squares lose 6 digits, of which float64 has 16 and float32 7
    y = (1000 + Y).astype(np.float32)
    p = y + 0.25
    assert R2Score()(y, p) == pytest.approx(sk.r2_score(y.astype(float), p.astype(float)), rel=1e-8)


def test_adjusted_r2() -> None:
    plain = R2Score()(Y, P)
    n = Y.size
    assert R2Score(num_regressors=3)(Y, P) == pytest.approx(1 - (1 - plain) * (n - 1) / (n - 4))
    small = [[1.0], [2.0]], [[1.1], [1.9]]
    for regressors, message in ((1, "as many predictors as samples"), (2, "more predictors than samples")):
        with pytest.warns(UserWarning, match=message):
            assert R2Score(num_regressors=regressors)(*small) == R2Score()(*small)


def test_r2_of_constant_labels_and_of_nothing() -> None:
    assert R2Score()([[1.0], [1.0]], [[1.0], [2.0]]) == 0
    assert np.isnan(R2Score()([[1.0], [1.0]], [[1.0], [1.0]]))
    metric = R2Score(None)
    assert metric.result() == 0
    metric.update_state(Y, P)
    metric.reset_state()
    np.testing.assert_array_equal(metric.result(), np.zeros(L))


def test_pearson_is_scipys() -> None:
    want = [stats.pearsonr(y, p).statistic for y, p in zip(Y.astype(float), P.astype(float), strict=True)]
    # deviations of 4 numbers of about 2, whose roundings are 1e-7 of 0.3
    np.testing.assert_allclose(metrics.pearson_correlation(Y, P), want, atol=1e-5)
    assert PearsonCorrelation()(Y, P) == pytest.approx(np.mean(want), abs=1e-5)
    columns = [stats.pearsonr(Y[:, c].astype(float), P[:, c].astype(float)).statistic for c in range(L)]
    np.testing.assert_allclose(metrics.pearson_correlation(Y, P, axis=0), columns, atol=1e-5)
    assert np.isnan(metrics.pearson_correlation([1.0, 1.0], [1.0, 2.0]))


def test_concordance_falls_with_the_distance_of_the_means() -> None:
    assert ConcordanceCorrelation()(Y, Y) == pytest.approx(1, abs=1e-5)
    shifted = metrics.concordance_correlation(Y, Y + 1)
    # with equal variances v and a shift of 1 it is 2 v / (2 v + 1)
    v = Y.astype(float).var(axis=1)
    np.testing.assert_allclose(shifted, 2 * v / (2 * v + 1), rtol=1e-5)
    assert metrics.concordance_correlation(Y, P, axis=0).shape == (L,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: R2Score("wrong"), "Invalid value for argument `class_aggregation`"),
        (lambda: R2Score(num_regressors=-1), "Invalid value for argument `num_regressors`"),
        (lambda: R2Score()([0.0, 1.0], [0.0, 1.0]), "expects 2D inputs with shape"),
        (lambda: (m := R2Score())(Y, P) + m(Y[:, :2], P[:, :2]), "batch has 2 columns, expected 4"),
        (lambda: MeanSquaredError()(Y, P[:, :2]), r"\(50, 4\).*\(50, 2\)"),
        (lambda: RootMeanSquaredError()(Y, P[:, :2]), "y_true has shape"),
        (lambda: MeanSquaredError()(Y, P, np.ones(3)), "sample_weight has shape"),
    ],
)
def test_bad_arguments_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_text_is_refused() -> None:
    with pytest.raises(TypeError, match="y_true: expected real numbers"):
        MeanSquaredError()(Y.astype(str), P)
