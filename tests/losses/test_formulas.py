"""The further losses against their formulas, written out in float64 element by element."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netlet import losses
from netlet.losses import Loss

RNG = np.random.default_rng(3)
X = RNG.standard_normal((5, 4))
Y = RNG.standard_normal((5, 4))
P = RNG.uniform(0.05, 0.95, (5, 4))
Q = RNG.uniform(0.05, 0.95, (5, 4))
CLASSES = RNG.integers(0, 4, 5)
ONE_HOT = np.eye(4)[CLASSES]
BITS = RNG.integers(0, 2, (5, 4)) * 1.0


def mean(term: Callable[[float, float], float], y: np.ndarray, x: np.ndarray) -> list[float]:
    return [sum(term(a, b) for a, b in zip(ys, xs, strict=True)) / len(ys) for ys, xs in zip(y, x, strict=True)]


def total(term: Callable[[float, float], float], y: np.ndarray, x: np.ndarray) -> list[float]:
    return [value * y.shape[-1] for value in mean(term, y, x)]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def bce(y: float, p: float) -> float:
    return -y * math.log(p) - (1 - y) * math.log(1 - p)


def focal(y: float, p: float, gamma: float = 2.0) -> float:
    return (y * (1 - p) + (1 - y) * p) ** gamma * bce(y, p)


def normalized(p: np.ndarray) -> np.ndarray:
    return p / p.sum(axis=-1, keepdims=True)


def hinge_lack(y: float, x: float) -> float:
    return max(1 - (2 * y - 1) * x, 0)


def huber(delta: float) -> Callable[[float, float], float]:
    return lambda y, x: (x - y) ** 2 / 2 if abs(x - y) <= delta else delta * abs(x - y) - delta**2 / 2


CASES: list[tuple[Loss, np.ndarray, np.ndarray, Any]] = [
    (losses.MeanAbsolutePercentageError(), Y, X, mean(lambda y, x: 100 * abs(y - x) / abs(y), Y, X)),
    (losses.MeanSquaredLogarithmicError(), P, Q, mean(lambda y, x: math.log((1 + y) / (1 + x)) ** 2, P, Q)),
    (losses.Huber(), Y, X, mean(huber(1.0), Y, X)),
    (losses.Huber(0.3), Y, X, mean(huber(0.3), Y, X)),
    (losses.LogCosh(), Y, X, mean(lambda y, x: math.log(math.cosh(x - y)), Y, X)),
    (
        losses.CosineSimilarity(),
        Y,
        X,
        -(Y * X).sum(-1) / np.linalg.norm(Y, axis=-1) / np.linalg.norm(X, axis=-1),
    ),
    (losses.Hinge(), BITS, X, mean(hinge_lack, BITS, X)),
    (losses.Hinge(), 2 * BITS - 1, X, mean(hinge_lack, BITS, X)),
    (losses.SquaredHinge(), BITS, X, mean(lambda y, x: hinge_lack(y, x) ** 2, BITS, X)),
    (
        losses.CategoricalHinge(),
        ONE_HOT,
        X,
        [max(0, 1 - x[c] + max(0, *np.delete(x, c))) for c, x in zip(CLASSES, X, strict=True)],
    ),
    (losses.KLDivergence(), P, Q, total(lambda y, x: y * math.log(y / x), P, Q)),
    (losses.Poisson(), BITS, P, mean(lambda y, x: x - y * math.log(x + 1e-7), BITS, P)),
    (losses.BinaryCrossentropy(label_smoothing=0.2), BITS, P, mean(lambda y, p: bce(0.8 * y + 0.1, p), BITS, P)),
    (
        losses.CategoricalCrossentropy(label_smoothing=0.2),
        ONE_HOT,
        P,
        total(lambda y, p: -(0.8 * y + 0.05) * math.log(p), ONE_HOT, normalized(P)),
    ),
    (losses.BinaryFocalCrossentropy(), BITS, P, mean(focal, BITS, P)),
    (
        losses.BinaryFocalCrossentropy(True, alpha=0.3, gamma=1.5, from_logits=True, label_smoothing=0.1),
        BITS,
        X,
        mean(
            lambda y, x: (0.3 * (0.9 * y + 0.05) + 0.7 * (0.95 - 0.9 * y)) * focal(0.9 * y + 0.05, sigmoid(x), 1.5),
            BITS,
            X,
        ),
    ),
    (
        losses.CategoricalFocalCrossentropy(alpha=0.5),
        ONE_HOT,
        P,
        total(lambda y, p: -0.5 * (1 - p) ** 2 * y * math.log(p), ONE_HOT, normalized(P)),
    ),
    (
        losses.CategoricalFocalCrossentropy([1.0, 0.5, 2.0, 0.1], 1.5, from_logits=True),
        ONE_HOT,
        X,
        total(lambda y, p: -((1 - p) ** 1.5) * y * math.log(p), ONE_HOT, normalized(np.exp(X)))
        * np.array([1.0, 0.5, 2.0, 0.1])[CLASSES],
    ),
    (
        losses.CategoricalGeneralizedCrossEntropy(0.7),
        CLASSES,
        P,
        [(1 - P[i, c] ** 0.7) / 0.7 for i, c in enumerate(CLASSES)],
    ),
    (losses.Dice(axis=-1), BITS, P, 1 - 2 * (BITS * P).sum(-1) / (BITS.sum(-1) + P.sum(-1) + 1e-7)),
    (
        losses.Tversky(0.3, 0.8, axis=(1,)),
        BITS,
        P,
        1
        - (BITS * P).sum(-1)
        / ((BITS * P).sum(-1) + 0.3 * (BITS * (1 - P)).sum(-1) + 0.8 * ((1 - BITS) * P).sum(-1) + 1e-7),
    ),
]


@pytest.mark.parametrize(("loss", "y", "x", "want"), CASES, ids=lambda v: getattr(v, "name", ""))
def test_a_loss_is_its_formula(loss: Any, y: np.ndarray, x: np.ndarray, want: Any) -> None:
    double = type(loss)(**{**loss.arguments(), "dtype": "float64", "reduction": None})
    np.testing.assert_allclose(double(y, x), want, rtol=1e-9)  # as exact as 1e-7 and logarithms of quotients are
    single = loss.function(y.tolist(), x.astype(np.float32), **loss.arguments())
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, want, rtol=3e-5)  # cancellation in 1 - p and in log differences
    assert loss(y, x) == pytest.approx(np.mean(want), rel=3e-5)


@pytest.mark.parametrize(
    "loss",
    [
        losses.CategoricalCrossentropy(axis=1),
        losses.CategoricalCrossentropy(from_logits=True, axis=-2),
        losses.BinaryCrossentropy(axis=1),
        losses.BinaryFocalCrossentropy(axis=0),
        losses.CategoricalFocalCrossentropy(axis=1),
        losses.CosineSimilarity(axis=0),
        losses.SparseCategoricalCrossentropy(axis=1),
        losses.SparseCategoricalCrossentropy(axis=0, from_logits=True),
    ],
    ids=lambda loss: f"{loss.name}-{loss.axis}",
)
def test_another_axis_is_that_axis_moved(loss: Any) -> None:
    p = RNG.uniform(0.05, 0.95, (3, 4, 5))
    arguments = loss.arguments()
    axis = arguments.pop("axis")
    moved = np.moveaxis(p, axis, -1)
    y = RNG.integers(0, moved.shape[-1], moved.shape[:-1])
    if loss.integer_labels:
        got, want = loss.function(y, p, **loss.arguments()), loss.function(y, moved, **arguments)
        expanded = loss.function(np.expand_dims(y, axis), p, **loss.arguments())
        np.testing.assert_array_equal(expanded, want)
    else:
        one_hot = np.eye(moved.shape[-1])[y]
        got = loss.function(np.moveaxis(one_hot, -1, axis), p, **loss.arguments())
        want = loss.function(one_hot, moved, **arguments)
    np.testing.assert_array_equal(got, want)


def test_dice_of_a_batch_is_one_number() -> None:
    whole = 1 - 2 * (BITS * P).sum() / (BITS.sum() + P.sum())
    assert losses.Dice()(BITS, P) == pytest.approx(whole, rel=1e-6)
    assert losses.Dice(reduction=None)(BITS, P).shape == ()
    assert losses.Tversky()(BITS, P) == pytest.approx(whole, rel=1e-6)
    assert losses.dice(BITS, P, axis=0).shape == (4,)
    assert losses.Dice()(BITS, P, [0.0, 1, 2, 3, 4]) == pytest.approx(2 * whole, rel=1e-6)


def ctc_by_all_paths(labels: list[int], p: np.ndarray) -> float:
    """The chance that a path, freed of repetitions and then of blanks, is ``labels``: every path tried."""
    chance = 0.0
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        if [c for c, _ in itertools.groupby(path) if c] == labels:
            chance += float(np.prod(p[np.arange(len(p)), list(path)]))
    return -math.log(chance)


@pytest.mark.parametrize("labels", [[], [1], [2, 2], [1, 2, 1], [2, 1, 1], [1, 2, 1, 2]])
def test_ctc_sums_all_paths(labels: list[int]) -> None:
    logits = RNG.standard_normal((2, 5, 3))
    y = np.array([labels + [0] * (4 - len(labels))] * 2)
    p = normalized(np.exp(logits))
    np.testing.assert_allclose(losses.ctc(y, logits), [ctc_by_all_paths(labels, row) for row in p], rtol=1e-12)


def test_labels_that_do_not_fit_in_time_have_an_infinite_ctc_loss() -> None:
    logits = RNG.standard_normal((2, 2, 3))
    got = losses.ctc([[1, 1, 0], [1, 2, 0]], logits)  # a repetition needs a blank between
    assert got[0] == np.inf and np.isfinite(got[1])
    assert np.isnan(losses.ctc([[1, 3], [-1, 0]], logits)).all()


def test_a_row_that_is_alone_has_no_circle_loss_and_does_not_count() -> None:
    x = normalized(RNG.uniform(0, 1, (4, 3)))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    rows = losses.circle([0, 0, 1, 2], x)
    assert (rows[:2] > 0).all() and (rows[2:] == 0).all()
    assert losses.Circle()([0, 0, 1, 2], x) == pytest.approx(rows[:2].mean(), rel=1e-5)
    assert losses.Circle(reduction="sum")([0, 0, 1, 2], x) == pytest.approx(rows.sum(), rel=1e-5)
    # the definition, written out for the first row: one partner, two others
    d = np.maximum(1 - x @ x[0], 0)
    near = -80 * (0.4 + d[1]) * (0.4 - d[1])
    far = 80 * np.maximum(1.4 - d[2:], 0) * (0.6 - d[2:])
    assert rows[0] == pytest.approx(np.log1p(np.exp(near + np.log(np.exp(far).sum()))), rel=1e-9)


def test_references_replace_the_batch_in_the_circle_loss() -> None:
    x = RNG.standard_normal((5, 3))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    y = np.array([0, 1, 0, 1, 0])
    own = losses.circle(y, x, remove_diagonal=False)
    np.testing.assert_allclose(losses.circle(y, x, y[::-1], x[::-1], remove_diagonal=False), own, rtol=1e-12)
    assert losses.circle(y, x, [0, 1], x[:2]).shape == (5,)


def test_an_ignored_class_neither_counts_nor_weighs() -> None:
    y = np.array([[0, -1, 2], [-1, -1, 1]])
    p = RNG.uniform(0.1, 1, (2, 3, 3))
    rows = losses.sparse_categorical_crossentropy(y, p, ignore_class=-1)
    np.testing.assert_array_equal(rows == 0, y == -1)
    counted = losses.sparse_categorical_crossentropy(y[y >= 0], p[y >= 0])
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert loss(y, p) == pytest.approx(counted.mean(), rel=1e-6)
    weight = np.array([[1.0, 5, 2], [7, 7, 0.5]])
    assert loss(y, p, weight) == pytest.approx((counted * weight[y >= 0]).mean(), rel=1e-6)
    assert loss(np.full((2, 3), -1), p) == 0
    assert losses.SparseCategoricalCrossentropy(ignore_class=-1, reduction="sum")(y, p) == pytest.approx(counted.sum())


@pytest.mark.parametrize("name", ["categorical_crossentropy", "categorical_focal_crossentropy"])
def test_a_single_class_is_warned_of(name: str) -> None:
    with pytest.warns(SyntaxWarning, match=f"{name}: y_pred has shape .*use binary_crossentropy"):
        getattr(losses, name)(np.ones((3, 1)), np.ones((3, 1)))


def test_an_empty_batch_has_no_loss() -> None:
    assert losses.mean_squared_error(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0,)
    assert losses.MeanSquaredError(reduction="none")(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0,)
