"""Normalization, Discretization and CategoryEncoding: what they adapt to, and what they refuse."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from netlet import Input, Model, Sequential, layers, load_model
from netlet.layers import CategoryEncoding, Dense, Discretization, Normalization, Rescaling


def rows(n: int = 50) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal((n, 3)) * [1, 10, 0.1] + [5, 0, -2]).astype(np.float32)


def test_normalization_brings_columns_to_mean_0_and_variance_1() -> None:
    layer = Normalization()
    layer.adapt(rows())
    y = layer(rows())
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(layer.mean, rows().mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(layer.variance, rows().var(axis=0), rtol=1e-5)
    assert layer.trainable_weights == []


@pytest.mark.parametrize("form", ["array", "list", "arrays", "generator", "pairs"])
def test_adapt_takes_data_in_any_form(form: str) -> None:
    x = rows()
    whole, parts = Normalization(), Normalization()
    whole.adapt(x)
    pieces = [x[:7], x[7:8], x[8:]]
    data: Any = {
        "array": x,
        "list": x.tolist(),
        "arrays": pieces,
        "generator": (piece for piece in pieces),
        "pairs": ((piece, None) for piece in pieces),
    }[form]
    parts.adapt(data)
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)  # float64 sums, rounded to float32


def test_adapt_reads_as_many_batches_as_steps_says() -> None:
    def endless() -> Any:
        while True:
            yield rows()

    layer = Normalization()
    layer.adapt(endless(), steps=3)
    np.testing.assert_allclose(layer.mean, rows().mean(axis=0), rtol=1e-5)


def test_adapt_does_not_lose_a_small_spread_about_a_large_mean() -> None:
    x = 1e4 + np.random.default_rng(0).standard_normal((1000, 1)).astype(np.float32)
    layer = Normalization()
    layer.adapt([x[:500], x[500:]])
    np.testing.assert_allclose(layer.variance, x.astype(np.float64).var(axis=0), rtol=1e-5)


def test_invert_undoes() -> None:
    x = rows()
    forth, back = Normalization(), Normalization(invert=True)
    forth.adapt(x)
    back.adapt(x)
    np.testing.assert_allclose(back(forth(x)), x, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(back.mean, forth.mean, rtol=1e-5)
    np.testing.assert_allclose(back.variance, forth.variance, rtol=1e-5)


def test_a_column_without_spread_becomes_0() -> None:
    layer = Normalization()
    layer.adapt(np.full((4, 2), 3.0))
    assert layer(np.full((1, 2), 3.0)).tolist() == [[0.0, 0.0]]


def test_a_normalization_in_a_model_can_be_adapted_again() -> None:
    model = Sequential([Input((3,)), Normalization(), Dense(1)])
    before = model.predict(rows())
    model.layers[0].adapt(rows())
    y = model.predict(rows())
    assert not np.allclose(y, before)
    np.testing.assert_allclose(y, model.layers[1](model.layers[0](rows())), rtol=1e-5, atol=1e-6)


def test_training_leaves_mean_and_variance_alone() -> None:
    model = Sequential([Input((3,)), Normalization(), Dense(1)])
    model.layers[0].adapt(rows())
    before = model.layers[0].get_weights()
    model.compile("sgd", "mse")
    model.fit(rows(), np.ones((50, 1)), epochs=2, verbose=0)
    assert all((a == b).all() for a, b in zip(before, model.layers[0].get_weights(), strict=True))


def test_what_was_adapted_is_saved_with_the_model(tmp_path: Any) -> None:
    normalize, bins = Normalization(), Discretization(num_bins=4, output_mode="one_hot")
    normalize.adapt(rows())
    bins.adapt(normalize(rows()))
    x = Input((3,))
    model = Model(x, Dense(2)(layers.Flatten()(bins(normalize(Rescaling(1.0)(x))))))
    model.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert (loaded.predict(rows()) == model.predict(rows())).all()
    assert loaded.layers[2].bin_boundaries == bins.bin_boundaries
    loaded.layers[2].get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Normalization(mean=1.0), "both mean and variance"),
        (lambda: Normalization(mean=1.0, variance=-1.0), "not negative"),
        (lambda: Normalization(invert=1), "invert must be True or False"),  # type: ignore[arg-type]
        (lambda: Normalization(axis=0)(rows()), "expected axes of a row"),
        (lambda: Normalization(axis=2)(rows()), "expected axes of a row"),
        (lambda: Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0])(rows()), r"expected \(3,\)"),
        (lambda: Normalization(mean=1.0, variance=1.0).adapt(rows()), "were given"),
        (lambda: Normalization().adapt(iter([])), "got no batch"),
        (lambda: Normalization().adapt(np.ones((0, 2))), "expected rows"),
        (lambda: Normalization().adapt([rows(), np.ones((3, 4))]), r"expected \(None, 3\)"),
        (lambda: Rescaling([1.0, 2.0])(rows()), "2 numbers"),
        (lambda: Rescaling(np.inf), "finite"),
        (lambda: Discretization(), "one of bin_boundaries and num_bins"),
        (lambda: Discretization([1.0], num_bins=2), "one of bin_boundaries and num_bins"),
        (lambda: Discretization([2.0, 1.0]), "ascend"),
        (lambda: Discretization(num_bins=1), "at least 2"),
        (lambda: Discretization(num_bins=3)(rows()), "no boundaries"),
        (lambda: Discretization([1.0]).adapt(rows()), "were given"),
        (lambda: Discretization(num_bins=2).adapt([np.nan]), "no numbers"),
        (lambda: Discretization([1.0], output_mode="onehot"), "one_hot"),
        (lambda: CategoryEncoding(), "num_tokens must be a positive integer"),
        (lambda: CategoryEncoding(3, "int"), "output_mode must be"),
        (lambda: CategoryEncoding(3, sparse=True), "not supported"),
    ],
)
def test_what_is_wrong_is_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_strings_are_no_numbers() -> None:
    with pytest.raises(TypeError, match="expected real numbers"):
        Normalization().adapt([["a"]])


def test_bins_hold_as_many_numbers_each() -> None:
    x = np.random.default_rng(0).standard_normal(1000)
    layer = Discretization(num_bins=5)
    layer.adapt(x)
    assert np.bincount(layer(x)).tolist() == pytest.approx([200] * 5, abs=1)
    parts = Discretization(num_bins=5)
    parts.adapt([x[:10], np.array([np.nan]), x[10:]])
    assert parts.bin_boundaries == layer.bin_boundaries


def test_a_discretization_that_ran_in_a_model_keeps_its_bins() -> None:
    layer = Discretization(num_bins=3)
    layer.adapt(rows())
    model = Sequential([Input((3,)), layer])
    assert (model.predict(rows()) == layer(rows())).all()
    with pytest.raises(ValueError, match="before the layer runs in a model"):
        layer.adapt(rows())


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_layers_make_the_same_alone_and_in_a_model(mode: str) -> None:
    x = np.array([[0.0, 1.5, 1.0], [2.0, 2.0, -1.0]], np.float32)
    made: list[Any] = [
        Discretization([0.0, 1.0], output_mode=mode),
        CategoryEncoding(3, mode),
        layers.IntegerLookup(vocabulary=[2, 1], output_mode=mode, num_oov_indices=2),
    ]
    for layer in made:
        assert (Sequential([Input((3,)), layer]).predict(np.floor(x)) == layer(np.floor(x))).all()


@pytest.mark.parametrize(
    "layer",
    [
        Normalization(axis=(1, 2), invert=True),
        Normalization(mean=[1.0, 2.0], variance=[1.0, 3.0]),
        Rescaling(0.1, offset=[1.0, 2.0]),
        Discretization([0.0, 1.0], output_mode="count"),
        Discretization(num_bins=3),
        CategoryEncoding(4, "one_hot"),
    ],
    ids=lambda layer: layer.name,
)
def test_configs_go_through_json(layer: Any) -> None:
    config = json.loads(json.dumps(layers.serialize(layer)))
    assert layers.deserialize(config).get_config() == layer.get_config()
