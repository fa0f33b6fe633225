"""What an executor checks of the arrays it is handed: cheap, and enough that no kernel leaves its memory.

Callers convert and explain in the words of their own arguments; these messages are for those who call executors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.program.program import Program, sums_size
from netlet.program.spec import Array, Vjp

__all__ = [
    "check_arrays",
    "check_batch_size",
    "check_gradients",
    "check_iteration",
    "check_outputs",
    "check_rates",
    "check_rows",
    "check_sums",
]


def _check(name: str, array: Any, shape: tuple[int, ...], dtype: str) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(array).__name__}")
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name}: expected {dtype} of shape {shape}, got {array.dtype} of shape {array.shape}")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name}: expected a C-contiguous array")


def check_rows(program: Program, xs: Sequence[Array]) -> int:
    """Checks the inputs; returns their number of rows."""
    if len(xs) != len(program.inputs):
        raise ValueError(f"xs: expected {len(program.inputs)} arrays, got {len(xs)}")
    first = xs[0]
    n = first.shape[0] if isinstance(first, np.ndarray) and first.ndim else 0
    if n < 1:
        raise ValueError("xs[0]: expected an array of at least one row")
    for i, (x, v) in enumerate(zip(xs, program.inputs, strict=True)):
        _check(f"xs[{i}]", x, (n, *program.values[v].shape), program.dtype)
    return n


def check_outputs(program: Program, outs: Sequence[Array], n: int, name: str = "outs") -> None:
    """Checks arrays shaped as the outputs for ``n`` rows."""
    if len(outs) != len(program.outputs):
        raise ValueError(f"{name}: expected {len(program.outputs)} arrays, got {len(outs)}")
    for i, (out, v) in enumerate(zip(outs, program.outputs, strict=True)):
        _check(f"{name}[{i}]", out, (n, *program.values[v].shape), program.dtype)


def check_gradients(program: Program, outs: Vjp, n: int) -> None:
    """Checks the arrays that ``vjp`` writes for ``n`` rows."""
    ys, dxs, dparams = outs
    check_outputs(program, ys, n, name="outs: ys")
    if len(dxs) != len(program.inputs):
        raise ValueError(f"outs: dxs: expected {len(program.inputs)} arrays, got {len(dxs)}")
    for i, (dx, v) in enumerate(zip(dxs, program.inputs, strict=True)):
        _check(f"outs: dxs[{i}]", dx, (n, *program.values[v].shape), program.dtype)
    _check("outs: dparams", dparams, (program.param_size,), program.dtype)


def check_arrays(program: Program, xs: Sequence[Array], y: Array, sample_weight: Array | None) -> int:
    """Checks inputs, labels and weights; returns their number of rows. ValueError if the Program has no loss."""
    label_shape, label_dtype = program.label_shape, program.label_dtype
    if label_shape is None or label_dtype is None:
        raise ValueError("the Program has no loss")
    n = check_rows(program, xs)
    _check("y", y, (n, *label_shape), label_dtype)
    if sample_weight is not None:
        _check("sample_weight", sample_weight, (n,), program.dtype)
    return n


def check_sums(program: Program, sums: Array, epochs: int | None = None) -> None:
    """Checks the array that ``train`` and ``evaluate`` add to; a row an epoch for ``train_epochs``."""
    size = (sums_size(program),)
    _check("sums", sums, size if epochs is None else (epochs, *size), "float64")


def check_epochs(epochs: Any) -> None:
    """ValueError if it is not an integer of 0 or more."""
    if isinstance(epochs, bool) or not isinstance(epochs, (int, np.integer)) or epochs < 0:
        raise ValueError(f"epochs: expected an integer of 0 or more, got {epochs!r}")


def check_batch_size(batch_size: Any) -> None:
    """ValueError if it is not a positive integer."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(f"batch_size: expected a positive integer, got {batch_size!r}")


def check_iteration(iteration: Any) -> None:
    """ValueError if it is not an integer of 0 or more."""
    if isinstance(iteration, bool) or not isinstance(iteration, (int, np.integer)) or iteration < 0:
        raise ValueError(f"iteration: expected an integer of 0 or more, got {iteration!r}")


def check_rates(learning_rate: Any, iteration: Any, steps: int) -> float | list[float]:
    """Checks the pace of so many steps; returns the learning rate of all of them, or a list with one each."""
    check_iteration(iteration)
    if isinstance(learning_rate, np.ndarray) and learning_rate.ndim > 0:
        _check("learning_rate", learning_rate, (steps,), "float64")
        rates: list[float] = learning_rate.tolist()
        return rates
    return float(learning_rate)
