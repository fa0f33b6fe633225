"""Where the time of the goals' cases goes: ``python -m benchmarks.anatomy [--output NAME.json] [--seconds 0.5]``.

Each case that has a goal is profiled (``model.profile``) with one thread and with one a core. Its table sets what the
matrix products take, and the share of the multiply-add units' peak that they reach, beside everything else that a step
does: what a goal that is missed could still gain, and from what. The READMEs show it beside the goals.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.cases import CASES, InferenceCase, TrainingCase
from benchmarks.compare import row
from benchmarks.data import initial_weights
from benchmarks.figures import number
from benchmarks.peers import cores, netlet_model
from benchmarks.scaling import is_busy, netlet_threads, others

OUTPUT = Path(__file__).resolve().parent / "results" / "anatomy.json"
SECONDS = 0.5
# The parts of a profile by what they do, in the order of the table; the rest, "other", among them.
KINDS = {
    "products": ("forward", "backward", "prepare"),
    "gather": ("gather", "shuffle"),
    "loss": ("loss", "metrics"),
    "update": ("update",),
}


def shown() -> list[str]:
    """The names of the cases that have goals and end within seconds."""
    return [name for name, case in CASES.items() if _network(case) and case.goals and not getattr(case, "slow", False)]


def _network(case: Any) -> bool:
    return isinstance(case, (TrainingCase, InferenceCase))


def measure_case(case: Any, threads: int, seconds: float) -> dict[str, Any]:
    """Microseconds of a step by kind, how many threads ran it, and the products' rate beside the peak, in GFLOP/s."""
    with netlet_threads(threads):
        found = netlet_model.profile(case, initial_weights(case), seconds)
    kinds = {kind: sum(r.microseconds for r in found.rows if r.phase in phases) for kind, phases in KINDS.items()}
    flops = sum(r.flops or 0 for r in found.rows if r.phase in KINDS["products"])
    kinds["other"] = found.microseconds - sum(kinds.values())
    return {"threads": found.threads, "step": found.microseconds, "peak": found.peak, "flops": flops, **kinds}


def measure(seconds: float = SECONDS) -> dict[str, Any]:
    """A run as it is written to JSON."""
    about, before = machine.describe(), others()
    cases: dict[str, Any] = dict(CASES)
    found = {name: {str(n): measure_case(cases[name], n, seconds) for n in sorted({1, cores()})} for name in shown()}
    used = None if before is None else max(before, others() or 0.0)
    return {"machine_info": about, "others": used, "cases": found}


def report(run: dict[str, Any]) -> list[str]:
    """The table of a run, in Markdown."""
    where = run["machine_info"]
    used = "" if run["others"] is None else f", processors that others used {run['others']:.2f}"
    lines = [f"{where['cpu']} ({where['cpu_family']}), load when it began {where['load']}{used}.", ""]
    if is_busy(run):
        lines += [
            "**Others used the processors: with several threads these figures show nothing but that it runs.**",
            "",
        ]
    head = ["case", "threads", "a step or call, µs", "products with their activations", "of the peak"]
    lines += [row([*head, "gather", "loss", "update", "other"]), "|---|---:|" + "---:|" * 7]
    for name, by_threads in run["cases"].items():
        for asked, found in by_threads.items():
            if asked != "1" and found["threads"] == 1:
                continue  # nothing was shared: the same as the line before
            rate = found["flops"] / (1e3 * found["products"]) if found["products"] else 0.0
            share = f"{100 * rate / found['peak']:.0f} %" if found["peak"] else ""
            cells = [name, found["threads"], number(found["step"]), number(found["products"]), share]
            lines.append(row([*cells, *(number(max(0.0, found[k])) for k in ("gather", "loss", "update", "other"))]))
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anatomy", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: benchmarks/results/anatomy.json")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of a profile; default {SECONDS:g}")
    options = parser.parse_args(arguments)
    run = measure(options.seconds)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    print("\n".join(report(run)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
