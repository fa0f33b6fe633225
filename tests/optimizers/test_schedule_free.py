"""ScheduleFreeAdamW: what its weights are, and where it begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Sequential
from netlet.layers import Dense
from netlet.optimizers import LossScaleOptimizer, MultiOptimizer, OptimizerMap, ScheduleFreeAdamW

X = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [-2.0], [0.5]], np.float32)


def small_model(optimizer: Any) -> Sequential:
    netlet.set_random_seed(4)
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile(optimizer, "mse")
    return model


def test_weights_lie_between_the_iterate_and_the_mean_of_all() -> None:
    weight = np.array([1.0, -2.0])
    optimizer = ScheduleFreeAdamW(0.1, beta_1=0.75)
    iterates = []
    for step in range(20):
        optimizer.apply([np.random.default_rng(step).standard_normal(2)], [weight])
        iterates.append(optimizer.variables[2].numpy())
    np.testing.assert_allclose(weight, 0.25 * iterates[-1] + 0.75 * np.mean(iterates, axis=0), rtol=1e-12)


def test_the_rate_rises_over_the_warm_up() -> None:
    steps = []
    for warmup_steps in (0, 4):
        weight = np.zeros(1)
        optimizer = ScheduleFreeAdamW(0.1, beta_2=0.0, warmup_steps=warmup_steps)
        z = [0.0]
        for _ in range(6):
            optimizer.apply([np.ones(1)], [weight])
            z.append(float(optimizer.variables[2].numpy()[0]))
        steps.append(-np.diff(z))
    np.testing.assert_allclose(steps[0], 0.1, rtol=1e-6)  # epsilon is 1e-8
    np.testing.assert_allclose(steps[1], [0.025, 0.05, 0.075, 0.1, 0.1, 0.1], rtol=1e-6)


@pytest.mark.parametrize(
    "wrapped", [lambda o: o, LossScaleOptimizer, lambda o: MultiOptimizer(OptimizerMap(o))], ids=["", "scaled", "multi"]
)
def test_it_begins_where_the_weights_are_at_the_first_step(wrapped: Any, backend: str) -> None:
    early, late = (small_model(wrapped(ScheduleFreeAdamW(0.05))) for _ in range(2))
    early.evaluate(X, Y, verbose=0)  # its state is made here
    results = []
    for model in (early, late):
        model.set_weights([np.full((3, 1), 2.0), np.ones(1)])
        model.fit(X, Y, epochs=3, verbose=0, shuffle=False)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(results[0][0] - 2).max() < 1  # six steps of at most some 0.05


def test_it_learns(backend: str) -> None:
    model = small_model(ScheduleFreeAdamW(0.1))
    losses = model.fit(X, Y, batch_size=20, epochs=60, verbose=0).history["loss"]
    assert losses[-1] < 0.02 * losses[0]
