"""The profile of an executor that walks the list of ops in Python: a look at the clock after each call."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from netlet.backends.checks import check_arrays, check_batch_size, check_rows
from netlet.backends.measured import Measured, Part, median, sample
from netlet.program.program import sums_size
from netlet.program.spec import Array

if TYPE_CHECKING:
    from netlet.backends.interpreter import Interpreter

__all__ = ["profile"]

#: A phase and the place of its op, if it is one op's.
Key = tuple[str, int | None]

_NOTE = "each op is a Python call; NumPy's BLAS chooses its own number of threads"


class _Stamps:
    """What the clock showed: at the begin of a step, and after each of its parts.

    Args:
        cost: what one look at the clock takes.
    """

    def __init__(self, cost: float) -> None:
        self.cost = cost
        self.times: list[float] = []
        self.rows: list[list[float]] = []  # seconds of each part, a row a step
        self.between: list[float] = []  # seconds a step outside of all parts, from its begin

    def end(self, began: float) -> None:
        """Ends a step that began, before its first part, at ``began``."""
        ended = time.perf_counter()
        self.between.append((self.times[0] - began) + (ended - self.times[-1]))
        self.rows.append(np.maximum(np.diff(self.times) - self.cost, 0.0).tolist())
        self.times.clear()


def _cost_of_a_look() -> float:
    """Seconds that a part seems to take where there is none."""
    times: list[float] = []
    clock, look = time.perf_counter, times.append
    for _ in range(1000):
        look(clock())
    return float(np.median(np.diff(times)))


def profile(
    executor: Interpreter,
    xs: Sequence[Array],
    y: Array | None,
    sample_weight: Array | None,
    batch_size: int,
    learning_rate: float,
    seconds: float,
) -> Measured:
    """See :meth:`netlet.backends.Executor.profile`."""
    n = check_rows(executor.program, xs) if y is None else check_arrays(executor.program, xs, y, sample_weight)
    check_batch_size(batch_size)
    if y is not None and executor.program.optimizer is None:
        raise ValueError("profile: the Program has no optimizer")
    batch = min(batch_size, n)
    twin = executor.twin()
    stamps = _Stamps(_cost_of_a_look())
    keys: list[Key]
    if y is None:
        plain, watched, keys = _prediction(twin, xs, batch, n // batch, stamps)
    else:
        plain, watched, keys = _training(twin, xs, y, sample_weight, batch, n // batch, learning_rate, stamps)
    with np.errstate(all="ignore"):
        whole = median(sample(plain, seconds, watched))
    counted = np.array(stamps.rows[1:])  # the first met cold caches
    found: dict[Key, float] = {}
    for key, value in zip(keys, np.median(counted, axis=0).tolist(), strict=True):
        found[key] = found.get(key, 0.0) + value
    parts = [Part(phase, op, value) for (phase, op), value in found.items()]
    # The smaller of two: what steps without stamps leave, for stamps lengthen short steps; and what lies around the
    # stamps, for who shares the processor spoils long samples.
    known = sum(found.values())
    step = known + max(0.0, min(whole - known, median(stamps.between[1:])))
    if y is not None:
        shuffle = _time_of_order(twin, n) / -(-n // batch)
        step += shuffle
        parts.insert(0, Part("shuffle", None, shuffle))
    return Measured(executor.target, step, tuple(parts), len(counted), None, _NOTE)


Run = Callable[[int], None]


def _training(
    twin: Interpreter,
    xs: Sequence[Array],
    y: Array,
    weight: Array | None,
    batch: int,
    steps: int,
    rate: float,
    stamps: _Stamps,
) -> tuple[Run, Run, list[Key]]:
    """Steps as ``train`` makes them, the same with stamps, and what comes before each stamp but the first."""
    sums = np.zeros(sums_size(twin.program))
    position = 0
    order = twin._epoch_order((0, 0), len(xs[0]))
    plan = twin._take("train", batch)
    update = twin._update
    assert update is not None and order is not None
    keys: list[Key] = [("gather", None)]
    keys += [("forward", op) for op in plan.forward_ops]
    keys += [("loss", None)] + [("metrics", None)] * len(plan.metrics)
    keys += [("backward", op) for op in plan.backward_ops]
    keys += [("update", None)]
    twin._give(plan)

    def plain(count: int) -> None:
        nonlocal position
        while count:
            last = min(steps, position + count)
            twin.train(
                xs,
                y,
                weight,
                batch_size=batch,
                shuffle=(0, 0),
                first=position,
                last=last,
                learning_rate=rate,
                sums=sums,
            )
            count -= last - position
            position = last % steps

    def watched(count: int) -> None:
        nonlocal position
        clock, look = time.perf_counter, stamps.times.append
        plan = twin._take("train", batch)
        for _ in range(count):
            began = clock()
            start = position * batch
            position = (position + 1) % steps
            look(clock())
            picked = twin._load(plan, xs, y, weight, start, start + batch, order)
            look(clock())
            for call in plan.forward:
                call()
                look(clock())
            plan.add_loss(picked)
            look(clock())
            for call in plan.metrics:
                call()
                look(clock())
            for call in plan.backward:
                call()
                look(clock())
            update(plan.gradient, rate, 0)
            look(clock())
            stamps.end(began)
        twin._give(plan)

    return plain, watched, keys


def _prediction(
    twin: Interpreter, xs: Sequence[Array], batch: int, steps: int, stamps: _Stamps
) -> tuple[Run, Run, list[Key]]:
    """Predictions of one batch each, the same with stamps, and what comes before each stamp but the first."""
    position = 0
    plan = twin._take("predict", batch)
    keys: list[Key] = [("gather", None), *(("forward", op) for op in plan.forward_ops)]
    twin._give(plan)

    def next_batch() -> list[Array]:
        nonlocal position
        start = position * batch
        position = (position + 1) % steps
        return [x[start : start + batch] for x in xs]

    def plain(count: int) -> None:
        for _ in range(count):
            twin.predict(next_batch(), None, batch)

    def watched(count: int) -> None:
        clock, look = time.perf_counter, stamps.times.append
        for _ in range(count):
            began = clock()
            rows = next_batch()
            plan = twin._take("predict", batch)
            look(clock())
            for buffer, x in zip(plan.inputs, rows, strict=True):
                np.copyto(buffer, x)
            look(clock())
            for call in plan.forward:
                call()
                look(clock())
            stamps.end(began)
            twin._give(plan)

    return plain, watched, keys


def _time_of_order(twin: Interpreter, n: int) -> float:
    """Seconds to draw the order of an epoch of ``n`` rows."""
    times = []
    for epoch in range(1, 5):
        began = time.perf_counter()
        twin._epoch_order((0, epoch), n)
        times.append(time.perf_counter() - began)
    return median(times[1:])
