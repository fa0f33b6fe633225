"""Cuts long work into calls of a few hundredths of a second, between which Python hears Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Iterator

__all__ = ["Pace"]


class Pace:
    """How long a unit of some work takes; learnt from each call that is made.

    Args:
        seconds_per_unit: a first guess, better too long than too short.
    """

    #: What one call should take. Python handles signals between two calls.
    SECONDS = 0.025

    def __init__(self, seconds_per_unit: float) -> None:
        self._per_unit = max(seconds_per_unit, 1e-9)

    def chunks(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yields the ranges that ``first .. last-1`` is cut into; times what is done with each before the next."""
        while first < last:
            count = min(last - first, max(1, int(self.SECONDS / self._per_unit)))
            began = time.perf_counter()
            yield first, first + count
            self._per_unit = max((time.perf_counter() - began) / count, 1e-9)
            first += count
