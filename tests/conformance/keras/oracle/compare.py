"""What Keras made of all cases, what Netlet makes of them, and how far apart these are.

A difference is relative to the largest value of the array, or of the figure's History, that Keras has.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import netlet
from oracle.case import Case
from oracle.training import Trained, train

Arrays = dict[str, np.ndarray]
HERE = Path(__file__).resolve().parent
PYTHON = os.environ.get("NETLET_KERAS_PYTHON", sys.executable)

#: In float32: TARGETS' bound after 100 steps.
FLOAT32 = 1e-5
#: In float64: 100 steps of some hundred roundings of 1e-16 each, which a network may multiply by as much again.
FLOAT64 = 1e-10
#: ... but where Keras takes a factor of float32 in float64 too, twice its rounding of 6e-8: see `takes_float32`.
FLOAT32_FACTOR = 1.2e-7
#: How much further from the float64 run than Keras' own float32 run Netlet's may be where float32 drifts beyond
#: ``FLOAT32``: the two round in another order, so each has an error of its own of one size, but not the same.
DRIFT = 4


class Far(NamedTuple):
    """The largest differences of weights and of the History, and where they are."""

    weights: float
    history: float
    where: str


def why_no_keras() -> str | None:
    """Return why Keras cannot be the oracle here, or None."""
    look = "import importlib.util as u; print([n for n in ('keras', 'torch', 'jax') if u.find_spec(n)])"
    found = subprocess.run([PYTHON, "-c", look], capture_output=True, text=True, check=True).stdout
    if "keras" not in found or not ("torch" in found or "jax" in found):
        return f"keras with torch or jax is not installed for {PYTHON}; NETLET_KERAS_PYTHON can name another one"
    return None


def keras_train(cases: list[Case], dtype: str, folder: Path) -> Arrays:
    """Return what Keras makes of all cases in a process of its own, or made before, if the folder has that."""
    given, made = folder / f"cases_{dtype}.jsonl", folder / f"trained_{dtype}.npz"
    listed = "".join(case.to_json() + "\n" for case in cases)
    if not made.exists() or given.read_text(encoding="utf-8") != listed:
        made.unlink(missing_ok=True)
        given.write_text(listed, encoding="utf-8")
        command = [PYTHON, str(HERE / "keras_side.py"), dtype, str(given), str(made)]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-4000:])
    with np.load(made) as arrays:
        return dict(arrays)


def keras_case(arrays: Arrays, i: int) -> Trained:
    """Return what Keras made of case i. RuntimeError if it could not."""
    if f"{i}/error" in arrays:
        raise RuntimeError(f"Keras: {arrays[f'{i}/error']}")
    mine = {key.removeprefix(f"{i}/"): value for key, value in arrays.items() if key.startswith(f"{i}/")}
    history = {key.removeprefix("history/"): value.tolist() for key, value in mine.items() if "history/" in key}
    count = 1 + max(int(key[1:].partition("/")[0]) for key in mine if not key.startswith("history/"))
    weights: list[Arrays] = [{} for _ in range(count)]
    for key, value in mine.items():
        snapshot, _, name = key.partition("/")
        if snapshot != "history":
            weights[int(snapshot[1:])][name] = value
    return Trained(weights, history)


def netlet_case(case: Case, dtype: str, backend: str) -> Trained:
    """Return what Netlet makes of a case on a backend."""
    before = os.environ.get("NETLET_BACKEND")
    os.environ["NETLET_BACKEND"] = backend
    try:
        return train(netlet, case, dtype)
    finally:
        if before is None:
            del os.environ["NETLET_BACKEND"]
        else:
            os.environ["NETLET_BACKEND"] = before


def distance(got: np.ndarray, want: np.ndarray) -> float:
    """Return the largest difference, relative to the largest wanted value."""
    error, size = float(np.max(np.abs(np.subtract(got, want, dtype=np.float64)))), float(np.max(np.abs(want)))
    return error / size if size else 0.0 if error == 0 else np.inf


def far(got: Trained, want: Trained) -> Far:
    """Return how far a training is from the one that is wanted. ValueError if they do not have the same parts."""
    if got.history.keys() != want.history.keys() or len(got.weights) != len(want.weights):
        raise ValueError(f"History has {sorted(got.history)}, expected {sorted(want.history)}")
    weights = {}
    for s, (ours, others) in enumerate(zip(got.weights, want.weights, strict=True)):
        if ours.keys() != others.keys():
            raise ValueError(f"weights are {sorted(ours)}, expected {sorted(others)}")
        weights.update({f"{name} of snapshot {s}": distance(ours[name], others[name]) for name in others})
    history = {key: distance(np.array(got.history[key]), np.array(want.history[key])) for key in want.history}
    place, figure = max(weights, key=_order(weights)), max(history, key=_order(history))
    return Far(weights[place], history[figure], f"{place}; {figure}")


def _order(errors: dict[str, float]) -> Callable[[str], float]:
    return lambda key: np.inf if np.isnan(errors[key]) else errors[key]


def takes_float32(case: Case) -> bool:
    """Return whether a factor in Keras' float64 training is rounded to float32.

    Muon's is the root of a size, clipping's the share of a norm; PyTorch's gradient of hard_sigmoid and hard_silu
    has a sixth.
    """
    clips = {"clipnorm", "global_clipnorm"} & case.optimizer_args.keys()
    return case.optimizer == "Muon" or case.activation in ("hard_sigmoid", "hard_silu") or bool(clips)


def verdict(case: Case, got: Trained, keras32: Trained, keras64: Trained, dtype: str) -> tuple[bool, Far, str]:
    """Return whether a training is Keras', how far it is from that, and what speaks for it if that is much.

    In float64 it must be within ``FLOAT64``, in float32 within ``FLOAT32``; or float32 does not carry so far: Keras'
    own float32 training is off its float64 one, and Netlet's is at most ``DRIFT`` times as far from that.
    """
    if dtype == "float64":
        off, within = far(got, keras64), FLOAT32_FACTOR if takes_float32(case) else FLOAT64
        return off.weights <= within and off.history <= within, off, ""  # a NaN is not
    off = far(got, keras32)
    if off.weights <= FLOAT32 and off.history <= FLOAT32:
        return True, off, ""
    theirs, ours = far(keras32, keras64), far(got, keras64)
    why = f"from float64: Keras {theirs.weights:.1e} {theirs.history:.1e}, Netlet {ours.weights:.1e} {ours.history:.1e}"
    return all(ours[k] <= DRIFT * max(theirs[k], FLOAT32 / 2) for k in (0, 1)), off, why
