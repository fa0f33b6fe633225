"""Layers of preprocessing within models: on every backend what the layer gives alone, in training and from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import Input, Sequential, load_model
from netlet import layers as L
from netlet.layers import Layer

RNG = np.random.default_rng(4)
NUMBERS = RNG.integers(0, 6, (8, 3)).astype(np.float32)
WORDS = RNG.choice(["a", "b", "c", "?"], (8, 3))
IMAGES = RNG.uniform(0, 1, (8, 6, 5, 3)).astype(np.float32)


def adapted(layer: Any) -> Layer:
    layer.adapt(NUMBERS)
    made: Layer = layer
    return made


CASES: dict[str, tuple[Callable[[], Layer], np.ndarray]] = {
    "Normalization": (lambda: adapted(L.Normalization()), NUMBERS),
    "Rescaling": (lambda: L.Rescaling(0.5, 1.0), NUMBERS),
    "Discretization": (lambda: adapted(L.Discretization(num_bins=3)), NUMBERS),
    "CategoryEncoding": (lambda: L.CategoryEncoding(6), NUMBERS),
    "IntegerLookup": (lambda: L.IntegerLookup(vocabulary=[3, 5], num_oov_indices=2), NUMBERS),
    "StringLookup": (lambda: L.StringLookup(vocabulary=["a", "b"]), WORDS),
    "Hashing": (lambda: L.Hashing(4), WORDS),
    "CenterCrop": (lambda: L.CenterCrop(3, 3), IMAGES),
    "Resizing": (lambda: L.Resizing(4, 7), IMAGES),
    "RandomFlip": (lambda: L.RandomFlip(seed=1), IMAGES),
    "RandomRotation": (lambda: L.RandomRotation(0.2, seed=1), IMAGES),
    "RandomTranslation": (lambda: L.RandomTranslation(0.2, 0.2, seed=1), IMAGES),
    "RandomZoom": (lambda: L.RandomZoom(0.3, seed=1), IMAGES),
    "RandomContrast": (lambda: L.RandomContrast(0.4, value_range=(0, 1), seed=1), IMAGES),
}


def stack(name: str, *more: Layer) -> tuple[Sequential, np.ndarray]:
    make, x = CASES[name]
    dtype = "string" if x.dtype.kind == "U" else None
    return Sequential([Input(x.shape[1:], dtype=dtype), make(), *more]), x


@pytest.mark.parametrize("name", CASES)
def test_a_model_gives_what_the_layer_gives(name: str, backend: str) -> None:
    model, x = stack(name)
    # One multiplication and one addition in another order; Resizing sums two to four products of numbers below 1.
    np.testing.assert_allclose(model.predict(x, verbose=0), np.asarray(CASES[name][0]()(x)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_a_model_trains_and_comes_back(name: str, backend: str, tmp_path: Path) -> None:
    model, x = stack(name, L.Flatten(), L.Dense(1))
    model.compile("sgd", "mse")
    before = model.get_weights()[-2].copy()
    assert np.isfinite(model.fit(x, np.ones((8, 1)), epochs=2, batch_size=4, verbose=0).history["loss"]).all()
    assert not np.array_equal(model.get_weights()[-2], before)
    model.save(tmp_path / "m.netlet")
    again = load_model(tmp_path / "m.netlet")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
