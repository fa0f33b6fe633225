"""Models that Keras and Netlet both build, from one description: ``k`` is the package, ``keras`` or ``netlet``.

Run by tests in Netlet's interpreter and by ``oracle.py`` in that of Keras, so it imports neither.
"""

from __future__ import annotations

from typing import Any

import numpy as np

ACTIVATIONS = [
    *("celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu"),
    *("linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink"),
    *("softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh", "tanh_shrink"),
]


def dense(k: Any) -> Any:
    L = k.layers
    return k.Sequential([k.Input((5,)), L.Dense(7, activation="relu"), L.Dense(3, activation="softmax")], name="stack")


def one_of_each(k: Any) -> Any:
    L = k.layers
    model = k.Sequential(name="one_of_each")
    for layer in (
        k.Input((6,)),
        L.Dense(8, use_bias=False, name="first"),
        L.BatchNormalization(momentum=0.9, epsilon=0.01),
        L.Activation("tanh"),
        L.Dropout(0.5, seed=3),
        L.AlphaDropout(0.1),
        L.GaussianDropout(0.2),
        L.GaussianNoise(0.3, seed=7),
        L.Dense(8, trainable=False),
        L.LayerNormalization(),
        L.LeakyReLU(negative_slope=0.1),
        L.ELU(alpha=0.7),
        L.ReLU(max_value=5.0, negative_slope=0.1, threshold=0.2),
        L.PReLU(),
        L.RMSNormalization(),
        L.Reshape((2, 4)),
        L.Permute((2, 1)),
        L.BatchNormalization(scale=False),
        L.BatchNormalization(center=False, trainable=False),
        L.LayerNormalization(axis=[1, 2], center=False),
        L.PReLU(shared_axes=[1]),
        L.Softmax(),
        L.Flatten(),
        L.UnitNormalization(),
        L.RepeatVector(2),
        L.Dense(3),
    ):
        model.add(layer)
    return model


def preprocessing(k: Any) -> Any:
    L = k.layers
    data = np.random.default_rng(5).normal(3.0, 2.0, (40, 3)).astype(np.float32)
    x = k.Input((3,), name="x")
    made = [
        L.Normalization(name="columns"),
        L.Normalization(axis=None, name="all"),
        L.Normalization(invert=True, name="undone"),
        L.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0], name="given"),
        L.Rescaling(0.5, offset=2.0, name="rescaled"),
        L.Discretization(bin_boundaries=[1.0, 3.0, 4.5], name="binned"),
        L.CategoryEncoding(10, output_mode="count", name="counted"),
    ]
    for layer in made[:3]:
        layer.adapt(data)
    whole = k.Input((2, 3), dtype="int32", name="whole")
    statistics = L.Normalization(axis=1, name="rows")
    statistics.adapt(data[:20].reshape(10, 2, 3))
    outputs = [layer(x) for layer in made] + [statistics(whole)]
    return k.Model({"x": x, "whole": whole}, outputs, name="preprocessing")


def embedding(k: Any) -> Any:
    L = k.layers
    return k.Sequential([k.Input((4,)), L.Embedding(10, 3), L.Flatten(), L.Dense(2)], name="embedding")


def activations(k: Any) -> Any:
    x = k.Input((4,), name="x")
    h = k.layers.Dense(4, name="h")(x)
    return k.Model(x, [k.layers.Dense(4, activation=name, name=f"out_{name}")(h) for name in ACTIVATIONS], name="acts")


def graph(k: Any) -> Any:
    """Branches of unequal length, a shared layer, merges, and a dict of inputs: the order of layers is not obvious."""
    L = k.layers
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    shared = L.Dense(5, activation="tanh", name="shared")
    long = L.Dense(5, name="late")(L.Dense(5, name="middle")(shared(b)))
    short = L.Dense(5, name="short")(a)
    h = L.Concatenate()([shared(a), long, short])
    h = L.BatchNormalization()(h)
    side = L.Dense(15, name="side")(b)
    merged = [L.Add()([h, side]), L.Subtract()([h, side]), L.Multiply()([h, side]), L.Average()([h, side, h])]
    merged += [L.Maximum()([h, side]), L.Minimum()([h, side]), L.Dot(axes=1)([h, side])]
    joined = L.Concatenate(name="joined")(merged)
    return k.Model({"b": b, "a": a}, {"z": L.Dense(2, name="zz")(joined), "y": L.Dense(1, name="yy")(h)}, name="graph")


def shared_twice(k: Any) -> Any:
    """A layer that is called on its own output, between others."""
    L = k.layers
    x = k.Input((3,), name="x")
    f, g = L.Dense(3, name="f", activation="tanh"), L.Dense(3, name="g")
    return k.Model([x], [g(f(g(f(x)))), f(x)], name="shared_twice")


