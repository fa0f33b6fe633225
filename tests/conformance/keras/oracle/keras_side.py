"""The process in which the real Keras computes: reads what to do, writes what became of it.

    python keras_side.py float32|float64 CASES OUTPUT

CASES has one JSON object a line. OUTPUT is a zip of NumPy arrays: of case i, ``i/w<s>/<layer>/<k>`` is weight k of a
layer in snapshot s and ``i/history/<key>`` the History; a text ``i/error`` takes their place. The backend is that of
``KERAS_BACKEND``: torch, which need not compile a case anew, if it is installed, else jax.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch" if importlib.util.find_spec("torch") else "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of these sizes, threads are slower
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np  # noqa: E402


def keep_float64() -> None:
    """Let Keras compute in float64 throughout, as it does with TensorFlow; else it rounds means and tanh to float32."""
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def keep_the_old_iterate(keras: Any) -> None:
    """Let Keras' ScheduleFreeAdamW (3.15.1) compute on PyTorch what it does on JAX, and what the paper says.

    Its step reads the momentum before and after it changes; PyTorch's tensors change in place, so both are the new one.
    """

    def assign_sub(self: Any, variable: Any, value: Any) -> None:
        variable._value = variable._value - value

    if keras.backend.backend() == "torch":
        keras.optimizers.ScheduleFreeAdamW.assign_sub = assign_sub


def main(dtype: str, cases: str, output: str) -> None:
    import keras

    from oracle.case import Case
    from oracle.training import train

    keep_the_old_iterate(keras)
    keras.config.set_floatx(dtype)
    if dtype == "float64":
        keep_float64()
    arrays: dict[str, Any] = {}
    for i, line in enumerate(Path(cases).read_text(encoding="utf-8").splitlines()):
        try:
            done = train(keras, Case.from_json(line), dtype)
        except Exception as error:
            arrays[f"{i}/error"] = np.array(f"{type(error).__name__}: {error}")
            continue
        for s, weights in enumerate(done.weights):
            arrays.update({f"{i}/w{s}/{name}": weight for name, weight in weights.items()})
        arrays.update({f"{i}/history/{key}": np.array(values) for key, values in done.history.items()})
        keras.utils.clear_session()
    np.savez(output, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
