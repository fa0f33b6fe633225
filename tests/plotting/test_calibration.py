"""Calibration: the bins are scikit-learn's, the error is by the book, and the picture shows both."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.calibration
from matplotlib import pyplot

from netlet.plotting import calibration_curve, expected_calibration_error, plot_calibration


@pytest.fixture(autouse=True)
def no_window():
    yield
    pyplot.close("all")


def judged(n: int = 500) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    p = rng.random(n)
    return (rng.random(n) < p**2).astype(int), p


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("bins", [1, 5, 10])
def test_bins_are_those_of_scikit_learn(strategy, bins):
    y, p = judged()
    found = calibration_curve(y, p, bins, strategy)
    observed, predicted = sklearn.calibration.calibration_curve(y, p, n_bins=bins, strategy=strategy)
    np.testing.assert_allclose(found.observed, observed, rtol=1e-12)  # float64 sums of a few hundred
    np.testing.assert_allclose(found.predicted, predicted, rtol=1e-12)
    assert found.counts.sum() == len(y)


def test_empty_bins_are_left_out_and_one_is_in_the_last():
    found = calibration_curve([0, 1, 1], [0.0, 1.0, 0.95], 10)
    np.testing.assert_array_equal(found.counts, [1, 2])
    np.testing.assert_allclose(found.predicted, [0.0, 0.975])
    np.testing.assert_array_equal(found.observed, [0, 1])


def test_error_is_the_weighted_distance():
    # Two bins: 4 samples predicted 0.25 of which half come true, 1 predicted 0.8 that does.
    assert expected_calibration_error([1, 1, 0, 0, 1], [0.25] * 4 + [0.8], 2) == pytest.approx(
        (4 * 0.25 + 1 * 0.2) / 5, rel=1e-12
    )


def test_error_is_small_where_probabilities_are_true():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    y = rng.random(20_000) < p
    assert expected_calibration_error(y, p) < 0.02  # 2000 a bin: deviations of about 0.01
    assert expected_calibration_error(y, p**2) > 0.1


def test_several_classes_are_judged_by_their_confidence():
    probability = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    found = calibration_curve([0, 1, 2], probability, 1)
    assert found.predicted[0] == pytest.approx(0.7, rel=1e-12)
    assert found.observed[0] == pytest.approx(2 / 3, rel=1e-12)


def test_picture_has_points_intervals_and_histogram():
    y, p = judged()
    ax = plot_calibration(y, p, label="net")
    found = calibration_curve(y, p)
    points = ax.containers[1].lines[0] if hasattr(ax.containers[1], "lines") else ax.containers[0].lines[0]
    np.testing.assert_allclose(points.get_xydata(), np.column_stack([found.predicted, found.observed]))
    bars = np.array([bar.get_height() for bar in ax.patches])
    np.testing.assert_allclose(bars, 0.2 * np.histogram(p, 10, (0, 1))[0] / np.histogram(p, 10, (0, 1))[0].max())
    texts = [t.get_text() for t in ax.get_legend().get_texts()]
    assert texts == ["perfectly calibrated", f"net (ECE {expected_calibration_error(y, p):.3f})"]
    plot_calibration(y, p**2, label="other", ax=ax)
    assert len(ax.patches) == 10  # one histogram alone
    assert len(ax.get_legend().get_texts()) == 3


def test_intervals_are_wilsons():
    # 8 of 10: Wilson's 95 % interval is 0.4902 .. 0.9433 (Agresti and Coull 1998 give the formula).
    ax = plot_calibration([1] * 8 + [0] * 2, [0.75] * 10)
    (segments,) = (c.get_segments() for c in ax.collections)
    np.testing.assert_allclose(segments[0][:, 1], [0.4902, 0.9433], atol=5e-5)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"expected probabilities in \[0, 1\], got 0.5 .. 1.5"):
        calibration_curve([0, 1], [0.5, 1.5])
    with pytest.raises(ValueError, match="bins: expected a positive int, got 0"):
        calibration_curve([0, 1], [0.5, 0.5], 0)
    with pytest.raises(ValueError, match="expected 'uniform' or 'quantile', got 'equal'"):
        calibration_curve([0, 1], [0.5, 0.5], strategy="equal")
