"""Run by test_keras_oracle.py in a process of its own: what Keras says of losses, values and gradients, with JAX.

Reads cases from a JSON file and arrays from an .npz one, writes an .npz of ``<i>`` (the loss) and ``<i>.dx``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np


def main(cases_path: str, arrays_path: str, out_path: str) -> None:
    keras.config.set_floatx("float64")  # or arrays are rounded to float32 on their way in
    cases = json.loads(Path(cases_path).read_text(encoding="utf-8"))
    arrays = np.load(arrays_path)
    results = {}
    for i, case in enumerate(cases):
        # the class is not among Keras' exports in every version
        module = sys.modules["keras.src.losses.losses"]
        config = {k: tuple(v) if isinstance(v, list) and k == "axis" else v for k, v in case["config"].items()}
        loss = getattr(module, case["class"])(**config, dtype="float64")
        y, x = arrays[f"{i}.y"], arrays[f"{i}.x"]
        weight = arrays.get(f"{i}.w")

        def value(x, loss=loss, y=y, weight=weight):
            return loss(y, x, sample_weight=weight)

        results[f"{i}"] = np.asarray(value(x))
        if results[f"{i}"].ndim == 0:
            results[f"{i}.dx"] = np.asarray(jax.grad(value)(jax.numpy.asarray(x)))
    np.savez(out_path, **results)
    print(keras.__version__)


if __name__ == "__main__":
    main(*sys.argv[1:])
