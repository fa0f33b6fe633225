"""Moving averages of the weights leave those alone that do not train, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from netlet import Sequential
from netlet.backends import available_backends
from netlet.callbacks import SwapEMAWeights
from netlet.layers import Dense
from netlet.optimizers import SGD

Rows = tuple[np.ndarray, np.ndarray]


@pytest.fixture(params=available_backends())
def model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sequential:
    monkeypatch.setenv("NETLET_BACKEND", request.param)
    return Sequential([Dense(4, "tanh", input_shape=(6,), trainable=False), Dense(4, "softmax")])


@pytest.mark.parametrize("every", [None, 2])
def test_frozen_weights_stay_as_they_are(model: Sequential, rows: Rows, every: int | None) -> None:
    optimizer = SGD(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=every)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    before = model.get_weights()
    model.fit(*rows, epochs=2, verbose=0)
    for was, now in zip(before[:2], model.get_weights()[:2], strict=True):
        np.testing.assert_array_equal(was, now)
    assert (before[2] != model.get_weights()[2]).any()


def test_swapping_leaves_frozen_weights_in_the_model(model: Sequential, rows: Rows) -> None:
    model.compile(SGD(0.1, use_ema=True), "sparse_categorical_crossentropy")
    kernel, _ = model.layers[0].get_weights()
    found = model.fit(*rows, epochs=2, verbose=0, validation_data=rows, callbacks=[SwapEMAWeights()])
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kernel)
    assert found.history["val_loss"][-1] == pytest.approx(model.evaluate(*rows, verbose=0), rel=1e-6)


def test_weights_set_while_they_are_frozen_stay(model: Sequential, rows: Rows) -> None:
    model.compile(SGD(0.1, use_ema=True), "sparse_categorical_crossentropy")
    model.fit(*rows, verbose=0)
    kernel = np.full((6, 4), 0.25, np.float32)
    model.layers[0].set_weights([kernel, np.zeros(4)])
    model.fit(*rows, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kernel)
