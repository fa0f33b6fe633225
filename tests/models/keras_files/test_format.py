"""What is in a ``.keras`` and a ``.weights.h5`` file that Netlet writes, and how it is read again."""

from __future__ import annotations

import functools
import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import Input, Model, Sequential, load_model
from netlet.activations import leaky_relu
from netlet.errors import ModelFormatError, NotBuiltError
from netlet.layers import BatchNormalization, Dense, Dropout, Layer
from netlet.models.keras_files.order import group_names, ordered_layers
from netlet.optimizers import SGD

h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install 'netlet[keras]'")
pytestmark = pytest.mark.usefixtures("numpy_backend")


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        return {name: archive.read(name) for name in archive.namelist()}


def arrays(data: bytes) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    with h5py.File(io.BytesIO(data)) as root:
        root.visititems(lambda name, o: found.__setitem__(name, o.shape) if isinstance(o, h5py.Dataset) else None)
    return found


def test_a_file_is_a_plain_zip_of_three_members(small: Path) -> None:
    found = members(small)
    assert list(found) == ["metadata.json", "config.json", "model.weights.h5"]
    config = json.loads(found["config.json"])
    assert (config["module"], config["class_name"]) == ("keras", "Sequential")
    assert [layer["class_name"] for layer in config["config"]["layers"]] == ["InputLayer", "Dense", "Dropout", "Dense"]
    assert arrays(found["model.weights.h5"]) == {
        "layers/dense/vars/0": (4, 3),
        "layers/dense/vars/1": (3,),
        "layers/dense_1/vars/0": (3, 2),
        "layers/dense_1/vars/1": (2,),
    }


def test_the_same_model_gives_the_same_bytes(tmp_path: Path, small: Path) -> None:
    model = load_model(small)
    model.save(tmp_path / "again.keras")
    assert (tmp_path / "again.keras").read_bytes() == small.read_bytes()


def test_weights_that_do_not_train_come_last(tmp_path: Path) -> None:
    model = Sequential([Dense(3, input_shape=(2,)), BatchNormalization(trainable=False)])
    model.set_weights([np.full(w.shape, i + 1.0) for i, w in enumerate(model.weights)])
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as root:
        stored = [root[f"layers/batch_normalization/vars/{i}"][0] for i in range(4)]
    layer = model.layers[1]
    values = [layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance]
    assert stored == [value.numpy()[0] for value in values]


def test_layers_are_numbered_by_class() -> None:
    assert group_names(["Dense", "ReLU", "Dense", "PReLU", "Dense"]) == [
        "dense", "re_lu", "dense_1", "p_re_lu", "dense_2",
    ]  # fmt: skip


def test_layers_of_a_graph_come_by_their_distance_from_the_outputs() -> None:
    x, unused = Input((2,), name="x"), Input((2,), name="unused")
    near, far = Dense(2, name="near")(x), Dense(2, name="far")(Dense(2, name="farther")(x))
    model = Model([unused, x], [near, far])
    assert [layer.name for layer in ordered_layers(model)] == ["x", "farther", "unused", "near", "far"]


def test_float64_stays_float64(tmp_path: Path) -> None:
    model = Sequential([Dense(3, input_shape=(2,))], dtype="float64")
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert loaded.dtype == "float64"
    x = np.ones((2, 2))
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    single = Sequential([Dense(3, input_shape=(2,))])
    single.load_weights(tmp_path / "m.keras")
    np.testing.assert_array_equal(single.get_weights()[0], model.get_weights()[0].astype(np.float32))


def test_how_it_was_compiled_is_kept(tmp_path: Path) -> None:
    model = Sequential([Dense(3, "softmax", input_shape=(2,))])
    model.compile(
        SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=2
    )
    model.save(tmp_path / "m.keras")
    assert load_model(tmp_path / "m.keras").get_compile_config() == model.get_compile_config()
    assert load_model(tmp_path / "m.keras", compile=False).optimizer is None


def test_what_netlet_cannot_compile_is_left_out_with_a_warning(remake: Callable[..., Path]) -> None:
    other = {"module": "keras.optimizers", "class_name": "Unheard", "config": {}, "registered_name": None}
    path = remake(lambda entry: entry.__setitem__("compile_config", {"optimizer": other, "loss": "mse"}))
    with pytest.warns(UserWarning, match="optimizer 'unheard'"):
        model = load_model(path)
    assert model.optimizer is None


def test_a_large_seed_is_cut_to_what_keras_holds(tmp_path: Path) -> None:
    model = Sequential([Dropout(0.5, seed=(1 << 40) + 5, input_shape=(2,))])
    model.save(tmp_path / "m.keras")
    assert load_model(tmp_path / "m.keras").layers[0].get_config()["seed"] == 5


def test_whole_numbers_as_input_come_as_floats(remake: Callable[..., Path]) -> None:
    path = remake(lambda entry: entry["config"]["layers"][0]["config"].__setitem__("dtype", "int32"))
    assert load_model(path).predict(np.ones((1, 4))).dtype == np.float32


