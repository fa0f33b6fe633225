"""Rows, labels, initial weights and factors of a case: the same bits in every process, from the case alone."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import probe
from benchmarks.cases import PROBE, Case, InferenceCase, Network, ProductCase, TrainingCase

Array = NDArray[Any]


@dataclass(frozen=True)
class Data:
    """x ``[rows, I]`` float32; y ``[rows]`` int32 labels for cross-entropy, else ``[rows, O]`` float32."""

    x: Array
    y: Array


@dataclass(frozen=True)
class Factors:
    """x ``[M, K]``, kernel ``[K, N]`` and dy ``[M, N]``, float32."""

    x: Array
    kernel: Array
    dy: Array


def _generator(case: Case, purpose: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{case.name}/{purpose}".encode()))


def training_data(case: TrainingCase) -> Data:
    """Rows in [-1, 1), with targets that a network can learn; with two inputs, a column of ones and one in [0, 1).

    The rows are in the order in which the answer check trains on them: independent draws need no further shuffle.
    """
    if case.name == PROBE.name:
        return Data(*probe.rows())
    random = _generator(case, "data")
    inputs, outputs = case.widths[0], case.widths[-1]
    x = random.random((case.rows, inputs), dtype=np.float32)
    if inputs == 2:
        x[:, 0] = 1
    else:
        x = 2 * x - 1
    teacher = random.standard_normal((inputs, outputs), dtype=np.float32) / np.float32(np.sqrt(inputs))
    signal = x @ teacher
    if case.loss == "softmax_cross_entropy":
        return Data(x, np.argmax(signal, axis=1).astype(np.int32))
    noise = random.random((case.rows, outputs), dtype=np.float32)
    return Data(x, np.tanh(signal) + np.float32(0.1) * noise)


def inference_rows(case: InferenceCase) -> Array:
    """x ``[batch, I]`` float32, in [0, 1)."""
    return _generator(case, "data").random((case.batch, case.widths[0]), dtype=np.float32)


def initial_weights(case: Network) -> list[Array]:
    """``[kernel, bias, kernel, bias, ...]`` float32: kernels ``[I, O]`` Glorot uniform, biases in ±0.1."""
    if case.name == PROBE.name:
        return probe.weights()
    draw = getattr(case, "draw", 0)
    random = _generator(case, f"weights/{draw}" if draw else "weights")
    weights = []
    for layer in case.layers:
        bound = np.sqrt(6 / (layer.inputs + layer.outputs))
        weights.append(random.uniform(-bound, bound, (layer.inputs, layer.outputs)).astype(np.float32))
        weights.append(random.uniform(-0.1, 0.1, layer.outputs).astype(np.float32))
    return weights


def product_factors(case: ProductCase) -> Factors:
    """Standard normal numbers."""
    random = _generator(case, "factors")
    shapes = (case.m, case.k), (case.k, case.n), (case.m, case.n)
    return Factors(*(random.standard_normal(shape, dtype=np.float32) for shape in shapes))
