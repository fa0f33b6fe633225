"""Every case over every contestant, as one pytest-benchmark entry each; a wrong answer is a failure, not a figure.

The turns have to alternate between contestants, which pytest-benchmark cannot do: they are timed by
:mod:`benchmarks.contest` and then played back here, so that its table, statistics and JSON hold them.
"""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.cases import Case
from benchmarks.contestants import Contestant


class _Playback:
    """A clock that stands still but for :meth:`advance`."""

    def __init__(self) -> None:
        self._now = 0.0

    def read(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


_CLOCK = _Playback()


@pytest.mark.benchmark(timer=_CLOCK.read)
def test_case(case: Case, contestant: Contestant, results: Any, request: pytest.FixtureRequest) -> None:
    entry = results.entry(case, contestant)
    if entry.skipped:
        pytest.skip(entry.skipped)
    if entry.failed:
        pytest.fail(entry.failed, pytrace=False)
    benchmark = request.getfixturevalue("benchmark")  # only now: a skipped test must not hold an unused one
    benchmark.group = case.name
    benchmark.extra_info.update(
        kind=case.kind,
        unit=case.unit,
        flops=case.flops,
        setting=contestant.setting,
        bound=contestant.bound,
        threads=entry.threads,
        version=entry.version,
        error=entry.error,
        tolerance=entry.tolerance,
        repeat=entry.repeat,
        apart=entry.apart,
    )
    turns = iter(entry.seconds)
    benchmark.pedantic(lambda: _CLOCK.advance(next(turns)), rounds=len(entry.seconds))
