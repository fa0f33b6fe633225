"""Turns a run into a ratio table (Markdown) and plots (PNG): ``python -m benchmarks.compare RUN.json``.

Writes ``RUN.md`` beside it, with one line a goal and one table a case, and ``RUN-training.png`` and
``RUN-inference.png`` where Matplotlib is installed. A ratio is a contestant's median over Netlet's: above 1, Netlet is
faster. Its spread is the quartiles of the ratios of turns of the same round.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, FIT_OVERHEAD, Goal
from benchmarks.figures import Figure, Group, groups, number


def markdown(run: dict[str, Any], name: str) -> str:
    """The whole report."""
    machine, found = run["machine_info"], groups(run)
    rounds = sorted({len(figure.turns) for group in found for figure in group.figures})
    lines = [
        f"# Benchmark run {name}",
        "",
        f"{machine['cpu']} ({machine['cpu_family']}), {machine['cores']} cores, {' '.join(machine['isa'])}; "
        f"caches {', '.join(f'{k} {v}' for k, v in machine['caches'].items())}; {machine['memory_gib']} GiB; "
        f"{machine['system']}, {machine['python']}.",
        f"Load when it began: {machine['load']}. Turns a contestant: {', '.join(map(str, rounds)) or 'none'}.",
        "",
        "Medians in microseconds, with quartiles in brackets. A ratio is the contestant's median over Netlet's: above "
        "1, Netlet is faster.",
        "",
    ]
    if machine["load"] > 0.5 * machine["cores"]:
        lines += ["**The machine was busy when this began: these figures show that it runs, not how fast.**", ""]
    if found:
        lines += ["## Goals", "", *_goals(found), ""]
    for group in found:
        lines += [*_table(group), ""]
    if rows := _operations(run):
        lines += ["## Operations", "", *rows, ""]
    return "\n".join(lines)


def _goals(found: list[Group]) -> list[str]:
    lines = ["| case | Netlet | fastest peer | ratio | goal | met |", "|---|---:|---:|---:|---|---|"]
    lines += [_peer_row(g, g.ours, getattr(CASES.get(g.case), "goal", None)) for g in found if g.ours]
    watched, goal = FIT_OVERHEAD
    ours = {group.case: group.ours for group in found if group.ours}
    if watched in ours and goal.above in ours:
        above = ours[watched].median - ours[goal.above].median
        lines.append(f"| fit: {watched} | {number(above)} | | | {goal} | {_met(goal, above)} |")
    return lines


def _peer_row(group: Group, ours: Figure, goal: Goal | None) -> str:
    head = f"| {group.case} | {ours.contestant} {number(ours.median)} |"
    best = group.best(goal.against if goal else None)
    if best is None:
        met = _met(goal, ours.median) if goal and goal.microseconds is not None else ""
        return f"{head} none took part | | {goal or ''} | {met} |"
    ratio, (low, high) = best.ratio(ours), best.ratio_quartiles(ours)
    met = _met(goal, ratio if goal.times_faster is not None else ours.median) if goal else ""
    beside = f"{best.contestant} {number(best.median)}"
    return f"{head} {beside} | {ratio:.2f} [{low:.2f}, {high:.2f}] | {goal or ''} | {met} |"


def _met(goal: Goal, value: float) -> str:
    if goal.times_faster is not None:
        return "yes" if value >= goal.times_faster else "no"
    assert goal.microseconds is not None
    return "yes" if value <= goal.microseconds else "no"


def _table(group: Group) -> list[str]:
    ours = group.ours
    lines = [
        f"## {group.case}",
        "",
        f"Microseconds a {group.unit}; {group.flops:,} floating-point operations in its matrix products.",
        "",
        "| contestant | setting | threads | median | spread | ratio | GFLOP/s | error | version |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for figure in group.figures:
        info, (low, high) = figure.info, figure.quartiles
        name = f"**{figure.contestant}**" if figure is ours else figure.contestant
        ratio = f"{figure.ratio(ours):.2f}" if ours else ""
        lines.append(
            f"| {name} | {info['setting']} | {info['threads']} | {number(figure.median)} | "
            f"[{number(low)}, {number(high)}] | {ratio} | {number(group.flops / figure.median / 1e3)} | "
            f"{info['error']:.1e} | {info['version']} |"
        )
    return lines


def _operations(run: dict[str, Any]) -> list[str]:
    """The micro-benchmarks, a line an entry; empty if the run has none."""
    rows = []
    for entry in run["benchmarks"]:
        info = entry["extra_info"]
        if "target" in info:
            seconds = entry["stats"]["median"]
            rates = [number(info[key] / seconds / 1e9) if key in info else "" for key in ("flops", "bytes")]
            cells = [entry["group"], info["direction"], info["target"], number(seconds * 1e6), *rates]
            rows.append(f"| {' | '.join(cells)} |")
    head = ["| operation | direction | target | median | GFLOP/s | GB/s |", "|---|---|---|---:|---:|---:|"]
    return head + rows if rows else []


def report(path: Path) -> list[Path]:
    """Writes the table and the plots beside the run at ``path``; returns what was written."""
    run = json.loads(path.read_text(encoding="utf-8"))
    table = path.with_suffix(".md")
    table.write_text(markdown(run, path.stem), encoding="utf-8")
    written = [table]
    try:
        from benchmarks.plot import plot
    except ModuleNotFoundError as error:
        print(f"no plots: {error}")
        return written
    for kind in ("training", "inference"):
        image = path.with_name(f"{path.stem}-{kind}.png")
        if plot(run, kind, image):
            written.append(image)
    return written


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("run", type=Path, help="a RUN.json of python -m benchmarks.run")
    for written in report(parser.parse_args(arguments).run):
        print(written)


if __name__ == "__main__":
    main()
