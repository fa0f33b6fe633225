"""Models with masks and penalties on outputs, and what Keras makes of them: run as a script where Keras is, it writes
the answers to keras_activity_masks.json::

    KERAS_BACKEND=torch python tests/models/keras_activity_masks.py

All in float64, so that the two may differ by little; of numbers that float32 can hold, as Keras has some in between.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

VALUES = Path(__file__).with_suffix(".json")
ROWS, TIME, WIDTH = 20, 5, 3


class Case(NamedTuple):
    """A model to train.

    Attributes:
        build: from the package (``keras`` or ``netlet``) to the model.
        data: what it is trained on, one of `DATA`.
        compile: arguments of ``compile``; a value that is a function gets the package.
        weighted: whether rows have sample weights.
    """

    build: Callable[[Any], Any]
    data: str
    compile: dict[str, Any]
    weighted: bool = False


def _data() -> dict[str, tuple[Any, Any]]:
    rng = np.random.default_rng(7)
    flat = rng.standard_normal((ROWS, 6)).astype(np.float32)
    series = rng.standard_normal((ROWS, TIME, WIDTH)).astype(np.float32)
    lengths = rng.integers(1, TIME + 1, ROWS)
    there = np.arange(TIME) < lengths[:, None]
    series[~there] = 0.0
    other = rng.standard_normal((ROWS, TIME, WIDTH)).astype(np.float32)
    other[rng.random((ROWS, TIME)) < 0.5] = 0.0
    tokens = np.where(there, rng.integers(1, 9, (ROWS, TIME)), 0)
    rows = flat.copy()
    rows[::3] = 0.0
    of_rows = rng.standard_normal((ROWS, 2)).astype(np.float32)
    of_steps = rng.standard_normal((ROWS, TIME, 2)).astype(np.float32)
    classes = rng.integers(0, 4, (ROWS, TIME))
    return {
        "flat": (flat, of_rows),
        "flat, classes": (flat, np.eye(4)[classes[:, 0]]),
        "flat, two": (flat, [of_rows, of_rows[:, :1]]),
        "rows": (rows, of_rows),
        "series": (series, of_steps),
        "series, of rows": (series, of_rows),
        "series, binary": (series, (of_steps[..., :1] > 0) * 1.0),
        "series, none of one batch": (np.where(np.arange(ROWS)[:, None, None] < 8, 0.0, series), of_steps),
        "pair": ([series, other], of_steps),
        "pair, long": ([series, other], np.concatenate([of_steps, of_steps], axis=1)),
        "series, two": (series, [of_steps, of_rows]),
        "tokens": (tokens, classes),
        "tokens, of steps": (tokens, of_steps),
        "tokens, of rows": (tokens, of_rows),
    }


DATA = _data()


def _input(k: Any, data: str) -> Any:
    made = [k.Input(part.shape[1:], dtype="float64") for part in _list(DATA[data][0])]
    return made if len(made) > 1 else made[0]


def _stack(data: str, layers: Callable[[Any, Any], list[Any]], **compiled: Any) -> Case:
    """A case of a Sequential; ``weighted`` is the case's."""
    weighted = compiled.pop("weighted", False)
    return Case(lambda k: k.Sequential([_input(k, data), *layers(k.layers, k)]), data, compiled, weighted)


def _graph(data: str, join: Callable[[Any, Any, Any], Any], **compiled: Any) -> Case:
    """A case of a Model of one input."""
    weighted = compiled.pop("weighted", False)

    def build(k: Any) -> Any:
        x = _input(k, data)
        return k.Model(x, join(k.layers, k, x))

    return Case(build, data, compiled, weighted)


def _merged(name: str, both: bool, **arguments: Any) -> Callable[[Any, Any, Any], Any]:
    def join(L: Any, k: Any, x: Any) -> Any:
        a, b = L.Dense(2)(L.Masking()(x[0])), L.Dense(2)(L.Masking()(x[1]) if both else x[1])
        return L.Dense(2)(getattr(L, name)(**arguments)([a, b]))

    return join