def rules(k: Any) -> Any:
    """Initializers, regularizers and constraints; not the gain of Identity, which Keras does not write."""
    L, i, r, c = k.layers, k.initializers, k.regularizers, k.constraints
    kinds = [
        i.GlorotNormal(seed=1), i.HeNormal(), i.HeUniform(), i.LecunNormal(), i.LecunUniform(), i.Constant(0.2),
        i.RandomNormal(stddev=0.1), i.RandomUniform(-0.1, 0.2, seed=5), i.TruncatedNormal(0.1, 0.2), i.Orthogonal(0.5),
        i.Identity(), i.VarianceScaling(2.0, "fan_out", "uniform"), i.Ones(), i.Zeros(),
    ]  # fmt: skip
    penalties = [r.L1(0.1), r.L2(0.2), r.L1L2(0.1, 0.3), r.OrthogonalRegularizer(0.1), "l2", None]
    limits = [c.MaxNorm(3.0), c.MinMaxNorm(0.5, 2.0, rate=0.5), c.NonNeg(), c.UnitNorm(axis=0), None]
    layers: list[Any] = [k.Input((4,))]
    for n, kind in enumerate(kinds):
        layers.append(
            L.Dense(
                4,
                kernel_initializer=kind,
                bias_initializer="ones",
                kernel_regularizer=penalties[n % len(penalties)],
                kernel_constraint=limits[n % len(limits)],
                name=f"layer_{n}",
            )
        )
    return k.Sequential(layers, name="rules")


def compiled(k: Any) -> Any:
    model = dense(k)
    model.compile(
        optimizer=k.optimizers.Adam(learning_rate=0.01, beta_1=0.8, clipnorm=1.0),
        loss=k.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", k.metrics.Precision(thresholds=0.4, name="p")],
    )
    return model


def masked(k: Any) -> Any:
    """Masks, penalties on outputs, and arguments that not every layer has."""
    L = k.layers
    x = k.Input((5,), name="tokens")
    h = L.Embedding(10, 4, mask_zero=True, activity_regularizer="l2")(x)
    h = L.Masking(0.5)(L.Dense(4, activity_regularizer=k.regularizers.L1L2(0.1, 0.2))(h))
    h = L.AlphaDropout(0.1, noise_shape=(None, 1, 4))(L.ActivityRegularization(0.1, 0.2)(h))
    h = L.Activation("tanh", activity_regularizer="l1")(L.GroupNormalization(2)(h))
    h = L.Dot(axes=1)([h, h])  # which has no mask
    h = L.LayerNormalization(axis=[1, 2])(L.BatchNormalization(axis=1, activity_regularizer="l1")(h))
    h = L.Flatten(data_format="channels_first")(L.Softmax(axis=[1, 2])(h))
    return k.Model(x, L.Dense(2)(h), name="masked")


_ALL = (
    dense,
    one_of_each,
    embedding,
    preprocessing,
    preprocessing,
    activations,
    graph,
    shared_twice,
    rules,
    compiled,
    masked,
)
CASES = {build.__name__: build for build in _ALL}


def rows(name: str) -> Any:
    """The data that predictions are compared on: an array, or a dict of them."""
    rng = np.random.default_rng(5)
    if name == "embedding":
        return rng.integers(0, 10, (7, 4)).astype(np.float32)
    if name == "masked":
        return rng.integers(0, 10, (7, 5)).astype(np.float32)
    if name == "graph":
        return {key: rng.standard_normal((7, 4)).astype(np.float32) for key in ("a", "b")}
    if name == "preprocessing":
        whole = rng.integers(0, 10, (7, 2, 3)).astype(np.int32)
        return {"x": whole[:, 0].astype(np.float32), "whole": whole}
    width = {"dense": 5, "compiled": 5, "one_of_each": 6, "activations": 4, "shared_twice": 3, "rules": 4}[name]
    return rng.standard_normal((7, width)).astype(np.float32)


def fill(model: Any) -> None:
    """Give every weight values of its own: positive, as variances must be, and columns of kernels that add up to about
    1, so that numbers stay near 1 through any number of layers."""
    if model.name == "preprocessing":
        return  # adapted; what it has for weights are others in Keras than in Netlet
    rng = np.random.default_rng(11)
    weights = []
    for w in model.get_weights():
        shape = np.shape(w)
        scale = 2 / shape[0] if len(shape) == 2 and shape[0] > 2 else 1
        weights.append((rng.uniform(0.1, 0.9, shape) * scale).astype(np.float32))
    model.set_weights(weights)


def predictions(model: Any, name: str) -> dict[str, Any]:
    """What the model predicts, under a name for each output; of a compiled one, what it evaluates to as well."""
    if name == "compiled":
        scores = model.evaluate(rows(name), np.eye(3, dtype=np.float32)[[0, 1, 2, 2, 1, 0, 0]], verbose=0)
        return {"out": np.asarray(model.predict(rows(name), verbose=0)), "scores": np.asarray(scores)}
    out = model.predict(rows(name), verbose=0)
    if isinstance(out, dict):
        return {key: np.asarray(value) for key, value in out.items()}
    return {str(i): np.asarray(value) for i, value in enumerate(out if isinstance(out, list) else [out])}
