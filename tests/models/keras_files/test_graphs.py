"""Configs of graphs: calls that are in no order are found, those that cannot be made are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import Input, Model, load_model
from netlet.errors import ModelFormatError
from netlet.layers import Add, Dense
from netlet.models.keras_files import archive

pytest.importorskip("h5py", reason="h5py is not installed: pip install 'netlet[keras]'")
pytestmark = pytest.mark.usefixtures("numpy_backend")


@pytest.fixture
def made(tmp_path: Path) -> tuple[Model, Path]:
    x = Input((3,), name="x")
    f, g = Dense(3, name="f"), Dense(3, name="g")
    model = Model(x, Add(name="sum")([g(f(g(x))), f(x)]), name="twice")
    path = tmp_path / "graph.keras"
    model.save(path)
    return model, path


@pytest.fixture
def changed(made: tuple[Model, Path]) -> Callable[..., Any]:
    """A function that loads the model with its config changed; it is given the config and the layers by name."""
    path = made[1]

    def load(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> Any:
        config, weights = archive.read(str(path), (archive.CONFIG, archive.WEIGHTS))
        entry = json.loads(config)
        change(entry["config"], {layer["name"]: layer for layer in entry["config"]["layers"]})
        path.write_bytes(archive.write({archive.CONFIG: json.dumps(entry).encode(), archive.WEIGHTS: weights}))
        return load_model(path)

    return load


def history(layer: dict[str, Any], call: int = 0) -> list[Any]:
    found: list[Any] = layer["inbound_nodes"][call]["args"][0]["config"]["keras_history"]
    return found


def test_a_layer_that_is_called_twice_is_one_layer(made: tuple[Model, Path]) -> None:
    model, path = made
    loaded = load_model(path)
    x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert len(loaded.weights) == 4
    assert loaded.name == "twice"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda config, layers: history(layers["g"]).__setitem__(0, "f"), "loop"),
        (lambda config, layers: history(layers["g"]).__setitem__(0, "absent"), "no layer gives"),
        (lambda config, layers: history(layers["g"]).__setitem__(1, 7), "no layer gives"),
        (lambda config, layers: history(layers["g"]).__setitem__(2, 1), r"expected \[layer, call, 0\]"),
        (lambda config, layers: layers["f"]["inbound_nodes"].clear(), "never called|no layer gives"),
        (lambda config, layers: layers["g"]["inbound_nodes"][0]["args"].append(1), "another form"),
        (lambda config, layers: layers["g"]["inbound_nodes"][0]["kwargs"].update(training=True), "training=True"),
        (lambda config, layers: layers["g"]["inbound_nodes"][0].update(args=[3]), "something else"),
        (lambda config, layers: config.update(output_layers=["absent", 0, 0]), "output_layers"),
        (lambda config, layers: config.update(output_layers=[]), "output_layers"),
        (lambda config, layers: config.update(input_layers=["f", 0, 0]), "inputs must come from Input"),
        (lambda config, layers: config["layers"].append(layers["x"]), "two layers are called 'x'"),
        (lambda config, layers: config.pop("input_layers"), "input_layers"),
    ],
)
def test_what_cannot_be_joined_is_refused(changed: Callable[..., Any], change: Any, why: str) -> None:
    with pytest.raises(ModelFormatError, match=why):
        changed(change)


def test_inputs_and_outputs_keep_their_form(tmp_path: Path) -> None:
    x, y = Input((2,), name="x"), Input((2,), name="y")
    h = Dense(2)(x)
    for number, (inputs, outputs) in enumerate(
        [(x, h), ([x], [h]), ({"a": x}, {"b": h}), ([y, x], [h, Dense(1)(y)]), ({"v": y, "u": x}, [Add()([h, y])])]
    ):
        path = tmp_path / f"{number}.keras"
        model = Model(inputs, outputs)
        model.save(path)
        loaded = load_model(path)
        assert loaded.input_names == model.input_names
        assert loaded.output_names == model.output_names
        assert loaded.input_shape == model.input_shape
        assert loaded.output_shape == model.output_shape
