"""``loss="crossentropy"``: the first labels decide which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Model, Sequential
from netlet.backends import available_backends
from netlet.layers import Dense, Input
from netlet.losses import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy

RNG = np.random.default_rng(4)
X = RNG.standard_normal((40, 3)).astype(np.float32)
CLASSES = RNG.integers(0, 4, 40)
BINARY = (CLASSES > 1).astype(np.float32)
ONE_HOT = np.eye(4, dtype=np.float32)[CLASSES]
CASES = [
    (4, CLASSES, SparseCategoricalCrossentropy, "sparse_categorical_accuracy"),
    (4, CLASSES[:, None], SparseCategoricalCrossentropy, "sparse_categorical_accuracy"),
    (4, ONE_HOT, CategoricalCrossentropy, "categorical_accuracy"),
    (1, BINARY, BinaryCrossentropy, "binary_accuracy"),
    (1, BINARY[:, None].tolist(), BinaryCrossentropy, "binary_accuracy"),
]


def compiled(units: int, loss: Any) -> Sequential:
    netlet.set_random_seed(3)
    model = Sequential([Input((3,)), Dense(units, "softmax" if units > 1 else "sigmoid")])
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


@pytest.mark.parametrize("backend", available_backends())
@pytest.mark.parametrize("name", ["crossentropy", "CE"])
@pytest.mark.parametrize(("units", "y", "kind", "accuracy"), CASES)
def test_it_trains_as_the_one_that_fits(
    units: int, y: Any, kind: Any, accuracy: str, name: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETLET_BACKEND", backend)
    model, plain = compiled(units, name), compiled(units, kind())
    for one in (model, plain):
        netlet.set_random_seed(3)  # of the order of the rows
        one.fit(X, y, epochs=2, batch_size=16, verbose=0, validation_data=(X, y))
    assert type(model.loss) is kind
    assert model.metrics[0].op == accuracy
    assert model.history.history == plain.history.history  # type: ignore[union-attr]
    assert model.evaluate(X, y, verbose=0) == plain.evaluate(X, y, verbose=0)


@pytest.fixture(autouse=True)
def numpy_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLET_BACKEND", "numpy")


def test_before_there_are_labels_it_predicts_and_can_be_saved(tmp_path: Any) -> None:
    model = compiled(4, "ce")
    before = model.predict(X, verbose=0)
    assert model.metrics_names == ["loss", "accuracy"]
    assert model.get_compile_config()["loss"] == "crossentropy"  # type: ignore[index]
    for name in ("m.safetensors", "m.keras"):
        model.save(tmp_path / name)
        again = netlet.load_model(tmp_path / name)
        np.testing.assert_array_equal(again.predict(X, verbose=0), before)
        again.fit(X, CLASSES, verbose=0)
        assert type(again.loss) is SparseCategoricalCrossentropy
    assert model.evaluate(X, ONE_HOT, verbose=0)[1] == np.mean(before.argmax(1) == CLASSES)
    assert type(model.loss) is CategoricalCrossentropy
    with pytest.raises(ValueError, match="not decided yet"):
        compiled(4, "ce").loss(ONE_HOT, ONE_HOT)  # type: ignore[misc]


def test_batches_decide_too() -> None:
    model = compiled(4, "crossentropy")
    model.fit(iter([(X[:20], CLASSES[:20]), (X[20:], CLASSES[20:])]), verbose=0)
    assert type(model.loss) is SparseCategoricalCrossentropy
    other = compiled(4, "crossentropy")
    other.train_on_batch(X, ONE_HOT)
    assert type(other.loss) is CategoricalCrossentropy


def test_labels_that_fit_none_leave_it_open() -> None:
    model = Sequential([Input((3,)), Dense(4, "softmax")])
    model.compile("sgd", "ce", metrics=["sparse_categorical_accuracy"])
    with pytest.raises(ValueError, match="metric 'sparse_categorical_accuracy' cannot read labels of the prediction's"):
        model.fit(X, ONE_HOT, verbose=0)
    model.fit(X, CLASSES, verbose=0)
    assert type(model.loss) is SparseCategoricalCrossentropy


def test_each_output_has_its_own() -> None:
    x = Input((3,))
    heads = [Dense(4, "softmax", name="a")(x), Dense(2, name="b")(x), Dense(1, "sigmoid", name="c")(x)]
    model = Model(x, heads)
    model.compile("sgd", {"a": "crossentropy", "b": None, "c": "ce"}, metrics={"a": ["accuracy"]})
    history = model.fit(X, {"a": CLASSES, "c": BINARY}, verbose=0).history
    assert sorted(history) == ["a_accuracy", "a_loss", "c_loss", "loss"]
    kinds = [SparseCategoricalCrossentropy, type(None), BinaryCrossentropy]
    assert [type(loss) for loss in model._compilation.losses] == kinds  # type: ignore[union-attr]
