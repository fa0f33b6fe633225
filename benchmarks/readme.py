"""Writes what the READMEs show of the committed runs: ``python -m benchmarks.readme [--measure]``.

The block in README.md is made from ``results/full.json`` and ``results/footprint.json`` (and ``streaming.json``, if
there is one; goals and ratios from ``goals.json``, if there is one: a later run of fewer cases), those in
benchmarks/README.md from ``results/scaling.json``, ``threads.json`` and ``anatomy.json``. ``--measure`` makes these
first, in one go of about 25 minutes on two cores; a test holds the blocks to the files.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import anatomy, footprint, run, scaling, streaming, threads
from benchmarks.compare import held_goals, libraries_table, machine_lines
from benchmarks.figures import groups

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
NONE = "No run is kept in `benchmarks/results/` yet: `python -m benchmarks.readme --measure` makes one."
PLOTS = {
    "growth": "Cost against width, batch and depth",
    "isa": "Matrix products beside OpenBLAS",
    "threads": "Speed against threads",
}


def load(path: Path) -> dict[str, Any] | None:
    """A run, or None where there is none."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return found


def speed(results: Path) -> list[str]:
    """Of the full run: goals in a sentence, the libraries' ratios, and the plots that there are."""
    name = "goals" if (results / "goals.json").exists() else "full"
    found = load(results / f"{name}.json")
    if found is None:
        return [NONE]
    cases = groups(found)
    about = machine_lines(found)
    lines = [f"{about[0]} {_origin(found, name)}"]
    lines += ["", about[-1]] if "busy" in about[-1] else []
    held = [one for one in held_goals(cases) if one.met]
    missed = [one for one in held if one.met != "yes"]
    lines += ["", f"Of {len(held)} goals, {len(held) - len(missed)} are met" + (":" if missed else ".")]
    for one in missed:
        which = "missed" if one.met == "no" else one.met
        beside = f" beside {one.peer}, {one.ratio}" if one.ratio else ""
        bound = f"; it asks {one.asks} µs, of which {one.bound} at the roofline" if one.asks and one.bound else ""
        lines.append(f"- {which}: {one.case} {one.goal}, {one.ours}{beside}{bound}")
    networks = [group for group in cases if group.kind != "product"]
    lines += ["", *libraries_table(networks)]
    if name != "full" and (full := load(results / "full.json")) is not None:
        lines += ["", f"Growth, instruction sets and threads, of a run before that. {_origin(full, 'full')}"]
    for plot, title in PLOTS.items():
        if (results / f"full-{plot}.png").exists():
            lines += ["", f"![{title}](benchmarks/results/full-{plot}.png)"]
    return lines


def _origin(found: dict[str, Any], name: str) -> str:
    commit, date = found.get("commit_info", {}).get("id") or "unknown", found.get("datetime", "")[:10]
    return f"Commit {commit[:7]}, {date}: [all tables](benchmarks/results/{name}.md)."


def feet(results: Path) -> list[str]:
    """Of the footprint: its tables and its plot."""
    found = load(results / "footprint.json")
    if found is None:
        return []
    lines = ["", "Before anything is computed:", "", *footprint.table(found), "", *footprint.goals_table(found)]
    if (results / "footprint.png").exists():
        lines += ["", "![Import time, memory and size](benchmarks/results/footprint.png)"]
    return lines


def large_data(results: Path) -> list[str]:
    found = load(results / "streaming.json")
    return ["", "Rows larger than memory:", "", streaming.markdown(found)] if found else []


def more_cores(results: Path) -> list[str]:
    found = load(results / "scaling.json")
    return scaling.report(found) if found else [NONE]


def at_once(results: Path) -> list[str]:
    found = load(results / "threads.json")
    return threads.report(found) if found else [NONE]


def where_it_goes(results: Path) -> list[str]:
    found = load(results / "anatomy.json")
    return anatomy.report(found) if found else [NONE]


def replaced(text: str, name: str, lines: list[str]) -> str:
    """``text`` with the block between ``<!-- name:begin -->`` and ``<!-- name:end -->`` made of ``lines``.

    Raises: ValueError unless both are there once, in order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"expected {begin} and, after it, {end}, each once")
    head, tail = text.partition(begin)[0], text.partition(end)[2]
    return head + "\n".join([begin, *lines, end]) + tail


def written(path: Path, results: Path = RESULTS) -> str:
    """What the README at ``path`` should hold."""
    text = path.read_text(encoding="utf-8")
    if path.parent == HERE:
        blocks = {"threads": at_once, "scaling": more_cores, "anatomy": where_it_goes}
        for name, lines in blocks.items():
            text = replaced(text, name, lines(results))
        return text
    return replaced(text, "benchmarks", [*speed(results), *feet(results), *large_data(results)])


def main(arguments: list[str] | None = None) -> int:
    """Returns 0, or 1 where a contestant failed in a run that was made."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="make the runs first, with the options after it")
    options, rest = parser.parse_known_args(arguments)
    if rest and not options.measure:
        parser.error(f"without --measure there is nothing that takes {' '.join(rest)}")
    status = 0
    if options.measure:
        status = int(run.main(["--output", str(RESULTS / "full.json"), *rest]) != 0)
        footprint.main([])
        scaling.main([])
        threads.main([])
        anatomy.main([])
    for path in (HERE.parent / "README.md", HERE / "README.md"):
        path.write_text(written(path), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
