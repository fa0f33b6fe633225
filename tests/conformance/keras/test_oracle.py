"""Netlet trains as Keras does: after 100 steps from the same weights the weights and the History are the same.

Keras runs in a process of its own, once for all cases. ``NETLET_ORACLE_PYTHON`` names the interpreter that has
Keras with PyTorch or JAX, if it is not this one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # the harness is no part of the installed package

from harness.suite import HERE
from oracle.cases import Case, cases, without_recipe
from oracle.training import Trained, train

import netlet

#: Relative to the largest weight of an array. TARGETS: 1e-5 in float32 after 100 steps.
WITHIN = 1e-5
PYTHON = os.environ.get("NETLET_ORACLE_PYTHON", sys.executable)


def why_no_keras() -> str | None:
    """Return why Keras cannot be the oracle here, or None."""
    look = "import importlib.util as u; print([n for n in ('keras', 'torch', 'jax') if u.find_spec(n)])"
    found = subprocess.run([PYTHON, "-c", look], capture_output=True, text=True, check=True).stdout
    if "keras" not in found or not ("torch" in found or "jax" in found):
        return f"keras with torch or jax is not installed for {PYTHON}; NETLET_ORACLE_PYTHON can name another one"
    return None


WHY = why_no_keras()
CASES = cases()
SECONDS = 60 + 5 * len(CASES)  # PyTorch takes 0.3 s for a case on a quiet machine


@pytest.fixture(scope="module")
def keras_trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What Keras made of all cases."""
    folder = tmp_path_factory.mktemp("oracle")
    given, made = folder / "cases.jsonl", folder / "trained.npz"
    given.write_text("".join(case.to_json() + "\n" for case in CASES), encoding="utf-8")
    command = [PYTHON, str(HERE / "oracle" / "keras_side.py"), str(given), str(made)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=folder, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    with np.load(made) as arrays:
        return dict(arrays)


def keras_case(arrays: dict[str, np.ndarray], i: int) -> Trained:
    if f"{i}/error" in arrays:
        pytest.fail(f"Keras: {arrays[f'{i}/error']}")
    mine = {key.removeprefix(f"{i}/"): value for key, value in arrays.items() if key.startswith(f"{i}/")}
    history = {key.removeprefix("history/"): value.tolist() for key, value in mine.items() if "history/" in key}
    snapshots = 1 + max(int(key.split("/")[0]) for key in mine if "history/" not in key)
    return Trained([[mine[f"{s}/{k}"] for k in range(4)] for s in range(snapshots)], history)


def distance(got: np.ndarray, want: np.ndarray) -> float:
    """Return the largest difference, relative to the largest wanted value."""
    error, size = float(np.max(np.abs(got - want))), float(np.max(np.abs(want)))
    return error / size if size else 0.0 if error == 0 else np.inf


def test_every_loss_and_optimizer_of_netlet_has_a_recipe() -> None:
    assert without_recipe() == [], "add them to oracle/recipes.py"


@pytest.mark.skipif(WHY is not None, reason=str(WHY))
@pytest.mark.parametrize("i", range(len(CASES)), ids=[str(case) for case in CASES])
def test_training_is_that_of_keras(i: int, keras_trained: dict[str, np.ndarray]) -> None:
    case: Case = CASES[i]
    try:
        got = train(netlet, case)
    except ValueError as error:
        if "not supported yet" in str(error):
            pytest.skip(str(error))
        raise
    want = keras_case(keras_trained, i)
    far = {
        f"weight {k} after {'fit' if s == len(want.weights) - 1 else f'epoch {s + 1}'}": distance(mine, theirs)
        for s, (ours, others) in enumerate(zip(got.weights, want.weights, strict=True))
        for k, (mine, theirs) in enumerate(zip(ours, others, strict=True))
    }
    assert got.history.keys() == want.history.keys()
    far |= {key: distance(np.array(got.history[key]), np.array(want.history[key])) for key in want.history}
    beyond = {what: error for what, error in far.items() if not error <= WITHIN}  # a NaN is beyond
    assert not beyond, beyond
