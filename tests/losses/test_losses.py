"""Losses against their formulas written out in float64, and the ways to name them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet import losses
from netlet.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)

RNG = np.random.default_rng(0)
P = RNG.random((5, 4))
LOGITS = RNG.standard_normal((5, 4)) * 3
Y = RNG.random((5, 4))
CLASSES = RNG.integers(0, 4, 5)
ONE_HOT = np.eye(4)[CLASSES]


def log_softmax(x: np.ndarray) -> np.ndarray:
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def bce(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=-1)


CASES = [
    (MeanSquaredError(), losses.mean_squared_error, Y, P, ((Y - P) ** 2).mean(axis=-1)),
    (MeanAbsoluteError(), losses.mean_absolute_error, Y, P, abs(Y - P).mean(axis=-1)),
    (BinaryCrossentropy(), losses.binary_crossentropy, Y, P, bce(Y, P)),
    (BinaryCrossentropy(from_logits=True), losses.binary_crossentropy, Y, LOGITS, bce(Y, sigmoid(LOGITS))),
    (
        CategoricalCrossentropy(),
        losses.categorical_crossentropy,
        ONE_HOT,
        P,
        -(ONE_HOT * np.log(P / P.sum(axis=-1, keepdims=True))).sum(axis=-1),
    ),
    (
        CategoricalCrossentropy(from_logits=True),
        losses.categorical_crossentropy,
        Y,
        LOGITS,
        -(Y * log_softmax(LOGITS)).sum(axis=-1),
    ),
    (
        SparseCategoricalCrossentropy(),
        losses.sparse_categorical_crossentropy,
        CLASSES,
        P,
        -np.log((P / P.sum(axis=-1, keepdims=True))[np.arange(5), CLASSES]),
    ),
    (
        SparseCategoricalCrossentropy(from_logits=True),
        losses.sparse_categorical_crossentropy,
        CLASSES,
        LOGITS,
        -log_softmax(LOGITS)[np.arange(5), CLASSES],
    ),
]


@pytest.mark.parametrize(("loss", "function", "y", "p", "want"), CASES, ids=lambda v: getattr(v, "name", ""))
def test_a_loss_is_its_formula(loss: Loss, function: Any, y: np.ndarray, p: np.ndarray, want: np.ndarray) -> None:
    np.testing.assert_allclose(function(y, p, **loss.arguments()), want, rtol=1e-12)
    loss = type(loss)(**{**loss.arguments(), "dtype": "float64"})
    assert loss(y, p) == pytest.approx(want.mean(), rel=1e-12)
    weight = np.linspace(0, 2, 5)
    assert loss(y, p, sample_weight=weight) == pytest.approx((want * weight).mean(), rel=1e-12)
    assert loss(y, p, weight[:, None]) == loss(y, p, weight)
    assert loss(y, p, 2.0) == pytest.approx(2 * want.mean(), rel=1e-12)
    single = function(y.tolist(), p.astype(np.float32), **loss.arguments())
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, want, rtol=1e-5)


@pytest.mark.parametrize(("loss", "function", "y", "p", "want"), CASES, ids=lambda v: getattr(v, "name", ""))
def test_further_axes_are_positions(loss: Loss, function: Any, y: np.ndarray, p: np.ndarray, want: np.ndarray) -> None:
    y2, p2 = np.stack([y, y[::-1]]), np.stack([p, p[::-1]])
    np.testing.assert_allclose(function(y2, p2, **loss.arguments()), np.stack([want, want[::-1]]), rtol=1e-12)
    loss = type(loss)(**{**loss.arguments(), "dtype": "float64"})
    assert loss(y2, p2) == pytest.approx(want.mean(), rel=1e-12)
    weight = np.array([1.0, 3.0])
    assert loss(y2, p2, weight) == pytest.approx(2 * want.mean(), rel=1e-12)


def test_probabilities_are_clipped() -> None:
    assert losses.binary_crossentropy([[0.0], [1.0]], [[1.0], [0.0]]) == pytest.approx(-np.log(1e-7), rel=1e-2)
    assert losses.sparse_categorical_crossentropy([1], [[1.0, 0.0]])[0] == pytest.approx(-np.log(1e-7), rel=1e-6)


def test_a_vector_against_a_column_does_not_broadcast() -> None:
    y, p = np.arange(3.0), np.zeros((3, 1))
    assert losses.mean_squared_error(y, p).tolist() == [0, 1, 4]
    assert losses.mean_squared_error(y[:, None], p[:, 0]).tolist() == [0, 1, 4]
    assert losses.sparse_categorical_crossentropy(CLASSES[:, None], P).shape == (5,)


def test_class_numbers_out_of_range_are_nan() -> None:
    with np.errstate(all="raise"):
        got = losses.sparse_categorical_crossentropy([0, 4, -1, np.nan, 2.0**40], P)
    assert np.isfinite(got[0])
    assert np.isnan(got[1:]).all()


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("mse", MeanSquaredError),
        ("MSE", MeanSquaredError),
        ("mean_squared_error", MeanSquaredError),
        ("MeanSquaredError", MeanSquaredError),
        ("mae", MeanAbsoluteError),
        ("mean_absolute_error", MeanAbsoluteError),
        ("bce", BinaryCrossentropy),
        ("BCE", BinaryCrossentropy),
        ("BinaryCrossentropy", BinaryCrossentropy),
        ("cce", CategoricalCrossentropy),
        ("categorical_crossentropy", CategoricalCrossentropy),
        ("scce", SparseCategoricalCrossentropy),
        ("SparseCategoricalCrossentropy", SparseCategoricalCrossentropy),
        ({"class_name": "MeanSquaredError", "config": {"name": "m"}}, MeanSquaredError),
        (losses.mean_squared_error, MeanSquaredError),
        (MeanSquaredError, MeanSquaredError),
        (MeanSquaredError(), MeanSquaredError),
    ],
)
def test_every_name_finds_its_loss(name: Any, cls: type[Loss]) -> None:
    assert type(losses.as_loss(name)) is cls
    found = losses.get(name)
    assert isinstance(found, cls) or callable(found)
    assert losses.get(None) is None


def test_get_returns_functions_for_snake_case_as_keras_does() -> None:
    assert losses.get("mse") is losses.mean_squared_error
    assert isinstance(losses.get("MeanSquaredError"), MeanSquaredError)


@pytest.mark.parametrize(
    "loss",
    [
        MeanSquaredError(name="own"),
        MeanAbsoluteError(reduction="mean"),
        BinaryCrossentropy(from_logits=True),
        CategoricalCrossentropy(),
        SparseCategoricalCrossentropy(True),
    ],
)
def test_configs_make_the_same_loss(loss: Loss) -> None:
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert again.attrs() == loss.attrs()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: losses.get("mean_squred_error"), ValueError, "Did you mean 'mean_squared_error'"),
        (lambda: losses.get(3), ValueError, "loss: expected a name"),
        (lambda: losses.get({"config": {}}), ValueError, "expected a name or a dict with 'class_name'"),
        (lambda: MeanSquaredError(reduction="avg"), ValueError, "Invalid value for argument 'reduction': unknown"),
        (lambda: MeanSquaredError(name=3), ValueError, "name must be a non-empty string"),
        (lambda: BinaryCrossentropy(from_logits=1), ValueError, "'from_logits': expected true or false, got 1"),
        (
            lambda: BinaryCrossentropy(label_smoothing=1.1),
            ValueError,
            "binary_crossentropy: attribute 'label_smoothing'",
        ),
        (lambda: SparseCategoricalCrossentropy(ignore_class=0.5), ValueError, "expected a whole number"),
        (lambda: CategoricalCrossentropy(axis="last"), ValueError, "'axis': expected a whole number, got 'last'"),
        (lambda: CategoricalCrossentropy(smooth=0), TypeError, "unexpected keyword argument 'smooth'"),
        (lambda: losses.categorical_crossentropy(ONE_HOT, P, axis=2), ValueError, "axis=2 is out of range"),
        (lambda: losses.categorical_crossentropy(ONE_HOT, P, axis=True), ValueError, "axis must be of type int"),
        (lambda: losses.mean_squared_error(Y, P[:, :3]), ValueError, r"y_true has shape \(5, 4\), .* \(5, 3\)"),
        (lambda: losses.Huber(delta=-1.0), ValueError, "huber_loss: attribute 'delta'"),
        (lambda: losses.Dice(axis=(0, 1.5)), ValueError, "expected a whole number"),
        (lambda: losses.dice(Y, P, axis=2), ValueError, "axis=2 is out of range"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1.0), ValueError, r"q must be in the interval \(0, 1\)"),
        (lambda: losses.CategoricalFocalCrossentropy(alpha=[0.1])(ONE_HOT, P), ValueError, "alpha has 1 weights"),
        (lambda: losses.circle(CLASSES, P[0]), ValueError, r"expected embeddings \[B, L\]"),
        (lambda: losses.circle(CLASSES[:3], P), ValueError, r"y_true has shape \(3,\), expected \(5,\)"),
        (lambda: losses.ctc(CLASSES, P), ValueError, r"y_true has shape \(5,\)"),
        (lambda: losses.ctc(ONE_HOT, P), ValueError, r"y_pred has shape \(5, 4\)"),
        (
            lambda: MeanSquaredError(dtype="int32"),
            ValueError,
            "dtype must be a float type such as 'float32', got 'int32'",
        ),
        (lambda: losses.mean_squared_error(1.0, 2.0), ValueError, "at least one axis"),
        (lambda: losses.mean_squared_error(["a"], [1.0]), TypeError, "y_true: expected real numbers"),
        (lambda: losses.sparse_categorical_crossentropy(ONE_HOT, P), ValueError, r"y_true has shape \(5, 4\)"),
        (lambda: MeanSquaredError()(Y, P, np.ones(3)), ValueError, r"sample_weight has shape \(3,\), expected \(5,\)"),
        (lambda: losses.as_loss(Loss()), ValueError, "loss 'loss.*': no gradient to train with"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
