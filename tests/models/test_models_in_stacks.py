"""A model as a part of a Sequential: its layers are in both, with one set of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import Input, Model, Sequential
from netlet.layers import Add, Dense, Dropout, StringLookup
from netlet.models import load_model


def base(**first: Any) -> Sequential:
    return Sequential([Dense(8, "tanh", name="low", **first), Dense(5, "relu", name="high")], name="base")


def test_it_computes_what_the_call_computes(backend: str, rows: Any) -> None:
    x, _ = rows
    below = base(input_shape=(6,))
    stack = Sequential([below, Dense(4, name="head")])
    head = stack.get_layer("head")
    graph = Model(below.inputs, head(below.outputs[0]))
    np.testing.assert_array_equal(stack.predict(x, verbose=0), graph.predict(x, verbose=0))
    assert [layer.name for layer in stack.layers] == ["low", "high", "head"]
    assert stack.input_shape == (None, 6)


def test_weights_are_shared_and_frozen_in_both(backend: str, rows: Any) -> None:
    x, y = rows
    below = base(input_shape=(6,))
    stack = Sequential([below, Dense(4, "softmax", name="head")])
    stack.compile("sgd", "sparse_categorical_crossentropy")
    before = below.get_weights()
    stack.fit(x, y, epochs=2, verbose=0)
    after = below.get_weights()
    assert all((one != other).any() for one, other in zip(before, after, strict=True))
    below.trainable = False
    stack.compile("sgd", "sparse_categorical_crossentropy")
    head = stack.get_layer("head").get_weights()[0].copy()
    stack.fit(x, y, epochs=2, verbose=0)
    for one, other in zip(after, below.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (head != stack.get_layer("head").get_weights()[0]).any()


@pytest.mark.parametrize("suffix", [".netlet", ".keras"])
def test_it_is_saved_and_loaded(rows: Any, tmp_path: Path, suffix: str) -> None:
    x, _ = rows
    stack = Sequential([Input((6,)), base(), Dense(4)])
    stack.save(tmp_path / f"m{suffix}")
    again = load_model(tmp_path / f"m{suffix}")
    np.testing.assert_array_equal(stack.predict(x, verbose=0), again.predict(x, verbose=0))


def test_what_is_not_built_is_built_with_the_stack(rows: Any) -> None:
    x, _ = rows
    below = base()
    stack = Sequential([below, Dropout(0.5), Dense(4)])
    assert not stack.built
    assert stack.predict(x, verbose=0).shape == (50, 4)
    assert [weight.shape for weight in below.layers[0].get_weights()] == [(6, 8), (8,)]


def test_models_within_models_within_models(rows: Any) -> None:
    x, _ = rows
    stack = Sequential([Sequential([base(input_shape=(6,)), Dense(3)]), Dense(2)])
    assert stack.predict(x, verbose=0).shape == (50, 2)
    assert len(stack.layers) == 4


def test_a_graph_in_one_line_is_taken(rows: Any) -> None:
    x, _ = rows
    below = Input((6,))
    graph = Model(below, Dense(3, name="b")(Dense(8, "relu", name="a")(below)))
    stack = Sequential([graph, Dense(2, name="c")])
    assert [layer.name for layer in stack.layers] == ["a", "b", "c"]
    np.testing.assert_array_equal(stack.predict(x, verbose=0), stack.layers[-1](graph.predict(x, verbose=0)))


def test_its_input_keeps_the_type_of_its_data() -> None:
    words = Sequential([Input((1,), dtype="string"), StringLookup(vocabulary=["a", "b"], output_mode="one_hot")])
    stack = Sequential([words, Dense(2)])
    assert stack.get_config()["layers"][0]["config"]["dtype"] == "string", "which files tell Keras"
    assert stack.predict(np.array([["a"], ["b"], ["c"]]), verbose=0).shape == (3, 2)


def branching() -> Model:
    below = Input((6,))
    return Model(below, Add()([Dense(3)(below), Dense(3)(below)]))


def inner_value() -> Model:
    below = Input((6,))
    low = Dense(3)(below)
    return Model(below, [Dense(3)(low), low])


def called_twice() -> Model:
    below, same = Input((6,)), Dense(6)
    return Model(below, same(same(below)))


@pytest.mark.parametrize("make", [branching, inner_value, called_twice])
def test_other_graphs_are_refused_and_change_nothing(make: Any) -> None:
    stack = Sequential([Input((6,))])
    with pytest.raises(ValueError, match="not in one line"):
        stack.add(make())
    assert stack.layers == []


def test_layers_that_do_not_fit_are_refused_as_such(rows: Any) -> None:
    stack = Sequential([Dense(7, input_shape=(9,), name="first")])
    with pytest.raises(ValueError, match="shape"):
        stack.add(base(input_shape=(6,)))
    assert [layer.name for layer in stack.layers] == ["first"]
    with pytest.raises(ValueError, match=r"'low' is taken"):
        Sequential([base(input_shape=(6,)), Dense(6, name="low")])
    below = base(input_shape=(6,))
    with pytest.raises(ValueError, match="already in the model"):
        below.add(below)
    assert len(below.layers) == 2
