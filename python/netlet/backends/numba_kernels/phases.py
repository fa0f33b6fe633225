"""The profile of jitted steps: they can't be looked into, so whole phases are found as differences between calls."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from netlet.backends.checks import check_arrays, check_batch_size, check_rows
from netlet.backends.measured import Measured, Part, median
from netlet.backends.numba_kernels.calls import EpochOrder
from netlet.program import sums_size
from netlet.program.spec import Array

if TYPE_CHECKING:
    from netlet.backends.numba_kernels.executor import JittedExecutor

__all__ = ["profile"]

_NOTE = (
    "Numba runs a step in one jitted call, so these are whole phases: differences between the times of predict, "
    "evaluate and train on the same rows. The forward phase includes copying the rows in"
)


def profile(
    twin: JittedExecutor,
    xs: Sequence[Array],
    y: Array | None,
    sample_weight: Array | None,
    batch_size: int,
    learning_rate: float,
    seconds: float,
) -> Measured:
    """See :meth:`netlet.backends.Executor.profile`; ``twin`` is an executor whose params and slots may change."""
    n = check_rows(twin.program, xs) if y is None else check_arrays(twin.program, xs, y, sample_weight)
    check_batch_size(batch_size)
    if y is not None and twin.program.optimizer is None:
        raise ValueError("profile: the Program has no optimizer")
    batch = min(batch_size, n)
    steps = n // batch  # in one call; all of whole batches
    rows = steps * batch
    xs = [x[:rows] for x in xs]
    outs = [np.empty((rows, *twin.program.values[v].shape), twin.params.dtype) for v in twin.program.outputs]

    def predict() -> None:
        twin.predict(xs, outs, batch)

    if y is None:
        (took,) = _by_turns([predict], seconds)
        step = median(took) / steps
        return Measured("numba", step, (Part("forward", None, step),), steps * len(took), 1, _NOTE)
    y = y[:rows]
    weight = None if sample_weight is None else sample_weight[:rows]
    sums = np.zeros(sums_size(twin.program))
    order, epochs = EpochOrder(), itertools.count()

    def evaluate() -> None:
        twin.evaluate(xs, y, weight, batch_size=batch, sums=sums)

    def train() -> None:
        twin.train(
            xs, y, weight, batch_size=batch, shuffle=(0, 0), first=0, last=steps, learning_rate=learning_rate, sums=sums
        )

    def draw() -> None:
        order(0, next(epochs), n)

    times = _by_turns([draw, predict, evaluate, train], seconds)
    drawn, forward, with_loss, whole = (median(each) for each in times)
    shuffle = drawn / -(-n // batch)
    parts = (
        Part("shuffle", None, shuffle),
        Part("forward", None, min(forward, whole) / steps),
        Part("loss and metrics", None, max(with_loss - forward, 0.0) / steps),
        Part("backward and update", None, max(whole - with_loss, 0.0) / steps),
    )
    return Measured("numba", whole / steps + shuffle, parts, steps * len(times[-1]), 1, _NOTE)


def _by_turns(calls: Sequence[Callable[[], None]], seconds: float) -> list[list[float]]:
    """How long each call took in each of at least three rounds, in seconds; the first round is not counted."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    first = time.perf_counter()
    while len(times[0]) < 3 or time.perf_counter() - first < seconds:
        for call, took in zip(calls, times, strict=True):
            began = time.perf_counter()
            call()
            took.append(time.perf_counter() - began)
    return times