def _shared(L: Any, k: Any, x: Any) -> Any:
    layer = L.Dense(6, "tanh", activity_regularizer="l2")
    return L.Dense(2)(layer(layer(x)))


def _two(L: Any, k: Any, x: Any) -> list[Any]:
    h = L.Dense(5, "relu", activity_regularizer=k.regularizers.L1(0.02))(x)
    return [L.Dense(2, name="a")(h), L.Dense(1, name="b", activity_regularizer="l2")(h)]


def _two_masked(L: Any, k: Any, x: Any) -> list[Any]:
    h = L.Dense(3, "tanh")(L.Masking()(x))
    return [L.Dense(2, name="steps")(h), L.Dense(2, name="rows")(L.Flatten()(h))]


def _cases() -> dict[str, Case]:
    cases = {
        "a penalty on a layer's output": _stack(
            "flat",
            lambda L, k: [L.Dense(5, "relu", activity_regularizer=k.regularizers.L2(0.03)), L.Dense(2)],
            loss="mse",
            metrics=["mae"],
        ),
        "penalties beside sample weights": _stack(
            "flat",
            lambda L, k: [
                L.Dense(5, kernel_regularizer="l2"),
                L.Activation("tanh", activity_regularizer="l1"),
                L.ActivityRegularization(0.01, 0.02),
                L.Dense(2, activity_regularizer=k.regularizers.L1L2(0.01, 0.02)),
            ],
            loss="mse",
            weighted_metrics=["mae"],
            weighted=True,
        ),
        "penalties on normalizations and activations": _stack(
            "flat, classes",
            lambda L, k: [
                L.BatchNormalization(activity_regularizer="l1"),
                L.LayerNormalization(activity_regularizer="l2"),
                L.PReLU(activity_regularizer="l2"),
                L.Dense(4, "softmax", activity_regularizer="l2"),
            ],
            loss="categorical_crossentropy",
            metrics=["accuracy"],
        ),
        "a penalty on rows that depend on each other": _stack(
            "flat",
            lambda L, k: [L.Dense(5, activity_regularizer=k.regularizers.OrthogonalRegularizer(0.5)), L.Dense(2)],
            loss="mse",
        ),
        "a penalty on an embedding": _stack(
            "tokens, of rows",
            lambda L, k: [L.Embedding(9, 4, activity_regularizer="l2"), L.Flatten(), L.Dense(2)],
            loss="mse",
        ),
        "a penalty on each call of a layer": _graph("flat", _shared, loss="mse"),
        "penalties beside two outputs": _graph(
            "flat, two", _two, loss=["mse", "mse"], loss_weights=[0.5, 2.0], metrics=[["mae"], ["mse"]]
        ),
        "masked steps": _stack(
            "series", lambda L, k: [L.Masking(), L.Dense(4, "tanh"), L.Dense(2)], loss="mse", metrics=["mae"]
        ),
        "a mask through layers that pass it": _stack(
            "series",
            lambda L, k: [
                L.Masking(),
                L.Dense(4),
                L.LayerNormalization(),
                L.LeakyReLU(),
                L.ELU(),
                L.ReLU(),
                L.PReLU(),
                L.UnitNormalization(),
                L.Dropout(0.0),
                L.GaussianNoise(0.0),
                L.ActivityRegularization(l2=0.01),
                L.Activation("sigmoid"),
                L.Dense(2),
            ],
            loss="mae",
            metrics=["mse"],
        ),
        "a mask that ends": _stack(
            "series, of rows", lambda L, k: [L.Masking(), L.Flatten(), L.Dense(2)], loss="mse", metrics=["mae"]
        ),
        "a batch of nothing": _stack(
            "series, none of one batch",
            lambda L, k: [L.Masking(), L.Dense(2)],
            loss="mse",
            metrics=["mae"],
        ),
        "masked rows": _stack(
            "rows",
            lambda L, k: [L.Masking(), L.Dense(2)],
            loss="mse",
            metrics=["mae"],
            weighted_metrics=["mse"],
            weighted=True,
        ),
        "masked numbers of classes": _stack(
            "tokens",
            lambda L, k: [L.Embedding(9, 3, mask_zero=True), L.Dense(4, "softmax")],
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        ),
        "masked logits, and a class that does not count": _stack(
            "tokens",
            lambda L, k: [L.Embedding(9, 3, mask_zero=True), L.Dense(4)],
            loss=lambda k: k.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2),
        ),
        "masked, and metrics that take no masks": _stack(
            "series, binary",
            lambda L, k: [L.Masking(), L.Dense(4, "tanh"), L.Dense(1, "sigmoid")],
            loss="binary_crossentropy",
            metrics=lambda k: [
                "binary_accuracy",
                k.metrics.RootMeanSquaredError(),
                k.metrics.Precision(name="precision"),
            ],
        ),
        "statistics of what counts": _stack(
            "series",
            lambda L, k: [L.Masking(), L.BatchNormalization(momentum=0.8), L.Dense(2), L.BatchNormalization()],
            loss="mse",
        ),
        "two outputs, one masked": _graph(
            "series, two", _two_masked, loss=["mse", "mae"], loss_weights=[2.0, 0.5], metrics=[["mae"], ["mse"]]
        ),
        "an embedding's mask through a sum": _graph(
            "tokens, of steps",
            lambda L, k, x: L.Dense(2)(
                L.Add()([L.Embedding(9, 3, mask_zero=True)(x), L.Embedding(9, 3, mask_zero=True)(x)])
            ),
            loss="mse",
        ),
        "steps side by side": _graph("pair, long", _merged("Concatenate", True, axis=1), loss="mse"),
        "half of the steps side by side": _graph("pair, long", _merged("Concatenate", False, axis=1), loss="mse"),
    }
    for reduction in ("sum", "mean_with_sample_weight"):
        cases[f"masked steps, reduced by {reduction}"] = _stack(
            "series",
            lambda L, k: [L.Masking(), L.Dense(2)],
            loss=lambda k, reduction=reduction: k.losses.MeanSquaredError(reduction=reduction),
        )
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        for both in (True, False):
            label = f"{name} of masked {'values' if both else 'and other values'}"
            cases[label] = _graph("pair", _merged(name, both), loss="mse", metrics=["mae"])
    return cases


