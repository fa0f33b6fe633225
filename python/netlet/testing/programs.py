"""Whole Programs to test executors with: every way to connect ops, small enough for finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.program import Loss, Metric, Program, ProgramBuilder, optimize

__all__ = ["initial_params", "random_batch", "sample_programs"]


def _mlp(dtype: str) -> Program:
    b = ProgramBuilder(dtype)
    x = b.input((5,))
    h = b.dense(x, b.param("a/kernel", (5, 9)), b.param("a/bias", (9,)), activation="tanh")
    h = b.dense(h, b.param("b/kernel", (9, 8)), None, activation="elu")
    return b.finish(b.dense(h, b.param("c/kernel", (8, 4)), b.param("c/bias", (4,)), activation="softmax"))


def _classifier(dtype: str) -> Program:
    metrics: list[Any] = ["sparse_categorical_accuracy", ("confusion", {"per_class": True})]
    return _mlp(dtype).with_training(
        loss="sparse_categorical_crossentropy", optimizer=("sgd", {"momentum": 0.9, "nesterov": True}), metrics=metrics
    )


def _regression(dtype: str) -> Program:
    b = ProgramBuilder(dtype)
    y = b.dense(b.input((2,)), b.param("kernel", (2, 1)), b.param("bias", (1,)))
    return b.finish(y).with_training(
        loss="mean_squared_error", optimizer="sgd", metrics=["mean_absolute_error", "mean_squared_error"]
    )


def _sigmoid(dtype: str) -> Program:
    """A binary classifier whose last dense op has the sigmoid as its epilogue."""
    b = ProgramBuilder(dtype)
    h = b.dense(b.input((3,)), b.param("a/kernel", (3, 7)), b.param("a/bias", (7,)), activation="softplus")
    y = b.dense(h, b.param("b/kernel", (7, 2)), b.param("b/bias", (2,)), activation="sigmoid")
    return b.finish(y).with_training(
        loss="binary_crossentropy",
        optimizer=("sgd", {"momentum": 0.5}),
        metrics=["binary_accuracy", ("confusion", {"threshold": 0.5})],
    )


def _axes(dtype: str) -> Program:
    """Rows of several axes, reshaped on the way; a loss of several positions."""
    b = ProgramBuilder(dtype)
    h = b.dense(b.input((3, 4)), b.param("a/kernel", (4, 6)), b.param("a/bias", (6,)), activation="sigmoid")
    h = b.activation(b.reshape(h, (2, 9)), "silu")
    y = b.softmax(b.dense(h, b.param("b/kernel", (9, 3)), b.param("b/bias", (3,))))
    return b.finish(y).with_training(
        loss="categorical_crossentropy", optimizer="sgd", metrics=["categorical_accuracy", "confusion"]
    )


def _branches(dtype: str) -> Program:
    """A value with three readers, two of them outputs' ancestors; the loss sees one, the third output is the value."""
    b = ProgramBuilder(dtype)
    h = b.dense(b.input((4,)), b.param("a/kernel", (4, 6)), b.param("a/bias", (6,)), activation="tanh")
    left = b.dense(h, b.param("b/kernel", (6, 3)), b.param("b/bias", (3,)), activation="sigmoid")
    right = b.activation(b.dense(h, b.param("c/kernel", (6, 2)), None), "gelu")
    program = b.finish([left, right, h])
    return program.with_training(
        loss=Loss("mean_squared_error", left.id), optimizer="sgd", metrics=[Metric("mean_absolute_error", left.id)]
    )


def _shared(dtype: str) -> Program:
    """A kernel and a bias that two ops share."""
    b = ProgramBuilder(dtype)
    kernel, bias = b.param("kernel", (4, 4)), b.param("bias", (4,))
    h = b.dense(b.input((4,)), kernel, bias, activation="tanh")
    y = b.log_softmax(b.dense(h, kernel, bias))
    return b.finish(y).with_training(loss="mean_squared_error", optimizer=("sgd", {"momentum": 0.9}))


def _two_inputs(dtype: str) -> Program:
    """Two inputs, each with an output of its own; the loss sees the second."""
    b = ProgramBuilder(dtype)
    first, second = b.input((3,), "first"), b.input((2, 2), "second")
    one = b.dense(first, b.param("a/kernel", (3, 2)), b.param("a/bias", (2,)), activation="exponential")
    two = b.dense(b.reshape(second, (4,)), b.param("b/kernel", (4, 3)), b.param("b/bias", (3,)), activation="softsign")
    return b.finish([one, two]).with_training(
        loss=Loss("mean_squared_error", two.id), optimizer="sgd", metrics=[Metric("mean_squared_error", two.id)]
    )


def _no_ops(dtype: str) -> Program:
    """The loss directly on the input: nothing to train."""
    b = ProgramBuilder(dtype)
    return b.finish(b.input((3,))).with_training(
        loss="mean_squared_error", optimizer="sgd", metrics=["mean_absolute_error"]
    )


def sample_programs(dtype: str = "float32") -> dict[str, Program]:
    """Returns Programs by name, all with loss and optimizer, those with something to fuse also in their fused form.

    None has a kink (no relu): gradients may be compared to finite differences anywhere.
    """
    makers = (_classifier, _regression, _sigmoid, _axes, _branches, _shared, _two_inputs, _no_ops)
    programs = {}
    for maker in makers:
        name = maker.__name__.lstrip("_")
        programs[name] = maker(dtype)
        fused = optimize(programs[name])
        if fused != programs[name]:
            programs[f"{name}, optimized"] = fused
    return programs


def initial_params(program: Program, seed: int = 0) -> NDArray[Any]:
    """Returns an arena of numbers around 0 for ``program``; the first numbers are equal for every element type."""
    rng = np.random.default_rng(seed)
    return (0.5 * rng.standard_normal(program.param_size)).astype(program.dtype)


def random_batch(program: Program, rows: int, seed: int = 0) -> tuple[list[NDArray[Any]], NDArray[Any], NDArray[Any]]:
    """Returns inputs, labels that suit the loss, and sample weights; rounded to float32 in every element type."""
    rng = np.random.default_rng(seed)

    def rounded(values: NDArray[Any]) -> NDArray[Any]:
        return values.astype(np.float32).astype(program.dtype)

    xs = [rounded(rng.standard_normal((rows, *program.values[v].shape))) for v in program.inputs]
    assert program.loss is not None and program.label_shape is not None
    classes = program.values[program.loss.input].shape[-1]
    shape = (rows, *program.label_shape)
    if program.label_dtype == "int32":
        y = rng.integers(0, classes, shape).astype(np.int32)
    elif program.loss.op == "binary_crossentropy":
        y = rounded(rng.integers(0, 2, shape))
    elif program.loss.op == "categorical_crossentropy":
        y = rounded(np.eye(classes)[rng.integers(0, classes, shape[:-1])])
    else:
        y = rounded(rng.standard_normal(shape))
    return xs, y, rounded(rng.uniform(0, 2, rows))
