"""Turns a run into tables (Markdown) and plots (PNG): ``python -m benchmarks.compare RUN.json``.

Writes ``RUN.md`` beside it (goals, libraries, products by instruction set, threads, growth, and one table a case) and,
where Matplotlib is installed, ``RUN-training.png`` and so on, a plot for each of these that the run has figures for. A
ratio is a contestant's median over Netlet's: above 1, Netlet is faster. Its spread is the quartiles of the ratios of
turns of the same round.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.cases import FIT_OVERHEAD, SWEEPS, Goal
from benchmarks.contestants import CONTESTANTS, DEFAULTS, ISAS
from benchmarks.figures import Figure, Group, groups, number

# The libraries in the order of the tables. An entry belongs to the one that its name begins with.
LIBRARIES = {
    "numpy": "NumPy", "torch": "PyTorch", "sklearn": "scikit-learn", "jax": "JAX", "keras": "Keras",
    "onnxruntime": "ONNX Runtime",
}  # fmt: skip


def markdown(run: dict[str, Any], name: str) -> str:
    """The whole report."""
    found = groups(run)
    parts: list[tuple[str, list[str]]] = [
        ("Goals", goals_table(found)),
        ("Libraries", libraries_table(found)),
        ("Products by instruction set", products_table(found)),
        ("Threads", threads_table(found)),
        ("Growth", growth_tables(found)),
    ]
    lines = [f"# Benchmark run {name}", "", *machine_lines(run), ""]
    for title, body in parts:
        lines += [f"## {title}", "", *body, ""] if body else []
    for group in found:
        lines += [] if group.is_sweep else [*_table(group), ""]
    if rows := _operations(run):
        lines += ["## Operations", "", *rows, ""]
    return "\n".join(lines)


def machine_lines(run: dict[str, Any]) -> list[str]:
    """What it ran on, and how to read the figures."""
    machine, found = run["machine_info"], groups(run)
    rounds = sorted({len(figure.turns) for group in found for figure in group.figures})
    lines = [
        f"{machine['cpu']} ({machine['cpu_family']}), {machine['cores']} cores, {' '.join(machine['isa'])}; "
        f"caches {', '.join(f'{k} {v}' for k, v in machine['caches'].items())}; {machine['memory_gib']} GiB; "
        f"{machine['system']}, {machine['python']}.",
        f"Load when it began: {machine['load']}. Turns a contestant: {', '.join(map(str, rounds)) or 'none'}.",
        "",
        "Medians in microseconds, with quartiles in brackets. A ratio is the contestant's median over Netlet's: above "
        "1, Netlet is faster.",
    ]
    if machine["load"] > 0.5 * machine["cores"]:
        lines += ["", "**The machine was busy when this began: these figures show that it runs, not how fast.**"]
    return lines


def row(cells: Iterable[object]) -> str:
    return "|" + "".join(f" {cell} |" if cell != "" else " |" for cell in cells)


def _with_quartiles(value: float, low: float, high: float, text: Callable[[float], str]) -> str:
    return f"{text(value)} [{text(low)}, {text(high)}]"


def _ratio(figure: Figure, ours: Figure) -> str:
    return _with_quartiles(figure.ratio(ours), *figure.ratio_quartiles(ours), "{:.2f}".format)


def _named(figure: Figure) -> str:
    return f"{figure.contestant} {number(figure.median)}"


@dataclass(frozen=True)
class Held:
    """A goal with what was held against it, as texts; ``met`` is yes, no, not measured, or empty without a goal."""

    case: str
    ours: str
    peer: str
    ratio: str
    goal: str
    met: str
    asks: str = ""  # microseconds
    bound: str = ""  # microseconds below which the processor can't get: see goals_table
    defaults: str = ""  # the fastest peer at its defaults, and the ratio
    apart: str = ""  # nanoseconds between two threads, in this case


def held_goals(found: list[Group]) -> list[Held]:
    """One for each goal, and one for each case that has none."""
    held, most = [], _most_rate(found)
    for group in found:
        if group.ours is not None and not group.is_sweep:
            goals: Iterable[Goal | None] = (group.known.goals if group.known else ()) or (None,)
            rows = [_with_bound(_hold(group, goal), group, goal, most) for goal in goals]
            held += [replace(one, apart=_apart(group)) for one in rows]
    watched, goal = FIT_OVERHEAD
    ours = {group.case: group.ours for group in found if group.ours}
    if watched in ours and goal.above in ours:
        above = ours[watched].median - ours[goal.above].median
        held.append(Held(f"fit: {watched}", number(above), "", "", str(goal), _met(goal, above)))
    return held


def _most_rate(found: list[Group]) -> float | None:
    """GFLOP/s of all cores' multiply-add units: what one thread's best entry reached in this run, times the threads of
    Netlet's entry with most of them."""
    rates: dict[str, list[float]] = {}
    most = 1
    for group in found:
        for figure in group.figures:
            if figure.is_netlet:
                most = max(most, int(figure.info["threads"]))
            elif figure.library == "peak":
                threads = int(figure.info["threads"])
                rates.setdefault(figure.contestant, []).append(group.rate(figure) / threads)
    return max((most * statistics.median(found) for found in rates.values()), default=None)


