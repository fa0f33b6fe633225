"""The networks that are trained, written once: ``k`` is the package, ``keras`` or ``netlet``.

``dtype`` is the type in which it computes. Every layer has a name, by which its weights are found on both sides. No
layer draws random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from oracle.case import Case

FEATURES, HIDDEN, OUTPUTS, TIME = 5, 8, 3, 6
IDS = "ids"  # an input of this name has class numbers below 11


class Network(NamedTuple):
    """How one is built, its inputs' shapes by name, and the names of its outputs where there are several."""

    build: Callable[[Any, Case, str], Any]
    inputs: Callable[[Case], dict[str, tuple[int, ...]]] = lambda case: {"x": (FEATURES,)}
    outputs: tuple[str, ...] = ()


def _stack(k: Any, dtype: str, name: str, shape: tuple[int, ...], layers: list[Any]) -> Any:
    return k.Sequential([k.Input(shape, name=name, dtype=dtype), *layers])


def _mlp_inputs(case: Case) -> dict[str, tuple[int, ...]]:
    return {"x": (TIME, FEATURES) if case.target == "sequence" else (FEATURES,)}


def mlp(k: Any, case: Case, dtype: str) -> Any:
    L = k.layers
    hidden = L.Dense(HIDDEN, activation=case.activation, name="hidden")
    return _stack(k, dtype, "x", _mlp_inputs(case)["x"], [hidden, L.Dense(OUTPUTS, activation=case.output, name="out")])


def normalizations(k: Any, case: Case, dtype: str) -> Any:
    L = k.layers
    layers = [
        L.Dense(HIDDEN, use_bias=False, name="first"),
        L.BatchNormalization(momentum=0.9, name="batch"),
        L.Activation("tanh", name="tanh"),
        L.Dense(HIDDEN, name="second"),
        L.LayerNormalization(name="layer"),
        L.RMSNormalization(name="rms"),
        L.Dense(HIDDEN, activation="softplus", name="third"),
        L.BatchNormalization(scale=False, epsilon=0.01, name="unscaled"),
        L.LayerNormalization(center=False, name="uncentered"),
        L.BatchNormalization(trainable=False, name="frozen"),
        L.UnitNormalization(name="unit"),
        L.Dense(OUTPUTS, name="out"),
    ]
    return _stack(k, dtype, "x", (FEATURES,), layers)


def shapes(k: Any, case: Case, dtype: str) -> Any:
    L = k.layers
    layers = [
        L.Dense(12, activation="tanh", name="wide"),
        L.Reshape((2, 6), name="reshape"),
        L.Permute((2, 1), name="permute"),
        L.Dense(4, activation="gelu", name="last_axis"),
        L.LayerNormalization(axis=[1, 2], name="planes"),
        L.Flatten(name="flatten"),
        L.Dense(5, activation="silu", name="narrow"),
        L.RepeatVector(3, name="repeat"),
        L.BatchNormalization(name="columns"),
        L.PReLU(shared_axes=[1], name="prelu"),
        L.Flatten(name="flat"),
        L.Dense(OUTPUTS, name="out"),
    ]
    return _stack(k, dtype, "x", (FEATURES,), layers)


def embedding(k: Any, case: Case, dtype: str) -> Any:
    L = k.layers
    layers = [
        L.Embedding(11, 4, name="table"),
        L.Dense(6, activation="tanh", name="each"),
        L.Flatten(name="flatten"),
        L.Dense(OUTPUTS, name="out"),
    ]
    return _stack(k, dtype, IDS, (TIME,), layers)


def activations(k: Any, case: Case, dtype: str) -> Any:
    L = k.layers
    layers: list[Any] = []
    for i, layer in enumerate(
        [
            L.PReLU(name="prelu"),
            L.LeakyReLU(negative_slope=0.1, name="leaky"),
            L.ELU(alpha=0.7, name="elu"),
            L.ReLU(max_value=5.0, negative_slope=0.1, threshold=0.05, name="relu"),
            L.Activation("mish", name="mish"),
            L.Softmax(name="softmax"),
        ]
    ):
        layers += [L.Dense(6, name=f"dense_{i}"), layer]
    return _stack(k, dtype, "x", (FEATURES,), [*layers, L.Dense(OUTPUTS, name="out")])


def merges(k: Any, case: Case, dtype: str) -> Any:
    """Two inputs, a layer used twice, a residual connection, every layer that merges."""
    L = k.layers
    a, b = k.Input((FEATURES,), name="a", dtype=dtype), k.Input((4,), name="b", dtype=dtype)
    left, right = L.Dense(6, activation="tanh", name="left")(a), L.Dense(6, name="right")(b)
    shared = L.Dense(6, activation="sigmoid", name="shared")
    h, g = L.Add(name="add")([left, shared(left)]), L.Subtract(name="subtract")([right, shared(right)])
    merged = [
        L.Multiply(name="multiply")([h, g]),
        L.Average(name="average")([h, g, left]),
        L.Maximum(name="maximum")([h, g]),
        L.Minimum(name="minimum")([h, right]),
        L.Dot(axes=1, name="dot")([h, g]),
        L.Dot(axes=1, normalize=True, name="cosine")([left, right]),
    ]
    joined = L.Concatenate(name="concatenate")(merged)
    return k.Model([a, b], L.Dense(OUTPUTS, name="out")(joined))


def outputs(k: Any, case: Case, dtype: str) -> Any:
    """Two outputs with losses, weights of losses and metrics of their own."""
    L = k.layers
    x = k.Input((FEATURES,), name="x", dtype=dtype)
    h = L.Dense(HIDDEN, activation="tanh", name="trunk")(x)
    first = L.Dense(OUTPUTS, name="first")(h)
    return k.Model(x, [first, L.Dense(OUTPUTS, activation="tanh", name="second")(h)])


def rules(k: Any, case: Case, dtype: str) -> Any:
    """Penalties on weights, and weights kept within bounds."""
    L, r, c = k.layers, k.regularizers, k.constraints
    layers = [
        L.Dense(8, activation="tanh", kernel_regularizer=r.L2(0.02), bias_regularizer=r.L1(0.01), name="a"),
        L.Dense(
            8, activation="tanh", kernel_regularizer=r.L1L2(0.003, 0.01), kernel_constraint=c.MaxNorm(0.9), name="b"
        ),
        L.Dense(6, kernel_constraint=c.UnitNorm(axis=0), bias_constraint=c.NonNeg(), name="c"),
        L.Dense(6, activation="relu", kernel_constraint=c.MinMaxNorm(0.5, 1.0, rate=0.7), name="d"),
        L.Dense(4, kernel_regularizer=r.OrthogonalRegularizer(0.02), trainable=False, name="kept"),
        L.Dense(OUTPUTS, name="out"),
    ]
    return _stack(k, dtype, "x", (FEATURES,), layers)


NETWORKS: dict[str, Network] = {
    "mlp": Network(mlp, _mlp_inputs),
    "normalizations": Network(normalizations),
    "shapes": Network(shapes),
    "embedding": Network(embedding, lambda case: {IDS: (TIME,)}),
    "activations": Network(activations),
    "merges": Network(merges, lambda case: {"a": (FEATURES,), "b": (4,)}),
    "outputs": Network(outputs, outputs=("first", "second")),
    "rules": Network(rules),
}