CASES = _cases()


def fill(model: Any) -> None:
    """Give the model weights that depend on their shapes alone."""
    values = []
    for i, value in enumerate(model.get_weights()):
        rng = np.random.default_rng(i)
        drawn = rng.uniform(0.3, 0.9, value.shape) if value.ndim == 1 else rng.normal(0, 0.6, value.shape)
        values.append(drawn.astype(np.float32))
    model.set_weights(values)


def answer(k: Any, case: Case) -> dict[str, Any]:
    """What the package makes of a case: the history of a training, losses of other calls, and weights."""
    x, y = DATA[case.data]
    model = case.build(k)
    settings = {key: value(k) if callable(value) else value for key, value in case.compile.items()}
    model.compile(optimizer=k.optimizers.SGD(0.0625), **settings)
    fill(model)
    weight = {"sample_weight": 1 + np.arange(ROWS) % 3} if case.weighted else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = model.fit(
            x, y, batch_size=8, epochs=3, shuffle=False, verbose=0, validation_data=(x, y), **weight
        ).history
        return {
            "history": {key: [float(entry) for entry in values] for key, values in history.items()},
            "evaluate": _floats(model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True, **weight)),
            "test_on_batch": _floats(model.test_on_batch(_rows(x, 7), _rows(y, 7), return_dict=True)),
            "weights": [value.reshape(-1).tolist() for value in map(np.asarray, model.get_weights())],
            "predict": [np.asarray(p)[:2].reshape(-1).tolist() for p in _list(model.predict(x, verbose=0))],
        }


def _floats(logs: dict[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in logs.items()}


def _rows(y: Any, count: int) -> Any:
    return [part[:count] for part in y] if isinstance(y, list) else y[:count]


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


if __name__ == "__main__":
    import keras

    keras.config.set_floatx("float64")
    found = {name: answer(keras, case) for name, case in CASES.items()}
    VALUES.write_text(json.dumps(found, separators=(",", ":")).replace('},"', '},\n"') + "\n")
