"""`Sequential`: its layers, its names and shapes, its weights, its config."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Input, Sequential, set_random_seed
from netlet.errors import NotBuiltError
from netlet.layers import Activation, Dense, Flatten, InputLayer, Layer, Reshape
from netlet.models.arena import Arena
from netlet.optimizers import SGD
from netlet.utils import clear_session

pytestmark = pytest.mark.usefixtures("numpy_backend")


def test_names_are_numbered_as_keras_does() -> None:
    clear_session()
    layers = [Dense(1), Dense(2), Activation("relu"), Flatten(), Dense(3, name="mine"), Dense(4)]
    assert [layer.name for layer in layers] == ["dense", "dense_1", "activation", "flatten", "mine", "dense_2"]
    assert [Sequential().name, Sequential().name, Sequential(name="net").name] == ["sequential", "sequential_1", "net"]


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [Input((5,)), Dense(3), Dense(2)],
        lambda: [Input(shape=5), Dense(3), Dense(2)],
        lambda: [Input(batch_shape=(None, 5)), Dense(3), Dense(2)],
        lambda: [InputLayer(shape=(5,)), Dense(3), Dense(2)],
        lambda: [Dense(3, input_shape=(5,)), Dense(2)],
        lambda: [Dense(3, input_dim=5), Dense(2)],
        lambda: [Dense(3, batch_input_shape=(None, 5)), Dense(2)],
    ],
)
def test_a_model_with_an_input_is_built_at_once(layers: Any) -> None:
    given, added = Sequential(layers()), Sequential()
    for layer in layers():
        added.add(layer)
    for model in (given, added):
        assert model.built
        assert [type(layer) for layer in model.layers] == [Dense, Dense]  # without the Input
        assert (model.input_shape, model.output_shape) == ((None, 5), (None, 2))
        assert [(t.shape, t.dtype) for t in model.inputs + model.outputs] == [
            ((None, 5), "float32"),
            ((None, 2), "float32"),
        ]
        assert [w.shape for w in model.weights] == [(5, 3), (3,), (3, 2), (2,)]
        assert model.count_params() == 26


def test_weights_are_named_after_their_layers() -> None:
    model = Sequential([Dense(3, name="first", input_shape=(5,)), Dense(2, name="second", use_bias=False)])
    assert [w.path for w in model.weights] == ["first/kernel", "first/bias", "second/kernel"]
    assert [w.name for w in model.weights] == ["kernel", "bias", "kernel"]


def test_an_unbuilt_model_knows_no_shapes(rows: Any) -> None:
    model = Sequential([Dense(3), Dense(4, "softmax")])
    assert not model.built
    assert model.weights == []
    for name in ("inputs", "outputs", "input_shape", "output_shape"):
        with pytest.raises(AttributeError, match="not built"):
            getattr(model, name)
    for call in (model.count_params, model.lower, lambda: model.set_weights([])):
        with pytest.raises(NotBuiltError):
            call()


@pytest.mark.parametrize("how", ["build", "fit", "predict", "call", "evaluate", "train_on_batch", "test_on_batch"])
def test_an_unbuilt_model_is_built_by_its_first_data(rows: Any, how: str) -> None:
    x, y = rows
    model = Sequential([Dense(3), Dense(4, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    {
        "build": lambda: model.build((None, 6)),
        "fit": lambda: model.fit(x, y, verbose=0),
        "predict": lambda: model.predict(x),
        "call": lambda: model(x),
        "evaluate": lambda: model.evaluate(x, y, verbose=0),
        "train_on_batch": lambda: model.train_on_batch(x, y),
        "test_on_batch": lambda: model.test_on_batch(x, y),
    }[how]()
    assert model.built
    assert model.input_shape == (None, 6)
    assert [w.shape for w in model.weights] == [(6, 3), (3,), (3, 4), (4,)]


def test_a_vector_is_a_column() -> None:
    model = Sequential([Dense(2)])
    assert model.predict(np.arange(5.0)).shape == (5, 2)
    assert model.input_shape == (None, 1)


def test_build_again_with_the_same_shape_is_harmless_and_with_another_an_error() -> None:
    model = Sequential([Dense(3)])
    model.build((None, 5))
    before = model.get_weights()
    model.build((None, 5))
    model.build((7, 5))
    model.build()
    assert model.get_weights()[0] is not before[0]
    assert (model.get_weights()[0] == before[0]).all()
    with pytest.raises(ValueError, match=r"built for input shape \(None, 5\), got \(None, 6\)"):
        model.build((None, 6))


def test_add_and_pop_keep_the_other_layers_weights(rows: Any) -> None:
    x, _ = rows
    model = Sequential([Dense(3, "relu", input_shape=(6,)), Dense(2)])
    first = model.layers[0].get_weights()
    before = model.predict(x)
    top = model.pop()
    assert isinstance(top, Dense)
    assert model.output_shape == (None, 3)
    assert model.predict(x).shape == (50, 3)
    model.add(top)
    assert (model.predict(x) == before).all()
    model.add(Dense(7))
    assert model.predict(x).shape == (50, 7)
    assert all((a == b).all() for a, b in zip(first, model.layers[0].get_weights(), strict=True))


def test_pop_the_only_layer_and_then_none() -> None:
    model = Sequential([Dense(1, input_shape=(2,))])
    model.pop()
    assert model.layers == []
    assert not model.built
    with pytest.raises(IndexError, match="without layers"):
        model.pop()
    model.add(Dense(3))  # the Input is still there
    assert model.output_shape == (None, 3)


def test_get_layer() -> None:
    model = Sequential([Dense(1, name="a", input_shape=(2,)), Dense(2, name="b")])
    assert model.get_layer("b") is model.get_layer(index=1) is model.get_layer(index=-1)
    for wrong in ({}, {"name": "a", "index": 0}, {"name": "c"}, {"index": 2}, {"index": -3}):
        with pytest.raises(ValueError, match=r"sequential"):
            model.get_layer(**wrong)


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (lambda: Dense(2, name="first"), ValueError, "name 'first' is taken"),
        (lambda: Input((5,)), ValueError, "must come first"),
        (lambda: 3, TypeError, "expected a layer, got 3"),
        (lambda: Dense, TypeError, "expected a layer"),
        (lambda: Reshape((4,)), ValueError, "3 elements a row"),
        (lambda: Dense(2, dtype="float64"), ValueError, "dtype float64, expected float32"),
    ],
)
def test_a_layer_that_does_not_fit_is_refused(layer: Any, error: Any, message: str, fingerprint: Any) -> None:
    model = Sequential([Dense(3, name="first", input_shape=(5,))])
    before = fingerprint(model)
    with pytest.raises(error, match=message):
        model.add(layer())
    assert fingerprint(model) == before
    assert len(model.layers) == 1
    model.predict(np.zeros((1, 5)))


def test_a_layer_may_be_there_once() -> None:
    layer = Dense(5, input_shape=(5,))
    model = Sequential([layer])
    with pytest.raises(ValueError, match="already in the model"):
        model.add(layer)


def test_models_may_share_layers() -> None:
    layer = Dense(3, name="shared", input_shape=(2,))
    x = np.random.default_rng(0).standard_normal((8, 2)).astype(np.float32)
    first = Sequential([layer])
    before = first.predict(x)
    second = Sequential([layer, Dense(1)])
    second.compile(optimizer="sgd", loss="mse")
    second.fit(x, np.ones(8), verbose=0)
    after = first.predict(x)
    assert not np.array_equal(before, after), "the first model does not see what the second trained"
    np.testing.assert_array_equal(after, Sequential([layer]).predict(x))
    again = second.predict(x)
    np.testing.assert_allclose(again, after @ second.layers[1].get_weights()[0] + second.layers[1].get_weights()[1])


def test_lending_a_layer_keeps_the_optimizers_slots() -> None:
    def run(lend: bool) -> list[np.ndarray]:
        set_random_seed(4)
        layer = Dense(3, input_shape=(2,))
        model = Sequential([layer, Dense(1)])
        model.compile(optimizer=SGD(0.1, momentum=0.9), loss="mse")
        x, y = np.ones((4, 2), np.float32), np.ones(4)
        model.fit(x, y, verbose=0, shuffle=False)
        if lend:
            Sequential([layer]).predict(x)
        model.fit(x, y, verbose=0, shuffle=False)
        return model.get_weights()

    for a, b in zip(run(False), run(True), strict=True):
        np.testing.assert_array_equal(a, b)


def test_parameters_lie_in_one_aligned_arena(rows: Any, make_classifier: Any) -> None:
    model = make_classifier()
    model.predict(rows[0])
    arena = model._arena
    assert isinstance(arena, Arena)
    assert arena.data.ctypes.data % 64 == 0
    assert arena.data.flags.c_contiguous
    assert arena.data.size == model.count_params()
    position = 0
    for weight in model.weights:
        assert np.shares_memory(weight.value, arena.data)
        assert weight.value.ctypes.data == arena.data.ctypes.data + position
        position += weight.value.nbytes
    assert model._engine.executor.params is arena.data


def test_get_weights_are_copies_and_set_weights_reach_the_executor(
    backend: str, rows: Any, make_classifier: Any
) -> None:
    x, _ = rows
    model, other = make_classifier(), make_classifier()
    copies = model.get_weights()
    before = model.predict(x)
    copies[0][:] = 0
    assert (model.predict(x) == before).all()
    other.predict(x)
    other.set_weights(model.get_weights())
    assert (other.predict(x) == before).all()
    other.layers[0].set_weights([np.zeros((6, 8)), np.zeros(8)])
    other.layers[1].bias.assign([1, 2, 3, 4])
    assert (other.predict(x)[0] == other.predict(x)[1]).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda w: w[:3], ValueError, "got 3 arrays, expected 4"),
        (lambda w: [*w, w[0]], ValueError, "got 5 arrays, expected 4"),
        (lambda w: [*w[:3], np.zeros(5)], ValueError, r"dense_1/bias: weight has shape \(4,\), got \(5,\)"),
        (lambda w: [*w[:3], ["a"] * 4], TypeError, "expected real numbers"),
        (lambda w: [*w[:3], np.zeros(4, complex)], TypeError, "expected real numbers"),
        (lambda w: 3, TypeError, "expects a list of arrays"),
    ],
)
def test_set_weights_sets_all_or_none(
    rows: Any, make_classifier: Any, fingerprint: Any, change: Any, error: Any, message: str
) -> None:
    clear_session()
    model = make_classifier()
    before = fingerprint(model)
    with pytest.raises(error, match=message):
        model.set_weights(change([w + 1 for w in model.get_weights()]))
    assert fingerprint(model) == before


def test_variables_behave_as_arrays() -> None:
    kernel = Dense(2, input_shape=(3,))
    Sequential([kernel])
    variable = kernel.weights[0]
    variable.assign(np.arange(6).reshape(3, 2))
    variable.assign_add(np.ones((3, 2))).assign_sub(np.full((3, 2), 0.5))
    assert np.asarray(variable).tolist() == [[0.5, 1.5], [2.5, 3.5], [4.5, 5.5]]
    assert np.asarray(variable, dtype=np.float64).dtype == np.float64
    assert not np.asarray(variable).flags.writeable
    assert variable[1, 0] == 2.5
    assert (variable.shape, variable.dtype, variable.ndim, variable.size, len(variable)) == (
        (3, 2),
        "float32",
        2,
        6,
        3,
    )
    copied = variable.numpy()
    copied[:] = 0
    assert variable[1, 0] == 2.5
    assert "dense" in repr(variable)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_that_of_weights_and_predictions(backend: str, rows: Any, make_classifier: Any, dtype: str) -> None:
    x, y = rows
    model = make_classifier(dtype)
    model.fit(x, y, verbose=0)
    assert model.dtype == dtype
    assert {w.dtype for w in model.weights} == {dtype}
    assert model.predict(x).dtype == dtype


def test_dtype_follows_the_layers() -> None:
    assert Sequential([Dense(2, dtype="float64", input_shape=(2,))]).dtype == "float64"
    assert Sequential([Input((2,), dtype="float64"), Dense(2)]).weights[0].dtype == "float64"
    with pytest.raises(ValueError, match="dtype float32, expected float64"):
        Sequential([Dense(2, dtype="float32", input_shape=(2,))], dtype="float64")


def test_calls_agree(backend: str, rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier(metrics=["accuracy"])
    want = model.predict(x)
    assert (model(x) == want).all()
    assert (model.predict_on_batch(x) == want).all()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(model.test_on_batch(x, y), rel=1e-6)
    p = want[np.arange(50), y]
    assert model.evaluate(x, y, verbose=0) == pytest.approx(
        [-np.log(p).mean(), (want.argmax(axis=1) == y).mean()], rel=1e-5
    )


def test_predict_before_compile_and_after_is_equal(backend: str, rows: Any) -> None:
    x, _ = rows
    model = Sequential([Dense(8, "relu", input_shape=(6,)), Dense(1, "sigmoid")])
    before = model.predict(x)
    model.compile("sgd", "binary_crossentropy")
    # the loss now takes the logits: the sigmoid is an op of its own and may round once more
    np.testing.assert_allclose(model.predict(x), before, rtol=3e-7)


def test_layers_of_more_axes(backend: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 4, 3)).astype(np.float32)
    model = Sequential(
        [Input((4, 3)), Dense(2, "relu"), Flatten(), Reshape((-1, 4)), Activation("softmax"), Reshape((8,)), Dense(1)]
    )
    assert [layer.output_shape for layer in model.layers] == [
        (None, 4, 2),
        (None, 8),
        (None, 2, 4),
        (None, 2, 4),
        (None, 8),
        (None, 1),
    ]
    k0, b0, k1, b1 = [w.astype(np.float64) for w in model.get_weights()]
    h = np.maximum(x @ k0 + b0, 0).reshape(5, 2, 4)
    h = np.exp(h) / np.exp(h).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(model.predict(x), h.reshape(5, 8) @ k1 + b1, rtol=1e-5, atol=1e-6)


def test_config_makes_the_same_model_anew(rows: Any) -> None:
    model = Sequential(
        [
            Input((6,)),
            Dense(4, "leaky_relu", kernel_initializer="zeros"),
            Reshape((2, -1)),
            Flatten(),
            Activation("gelu"),
        ],
        name="net",
        dtype="float64",
    )
    config = json.loads(json.dumps(model.get_config()))
    again = Sequential.from_config(config)
    assert json.loads(json.dumps(again.get_config())) == config
    assert (again.name, again.dtype, again.built) == ("net", "float64", True)
    again.set_weights(model.get_weights())
    assert (again.predict(rows[0]) == model.predict(rows[0])).all()
    unbuilt = Sequential.from_config(Sequential([Dense(2)]).get_config())
    assert not unbuilt.built
    assert len(unbuilt.layers) == 1


@pytest.mark.parametrize(
    "config",
    [
        None,
        {},
        {"layers": 3},
        {"layers": [3]},
        {"layers": [{"class_name": "Dens", "config": {}}]},
        {"layers": ["Dense"]},
    ],
)
def test_a_config_of_something_else_is_refused(config: Any) -> None:
    with pytest.raises(ValueError, match=r"config|unknown layer"):
        Sequential.from_config(config)


def test_copy_and_pickle_keep_the_state(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier(optimizer=netlet.optimizers.SGD(0.1, momentum=0.9))
    model.fit(x, y, verbose=0)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (other.predict(x) == model.predict(x)).all()
        assert other.optimizer.iterations == 2
    unbuilt = pickle.loads(pickle.dumps(Sequential([Dense(2, name="d")], name="u")))
    assert (unbuilt.name, unbuilt.layers[0].name) == ("u", "d")


def test_summary_prints_once(capsys: pytest.CaptureFixture[str], make_classifier: Any) -> None:
    texts: list[str] = []
    model = make_classifier()
    model.summary(print_fn=texts.append)
    assert len(texts) == 1
    assert "Total params: 92" in texts[0]
    model.summary()
    assert "Total params" in capsys.readouterr().out


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_frozen_layers_stay_as_they_are(rows: Any, make_classifier: Any, backend: str, optimizer: str) -> None:
    x, y = rows
    model = make_classifier()
    model.layers[0].trainable = False
    assert len(model.trainable_weights) == 2
    assert len(model.non_trainable_weights) == 2
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    before = [layer.get_weights() for layer in model.layers]
    model.fit(x, y, epochs=2, verbose=0)
    for a, b in zip(before[0], model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(before[1][0], model.layers[1].get_weights()[0])
    model.layers[0].trainable = True
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    assert not np.array_equal(before[0][0], model.layers[0].get_weights()[0])


def test_base_layer_cannot_be_lowered() -> None:
    with pytest.raises(NotImplementedError, match=r"Layer does not define call\(\) or lower\(\)"):
        Sequential([Layer(input_shape=(2,))]).predict(np.zeros((1, 2)))
