"""Run by tests with an interpreter that has Keras: writes files with it, and reads files that Netlet wrote.

``oracle.py write DIR``: each case as ``DIR/<case>.keras``, ``.weights.h5``, with its predictions as ``.npz``.
``oracle.py read DIR``: each ``.keras`` and ``.weights.h5`` in DIR, with its predictions as ``.<suffix>.npz``; what it
loaded from a ``.keras`` it saves again as ``DIR/again/<name>``. A file that it cannot load gets a ``.error`` instead.
``oracle.py begin DIR``: each training of ``optimizers.py`` begun, as ``DIR/<name>.keras``, then gone on with:
``.npz`` has the weights at its end. ``oracle.py go_on DIR``: each ``.keras`` in DIR gone on with: its end as ``.npz``.
``oracle.py fixtures``: the files in the folder ``fixtures`` beside this script, anew.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")
sys.path.insert(0, str(Path(__file__).parent))

import cases
import keras
import numpy as np
import optimizers


def keep_the_old_iterate() -> None:
    """Let Keras' ScheduleFreeAdamW (3.15.1) compute on PyTorch what it does on JAX, and what the paper says.

    Its step reads the momentum before and after it changes; PyTorch's tensors change in place, so both are the new one.
    """

    def assign_sub(self: Any, variable: Any, value: Any) -> None:
        variable._value = variable._value - value

    if keras.backend.backend() == "torch":
        keras.optimizers.ScheduleFreeAdamW.assign_sub = assign_sub


def write(folder: Path) -> None:
    for name, build in cases.CASES.items():
        model = build(keras)
        cases.fill(model)
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        np.savez(folder / f"{name}.npz", **cases.predictions(model, name))


def read(folder: Path) -> None:
    (folder / "again").mkdir()
    for path in sorted([*folder.glob("*.keras"), *folder.glob("*.weights.h5")]):
        name = path.name.split(".")[0]
        try:
            if path.suffix == ".keras":
                model = keras.saving.load_model(path)
                model.save(folder / "again" / path.name)
            else:
                model = cases.CASES[name](keras)
                model.load_weights(path)
            np.savez(f"{path}.npz", **cases.predictions(model, name))
        except Exception:
            Path(f"{path}.error").write_text(traceback.format_exc(), encoding="utf-8")


def begin(folder: Path) -> None:
    for name in optimizers.OPTIMIZERS:
        model = optimizers.build(keras, name)
        optimizers.go_on(model)
        model.save(folder / f"{name}.keras")
        optimizers.go_on(model)
        np.savez(folder / f"{name}.npz", **optimizers.weights(model))


def go_on(folder: Path) -> None:
    for path in sorted(folder.glob("*.keras")):
        if (fault := _gone_on(path)) is not None:
            Path(f"{path}.error").write_text(fault, encoding="utf-8")


def _gone_on(path: Path) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # such as "Skipping variable loading for optimizer"
            model = keras.saving.load_model(path)
        optimizers.go_on(model)
        np.savez(path.with_suffix(".npz"), **optimizers.weights(model))
    except Exception:
        return traceback.format_exc()
    return None


def fixtures(folder: Path) -> None:
    for name in ("dense", "shared_twice"):
        model = cases.CASES[name](keras)
        cases.fill(model)
        model.save(folder / f"{name}.keras")
        np.savez(folder / f"{name}.npz", **cases.predictions(model, name))


if __name__ == "__main__":
    keep_the_old_iterate()
    if sys.argv[1] == "fixtures":
        fixtures(Path(__file__).parent / "fixtures")
    else:
        {"write": write, "read": read, "begin": begin, "go_on": go_on}[sys.argv[1]](Path(sys.argv[2]))
