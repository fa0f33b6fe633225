"""What a run's JSON holds, as cases with their figures: medians, quartiles and ratios."""

from __future__ import annotations

import statistics
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cases import CASES, SERVING, Case

# Whose figure stands for Netlet: the first of them that took part.
OURS = ("netlet", "netlet-numba", "netlet-numpy", "netlet-1")


@dataclass
class Figure:
    """One contestant's turns in one case, in microseconds."""

    contestant: str
    turns: list[float]
    info: dict[str, Any]

    @property
    def median(self) -> float:
        return statistics.median(self.turns)

    @property
    def quartiles(self) -> tuple[float, float]:
        return quartiles(self.turns)

    @property
    def library(self) -> str:
        return self.contestant.partition("-")[0]

    @property
    def is_netlet(self) -> bool:
        return self.library == "netlet"

    @property
    def is_bound(self) -> bool:
        return bool(self.info.get("bound"))

    def ratio(self, ours: Figure) -> float:
        return self.median / ours.median

    def ratio_quartiles(self, ours: Figure) -> tuple[float, float]:
        return quartiles([a / b for a, b in zip(self.turns, ours.turns, strict=False)])


@dataclass
class Group:
    """One case: its figures, the fastest first."""

    case: str
    kind: str
    unit: str
    flops: int
    figures: list[Figure] = field(default_factory=list)

    @property
    def known(self) -> Case | None:
        """The case itself; None if it has been taken out since the run."""
        return CASES.get(self.case)

    @property
    def apart(self) -> list[float]:
        """Nanoseconds that a line of cache took between two threads, in each round; none in older runs."""
        return next((figure.info.get("apart", []) for figure in self.figures), [])

    @property
    def is_sweep(self) -> bool:
        """Whether this is but a point of a curve."""
        return self.known is not None and self.known.sweep

    @property
    def ours(self) -> Figure | None:
        """What stands for Netlet."""
        return next((figure for name in OURS if (figure := self.named(name))), None)

    @property
    def fastest_ours(self) -> Figure | None:
        """What stands for Netlet where a model serves: the faster of its entries for that; else as ``ours``."""
        return (self.fastest_of(SERVING) if self.kind == "inference" else None) or self.ours

    def named(self, contestant: str) -> Figure | None:
        return next((figure for figure in self.figures if figure.contestant == contestant), None)

    def fastest_of(self, contestants: Collection[str]) -> Figure | None:
        """The fastest of these entries of Netlet that took part."""
        found = [figure for figure in self.figures if figure.contestant in contestants]
        return min(found, key=lambda figure: figure.median, default=None)

    def best(self, against: str | None, among: Collection[str] | None = None) -> Figure | None:
        """The fastest peer; with ``against``, the fastest entry of that library; with ``among``, of these entries."""
        peers = [f for f in self.figures if not f.is_netlet and not f.is_bound]
        if among is not None:
            peers = [f for f in peers if f.contestant in among]
        if against:
            peers = [f for f in peers if f.contestant == against or f.contestant.startswith(f"{against}-")]
        return min(peers, key=lambda figure: figure.median, default=None)

    def beside(self, figure: Figure) -> Figure | None:
        """Whom to hold a figure against: Netlet on the same instruction set and threads, else what stands for it."""
        _, _, setting = figure.contestant.partition("-")
        return self.named(f"netlet-{setting}") if self.ours is None else self.ours

    def peak(self, isa: str, threads: int) -> float | None:
        """GFLOP/s of so many threads' multiply-add units: what one's did in this case, times the threads."""
        one = self.named(f"peak-{isa}-1")
        return None if one is None else threads * self.rate(one)

    def rate(self, figure: Figure) -> float:
        """GFLOP/s."""
        return self.flops / figure.median / 1e3


def quartiles(values: list[float]) -> tuple[float, float]:
    """First and third quartile; of one value, that value."""
    if len(values) < 2:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def groups(run: dict[str, Any]) -> list[Group]:
    """The cases of a run of pytest-benchmark, in their order; entries that are not of a case are left out."""
    found: dict[str, Group] = {}
    for entry in run["benchmarks"]:
        case, info = entry["params"].get("case"), entry["extra_info"]
        if case is None or "unit" not in info:
            continue
        group = found.setdefault(case, Group(case, info["kind"], info["unit"], info["flops"]))
        turns = [seconds * 1e6 for seconds in entry["stats"]["data"]]
        group.figures.append(Figure(entry["params"]["contestant"], turns, info))
    for group in found.values():
        group.figures.sort(key=lambda figure: figure.median)
    order = {name: index for index, name in enumerate(CASES)}
    return sorted(found.values(), key=lambda group: order.get(group.case, len(order)))


def number(value: float) -> str:
    """Three significant digits, without an exponent and without digits that the measurement does not have."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
