"""What the model tests share: small data, and a fingerprint of a model's state."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netlet import Sequential
from netlet.layers import Dense


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
def make_classifier() -> Callable[..., Sequential]:
    """A function that makes a compiled 6-8-4 classifier; its arguments are those of ``compile``."""

    def make(dtype: str = "float32", **settings: Any) -> Sequential:
        model = Sequential([Dense(8, "tanh", input_shape=(6,)), Dense(4, "softmax")], dtype=dtype)
        model.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **settings})
        return model

    return make


@pytest.fixture
def fingerprint() -> Callable[[Sequential], str]:
    """A function that hashes everything about a model that a failed call must leave alone."""

    def hash_of(model: Sequential) -> str:
        digest = hashlib.sha256()
        digest.update(repr((model.get_config(), model.built)).encode())
        settings = model.get_compile_config()
        digest.update(repr((settings, model._shuffle_seed, model._shuffle_count)).encode())
        if model.optimizer is not None:
            digest.update(repr(model.optimizer.iterations).encode())
        if model._engine is not None:
            digest.update(model._engine.slots.tobytes())
        for weight in model.get_weights():
            digest.update(weight.tobytes())
        return digest.hexdigest()

    return hash_of
