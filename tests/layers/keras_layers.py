"""Layers by themselves, and what Keras makes of them: run as a script where Keras is, it writes the answers to
keras_layers.json::

    KERAS_BACKEND=jax python tests/layers/keras_layers.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

VALUES = Path(__file__).with_suffix(".json")


class Case(NamedTuple):
    """A layer of a name in `layers`, its arguments, what it is called on, and how.

    Attributes:
        shapes: of what it is called on; a list for a layer of several inputs.
        training: whether it acts as in training.
        mask: the shape of a mask that it is called with.
    """

    layer: str
    arguments: dict[str, Any]
    shapes: Any
    training: bool = False
    mask: tuple[int, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={value}" for key, value in self.arguments.items())
        how = f"{' in training' if self.training else ''}{' with a mask' if self.mask else ''}"
        return f"{self.layer}({shown}) of {self.shapes}{how}"


def answer(layers: Any, case: Case) -> list[Any]:
    """What the layer in ``layers`` (Keras' or Netlet's) makes of the case, and its weights afterwards."""
    rng = np.random.default_rng(len(str(case)))
    several = isinstance(case.shapes, list)
    arrays = [rng.standard_normal(s).astype(np.float32) for s in (case.shapes if several else [case.shapes])]
    layer = getattr(layers, case.layer)(**case.arguments)
    how: dict[str, Any] = {"mask": rng.random(case.mask) < 0.6} if case.mask else {}
    if case.training:
        how["training"] = True
    x = arrays if several else arrays[0]
    layer(x)  # builds it
    layer.set_weights([rng.uniform(0.5, 1.5, np.shape(w)).astype(np.float32) for w in layer.get_weights()])
    y = layer(x, **how)
    y = np.asarray(y)
    parts = [y, *map(np.asarray, layer.get_weights())]
    return [[[float(f"{v:.9g}") for v in part.reshape(-1).tolist()], list(part.shape)] for part in parts]


def _cases() -> list[Case]:
    grid = (4, 2, 3, 6)
    cases = []
    for axis in (-1, 1, 2, -2):
        cases += [Case("BatchNormalization", {"axis": axis}, grid, training) for training in (False, True)]
        cases += [Case(name, {"axis": axis}, grid) for name in ("LayerNormalization", "UnitNormalization", "Softmax")]
        cases.append(Case("GroupNormalization", {"groups": -1, "axis": axis}, grid))
    for axes in ([1, 2], [2, 3], [1, 3], [1, 2, 3]):
        cases += [Case(name, {"axis": axes}, grid) for name in ("LayerNormalization", "UnitNormalization", "Softmax")]
    cases += [
        Case("BatchNormalization", {"scale": False}, grid, True),
        Case("BatchNormalization", {"center": False, "momentum": 0.5}, (5, 3), True),
        Case("BatchNormalization", {}, (4, 5, 3), True, (4, 5)),
        Case("BatchNormalization", {}, (4, 5, 3), False, (4, 5)),
        Case("BatchNormalization", {"renorm": False, "synchronized": False}, (4, 3), True),
        Case("GroupNormalization", {"groups": 3}, grid),
        Case("GroupNormalization", {"groups": 2, "epsilon": 0.1}, (5, 6)),
        Case("GroupNormalization", {"groups": 3, "scale": False}, (5, 2, 6)),
        Case("GroupNormalization", {"groups": 6, "center": False}, (5, 2, 6)),
        Case("GroupNormalization", {"groups": 2, "axis": 1}, (5, 4, 3)),
        Case("RMSNormalization", {"axis": [1, 2]}, (4, 3, 2)),
        Case("Softmax", {}, (4, 5), False, (4, 5)),
        Case("Softmax", {"axis": 1}, (4, 5, 3), False, (4, 5, 3)),
        Case("Softmax", {"axis": [1, 2]}, (4, 5, 3), False, (4, 1, 3)),
        Case("Flatten", {"data_format": "channels_first"}, grid),
        Case("Flatten", {"data_format": "channels_first"}, (4, 3)),
        Case("Flatten", {"data_format": "channels_last"}, grid),
        Case("Reshape", {"target_shape": (3, -1)}, grid),
        Case("Permute", {"dims": (3, 1, 2)}, grid),
        Case("RepeatVector", {"n": 3}, (4, 2)),
        Case("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, grid),
        Case("LeakyReLU", {"negative_slope": 0.25}, grid),
        Case("ELU", {"alpha": 0.5}, grid),
        Case("PReLU", {"shared_axes": [1, 2]}, grid),
        Case("Masking", {"mask_value": 0.5}, grid),
        Case("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, grid),
        Case("Dense", {"units": 3, "activation": "gelu", "use_bias": False}, grid),
        Case("Dropout", {"rate": 0.0, "noise_shape": (None, 1, 3, 1)}, grid, True),
        Case("AlphaDropout", {"rate": 0.0, "noise_shape": (None, 1, 3, 1)}, grid, True),
        Case("GaussianDropout", {"rate": 0.0}, grid, True),
        Case("GaussianNoise", {"stddev": 0.0}, grid, True),
        Case("Dot", {"axes": (2, 1)}, [(4, 2, 3), (4, 3, 5)]),
        Case("Dot", {"axes": -1, "normalize": True}, [(4, 3), (4, 3)]),
        Case("Concatenate", {"axis": 1}, [(4, 2, 3), (4, 5, 3), (4, 1, 3)]),
        Case("Concatenate", {}, [(4, 2, 3), (4, 2, 1)]),
        Case("Subtract", {}, [(4, 2, 3), (4, 2, 3)]),
        Case("Subtract", {}, [(4, 2, 3), (4, 3)]),
    ]
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        cases.append(Case(name, {}, [(4, 2, 3), (4, 2, 3), (4, 2, 3)]))
        cases.append(Case(name, {}, [(4, 3), (4, 2, 3), (4, 1, 3)]))
        cases.append(Case(name, {}, [(4, 2, 1), (4, 3)]))
    return cases


CASES = _cases()

if __name__ == "__main__":
    import keras

    found = {str(case): answer(keras.layers, case) for case in CASES}
    assert len(found) == len(CASES), "two cases have one name"
    VALUES.write_text(json.dumps(found, separators=(",", ":")).replace(']]],"', ']]],\n"') + "\n")
