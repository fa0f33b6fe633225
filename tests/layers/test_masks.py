"""Masks outside of training: which layers make, pass and use them, by themselves and in a program."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from netlet import Input, Model, Sequential, layers
from netlet.layers import (
    Add,
    BatchNormalization,
    Concatenate,
    Dense,
    Dot,
    Embedding,
    Flatten,
    Masking,
    Maximum,
    Multiply,
    Softmax,
)

X = np.array([[[1, 2], [0, 0], [0, 3]], [[0, 0], [0, 0], [5, 5]]], np.float32)
MASK = np.array([[True, False, True], [False, False, True]])
OTHER = np.array([[False, False, True], [True, False, False]])


def test_masking_finds_steps_of_one_value_and_makes_them_zero(backend: str) -> None:
    layer = Masking()
    assert layer.compute_mask(X).tolist() == MASK.tolist()
    np.testing.assert_array_equal(layer(X), X)
    fives = Masking(mask_value=5)
    assert fives.compute_mask(X).tolist() == [[True] * 3, [True, True, False]]
    np.testing.assert_array_equal(fives(X)[1, 2], [0, 0])


def test_an_embedding_makes_a_mask_of_its_zeros(backend: str) -> None:
    tokens = np.array([[3, 0, 1], [0, 0, 2]])
    assert Embedding(4, 2, mask_zero=True).compute_mask(tokens).tolist() == (tokens != 0).tolist()
    assert Embedding(4, 2).compute_mask(tokens) is None


@pytest.mark.parametrize("layer", [Dense(2), Softmax(), BatchNormalization(), layers.Dropout(0.5)])
def test_most_layers_pass_a_mask_as_it_is(layer: Any) -> None:
    assert layer.supports_masking
    assert layer.compute_mask(X, MASK) is MASK


@pytest.mark.parametrize(
    "layer",
    [
        Flatten(),
        layers.Reshape((6,)),
        layers.Permute((2, 1)),
        layers.RepeatVector(2),
        layers.RMSNormalization(),
        Embedding(4, 2),
    ],
)
def test_the_others_do_not(layer: Any) -> None:
    assert not layer.supports_masking


def test_merges_count_what_counts_in_any_input(backend: str) -> None:
    pair = [X, X + 1]
    assert Add().compute_mask(pair, [MASK, OTHER]).tolist() == (MASK | OTHER).tolist()
    assert Add().compute_mask(pair, [MASK, None]) is None
    assert Add().compute_mask(pair) is None
    assert Dot(axes=2).compute_mask(pair, [MASK, OTHER]) is None
    assert Concatenate().compute_mask(pair, [MASK, OTHER]).tolist() == (MASK | OTHER).tolist()
    assert Concatenate().compute_mask(pair, [MASK, None]).tolist() == np.ones((2, 3), bool).tolist()
    along = Concatenate(axis=1).compute_mask(pair, [MASK, OTHER])
    assert along.tolist() == np.concatenate([MASK, OTHER], axis=1).tolist()
    half = Concatenate(axis=1).compute_mask(pair, [None, OTHER])
    assert half.tolist() == np.concatenate([np.ones((2, 3), bool), OTHER], axis=1).tolist()
    with pytest.raises(ValueError, match="expected a list of 2 masks"):
        Add().compute_mask(pair, [MASK])


def test_a_maximum_is_of_what_counts(backend: str) -> None:
    a, b = Input((3, 2)), Input((3, 2))
    both = Model([a, b], Maximum()([Masking(-1.0)(a), Masking(-1.0)(b)]))
    left = np.array([[[-1, -1], [-5, -5], [-1, -1]]], np.float32)
    right = np.array([[[-4, -4], [-1, -1], [-1, -1]]], np.float32)
    # where one counts, it is the largest, though what the mask made of the other is 0
    assert both.predict([left, right]).tolist() == [[[-4, -4], [-5, -5], [0, 0]]]
    product = Model([a, b], Multiply()([Masking(-1.0)(a), Masking(-1.0)(b)]))
    assert product.predict([left, right]).tolist() == [[[-4, -4], [-5, -5], [0, 0]]]


def test_softmax_leaves_out_what_does_not_count(backend: str) -> None:
    x = np.array([[1.0, 2.0, 3.0], [1.0, 1.0, 9.0], [1.0, 2.0, 3.0]], np.float32)
    mask = np.array([[1, 1, 1], [1, 1, 0], [0, 0, 0]])
    y = Softmax()(x, mask=mask)
    np.testing.assert_allclose(y[0], np.exp(x[0]) / np.exp(x[0]).sum(), rtol=1e-6)  # a few roundings of 6e-8
    np.testing.assert_array_equal(y[1], [0.5, 0.5, 0])
    np.testing.assert_array_equal(y[2], [0, 0, 0])
    with pytest.raises(ValueError, match=r"a mask of shape \(None, 2\) does not broadcast to an input of shape"):
        Softmax()(x, mask=np.ones((3, 2), bool))


def test_softmax_refuses_a_mask_of_steps() -> None:
    model = Sequential([Input((3, 2)), Masking(), Softmax()])
    with pytest.raises(ValueError, match=r"a mask of shape \(None, 3\) does not broadcast"):
        model.predict(X)


def test_a_batch_normalization_takes_the_statistics_of_what_counts(backend: str) -> None:
    layer = BatchNormalization(momentum=0.5)
    y = layer(X, training=True, mask=MASK)
    counted = X[MASK]
    mean, variance = counted.mean(axis=0), counted.var(axis=0)
    # a few roundings of 6e-8, and 1e-7 that is added to the number of steps
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.5 * mean, rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.5 + 0.5 * variance, rtol=1e-6)
    np.testing.assert_allclose(y, (X - mean) / np.sqrt(variance + 1e-3), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"expected a mask of shape \(3,\)"):
        layer(X, training=True, mask=MASK[:, :2])


def test_layers_without_use_for_a_mask_refuse_it() -> None:
    with pytest.raises(TypeError, match="takes no mask"):
        Dense(2)(X, mask=MASK)
    with pytest.raises(TypeError, match="takes no mask"):
        Softmax()(Input((3,)), mask=MASK)
    with pytest.raises(ValueError, match="mask must hold truth values for 2 rows"):
        BatchNormalization()(X, mask=MASK[:1])


def test_a_mask_that_ends_is_told() -> None:
    model = Sequential([Input((3, 2)), Masking(), Flatten(name="flat"), Dense(1)])
    with pytest.warns(UserWarning, match="flat: Flatten does not pass masks on"):
        model.predict(X)


def test_masks_that_nobody_reads_are_not_in_the_program() -> None:
    model = Sequential([Input((3,)), Embedding(9, 2, mask_zero=True), Dense(2)])
    assert [op.op for op in model.lower().ops] == ["embedding", "dense"]
    model.compile(loss="mse")
    model.predict(np.zeros((1, 3)))
    assert model._engine is not None
    assert "mask" in [op.op for op in model._engine.program.ops]


def test_configs_make_the_same_layer() -> None:
    for layer in (Masking(2.5, name="m"), Embedding(5, 2, mask_zero=True, name="e")):
        config = json.loads(json.dumps(layers.serialize(layer)))
        assert layers.serialize(layers.deserialize(config)) == layers.serialize(layer)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Masking("a"), ValueError, "mask_value must be a finite number"),
        (lambda: Masking(float("nan")), ValueError, "mask_value must be a finite number"),
        (lambda: Masking().compute_output_shape((None,)), ValueError, "at least one axis after the batch"),
        (lambda: Embedding(3, 2, mask_zero="yes"), TypeError, "mask_zero must be True or False"),
    ],
)
def test_bad_arguments(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
