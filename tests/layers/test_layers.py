"""Layers by themselves: called on arrays, built, counted, written as configs; and a layer of one's own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from netlet import Input, Sequential, layers
from netlet.errors import NotBuiltError
from netlet.layers import Activation, Dense, Flatten, InputLayer, Layer, Reshape
from netlet.utils import clear_session


def test_dense_is_its_formula() -> None:
    x = np.random.default_rng(0).standard_normal((4, 5, 3))
    layer = Dense(2, "tanh", bias_initializer="ones", dtype="float64")
    y = layer(x)
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(y, np.tanh(x @ kernel + bias), rtol=1e-12)
    assert (kernel.shape, bias.shape) == ((3, 2), (2,))
    assert layer.built
    assert layer.input_shape == (None, 5, 3)
    assert layer.output_shape == (None, 5, 2)


def test_dense_without_bias_has_one_weight() -> None:
    layer = Dense(2, use_bias=False)
    assert layer(np.ones((1, 3))).tolist() == [layer.get_weights()[0].sum(axis=0).tolist()]
    assert layer.bias is None
    assert layer.count_params() == 6


@pytest.mark.parametrize(
    ("layer", "shape", "want"),
    [
        (lambda: Flatten(), (None, 2, 3), (None, 6)),
        (lambda: Flatten(), (None,), (None, 1)),
        (lambda: Reshape((3, 2)), (None, 6), (None, 3, 2)),
        (lambda: Reshape((-1,)), (None, 2, 3), (None, 6)),
        (lambda: Reshape((2, -1, 1)), (None, 6), (None, 2, 3, 1)),
        (lambda: Activation("relu"), (None, 2, 3), (None, 2, 3)),
        (lambda: Activation("relu"), (None,), (None,)),
        (lambda: Dense(4), (None, 2, 3), (None, 2, 4)),
        (lambda: InputLayer((2,)), (None, 2), (None, 2)),
    ],
)
def test_output_shapes(layer: Any, shape: Any, want: Any) -> None:
    made = layer()
    assert made.compute_output_shape(shape) == want
    x = np.arange(2 * int(np.prod(shape[1:], dtype=int)), dtype=np.float32).reshape((2, *shape[1:]))
    y = made(x)
    assert y.shape == (2, *want[1:])
    if isinstance(made, (Flatten, Reshape)):
        assert (y.reshape(-1) == x.reshape(-1)).all()  # the elements keep their order


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (lambda: Dense(4), (None,), "at least one axis after the batch"),
        (lambda: Activation("softmax"), (None,), "at least one axis after the batch"),
        (lambda: Reshape((4,)), (None, 6), "6 elements a row, expected as many as target_shape"),
        (lambda: Reshape((4, -1)), (None, 6), "6 elements a row"),
        (lambda: Flatten(), (None, None), "expected known sizes after the batch"),
    ],
)
def test_shapes_that_do_not_fit(layer: Any, shape: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layer().compute_output_shape(shape)


def test_calls_refuse_what_does_not_fit() -> None:
    clear_session()
    layer = Dense(2)
    layer(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"dense: input has shape \(1, 4\), expected \(None, 3\)"):
        layer(np.ones((1, 4)))
    with pytest.raises(TypeError, match="expected real numbers"):
        layer([["a"]])
    for empty in (3.0, np.ones((0, 3))):
        with pytest.raises(ValueError, match="at least one row"):
            layer(empty)


def test_weights_before_building() -> None:
    layer = Dense(2)
    assert layer.weights == []
    assert layer.get_weights() == []
    with pytest.raises(NotBuiltError, match="not built"):
        layer.count_params()
    with pytest.raises(ValueError, match="got 1 arrays, expected 0"):
        layer.set_weights([np.ones(3)])


def test_trainable_is_the_layers_and_the_weights() -> None:
    layer = Dense(2, input_shape=(3,))
    Sequential([layer])
    assert [v.path for v in layer.trainable_variables] == [v.path for v in layer.variables]
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 2
    assert len(layer.weights) == 2


@pytest.mark.parametrize(
    "layer",
    [
        lambda: Dense(3, "gelu", False, "he_normal", "ones", name="d", trainable=False, dtype="float64"),
        lambda: Activation("log_softmax", name="a"),
        lambda: Flatten(data_format="channels_last", name="f"),
        lambda: Reshape((2, -1), name="r"),
        lambda: InputLayer((2, 3), batch_size=5, dtype="float64", name="i"),
    ],
)
def test_configs_make_the_same_layer(layer: Any) -> None:
    made = layer()
    config = json.loads(json.dumps(layers.serialize(made)))
    again = layers.deserialize(config)
    assert type(again) is type(made)
    assert layers.serialize(again) == layers.serialize(made)


@pytest.mark.parametrize(
    "config", [3, "Dense", {"class_name": "Dens", "config": {}}, {"class_name": "Dense", "config": 3}]
)
def test_configs_of_something_else_are_refused(config: Any) -> None:
    with pytest.raises(ValueError, match=r"config|unknown layer"):
        layers.deserialize(config)


def test_a_layer_called_on_an_input_gives_a_symbolic_value() -> None:
    layer = Dense(1)
    value = layer(Input((2,)))
    assert (value.shape, value.layer) == ((None, 1), layer)
    assert layer.built
    with pytest.raises(ValueError, match="input has shape"):
        layer(Input((3,)))


def test_input_is_symbolic() -> None:
    x = Input((2, 3), name="x")
    assert (x.shape, x.dtype, x.name, x.ndim) == ((None, 2, 3), "float32", "x", 3)
    assert "(None, 2, 3)" in repr(x)
    assert Input(batch_shape=(7, 2)).shape == (7, 2)


class Affine(Layer):
    """A layer of one's own: it names its ops and has no arithmetic."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight("scale", (input_shape[-1], self.units), "ones")
        self.shift = self.add_weight(name="shift", shape=(self.units,), initializer="zeros")

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def lower(self, builder: Any, x: Any) -> Any:
        return builder.dense(x, self.scale.lower(builder), self.shift.lower(builder), activation="sigmoid")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def test_a_layer_of_ones_own_trains() -> None:
    clear_session()
    x = np.random.default_rng(0).standard_normal((40, 3))
    y = (x.sum(axis=1) > 1).astype(float)
    model = Sequential([Input((3,)), Affine(1)])
    model.compile("sgd", "binary_crossentropy")
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert [w.path for w in model.weights] == ["affine/scale", "affine/shift"]
    with pytest.raises(ValueError, match="already has a weight of this name"):
        model.layers[0].add_weight("scale", (1,))


@pytest.mark.parametrize("dtype", ["int32", "int64", np.uint8, "bool"])
def test_an_input_of_whole_numbers_enters_as_floats(dtype: Any) -> None:
    given = Input((2,), dtype=dtype)
    assert given.dtype == "float32"
    config = given.layer.get_config()
    assert config["dtype"] == np.dtype(dtype).name
    assert InputLayer.from_config(config).get_config() == config
