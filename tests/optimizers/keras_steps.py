"""Run with Keras' Python: makes the steps that it is told to make with Keras' optimizers.

    python keras_steps.py IN.npz OUT.npz

IN holds ``cases``, a JSON list of [class name, settings, names never to decay], the weights' ``names``, each weight as
``w<i>`` and its gradients of all steps as ``g<i>``, all of one type. OUT gets the weights after the steps of case c as
``<c>/<i>``.
"""

from __future__ import annotations

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("JAX_ENABLE_X64", "1")  # where the backend is JAX

import keras
import numpy as np


def keep_the_old_iterate() -> None:
    """Let Keras' ScheduleFreeAdamW (3.15.1) compute on PyTorch what it does on JAX, and what the paper says.

    Its step reads the momentum before and after it changes; PyTorch's tensors change in place, so both are the new one.
    """

    def assign_sub(self, variable, value):
        variable._value = variable._value - value

    if keras.backend.backend() == "torch":
        keras.optimizers.ScheduleFreeAdamW.assign_sub = assign_sub


def main() -> None:
    keep_the_old_iterate()
    given = dict(np.load(sys.argv[1]))  # each array is read once
    names = [str(name) for name in given["names"]]
    keras.config.set_floatx(given["w0"].dtype.name)
    results = {}
    for c, (class_name, settings, exempt) in enumerate(json.loads(str(given["cases"]))):
        optimizer = getattr(keras.optimizers, class_name).from_config(settings)
        variables = []
        for i, name in enumerate(names):
            layer, _, own = name.partition("/")
            with keras.name_scope(layer):
                variables.append(keras.Variable(given[f"w{i}"], name=own, dtype=given[f"w{i}"].dtype.name))
        if exempt:
            optimizer.exclude_from_weight_decay(var_names=exempt)
        for step in range(len(given["g0"])):
            gradients = [keras.ops.convert_to_tensor(given[f"g{i}"][step]) for i in range(len(names))]
            optimizer.apply(gradients, variables)
        optimizer.finalize_variable_values(variables)
        results.update({f"{c}/{i}": keras.ops.convert_to_numpy(variable) for i, variable in enumerate(variables)})
    np.savez(sys.argv[2], **results)


if __name__ == "__main__":
    main()
