"""A training goes on where a ``.keras`` file left it, with every optimizer: Keras' in Netlet, Netlet's in Keras.

Keras runs in a process of its own: with the interpreter that ``NETLET_KERAS_PYTHON`` names, else with this one.
"""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import load_model
from netlet.errors import ModelFormatError
from netlet.models.keras_files import archive, hdf5

pytest.importorskip("h5py", reason="h5py is not installed: pip install 'netlet[keras]'")

HERE = Path(__file__).parent
PYTHON = os.environ.get("NETLET_KERAS_PYTHON") or (sys.executable if importlib.util.find_spec("keras") else None)
NEEDS_KERAS = pytest.mark.skipif(PYTHON is None, reason="keras is not installed, NETLET_KERAS_PYTHON is not set")

# Of each array's largest: TARGETS' bound for 100 steps beside Keras in float32. Here there are 20, 10 after a load.
WITHIN = 1e-5


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.path.insert(0, str(HERE))  # which optimizers.py finds cases.py in, as it does in Keras' process
try:
    optimizers = _module("optimizers")
finally:
    sys.path.remove(str(HERE))
NAMES = sorted(optimizers.OPTIMIZERS)


def oracle(action: str, folder: Path) -> None:
    """Run ``oracle.py`` with Keras."""
    assert PYTHON is not None
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "KERAS_BACKEND")}
    run = subprocess.run(
        [PYTHON, str(HERE / "oracle.py"), action, str(folder)], env=env, capture_output=True, text=True, timeout=900
    )
    assert run.returncode == 0, run.stderr[-4000:]


def same(got: Any, want: Any) -> None:
    assert set(got) == set(want)
    for key in want:
        error = np.abs(got[key] - want[key]).max() / np.abs(want[key]).max()
        assert error <= WITHIN, f"{key}: off by {error:.2g} of the largest"


@pytest.fixture(scope="module")
def begun_by_keras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of Keras in the middle of a training, with the weights at its end."""
    folder = tmp_path_factory.mktemp("begun_by_keras")
    oracle("begin", folder)
    return folder


@pytest.fixture(scope="module")
def gone_on_by_keras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of Netlet in the middle of a training, with the weights that Keras ends with."""
    folder = tmp_path_factory.mktemp("gone_on_by_keras")
    for name in NAMES:
        model = optimizers.build(netlet, name)
        optimizers.go_on(model)
        model.save(folder / f"{name}.keras")
    oracle("go_on", folder)
    return folder


@NEEDS_KERAS
@pytest.mark.parametrize("name", NAMES)
def test_a_training_of_keras_goes_on(name: str, begun_by_keras: Path) -> None:
    model = load_model(begun_by_keras / f"{name}.keras")
    optimizers.go_on(model)
    with np.load(begun_by_keras / f"{name}.npz") as want:
        same(optimizers.weights(model), dict(want))


@NEEDS_KERAS
@pytest.mark.parametrize("name", NAMES)
def test_keras_goes_on_with_a_training(name: str, gone_on_by_keras: Path) -> None:
    error = gone_on_by_keras / f"{name}.keras.error"
    assert not error.exists(), error.read_text(encoding="utf-8")
    model = optimizers.build(netlet, name)
    optimizers.go_on(model)
    optimizers.go_on(model)
    with np.load(gone_on_by_keras / f"{name}.npz") as want:
        same(dict(want), optimizers.weights(model))


@pytest.mark.parametrize("name", NAMES)
def test_netlet_goes_on_with_the_same_bits(name: str, tmp_path: Path) -> None:
    model = optimizers.build(netlet, name)
    optimizers.go_on(model)
    model.save(tmp_path / "m.keras")
    optimizers.go_on(model)
    again = load_model(tmp_path / "m.keras")
    optimizers.go_on(again)
    for key, want in optimizers.weights(model).items():
        np.testing.assert_array_equal(optimizers.weights(again)[key], want, err_msg=key)


def test_a_changed_rate_is_kept(tmp_path: Path) -> None:
    model = optimizers.build(netlet, "adam")
    model.optimizer.learning_rate = 0.125
    model.save(tmp_path / "m.keras")
    assert load_model(tmp_path / "m.keras").optimizer.learning_rate == 0.125


# What a file may hold instead

State = list[np.ndarray]


@pytest.fixture
def with_state(tmp_path: Path) -> Callable[[Callable[[State], State]], Path]:
    """A file of a model with Adam, whose state ``change`` replaces."""
    model = optimizers.build(netlet, "adam")
    optimizers.go_on(model)
    path = tmp_path / "m.keras"
    model.save(path)
    config, data = archive.read(str(path), (archive.CONFIG, archive.WEIGHTS))

    def make(change: Callable[[State], State]) -> Path:
        import h5py

        state = change(hdf5.read_optimizer(data))
        file = io.BytesIO(data)
        with h5py.File(file, "r+") as root:
            del root["optimizer"]
            for i, array in enumerate(state):
                root.create_dataset(f"optimizer/vars/{i}", data=array)
        path.write_bytes(archive.write({archive.CONFIG: config, archive.WEIGHTS: file.getvalue()}))
        return path

    return make


def test_the_state_of_another_optimizer_is_left_out(with_state: Callable[..., Path]) -> None:
    path = with_state(lambda state: state[:-1])
    with pytest.warns(UserWarning, match="without the optimizer's state: adam.* has 26 arrays, the file 25"):
        model = load_model(path)
    assert model.optimizer.iterations == 0


def test_an_optimizer_that_was_not_built_begins_anew(with_state: Callable[..., Path]) -> None:
    model = load_model(with_state(lambda state: [np.asarray(0, np.int32), np.asarray(0.25, np.float32)]))
    assert model.optimizer.iterations == 0
    assert model.optimizer.learning_rate == 0.25


def test_no_state_at_all_begins_anew(with_state: Callable[..., Path]) -> None:
    assert load_model(with_state(lambda state: [])).optimizer.iterations == 0


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (3, np.ones((2, 2), np.float32), r"vars/3: has shape \(2, 2\)"),
        (0, np.asarray(-1, np.int32), "count of steps"),
        (0, np.asarray(np.nan, np.float32), "count of steps"),
        (0, np.ones(2, np.int32), "count of steps"),
        (1, np.asarray(-0.5, np.float32), "learning rate"),
        (1, np.asarray(np.inf, np.float32), "learning rate"),
        (2, np.array([b"text"]), "expected floats"),
    ],
)
def test_a_broken_state_is_refused(with_state: Callable[..., Path], place: int, value: Any, why: str) -> None:
    path = with_state(lambda state: [value if i == place else array for i, array in enumerate(state)])
    with pytest.raises(ModelFormatError, match=why):
        load_model(path)
