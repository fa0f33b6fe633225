"""JAX: the whole epoch is one jitted ``scan`` over the batches of a permutation, its weights donated.

``best`` makes one scan of all epochs of a call, and predicts with weights that are compiled into the function.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.cases import ADAM, Case, InferenceCase, Network, TrainingCase
from benchmarks.data import Array, Data
from benchmarks.peers import Predict, Settings, cores, missing, networks_only


def available(settings: Settings) -> str | None:
    return missing("jax")


def unsupported(case: Case) -> str | None:
    return networks_only(case)


def describe() -> dict[str, str]:
    import jax

    return {"version": jax.__version__, "threads": str(cores())}


def _forward(case: Network, weights: list[Any], x: Any, logits: bool) -> Any:
    import jax
    import jax.numpy as jnp

    for index, layer in enumerate(case.layers):
        x = x @ weights[2 * index] + weights[2 * index + 1]
        if layer.activation == "relu":
            x = jnp.maximum(x, 0)
        elif layer.activation == "tanh":
            x = jnp.tanh(x)
        elif layer.activation == "softmax" and not logits:
            x = jax.nn.softmax(x)
    return x


class _Training:
    def __init__(self, case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> None:
        import jax
        import jax.numpy as jnp

        def loss(weights: list[Any], x: Any, y: Any) -> Any:
            z = _forward(case, weights, x, logits=True)
            if case.loss == "softmax_cross_entropy":
                return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()
            return ((z - y) ** 2).mean()

        def sgd(state: Any, gradient: list[Any]) -> Any:
            (weights,) = state
            return ([w - case.learning_rate * dw for w, dw in zip(weights, gradient, strict=True)],)

        def adam(state: Any, gradient: list[Any]) -> Any:
            weights, means, squares, done = state
            done = done + 1
            means = [m + (1 - ADAM.beta_1) * (g - m) for m, g in zip(means, gradient, strict=True)]
            squares = [v + (1 - ADAM.beta_2) * (g * g - v) for v, g in zip(squares, gradient, strict=True)]
            left_1, left_2 = (-jnp.expm1(done * math.log(beta)) for beta in (ADAM.beta_1, ADAM.beta_2))
            rate = case.learning_rate * jnp.sqrt(left_2) / left_1
            moved = zip(weights, means, squares, strict=True)
            return [w - rate * m / (jnp.sqrt(v) + ADAM.epsilon) for w, m, v in moved], means, squares, done

        update = adam if case.optimizer == "adam" else sgd

        def train(state: Any, x: Any, y: Any, order: Any) -> Any:
            def step(state: Any, rows: Any) -> Any:
                return update(state, jax.grad(loss)(state[0], x[rows], y[rows])), None

            return jax.lax.scan(step, state, order.reshape(-1, case.batch))[0]

        self._case = case
        self._at_once = bool(settings.get("best"))
        self._train = jax.jit(train, donate_argnums=0)
        self._x, self._y = jnp.asarray(data.x), jnp.asarray(data.y)
        placed = [jnp.array(w) for w in weights]
        self._state: Any = (placed,)
        if case.optimizer == "adam":
            means, squares = ([jnp.zeros_like(w) for w in placed] for _ in range(2))
            self._state = placed, means, squares, jnp.zeros(())
        self._random = np.random.default_rng(0)

    def run(self, epochs: int, shuffle: bool) -> None:
        import jax

        n = self._case.rows
        together = epochs if self._at_once else 1
        for _ in range(epochs // together):
            order = np.concatenate([self._random.permutation(n) if shuffle else np.arange(n) for _ in range(together)])
            self._state = self._train(self._state, self._x, self._y, order)
        jax.block_until_ready(self._state)

    def weights(self) -> list[Array]:
        return [np.asarray(w) for w in self._state[0]]


def prepare_training(case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> _Training:
    return _Training(case, data, weights, settings)


def prepare_inference(case: InferenceCase, weights: list[Array], settings: Settings) -> Predict:
    import jax
    import jax.numpy as jnp

    placed = [jnp.asarray(w) for w in weights]
    if settings.get("best"):
        compiled = jax.jit(lambda x: _forward(case, placed, x, logits=False))
        return lambda x: np.asarray(compiled(x))
    forward = jax.jit(lambda weights, x: _forward(case, weights, x, logits=False))
    return lambda x: np.asarray(forward(placed, x))
