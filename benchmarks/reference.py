"""The answers: plain NumPy in float64, written from the formulas. No contestant is timed before it agrees with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.cases import ADAM, Case, InferenceCase, Network, ProductCase, TrainingCase
from benchmarks.data import Array, Data, Factors, inference_rows, initial_weights, product_factors, training_data


def _activate(name: str, z: Array) -> Array:
    if name == "linear":
        return z
    if name == "relu":
        return np.where(z > 0, z, 0)
    if name == "tanh":
        return np.asarray(np.tanh(z))
    if name == "softmax":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))
    raise ValueError(f"reference: no activation {name!r}; expected linear, relu, tanh or softmax")


def _slope(name: str, y: Array) -> Array:
    """dy/dz of a hidden activation, from its output."""
    return (y > 0).astype(y.dtype) if name == "relu" else 1 - y * y


def forward(case: Network, weights: list[Array], x: Array) -> list[Array]:
    """The input and every layer's output: ``[x, y_1, ..., y_L]``."""
    values = [x]
    for layer, kernel, bias in zip(case.layers, weights[::2], weights[1::2], strict=True):
        values.append(_activate(layer.activation, values[-1] @ kernel + bias))
    return values


def loss(case: TrainingCase, weights: list[Array], x: Array, y: Array) -> float:
    """Mean over the rows (and outputs) of one batch."""
    prediction = forward(case, weights, x)[-1]
    if case.loss == "softmax_cross_entropy":
        return float(-np.log(prediction[np.arange(len(y)), y]).mean())
    return float(((prediction - y) ** 2).mean())


def gradients(case: TrainingCase, weights: list[Array], x: Array, y: Array, edge: float = 0) -> list[Array]:
    """dloss/dweights of one batch, in the order and the type of the weights.

    A relu of I inputs is on where its sum is above ``edge * sqrt(I)`` of the sums' root mean square: see
    :mod:`benchmarks.rounding`. Elsewhere it is 0.
    """
    values = forward(case, weights, x)
    if case.loss == "softmax_cross_entropy":  # d(-log softmax(z)[y])/dz = softmax(z) - onehot(y)
        dz = (values[-1] - np.eye(case.widths[-1], dtype=x.dtype)[y]) / len(y)
    else:
        dz = 2 * (values[-1] - y) / y.size
    found: list[Array] = []
    for index in reversed(range(len(case.layers))):
        found[:0] = [values[index].T @ dz, dz.sum(axis=0)]
        if index:
            activation = case.layers[index - 1].activation
            slope = _slope(activation, values[index])
            if edge and activation == "relu":
                z = values[index - 1] @ weights[2 * index - 2] + weights[2 * index - 1]
                slope = (z > edge * np.sqrt(case.widths[index - 1] * np.square(z).mean())).astype(z.dtype)
            dz = (dz @ weights[2 * index].T) * slope
    return found


class Descent:
    """The optimizer of a case, in the type of the weights.

    ``slip`` is added to each power of Adam's betas: see :mod:`benchmarks.rounding`.
    """

    def __init__(self, case: TrainingCase, weights: list[Array], slip: Callable[[], float] = lambda: 0.0) -> None:
        self._slip = slip
        self._rate, self._adam = case.learning_rate, case.optimizer == "adam"
        self._means = [(np.zeros_like(w), np.zeros_like(w)) for w in weights] if self._adam else []
        self._step = 0

    def steps(self, gradients: list[Array]) -> list[Array]:
        """What to take from each of the weights."""
        if not self._adam:
            return [g.dtype.type(self._rate) * g for g in gradients]
        self._step += 1
        left_1, left_2 = (1 - (beta**self._step + self._slip()) for beta in (ADAM.beta_1, ADAM.beta_2))
        scale = self._rate * np.sqrt(left_2) / left_1
        found = []
        for (m, v), g in zip(self._means, gradients, strict=True):
            m += g.dtype.type(1 - ADAM.beta_1) * (g - m)
            v += g.dtype.type(1 - ADAM.beta_2) * (g * g - v)
            found.append(g.dtype.type(scale) * m / (np.sqrt(v) + g.dtype.type(ADAM.epsilon)))
        return found


def train(case: TrainingCase, data: Data, weights: list[Array], epochs: int) -> list[Array]:
    """The weights after ``epochs`` epochs over the rows in their own order, in float64."""
    x = data.x.astype(np.float64)
    y = data.y if data.y.dtype == np.int32 else data.y.astype(np.float64)
    weights = [w.astype(np.float64) for w in weights]
    descend = Descent(case, weights)
    for _ in range(epochs):
        for first in range(0, case.rows, case.batch):
            rows = slice(first, first + case.batch)
            for w, step in zip(weights, descend.steps(gradients(case, weights, x[rows], y[rows])), strict=True):
                w -= step
    return weights


def products(case: ProductCase, factors: Factors) -> list[Array]:
    """``[y]`` or ``[y, dx, dkernel]``, in the type of the factors."""
    y = factors.x @ factors.kernel
    if case.direction == "forward":
        return [y]
    return [y, factors.dy @ factors.kernel.T, factors.x.T @ factors.dy]


def wide(factors: Factors) -> Factors:
    """The factors in float64."""
    return Factors(*(a.astype(np.float64) for a in (factors.x, factors.kernel, factors.dy)))


def answer(case: Case) -> list[Array]:
    """Trained weights of a training case, ``[prediction]`` of an inference case, the products of a product case."""
    if isinstance(case, ProductCase):
        return products(case, wide(product_factors(case)))
    weights = initial_weights(case)
    if isinstance(case, InferenceCase):
        weights = [w.astype(np.float64) for w in weights]
        return [forward(case, weights, inference_rows(case).astype(np.float64))[-1]]
    return train(case, training_data(case), weights, case.check_epochs)
