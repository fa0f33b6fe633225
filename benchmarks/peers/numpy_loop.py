"""NumPy: the training loop as one writes it by hand, in float32 and in place where that is natural.

Products are its BLAS, in wheels OpenBLAS, whose kernels ``core`` names as OPENBLAS_CORETYPE does.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.cases import ADAM, Case, InferenceCase, ProductCase, TrainingCase
from benchmarks.data import Array, Data, Factors
from benchmarks.peers import Multiply, Predict, Settings, cores, missing


def available(settings: Settings) -> str | None:
    if "core" not in settings:
        return None
    if reason := missing("threadpoolctl"):
        return f"it cannot be told which kernels run: {reason}"
    running = _openblas().get("architecture", "a BLAS that is not OpenBLAS")
    return None if running == settings["core"] else f"asked for {settings['core']} kernels, runs {running}"


def unsupported(case: Case) -> str | None:
    return None


def describe() -> dict[str, str]:
    blas = _openblas()
    kernels = f" OpenBLAS {blas['version']} {blas['architecture']}" if blas else ""
    threads = blas.get("num_threads", os.environ.get("OPENBLAS_NUM_THREADS", cores()))
    return {"version": f"{np.__version__}{kernels}", "threads": str(threads)}


def _openblas() -> dict[str, Any]:
    """What NumPy's OpenBLAS says of itself: version, architecture, num_threads; empty if that cannot be asked."""
    if missing("threadpoolctl"):
        return {}
    from threadpoolctl import threadpool_info

    found = [library for library in threadpool_info() if library["internal_api"] == "openblas"]
    folder = os.path.dirname(np.__file__)  # its wheels keep libraries in numpy.libs beside it; SciPy may have its own
    own = [library for library in found if library["filepath"].startswith(folder)]
    return next(iter(own or found), {})


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
            self._update(index, dkernel, dbias)

    def _update(self, index: int, dkernel: Array, dbias: Array) -> None:
        dkernel *= self._rate
        dbias *= self._rate
        self._kernels[index] -= dkernel
        self._biases[index] -= dbias


class _Adam(_Training):
    def __init__(self, case: TrainingCase, data: Data, weights: list[Array]) -> None:
        super().__init__(case, data, weights)
        self._done = 0
        self._means = [np.zeros_like(w) for w in weights]
        self._squares = [np.zeros_like(w) for w in weights]

    def _step(self, x: Array, y: Array) -> None:
        self._done += 1
        correction = np.sqrt(1 - ADAM.beta_2**self._done) / (1 - ADAM.beta_1**self._done)
        self._rate = np.float32(self._case.learning_rate * correction)
        super()._step(x, y)

    def _update(self, index: int, dkernel: Array, dbias: Array) -> None:
        for at, w, g in ((2 * index, self._kernels[index], dkernel), (2 * index + 1, self._biases[index], dbias)):
            m, v = self._means[at], self._squares[at]
            square = g * g
            square -= v
            square *= np.float32(1 - ADAM.beta_2)
            v += square
            g -= m
            g *= np.float32(1 - ADAM.beta_1)
            m += g
            root = np.sqrt(v)
            root += np.float32(ADAM.epsilon)
            np.divide(m, root, out=root)
            root *= self._rate
            w -= root


def prepare_training(case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> _Training:
    return (_Adam if case.optimizer == "adam" else _Training)(case, data, weights)


def prepare_inference(case: InferenceCase, weights: list[Array], settings: Settings) -> Predict:
    chain = [(weights[2 * k], weights[2 * k + 1], layer.activation) for k, layer in enumerate(case.layers)]

    def predict(x: Array) -> Array:
        for kernel, bias, activation in chain:
            x = x @ kernel
            x += bias
            x = _activate(activation, x)
        return x

    return predict


def prepare_product(case: ProductCase, factors: Factors, settings: Settings) -> Multiply:
    x, kernel, dy = factors.x, factors.kernel, factors.dy
    y, dx, dkernel = np.empty_like(dy), np.empty_like(x), np.empty_like(kernel)

    def forward() -> list[Array]:
        np.matmul(x, kernel, out=y)
        return [y]

    def gradients() -> list[Array]:
        np.matmul(x, kernel, out=y)
        np.matmul(dy, kernel.T, out=dx)
        np.matmul(x.T, dy, out=dkernel)
        return [y, dx, dkernel]

    return forward if case.direction == "forward" else gradients
