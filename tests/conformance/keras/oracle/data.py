"""The rows, labels and weights of rows of a training: functions of the case alone, the same numbers in any dtype."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from oracle.case import Case
from oracle.networks import IDS, NETWORKS, OUTPUTS

ROWS, BATCH, EPOCHS = 156, 8, 5  # 20 batches an epoch, the last of 4 rows: 100 steps


def _generator(*parts: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32("/".join(parts).encode()))


def _labels(kind: str, random: np.random.Generator, score: np.ndarray) -> np.ndarray:
    """Return labels of a kind for rows with this score ``[..., OUTPUTS]``."""
    classes = score.argmax(-1)
    if kind == "real":
        return score
    if kind == "positive":
        return np.abs(score) + 0.5
    if kind == "binary":
        return (score > 0).astype(score.dtype)
    if kind == "signs":
        return np.sign(score)
    if kind == "onehot":
        return np.eye(OUTPUTS)[classes]
    if kind == "classes":
        return classes.astype("int32")
    if kind == "distribution":
        return random.dirichlet(np.ones(OUTPUTS), len(score))
    if kind == "sequence":
        return random.integers(1, OUTPUTS, (len(score), 2)).astype("int32")
    raise ValueError(f"labels of kind {kind!r}")


def _typed(array: np.ndarray, dtype: str) -> np.ndarray:
    return array if array.dtype.kind == "i" else array.astype("float32").astype(dtype)


def inputs(case: Case, dtype: str) -> dict[str, np.ndarray]:
    """Return x for each input of the network."""
    random = _generator("x", case.network, case.target)
    found = {}
    for name, shape in NETWORKS[case.network].inputs(case).items():
        ids = name == IDS
        found[name] = (
            random.integers(0, 11, (ROWS, *shape)).astype("int32") if ids else random.normal(size=(ROWS, *shape))
        )
    return {name: _typed(x, dtype) for name, x in found.items()}


def labels(case: Case, dtype: str) -> Any:
    """Return y, for several outputs a dict. It follows from x but for noise: there is something to learn."""
    random = _generator("y", case.network, case.target)
    first, *_ = inputs(case, "float64").values()
    x = np.asarray(first, np.float64)
    if case.target == "sequence":
        score = np.tanh(x @ random.normal(size=(x.shape[-1], OUTPUTS)))
    else:
        x = x.reshape(ROWS, -1)
        score = np.tanh(x @ random.normal(size=(x.shape[-1], OUTPUTS)))
    score += 0.1 * random.normal(size=score.shape)
    y = _typed(_labels(case.target, random, score), dtype)
    names = NETWORKS[case.network].outputs
    return y if not names else {name: y if i == 0 else np.flip(y, axis=-1).copy() for i, name in enumerate(names)}


def fit_arguments(case: Case, dtype: str) -> dict[str, Any]:
    """Return the further arguments of ``fit``."""
    found: dict[str, Any] = {}
    for name in case.fitting:
        if name == "sample_weight":
            found[name] = _typed(_generator("w").uniform(0.2, 2.0, ROWS), dtype)
        elif name == "class_weight":
            found[name] = {0: 0.5, 1: 1.75}
        elif name == "validation_split":
            found[name] = 0.2
        else:
            raise ValueError(f"an argument {name!r} of fit")
    return found


def first_weights(case: Case, layer: str, index: int, shape: tuple[int, ...], variable: str, dtype: str) -> np.ndarray:
    """Return the first value of weight ``index`` of a layer."""
    random = _generator("weights", case.network, case.loss, case.activation, layer, str(index))
    drawn = random.normal(size=shape)
    if "variance" in variable:
        value = 1 + 0.2 * drawn**2
    elif "gamma" in variable or "scale" in variable:
        value = 1 + 0.1 * drawn
    elif len(shape) == 2:
        value = drawn / shape[0] ** 0.5
    else:
        value = 0.1 * drawn
    return _typed(value, dtype)
