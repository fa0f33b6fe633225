"""The rows, targets and first weights of a training: functions of the case alone."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from oracle.case import Case

ROWS, BATCH, EPOCHS = 156, 8, 5  # 20 batches an epoch, the last of 4 rows: 100 steps
FEATURES, HIDDEN, OUTPUTS, TIME = 5, 8, 3, 6


def _targets(kind: str, random: np.random.Generator, score: np.ndarray) -> np.ndarray:
    """Return targets of a kind for rows with this score ``[..., OUTPUTS]``."""
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
    raise ValueError(f"targets of kind {kind!r}")


def data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y. y follows from x but for noise, so that there is something to learn."""
    random = np.random.default_rng(zlib.crc32(f"{case.loss}/{case.target}".encode()))
    shape = (ROWS, TIME, FEATURES) if case.target == "sequence" else (ROWS, FEATURES)
    x = random.normal(size=shape)
    score = np.tanh(x @ random.normal(size=(FEATURES, OUTPUTS))) + 0.1 * random.normal(size=(*shape[:-1], OUTPUTS))
    y = _targets(case.target, random, score)
    return x.astype(case.dtype), y if y.dtype.kind == "i" else y.astype(case.dtype)


def first_weights(case: Case) -> list[np.ndarray]:
    """Return kernel and bias of the hidden and of the output layer."""
    random = np.random.default_rng(zlib.crc32(f"{case.loss}/{case.activation}".encode()))
    weights: list[Any] = []
    for inputs, units in ((FEATURES, HIDDEN), (HIDDEN, OUTPUTS)):
        weights += [random.normal(size=(inputs, units)) / inputs**0.5, 0.1 * random.normal(size=units)]
    return [weight.astype(case.dtype) for weight in weights]
