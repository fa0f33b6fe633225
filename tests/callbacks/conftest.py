"""What the callbacks' tests share: every backend that runs here, small data and a compiled model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netlet import Sequential
from netlet.backends import available_backends
from netlet.layers import Dense
from netlet.optimizers import SGD


@pytest.fixture(params=available_backends())
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The test runs once on each backend that is available."""
    monkeypatch.setenv("NETLET_BACKEND", request.param)
    return str(request.param)


@pytest.fixture
def numpy_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what lies above the backends."""
    monkeypatch.setenv("NETLET_BACKEND", "numpy")


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    """50 rows of 6 features, and a class in [0, 4) for each."""
    rng = np.random.default_rng(7)
    return rng.standard_normal((50, 6)).astype(np.float32), rng.integers(0, 4, 50).astype(np.int32)


@pytest.fixture
def make_model() -> Callable[..., Sequential]:
    """A function that makes a compiled 6-8-4 classifier, whose optimizer has momentum."""

    def make(**settings: Any) -> Sequential:
        model = Sequential([Dense(8, "tanh", input_shape=(6,)), Dense(4, "softmax")])
        default = {"optimizer": SGD(0.05, momentum=0.9), "loss": "sparse_categorical_crossentropy"}
        model.compile(**{**default, "metrics": ["accuracy"], **settings})
        return model

    return make
