"""``fit`` against the same training written out by hand in NumPy float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet import Sequential, random
from netlet.layers import Dense
from netlet.losses import CategoricalCrossentropy
from netlet.optimizers import SGD


def train_by_hand(
    weights: list[np.ndarray],
    x: np.ndarray,
    target: np.ndarray,
    orders: list[np.ndarray],
    *,
    batch_size: int,
    rate: float,
    momentum: float,
    nesterov: bool,
    row_weight: np.ndarray,
) -> list[np.ndarray]:
    """A tanh layer and a softmax layer, cross-entropy against one-hot ``target``; the chain rule written out."""
    w = [v.astype(np.float64) for v in weights]
    velocity = [np.zeros_like(v) for v in w]
    for order in orders:
        for start in range(0, len(x), batch_size):
            at = order[start : start + batch_size]
            xb, tb, rb = x[at].astype(np.float64), target[at], row_weight[at]
            h = np.tanh(xb @ w[0] + w[1])
            z = h @ w[2] + w[3]
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            dz = (p - tb) * rb[:, None] / len(at)
            dh = (dz @ w[2].T) * (1 - h * h)
            for i, g in enumerate((xb.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0))):
                velocity[i] = momentum * velocity[i] - rate * g
                w[i] = w[i] + (momentum * velocity[i] - rate * g if nesterov else velocity[i])
    return w


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy", "logits"])
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_follows_the_formulas(
    backend: str, rows: Any, dtype: str, momentum: float, nesterov: bool, loss: str, weighted: bool
) -> None:
    x, classes = rows
    one_hot = np.eye(4)[classes]
    activation = "linear" if loss == "logits" else "softmax"
    model = Sequential([Dense(8, "tanh", input_shape=(6,)), Dense(4, activation)], dtype=dtype)
    compiled_loss = CategoricalCrossentropy(from_logits=True) if loss == "logits" else loss
    model.compile(SGD(0.05, momentum, nesterov), compiled_loss)
    row_weight = np.linspace(0.5, 2, len(x)) if weighted else np.ones(len(x))
    start = model.get_weights()
    labels = classes if loss.startswith("sparse") else one_hot
    model.fit(x, labels, epochs=3, batch_size=16, verbose=0, sample_weight=row_weight if weighted else None)
    assert model._shuffle_seed is not None
    orders = [random.permutation(model._shuffle_seed, epoch, len(x)) for epoch in range(3)]
    want = train_by_hand(
        start,
        x,
        one_hot,
        orders,
        batch_size=16,
        rate=0.05,
        momentum=momentum,
        nesterov=nesterov,
        row_weight=row_weight,
    )
    # 12 steps, each rounding sums of at most 16 products: a few units in the last place of numbers of size 1
    tolerance = 2e-6 if dtype == "float32" else 1e-14
    for got, expected in zip(model.get_weights(), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


def test_linear_regression_reaches_least_squares(backend: str) -> None:
    rng = np.random.default_rng(0)
    x = np.hstack((np.ones((100, 1)), rng.random((100, 1))))
    y = 3 * x[:, 1:] + 2 + rng.random((100, 1))
    model = Sequential()
    model.add(Dense(units=1, input_shape=(2,), activation="linear", use_bias=False))
    model.compile(optimizer=SGD(0.5), loss="mean_squared_error")
    model.fit(x, y, epochs=300, batch_size=100, verbose=0)
    want = np.linalg.lstsq(x, y, rcond=None)[0]
    # full-batch descent contracts the error by at most 1 - 2 * 0.5 * 0.017 a step (the smaller eigenvalue of
    # x'x/n), so by 0.983^300 = 0.006 of its start of about 3; the rest is float32
    np.testing.assert_allclose(model.get_weights()[0], want, atol=0.02)


def test_two_fits_of_one_epoch_are_one_fit_of_two(backend: str, rows: Any, make_classifier: Any) -> None:
    x, y = rows
    once, twice = make_classifier(), make_classifier()
    twice.set_weights(once.get_weights())
    once.fit(x, y, epochs=2, verbose=0)
    twice._shuffle_seed, twice._seed_source = once._shuffle_seed, once._seed_source
    twice.fit(x, y, epochs=1, verbose=0)
    twice.fit(x, y, epochs=1, verbose=0)
    for a, b in zip(once.get_weights(), twice.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()