def test_what_keras_has_no_place_for_is_not_saved(tmp_path: Path) -> None:
    partial = functools.partial(leaky_relu, negative_slope=0.3)
    with pytest.raises(ValueError, match="LeakyReLU"):
        Sequential([Dense(2, partial, input_shape=(2,))]).save(tmp_path / "m.keras")
    with pytest.raises(NotBuiltError):
        Sequential([Dense(2)]).save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="a whole model"):
        Sequential([Dense(2, input_shape=(2,))]).save_weights(tmp_path / "m.keras")
    assert list(tmp_path.iterdir()) == []


def test_overwrite_false_keeps_the_file(small: Path) -> None:
    before = small.read_bytes()
    with pytest.raises(FileExistsError):
        load_model(small).save(small, overwrite=False)
    assert small.read_bytes() == before


def test_an_interrupted_save_leaves_the_old_file(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, model = small.read_bytes(), load_model(small)

    def fail(*paths: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        model.save(small)
    assert small.read_bytes() == before
    assert [path.name for path in small.parent.iterdir()] == [small.name]


@pytest.mark.parametrize("defect", ["shape", "missing", "extra"])
def test_weights_of_another_model_are_refused_and_nothing_is_set(small: Path, defect: str) -> None:
    other = {
        "shape": lambda: Sequential([Dense(3, input_shape=(5,)), Dense(2)]),
        "missing": lambda: Sequential([Dense(3, input_shape=(4,)), Dense(2), Dense(2)]),
        "extra": lambda: Sequential([Dense(3, input_shape=(4,))]),
    }[defect]()
    before = other.get_weights()
    with pytest.raises(ModelFormatError, match="weight '"):
        other.load_weights(small)
    for old, new in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_skip_mismatch_sets_what_fits(small: Path) -> None:
    other = Sequential([Dense(3, input_shape=(4,)), Dense(5)])
    with pytest.warns(UserWarning, match="left as it was"):
        other.load_weights(small, skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], load_model(small).get_weights()[0])


class Doubled(Layer):
    """A layer of a user's: twice its input, less a weight."""

    def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.shift = self.add_weight("shift", (input_shape[-1],), "ones")

    def lower(self, builder: Any, x: Any) -> Any:
        return builder.op("prelu", x, [self.shift.lower(builder)], name=self.name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


def test_a_layer_of_the_users_needs_custom_objects(tmp_path: Path) -> None:
    model = Sequential([Doubled(3.0, input_shape=(2,))])
    model.set_weights([[0.25, 0.5]])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ModelFormatError, match=r"'Doubled'.*custom_objects"):
        load_model(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras", custom_objects={"Doubled": Doubled})
    assert loaded.layers[0].factor == 3.0
    np.testing.assert_array_equal(loaded.predict([[-1.0, -1.0]]), [[-0.25, -0.5]])


class Shifted(Layer):
    """A layer of a user's that makes the weight that training leaves alone first, as Keras' files do not have it."""

    def build(self, input_shape: Any) -> None:
        self.offset = self.add_weight("offset", (input_shape[-1],), "zeros", trainable=False)
        self.slope = self.add_weight("slope", (input_shape[-1],), "ones")

    def lower(self, builder: Any, x: Any) -> Any:
        return builder.op("prelu", x, [self.slope.lower(builder)], name=self.name)


def test_the_order_in_which_a_users_layer_makes_weights_does_not_matter(tmp_path: Path) -> None:
    model = Sequential([Shifted(input_shape=(2,)), Dense(1)])
    model.layers[0].offset.assign([5.0, 6.0])
    model.layers[0].slope.assign([0.25, 0.5])
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras", custom_objects={"Shifted": Shifted})
    np.testing.assert_array_equal(loaded.layers[0].offset.value, [5.0, 6.0])
    np.testing.assert_array_equal(loaded.layers[0].slope.value, [0.25, 0.5])
    x = np.array([[-1.0, -1.0]], np.float32)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_a_users_layer_of_another_shape_is_refused(tmp_path: Path) -> None:
    class Narrow(Shifted):
        def build(self, input_shape: Any) -> None:
            self.slope = self.add_weight("slope", (input_shape[-1],), "ones")

    Narrow.__name__ = "Shifted"
    Sequential([Shifted(input_shape=(2,))]).save(tmp_path / "m.keras")
    with pytest.raises(ModelFormatError, match="got 2 arrays, expected 1"):
        load_model(tmp_path / "m.keras", custom_objects={"Shifted": Narrow})


def test_without_h5py_the_error_names_the_extra(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(small)
    monkeypatch.setitem(sys.modules, "h5py", None)
    for action in (lambda: model.save(small), lambda: load_model(small), lambda: model.load_weights(small)):
        with pytest.raises(ImportError, match=r"netlet\[keras\]"):
            action()