def _with_bound(held: Held, group: Group, goal: Goal | None, most: float | None) -> Held:
    """With what the goal asks for, and the time below which nobody can get on this machine."""
    if goal is None or held.met == "not measured":
        return held
    best = group.best(goal.against)
    asks = best.median / goal.times_faster if best and goal.times_faster else goal.microseconds
    reading = group.named("reading")
    limits = [group.flops / most / 1e3] if most is not None else []
    limits += [reading.median] if reading is not None else []
    bound = number(max(limits)) if limits else ""
    return replace(
        held,
        asks="" if asks is None else number(asks),
        bound=bound,
        defaults=_beside_defaults(group, goal),
    )


def _apart(group: Group) -> str:
    """Median, and the extremes where they are far from it."""
    if not group.apart:
        return ""
    middle, low, high = statistics.median(group.apart), min(group.apart), max(group.apart)
    return number(middle) + (f" [{number(low)}, {number(high)}]" if high > 1.5 * low else "")


def _beside_defaults(group: Group, goal: Goal) -> str:
    ours = group.fastest_of(goal.by) if goal.by else group.ours
    plain = group.best(goal.against, DEFAULTS)
    if ours is None or plain is None or goal.times_faster is None:
        return ""
    return f"{_named(plain)}, {plain.ratio(ours):.2f}×"


def _hold(group: Group, goal: Goal | None) -> Held:
    case = group.case
    if goal is None:
        ours, best = group.fastest_ours, group.best(None)
        assert ours is not None
        beside = (_named(best), _ratio(best, ours)) if best else ("none took part", "")
        return Held(case, _named(ours), *beside, "", "")
    ours = group.fastest_of(goal.by) if goal.by else group.ours
    if ours is None:
        return Held(case, f"{' or '.join(goal.by or ())} did not take part", "", "", str(goal), "not measured")
    if goal.peak is not None:
        peak = group.named("peak")
        if peak is None:
            return Held(case, _named(ours), "peak did not take part", "", str(goal), "not measured")
        share = peak.median / ours.median
        return Held(case, _named(ours), _named(peak), f"{100 * share:.0f} %", str(goal), _met(goal, share))
    best = group.best(goal.against)
    if best is None:
        met = _met(goal, ours.median) if goal.microseconds is not None else "not measured"
        return Held(case, _named(ours), "none took part", "", str(goal), met)
    met = _met(goal, ours.median if goal.microseconds is not None else best.ratio(ours))
    return Held(case, _named(ours), _named(best), _ratio(best, ours), str(goal), met)


def goals_table(found: list[Group]) -> list[str]:
    """A row a goal and a row a case that has none, with what was held against it."""
    rows = [row(vars(held).values()) for held in held_goals(found)]
    head = [
        "| case | Netlet | fastest peer | ratio | goal | met | it asks, µs | roofline, µs | at defaults | apart, ns |",
        "|---|---:|---:|---:|---|---|---:|---:|---:|---:|",
    ]
    intro = [
        "The roofline is what the case's matrix products alone take where the multiply-add units of all cores never "
        "wait: what one of them was measured to do in this run, times the cores. For one row it is what reading the "
        'weights once takes one core, if that is more. "At defaults" is the fastest peer where each has its '
        'defaults; a goal is met beside the fastest of all settings only. "Apart" is what a line of cache took to '
        "another thread and back, before each round: some 50 ns between processors that share a cache, 300 and more "
        "between those that do not; a virtual machine's host may move them.",
        "",
    ]
    return intro + head + rows if rows else []


def _met(goal: Goal, value: float) -> str:
    return "yes" if goal.reached(value) else "no"


def libraries_table(found: list[Group]) -> list[str]:
    """A row a case, a column a library: the ratio of its fastest entry."""
    rows = []
    for group in found:
        ours = group.fastest_ours
        if ours is None or group.is_sweep:
            continue
        best = [group.best(library) for library in LIBRARIES]
        if any(best):
            cells = ["" if figure is None else f"{number(figure.ratio(ours))}×" for figure in best]
            entry = "" if ours.contestant == "netlet" else f" ({ours.contestant})"
            rows.append(row([group.case, f"{number(ours.median)} µs{entry}", *cells]))
    head = [row(["case", "Netlet", *LIBRARIES.values()]), "|---|---:|" + "---:|" * len(LIBRARIES)]
    intro = ["How many times as long the fastest entry of each library takes, at whichever of its settings.", ""]
    return intro + head + rows if rows else []


