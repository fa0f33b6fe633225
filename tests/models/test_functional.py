"""`Model`: graphs of layers, their inputs and outputs, and that they train on every backend."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path

import numpy as np
import pytest

from netlet import Input, Model, Sequential, load_model, set_random_seed
from netlet.layers import (
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    LayerNormalization,
    Multiply,
    PReLU,
)


def rows(n: int = 96) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(3)
    x, item = rng.standard_normal((n, 8)).astype(np.float32), rng.integers(0, 10, (n, 3))
    y = x[:, 0] * 2 + x[:, 1] * x[:, 2] + (item[:, 0] > 4)
    return {"x": x, "item": item}, y.astype(np.float32)


def branched() -> Model:
    """Two inputs, two branches that meet, everything that acts otherwise in training."""
    set_random_seed(5)
    x, item = Input((8,), name="x"), Input((3,), name="item")
    a = Dropout(0.2)(Activation("relu")(BatchNormalization()(Dense(16)(x))))
    b = GaussianNoise(0.1)(PReLU()(LayerNormalization()(Dense(16)(x))))
    e = Flatten()(Embedding(10, 4)(item))
    joined = Concatenate()([Multiply()([a, b]), e])
    model = Model([x, item], Add()([Dense(1)(joined), Dense(1)(x)]))
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    return model


def test_a_chain_is_what_sequential_makes_of_it(backend: str) -> None:
    x = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)

    def graph() -> Model:
        first = Input((4,))
        return Model(first, Dense(2)(Dense(5, "relu")(first)))

    predictions = []
    for make in (lambda: Sequential([Input((4,)), Dense(5, "relu"), Dense(2)]), graph):
        set_random_seed(1)
        model = make()
        model.compile(optimizer="sgd", loss="mse")
        model.fit(x, x[:, :2], epochs=2, verbose=0)
        predictions.append(model.predict(x))
    np.testing.assert_array_equal(*predictions)


def test_a_branched_model_learns_and_is_saved(backend: str, tmp_path: Path) -> None:
    x, y = rows()
    model = branched()
    losses = model.fit(x, y, epochs=8, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    path = tmp_path / "model.safetensors"
    model.save(path)
    again = load_model(path)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    copy = pickle.loads(pickle.dumps(model))
    for other in (again, copy):
        other.fit(x, y, batch_size=16, verbose=0)
    np.testing.assert_array_equal(again.predict(x), copy.predict(x))
    model.fit(x, y, batch_size=16, verbose=0)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_training_is_the_same_on_every_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    from netlet.backends import available_backends

    x, y = rows()
    found = {}
    for name in available_backends():
        monkeypatch.setenv("NETLET_BACKEND", name)
        model = branched()
        model.fit(x, y, epochs=2, batch_size=16, verbose=0)
        found[name] = model.get_weights()
    for weights in found.values():
        for a, b in zip(weights, found["numpy"], strict=True):  # 12 steps of float32
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_moving_averages_move_in_training_alone(backend: str) -> None:
    x, y = rows()
    model = branched()
    layer = next(layer for layer in model.layers if isinstance(layer, BatchNormalization))
    moving = [v.numpy() for v in layer.non_trainable_weights]
    model.predict(x)
    model.evaluate(x, y, verbose=0)
    for before, variable in zip(moving, layer.non_trainable_weights, strict=True):
        np.testing.assert_array_equal(before, variable.numpy())
    model.fit(x, y, verbose=0)
    for before, variable in zip(moving, layer.non_trainable_weights, strict=True):
        assert not np.array_equal(before, variable.numpy())


def test_a_layer_used_twice_has_one_set_of_weights(backend: str) -> None:
    a, b = Input((3,), name="a"), Input((3,), name="b")
    twin = Dense(4, "tanh")
    model = Model([a, b], Dense(1)(Concatenate()([twin(a), twin(b)])))
    assert len(model.weights) == 4
    x = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
    kernel, bias, kernel2, bias2 = (w.copy() for w in model.get_weights())
    joined = np.concatenate([np.tanh(x @ kernel + bias), np.tanh(-x @ kernel + bias)], axis=1)
    np.testing.assert_allclose(model.predict([x, -x]), joined @ kernel2 + bias2, rtol=2e-5, atol=1e-6)
    model.compile(optimizer="sgd", loss="mse")
    model.fit([x, -x], np.ones(12), verbose=0)
    assert not np.array_equal(kernel, model.get_weights()[0])


def test_data_come_as_lists_or_dicts() -> None:
    x, _ = rows()
    model = branched()
    by_name = model.predict(x)
    np.testing.assert_array_equal(by_name, model.predict([x["x"], x["item"]]))
    with pytest.raises(ValueError, match="expected a dict with 'x', 'item'"):
        model.predict({"x": x["x"]})
    with pytest.raises(ValueError, match="expected 2 arrays"):
        model.predict([x["x"]])
    with pytest.raises(ValueError, match=r"x has 96 rows, input 'item' has 5"):
        model.predict([x["x"], x["item"][:5]])
    with pytest.raises(ValueError, match=r"item: input has shape \(96, 2\)"):
        model.predict([x["x"], x["item"][:, :2]])


def test_outputs_keep_their_form() -> None:
    x = Input((2,))
    h = Dense(3)(x)
    data = np.ones((4, 2), np.float32)
    assert Model(x, h).predict(data).shape == (4, 3)
    assert [y.shape for y in Model(x, [h, Dense(1)(h)]).predict(data)] == [(4, 3), (4, 1)]
    assert {k: v.shape for k, v in Model(x, {"a": h}).predict(data).items()} == {"a": (4, 3)}


def test_wrong_graphs_are_refused() -> None:
    a, b = Input((2,), name="a"), Input((2,), name="b")
    with pytest.raises(ValueError, match="'b' is an input that the outputs need"):
        Model(a, Add()([a, b]))
    with pytest.raises(TypeError, match="outputs must be what"):
        Model(a, np.ones(3))
    with pytest.raises(ValueError, match="comes from a layer"):
        Model(Dense(1)(a), Dense(1)(a))
    with pytest.raises(ValueError, match="two layers are called 'same'"):
        Model(a, Dense(1, name="same")(Dense(1, name="same")(a)))
    with pytest.raises(ValueError, match="expected a list of values"):
        Add()(a)
    with pytest.raises(ValueError, match="do not broadcast"):
        Add()([a, Dense(3)(a)])


def test_noise_is_there_in_training_alone_and_is_repeated_by_the_seed() -> None:
    layer = Dropout(0.5, seed=3)
    x = np.ones((4, 100), np.float32)
    np.testing.assert_array_equal(layer(x), x)
    noisy = layer(x, training=True)
    assert set(np.unique(noisy)) == {0.0, 2.0}
    assert 120 < np.count_nonzero(noisy) < 280  # 400 throws of a fair coin: ten standard deviations are 100
    model = Sequential([Input((100,)), Dropout(0.5, seed=3)])
    assert not np.array_equal(model(x, training=True), model(x, training=True))
    np.testing.assert_array_equal(model(x), x)


@pytest.mark.parametrize("functional", [False, True])
def test_a_model_within_a_model_shares_its_weights(backend: str, functional: bool) -> None:
    """As in Keras: inner(x) in a graph; training the outer one trains the inner one, unless that is frozen."""
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((20, 3)).astype("float32"), rng.standard_normal((20, 1)).astype("float32")
    if functional:
        a = Input((3,))
        inner: Model | Sequential = Model(a, Dense(4, activation="tanh", name="within")(a), name="inner")
    else:
        inner = Sequential([Dense(4, activation="tanh", name="within")], name="inner")
    given = Input((3,))
    outer = Model(given, Dense(1, name="head")(inner(given)))
    outer.compile(optimizer="sgd", loss="mse")
    np.testing.assert_array_equal(outer.predict(x, verbose=0), outer.get_layer("head")(inner.predict(x, verbose=0)))
    before = [w.copy() for w in inner.get_weights()]
    outer.fit(x, y, epochs=2, verbose=0)
    assert not np.array_equal(inner.get_weights()[0], before[0])
    np.testing.assert_array_equal(inner.get_weights()[0], outer.get_weights()[0])
    inner.trainable = False
    assert not outer.get_layer("within").trainable and outer.trainable
    outer.compile(optimizer="sgd", loss="mse")  # from now on, as in Keras
    held, head = [w.copy() for w in inner.get_weights()], outer.get_layer("head").get_weights()[0].copy()
    outer.fit(x, y, epochs=2, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(inner.get_weights(), held, strict=True))
    assert not np.array_equal(outer.get_layer("head").get_weights()[0], head)
    with pytest.raises(ValueError, match="shape"):
        inner(Input((5,)))


def test_the_loss_of_one_output_has_its_weight(backend: str) -> None:
    """Loss and gradient are weighted, as in Keras, and shown weighted; metrics are not."""
    x, y = np.ones((8, 3), "float32"), np.full((8, 1), 2, "float32")
    for weight, kernel in (([0.5], 0.99), (1.0, 0.98), (2, 0.96)):
        model = Sequential([Input((3,)), Dense(1, kernel_initializer="ones")])
        model.compile(optimizer="sgd", loss="mse", loss_weights=weight, metrics=["mae"])
        scale = np.ravel(weight)[0]
        assert model.evaluate(x, y, verbose=0) == pytest.approx([scale * 1.0, 1.0])
        history = model.fit(x, y, verbose=0).history
        assert history == {"loss": [pytest.approx(scale * 1.0)], "mae": [pytest.approx(1.0)]}
        np.testing.assert_allclose(model.get_weights()[0], np.full((3, 1), kernel), rtol=1e-6)


def test_a_model_of_what_a_layer_within_another_makes(backend: str) -> None:
    x = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)
    stack = Sequential([Input((4,)), Dense(5, "tanh", name="features"), Dense(2)])
    graph = Model(stack.inputs, [stack.get_layer("features").output, stack.outputs[0]])
    features, out = graph.predict(x, verbose=0)
    kernel, bias = stack.get_layer("features").get_weights()
    np.testing.assert_allclose(features, np.tanh(x @ kernel + bias), rtol=1e-5, atol=1e-6)  # sums of four products
    np.testing.assert_array_equal(out, stack.predict(x, verbose=0))
    assert stack.layers[1].input is stack.layers[0].output
    again = Model(graph.inputs, graph.get_layer("features").output)
    np.testing.assert_array_equal(again.predict(x, verbose=0), features)


def test_a_layer_without_a_model_has_no_output() -> None:
    layer = Dense(2)
    with pytest.raises(AttributeError, match="in no model"):
        _ = layer.output
    Sequential([Input((3,)), layer])  # which nobody holds
    gc.collect()
    assert not hasattr(layer, "input")
