"""What an executor finds out about the time of its steps, and how the ones in Python take samples of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Measured", "Part", "median", "sample"]


class Part(NamedTuple):
    """A part of a step.

    Attributes:
        phase: ``shuffle``, ``gather``, ``prepare``, ``forward``, ``loss``, ``metrics``, ``backward`` or
            ``update``; where an executor cannot tell them apart, several of them, joined by " and ".
        op: the place of the op in the Program's list, for a forward or backward of one op alone; else None.
        seconds: that it takes of a step.
    """

    phase: str
    op: int | None
    seconds: float


class Measured(NamedTuple):
    """Where the time of a step goes; see :meth:`netlet.backends.Executor.profile`.

    Attributes:
        target: what ran, such as ``native:avx2``.
        step: seconds a step; what the parts leave of it is spent around them.
        parts: in the order in which they run. A gradient's parts come in the order of the ops in reverse.
        steps: how many steps were timed part by part.
        threads: the most that shared a step's work; None where that is not known.
        note: what is to be known of how it was measured; "" if nothing.
    """

    target: str
    step: float
    parts: tuple[Part, ...]
    steps: int
    threads: int | None
    note: str = ""


#: Seconds of steps in a sample: many looks at the clock, and yet short beside what a scheduler gives to somebody else,
#: so that only few samples are spoiled.
SAMPLE_SECONDS = 2e-4


def sample(run: Callable[[int], None], seconds: float, watched: Callable[[int], None] | None = None) -> list[float]:
    """Returns how long a step took in each of several samples, in seconds.

    Args:
        run: makes so many steps.
        seconds: about how long to go on; at least three samples are taken, after one step that is not counted.
        watched: makes so many steps after each sample; their time is not in the result.
    """
    run(1)
    if watched is not None:
        watched(1)
    began = time.perf_counter()
    run(1)
    count = max(1, int(SAMPLE_SECONDS / max(time.perf_counter() - began, 1e-7)))
    times: list[float] = []
    first = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - first < seconds:
        began = time.perf_counter()
        run(count)
        times.append((time.perf_counter() - began) / count)
        if watched is not None:
            watched(count)
    return times


def median(values: list[float]) -> float:
    """The median of ``values``, of which there is at least one."""
    return float(np.median(values))
