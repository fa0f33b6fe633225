"""NumPy: the training loop as one writes it by hand, in float32 and in place where that is natural."""

from __future__ import annotations

import os

import numpy as np

from benchmarks.cases import Case, InferenceCase, TrainingCase
from benchmarks.data import Array, Data
from benchmarks.peers import Predict, Settings, cores


def available(settings: Settings) -> str | None:
    return None


def unsupported(case: Case) -> str | None:
    return None


def describe() -> dict[str, str]:
    return {"version": np.__version__, "threads": os.environ.get("OPENBLAS_NUM_THREADS", str(cores()))}


def _softmax(z: Array) -> Array:
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z


def _activate(name: str, z: Array) -> Array:
    if name == "relu":
        return np.maximum(z, 0, out=z)
    if name == "tanh":
        return np.tanh(z, out=z)
    if name == "softmax":
        return _softmax(z)
    return z


class _Training:
    def __init__(self, case: TrainingCase, data: Data, weights: list[Array]) -> None:
        self._case = case
        self._x, self._y = data.x, data.y
        self._kernels = [w.copy() for w in weights[::2]]
        self._biases = [w.copy() for w in weights[1::2]]
        self._activations = [layer.activation for layer in case.layers]
        self._rate = np.float32(case.learning_rate)
        self._rows = np.arange(case.batch)
        self._random = np.random.default_rng(0)

    def run(self, epochs: int, shuffle: bool) -> None:
        n, batch = self._case.rows, self._case.batch
        for _ in range(epochs):
            order = self._random.permutation(n) if shuffle else np.arange(n)
            for first in range(0, n, batch):
                rows = order[first : first + batch]
                self._step(self._x[rows], self._y[rows])

    def weights(self) -> list[Array]:
        return [w for pair in zip(self._kernels, self._biases, strict=True) for w in pair]

    def _step(self, x: Array, y: Array) -> None:
        values = [x]
        for kernel, bias, activation in zip(self._kernels, self._biases, self._activations, strict=True):
            z = values[-1] @ kernel
            z += bias
            values.append(_activate(activation, z))
        dz = values.pop()
        if self._case.loss == "softmax_cross_entropy":
            dz[self._rows, y] -= 1
            dz *= np.float32(1 / len(x))
        else:
            dz -= y
            dz *= np.float32(2 / dz.size)
        for index in reversed(range(len(self._kernels))):
            h, kernel = values[index], self._kernels[index]
            dkernel, dbias = h.T @ dz, dz.sum(axis=0)
            if index:
                dz = dz @ kernel.T
                if self._activations[index - 1] == "relu":
                    dz *= h > 0
                elif self._activations[index - 1] == "tanh":
                    dz *= 1 - h * h
            dkernel *= self._rate
            dbias *= self._rate
            kernel -= dkernel
            self._biases[index] -= dbias


def prepare_training(case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> _Training:
    return _Training(case, data, weights)


def prepare_inference(case: InferenceCase, weights: list[Array], settings: Settings) -> Predict:
    chain = [(weights[2 * k], weights[2 * k + 1], layer.activation) for k, layer in enumerate(case.layers)]

    def predict(x: Array) -> Array:
        for kernel, bias, activation in chain:
            x = x @ kernel
            x += bias
            x = _activate(activation, x)
        return x

    return predict
