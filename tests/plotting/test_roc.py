"""ROC curves: the points and areas are scikit-learn's, and the picture shows them."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn import metrics

from netlet.plotting import plot_roc_curve, roc_auc, roc_curve


@pytest.fixture(autouse=True)
def no_window():
    yield
    pyplot.close("all")


def judged(n: int = 300, decimals: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores with many ties, and weights."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, n)
    return y, np.round(y + rng.normal(0, 1, n), decimals), rng.integers(0, 4, n).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_curve_is_that_of_scikit_learn(weighted, decimals):
    y, score, weight = judged(decimals=decimals)
    weight = weight if weighted else None
    fpr, tpr, thresholds = roc_curve(y, score, weight)
    want = metrics.roc_curve(y, score, sample_weight=weight, drop_intermediate=False)
    if weighted:  # scikit-learn leaves out samples of weight 0 and their scores
        kept = np.isin(thresholds, want[2])
        fpr, tpr, thresholds = fpr[kept], tpr[kept], thresholds[kept]
    for got, expected in zip((fpr, tpr, thresholds), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)  # sums of integers, one division
    assert roc_auc(y, score, weight) == pytest.approx(metrics.roc_auc_score(y, score, sample_weight=weight), rel=1e-12)


def test_area_is_the_chance_that_a_positive_scores_higher():
    y, score, _ = judged(60)
    pairs = score[y == 1][:, None] - score[y == 0][None, :]
    assert roc_auc(y, score[:, None]) == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)), rel=1e-12)


def test_picture_of_a_binary_classifier():
    y, score, _ = judged()
    ax = plot_roc_curve(y, score, ["net"])
    chance, curve = ax.get_lines()
    np.testing.assert_array_equal(chance.get_xydata(), [[0, 0], [1, 1]])
    np.testing.assert_array_equal(curve.get_xydata(), np.column_stack(roc_curve(y, score)[:2]))
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [f"net (AUC {roc_auc(y, score):.3f})"]
    assert plot_roc_curve(y, -score, ["inverse"], ax=ax) is ax
    assert len(ax.get_lines()) == 3
    assert len(ax.get_legend().get_texts()) == 2


@pytest.mark.parametrize("one_hot", [False, True])
def test_picture_of_three_classes_is_each_against_the_rest(one_hot):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    score = np.eye(3)[y] + rng.normal(0, 0.7, (200, 3))
    ax = plot_roc_curve(np.eye(3)[y] if one_hot else y, score, ["a", "b", "c"])
    want = [metrics.roc_auc_score(y == c, score[:, c]) for c in range(3)]
    texts = [t.get_text() for t in ax.get_legend().get_texts()]
    assert texts == [f"{name} (AUC {area:.3f})" for name, area in zip("abc", want, strict=True)]
    assert f"{np.mean(want):.3f}" in ax.get_title()


@pytest.mark.parametrize(
    ("y", "score", "message"),
    [
        ([0, 1, 2], [0.1, 0.2, 0.3], "expected the labels 0 and 1"),
        ([0, 1], [0.1, 0.2, 0.3], r"expected the same shape \(N,\), got \(2,\) and \(3,\)"),
        ([1, 1], [0.1, 0.2], "samples of both classes"),
        ([0, 1], [0.1, np.nan], "holds NaN"),
        ([], [], "expected the same shape"),
    ],
)
def test_bad_input_is_named(y, score, message):
    with pytest.raises(ValueError, match=message):
        roc_curve(y, score)


def test_bad_names_weights_and_classes_are_refused():
    with pytest.raises(ValueError, match="expected 1 names, one per curve, got 2"):
        plot_roc_curve([0, 1], [0.1, 0.2], ["a", "b"])
    with pytest.raises(ValueError, match="expected 2 weights of at least 0"):
        roc_curve([0, 1], [0.1, 0.2], [-1, 1])
    with pytest.raises(ValueError, match=r"integer labels in 0 \.\. 2"):
        plot_roc_curve([0, 3], np.ones((2, 3)))
