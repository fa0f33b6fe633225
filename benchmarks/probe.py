"""Shows that a contestant's shuffled epoch trains on every row once, in batches of a new order.

The network is 96-1-1 (relu, then linear), its first kernel is 0, and row i is the i-th unit vector: kernel[i] moves
only in the step that row i is part of, by ``rate * 2 / B`` times the residual and the second kernel, both close to 1.
The residual falls from step to step, so rows of one batch move alike and rows of a later batch move less.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import PROBE

Array = NDArray[Any]


def rows() -> tuple[Array, Array]:
    """x, the unit matrix ``[96, 96]``, and y ``[96, 1]``, all 2 where the network first says 1."""
    return np.eye(PROBE.rows, dtype=np.float32), np.full((PROBE.rows, 1), 2, np.float32)


def weights() -> list[Array]:
    """Kernel 0 and bias 1, then kernel 1 and bias 0."""
    return [np.full(shape, value, np.float32) for shape, value in (((96, 1), 0), (1, 1), ((1, 1), 1), (1, 0))]


def fault(trained: list[Array]) -> str | None:
    """What is wrong with the weights after one shuffled epoch, or None."""
    moved = trained[0][:, 0].astype(np.float64) / (PROBE.learning_rate * 2 / PROBE.batch)
    # Residual times second kernel goes from 1 to about 0.94 in 12 steps; a second visit would make it about 1.9.
    if not np.all((moved > 0.9) & (moved < 1.01)):
        times = np.round(moved).astype(int)
        return f"rows were trained on {times.min()} to {times.max()} times, expected once each"
    batches = np.argsort(-moved, kind="stable").reshape(PROBE.steps, PROBE.batch)
    steps = moved[batches]
    if not np.all(steps[:-1].min(axis=1) - steps[1:].max(axis=1) > 10 * np.ptp(steps, axis=1).max()):
        return f"steps of {PROBE.batch} rows were expected, but rows that moved alike are not in such groups"
    if np.array_equal(np.sort(batches, axis=1).ravel(), np.arange(PROBE.rows)):
        return "rows came in their own order, expected a permutation"
    return None