def products_table(found: list[Group]) -> list[str]:
    """Netlet's matrix products beside OpenBLAS' on the same instruction set, and what the cores could do."""
    rows = []
    for group in found:
        for name in (f"{isa}{end}" for isa in ISAS for end in ("-1", "")):
            ours, theirs = (group.named(f"{library}-{name}") for library in ("netlet", "numpy"))
            if ours is None or theirs is None:
                continue
            peak = group.peak(name.removesuffix("-1"), int(ours.info["threads"]))
            rates = [f"{group.rate(f):.0f}" for f in (ours, theirs)]
            shares = [f"{100 * group.rate(f) / peak:.0f} %" if peak else "" for f in (ours, theirs)]
            most = f"{peak:.0f}" if peak else ""
            case = group.case.removeprefix("product_").replace("_", " ")
            cells = [case, name.removesuffix("-1"), ours.info["threads"], *rates, _ratio(theirs, ours), most, *shares]
            rows.append(row(cells))
    head = [
        "| product | instruction set | threads | Netlet | OpenBLAS | ratio | FMA peak | Netlet's share | OpenBLAS' |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    intro = [
        "GFLOP/s. The peak is what multiply-adds in registers reached on one thread in the same turns, times the "
        "threads. `gradients` are the product and both of its gradients; Netlet's are a Program's and contain the "
        "copies in and out of it.",
        "",
    ]
    return intro + head + rows if rows else []


def thread_counts(group: Group, library: str) -> list[tuple[int, Figure]]:
    """(threads, figure) of a library's entries that differ in nothing else, one thread first."""
    names = [library, *(c.name for c in CONTESTANTS.values() if c.library == library and c.scaling), f"{library}-1"]
    entries = {int(f.info["threads"]): f for name in names if (f := group.named(name))}
    return sorted(entries.items())


def threads_table(found: list[Group]) -> list[str]:
    """A row for each case and library that ran with one thread and with more: medians, and how much faster the most."""
    rows = []
    for group in found:
        if group.known is None or not group.known.scaling:
            continue
        for library in ("netlet", *LIBRARIES):
            counts = thread_counts(group, library)
            if len(counts) > 1:
                (_, first), (most, last) = counts[0], counts[-1]
                times = ", ".join(f"{threads}: {number(figure.median)}" for threads, figure in counts)
                rows.append(row([group.case, library, times, f"{first.ratio(last):.2f}", most]))
    head = ["| case | library | microseconds, by threads | times faster | with |", "|---|---|---|---:|---:|"]
    return head + rows if rows else []


def growth_tables(found: list[Group]) -> list[str]:
    """A table a sweep: a row a size, a column an entry, microseconds."""
    named = {group.case: group for group in found}
    lines: list[str] = []
    for sweep in SWEEPS:
        points = [(size, named[case]) for size, case in sweep.points if case in named]
        entries = [name for name, c in CONTESTANTS.items() if c.sweep and any(group.named(name) for _, group in points)]
        if len(points) > 1 and entries:
            lines += ["", f"{sweep.name.replace('_', ', by ')} ({sweep.fixed}), microseconds:", ""] if lines else [
                f"{sweep.name.replace('_', ', by ')} ({sweep.fixed}), microseconds:", ""
            ]  # fmt: skip
            lines += [row([sweep.axis, *entries]), "|---:|" + "---:|" * len(entries)]
            for size, group in points:
                figures = [group.named(name) for name in entries]
                lines.append(row([f"{size:,}", *(number(f.median) if f else "" for f in figures)]))
    return lines


def _table(group: Group) -> list[str]:
    note = f" {group.known.note}." if group.known and group.known.note else ""
    lines = [
        f"## {group.case}",
        "",
        f"Microseconds a {group.unit}; {group.flops:,} floating-point operations in its matrix products.{note}",
        "",
        "| contestant | setting | threads | median | spread | ratio | GFLOP/s | error | version |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for figure in group.figures:
        info, beside = figure.info, group.beside(figure)
        name = f"**{figure.contestant}**" if figure is group.ours else figure.contestant
        low, high = figure.quartiles
        cells = [
            name,
            info["setting"],
            info["threads"],
            number(figure.median),
            f"[{number(low)}, {number(high)}]",
            f"{figure.ratio(beside):.2f}" if beside else "",
            number(group.rate(figure)),
            "" if info["error"] is None else f"{info['error']:.1e}",
            info["version"],
        ]
        lines.append(row(cells))
    return lines


def _operations(run: dict[str, Any]) -> list[str]:
    """The micro-benchmarks, a line an entry; empty if the run has none."""
    rows = []
    for entry in run["benchmarks"]:
        info = entry["extra_info"]
        if "target" in info:
            seconds = entry["stats"]["median"]
            rates = [number(info[key] / seconds / 1e9) if key in info else "" for key in ("flops", "bytes")]
            rows.append(row([entry["group"], info["direction"], info["target"], number(seconds * 1e6), *rates]))
    head = ["| operation | direction | target | median | GFLOP/s | GB/s |", "|---|---|---|---:|---:|---:|"]
    return head + rows if rows else []


def report(path: Path) -> list[Path]:
    """Writes the tables and the plots beside the run at ``path``; returns what was written."""
    run = json.loads(path.read_text(encoding="utf-8"))
    table = path.with_suffix(".md")
    table.write_text(markdown(run, path.stem), encoding="utf-8")
    try:
        from benchmarks.plot import plots
    except ModuleNotFoundError as error:
        print(f"no plots: {error}")
        return [table]
    return [table, *plots(run, path)]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("run", type=Path, help="a RUN.json of python -m benchmarks.run")
    for written in report(parser.parse_args(arguments).run):
        print(written)


if __name__ == "__main__":
    main()
