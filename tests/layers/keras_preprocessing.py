"""Cases for the layers of preprocessing, and what Keras made of them: run as a script where Keras is, it writes the
answers to keras_preprocessing.json::

    KERAS_BACKEND=jax python tests/layers/keras_preprocessing.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

VALUES = Path(__file__).with_suffix(".json")


class Case(NamedTuple):
    """A layer of a name in `layers`, its arguments, what it is adapted to (None: it is not), and what it is called on.

    Random layers draw from ranges of one number, so that they are not random.
    """

    layer: str
    arguments: dict[str, Any]
    x: Any
    adapt: Any = None

    def __str__(self) -> str:
        adapted = "" if self.adapt is None else ", adapted"
        shown = ", ".join(f"{key}={value}" for key, value in self.arguments.items())
        return f"{self.layer}({shown}) of {np.shape(self.x)}{adapted}"


def answer(layers: Any, case: Case) -> Any:
    """What the layer in ``layers`` (Keras' or Netlet's) makes of the case's input."""
    layer = getattr(layers, case.layer)(**case.arguments)
    if case.adapt is not None:
        layer.adapt(case.adapt)
    x = case.x
    training = {"training": True} if case.layer.startswith("Random") else {}
    y = np.asarray(layer(x, **training))
    return [_plain(entry) for entry in y.reshape(-1).tolist()], list(y.shape)


def _plain(entry: Any) -> Any:
    if isinstance(entry, float):
        return float(f"{entry:.9g}")  # as many digits as tell float32 numbers apart
    return entry.decode() if isinstance(entry, bytes) else entry


def _cases() -> list[Case]:
    rng = np.random.default_rng(5)
    table = (rng.standard_normal((40, 3)) * [1, 5, 0] + [0, 3, 7]).astype(np.float32)
    grid = rng.standard_normal((6, 4, 3)).astype(np.float32)
    few = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]], np.float32)
    cases = [Case("Normalization", {"axis": axis}, grid, grid) for axis in (-1, 1, (1, 2), None)]
    cases += [
        Case("Normalization", {}, table, table),
        Case("Normalization", {"invert": True}, table, table),
        Case("Normalization", {"mean": 2.0, "variance": 4.0}, table),
        Case("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [0.5, 1.0, 4.0], "invert": True}, table),
        Case("Rescaling", {"scale": 1 / 127.5, "offset": -1.0}, grid),
        Case("Rescaling", {"scale": [0.5, 2.0, -1.0], "offset": 3.0}, grid),
        Case("Discretization", {"bin_boundaries": [0.0, 0.5, 1.3]}, few),
        Case("Discretization", {"bin_boundaries": [0.3, 0.7]}, np.array([[0.3, 0.7, 0.1, np.nan]], np.float32)),
        Case("Discretization", {"num_bins": 4}, few, np.arange(80, dtype=np.float32)[::-1] / 16 - 2),
        Case("Discretization", {"num_bins": 3}, few, few),
    ]
    numbers = np.array([[0, 1, 1, 3], [2, 2, 0, 1]])
    for mode in ("one_hot", "multi_hot", "count"):
        cases += [
            Case("CategoryEncoding", {"num_tokens": 4, "output_mode": mode}, numbers),
            Case("CategoryEncoding", {"num_tokens": 5, "output_mode": mode}, numbers[:, :1]),
            Case("Discretization", {"bin_boundaries": [0.0, 0.5, 1.3], "output_mode": mode}, few),
        ]
    tokens = np.array([[12, 1138, 42], [42, 1000, 36]])
    words = np.array([["a", "c", "d"], ["d", "z", "b"]])
    seen = np.array([[5, 5, 9], [9, 2, 7], [5, 7, -1]])
    for mode in ("int", "one_hot", "multi_hot", "count"):
        for extra in ({}, {"num_oov_indices": 0, "mask_token": 1000}, {"max_tokens": 9, "pad_to_max_tokens": True}):
            if mode == "int" and "max_tokens" in extra:
                continue
            arguments = {"output_mode": mode, **extra}
            cases.append(Case("IntegerLookup", {"vocabulary": [12, 36, 1138, 42], **arguments}, tokens))
            if "mask_token" in arguments:
                arguments = {**arguments, "mask_token": "z"}
            cases.append(Case("StringLookup", {"vocabulary": ["a", "b", "c", "d"], **arguments}, words))
    cases += [
        Case("IntegerLookup", {"vocabulary": [12, 36, 1138, 42], "num_oov_indices": 3}, tokens - 50),
        Case("IntegerLookup", {"vocabulary": [12, 36], "invert": True}, np.array([[1, 0], [2, 9]])),
        Case("IntegerLookup", {"vocabulary": [12, 36], "invert": True, "mask_token": 0}, np.array([[1, 0], [2, 3]])),
        Case("IntegerLookup", {}, np.array([[5, 9, 7, 2, -1, 4]]), seen),
        Case("IntegerLookup", {"max_tokens": 3, "output_mode": "count"}, np.array([[5, 9, 7, 2, -1, 4]]), seen),
        Case("StringLookup", {}, words, np.array([["z", "a"], ["b", "a"], ["[UNK]", "é"]])),
    ]
    images = rng.uniform(0, 255, (2, 6, 5, 2)).astype(np.float32)
    moves: list[tuple[str, dict[str, Any]]] = [
        ("RandomRotation", {"factor": (0.08, 0.08)}),
        ("RandomRotation", {"factor": (-0.4, -0.4)}),
        ("RandomTranslation", {"height_factor": (0.3, 0.3), "width_factor": (-0.45, -0.45)}),
        ("RandomZoom", {"height_factor": (0.3, 0.3)}),
        ("RandomZoom", {"height_factor": (-0.4, -0.4), "width_factor": (0.7, 0.7)}),
    ]
    for name, move in moves:
        for fill_mode in ("reflect", "wrap", "constant", "nearest"):
            for interpolation in ("bilinear", "nearest"):
                reading = {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 9.0}
                cases.append(Case(name, {**move, **reading}, images))
    for height, width in ((4, 3), (3, 4), (6, 5), (8, 3), (9, 11)):
        cases.append(Case("CenterCrop", {"height": height, "width": width}, images))
        for interpolation in ("bilinear", "nearest"):
            size = {"height": height, "width": width, "interpolation": interpolation}
            cases.append(Case("Resizing", size, images))
            cases.append(Case("Resizing", {**size, "crop_to_aspect_ratio": True}, images))
    return cases


CASES = _cases()

if __name__ == "__main__":
    import keras

    found = {str(case): answer(keras.layers, case) for case in CASES}
    assert len(found) == len(CASES), "two cases have one name"
    VALUES.write_text(json.dumps(found, indent=None, separators=(",", ":")).replace('],"', '],\n"') + "\n")
