"""Regularizers and constraints of weights in training, on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet import Input, Sequential, set_random_seed
from netlet.constraints import MaxNorm
from netlet.layers import BatchNormalization, Dense
from netlet.optimizers import SGD, Adam
from netlet.regularizers import L1L2, L2, OrthogonalRegularizer


def rows() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(3).standard_normal((64, 4)).astype(np.float32)
    return x, (x[:, :2] * 3).astype(np.float32)


def one_layer(**rules: Any) -> Sequential:
    set_random_seed(2)
    model = Sequential([Input((4,)), Dense(2, **rules)])
    model.compile(optimizer=SGD(0.05), loss="mse")
    return model


def test_a_penalty_is_added_to_loss_and_gradient(backend: str) -> None:
    x, y = rows()
    model = one_layer(kernel_regularizer=L1L2(0.01, 0.02), bias_regularizer="l2")
    kernel, bias = model.get_weights()
    error = x @ kernel + bias - y
    penalty = 0.01 * np.abs(kernel).sum() + 0.02 * (kernel**2).sum() + 0.01 * (bias**2).sum()
    expected = float((error**2).mean() + penalty)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)
    loss = model.fit(x, y, batch_size=64, verbose=0).history["loss"][0]
    assert loss == pytest.approx(expected, rel=1e-5)
    slope = x.T @ error / error.size * 2 + 0.01 * np.sign(kernel) + 2 * 0.02 * kernel
    np.testing.assert_allclose(model.get_weights()[0], kernel - 0.05 * slope, rtol=1e-4, atol=1e-6)


def test_a_penalty_of_a_weight_that_the_loss_does_not_reach_is_not_summed_up(backend: str) -> None:
    x, y = rows()
    model = one_layer(kernel_regularizer=OrthogonalRegularizer(0.1, mode="columns"))
    first = model.fit(x, y, batch_size=16, epochs=20, shuffle=False, verbose=0).history["loss"]
    assert first[-1] < first[0] and np.isfinite(first).all()


def test_a_constraint_holds_after_every_update(backend: str) -> None:
    x, y = rows()
    model = one_layer(kernel_constraint=MaxNorm(0.5), bias_constraint="non_neg")
    model.fit(x, y, batch_size=16, epochs=5, verbose=0)
    kernel, bias = model.get_weights()
    norms = np.sqrt((kernel**2).sum(axis=0))
    assert (norms <= 0.5 + 1e-5).all() and norms.max() > 0.49
    assert (bias >= 0).all()


def test_sharded_steps_see_one_penalty(backend: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4096, 32)).astype(np.float32)
    y = x[:, :3]

    def run(batch: int) -> float:
        set_random_seed(1)
        model = Sequential(
            [Input((32,)), Dense(64, "tanh", kernel_regularizer=L2(0.01)), BatchNormalization(), Dense(3)]
        )
        model.compile(optimizer=Adam(0.01), loss="mse")
        return float(model.fit(x, y, batch_size=batch, epochs=1, shuffle=False, verbose=0).history["loss"][0])

    assert np.isfinite(run(4096)) and run(512) < run(4096)


def test_rules_are_saved_with_the_model() -> None:
    layer = Dense(2, kernel_regularizer=L1L2(0.01, 0.02), bias_constraint="non_neg")
    config = layer.get_config()
    again = Dense.from_config(config)
    assert again.get_config() == config
    assert isinstance(again.kernel_regularizer, L1L2)


def test_a_regularizer_without_a_gradient_is_refused() -> None:
    with pytest.raises(ValueError, match="has no gradient"):
        one_layer(kernel_regularizer=lambda w: 0.1)
    with pytest.raises(ValueError, match="kernel_regularizer: unknown"):
        one_layer(kernel_regularizer="l3")
