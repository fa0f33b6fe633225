"""Files go from Keras to Netlet and back with equal predictions, for every layer that Netlet has.

Keras runs in a process of its own: with the interpreter that ``NETLET_KERAS_PYTHON`` names, else with this one.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import load_model
from netlet.models.keras_files.order import ordered_layers

pytest.importorskip("h5py", reason="h5py is not installed: pip install 'netlet[keras]'")

HERE = Path(__file__).parent
PYTHON = os.environ.get("NETLET_KERAS_PYTHON") or (sys.executable if importlib.util.find_spec("keras") else None)
NEEDS_KERAS = pytest.mark.skipif(PYTHON is None, reason="keras is not installed, NETLET_KERAS_PYTHON is not set")

# Both compute in float32, in another order: a few ulp of values near 1, and no layer magnifies them.
TOLERANCE = 1e-6


def _cases() -> ModuleType:
    spec = importlib.util.spec_from_file_location("keras_files_cases", HERE / "cases.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases = _cases()
NAMES = sorted(cases.CASES)


def oracle(action: str, folder: Path) -> None:
    """Run ``oracle.py`` with Keras."""
    assert PYTHON is not None
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "KERAS_BACKEND")}
    run = subprocess.run(
        [PYTHON, str(HERE / "oracle.py"), action, str(folder)], env=env, capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr[-4000:]


def same(got: dict[str, Any], want: Any) -> None:
    assert set(got) == set(want)
    for key in want:
        np.testing.assert_allclose(got[key], want[key], rtol=TOLERANCE, atol=TOLERANCE, err_msg=key)


def settings(model: Any) -> Any:
    """What the layers are, in order, without what is free: automatic names, drawn seeds, whether a default is named."""

    def kept(config: Any) -> Any:
        if isinstance(config, dict):
            free = ("name", "dtype", "seed", "data_format")
            return {key: kept(value) for key, value in config.items() if key not in free}
        if isinstance(config, list):
            return kept(config[0]) if len(config) == 1 else [kept(value) for value in config]
        return np.float32(config) if isinstance(config, float) else config  # to which Keras rounds some

    return [(type(layer).__name__, kept(layer.get_config())) for layer in ordered_layers(model)]


@pytest.fixture(scope="module")
def by_keras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that Keras wrote."""
    folder = tmp_path_factory.mktemp("by_keras")
    oracle("write", folder)
    return folder


@pytest.fixture(scope="module")
def read_by_keras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that Netlet wrote, with what Keras makes of them."""
    folder = tmp_path_factory.mktemp("by_netlet")
    for name, build in cases.CASES.items():
        model = build(netlet)
        cases.fill(model)
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
    oracle("read", folder)
    return folder


@NEEDS_KERAS
@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_keras_predicts_the_same(name: str, by_keras: Path, numpy_backend: None) -> None:
    model = load_model(by_keras / f"{name}.keras")
    same(cases.predictions(model, name), np.load(by_keras / f"{name}.npz"))
    assert settings(model) == settings(cases.CASES[name](netlet))


@NEEDS_KERAS
@pytest.mark.parametrize("suffix", ["weights.h5", "keras"])
@pytest.mark.parametrize("name", NAMES)
def test_weights_of_keras_predict_the_same(name: str, suffix: str, by_keras: Path, numpy_backend: None) -> None:
    model = cases.CASES[name](netlet)
    model.load_weights(by_keras / f"{name}.{suffix}")
    same(cases.predictions(model, name), np.load(by_keras / f"{name}.npz"))


@NEEDS_KERAS
@pytest.mark.parametrize("suffix", ["weights.h5", "keras"])
@pytest.mark.parametrize("name", NAMES)
def test_keras_predicts_the_same(name: str, suffix: str, read_by_keras: Path, numpy_backend: None) -> None:
    path = read_by_keras / f"{name}.{suffix}"
    error = Path(f"{path}.error")
    assert not error.exists(), error.read_text(encoding="utf-8")
    model = cases.CASES[name](netlet)
    cases.fill(model)
    same(cases.predictions(model, name), np.load(f"{path}.npz"))


@NEEDS_KERAS
@pytest.mark.parametrize("name", NAMES)
def test_keras_keeps_every_setting(name: str, read_by_keras: Path, numpy_backend: None) -> None:
    """Netlet's file, loaded and saved by Keras, still is the same model."""
    again, model = load_model(read_by_keras / "again" / f"{name}.keras"), cases.CASES[name](netlet)
    cases.fill(model)
    assert settings(again) == settings(model)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["dense", "shared_twice"])
def test_a_file_that_keras_wrote_predicts_the_same(name: str, numpy_backend: None) -> None:
    model = load_model(HERE / "fixtures" / f"{name}.keras")
    same(cases.predictions(model, name), np.load(HERE / "fixtures" / f"{name}.npz"))
