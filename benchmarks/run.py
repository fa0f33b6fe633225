"""Runs benchmarks and writes ``RUN.json``, the ratio table ``RUN.md`` and the plots beside it.

``python -m benchmarks.run [--output RUN.json] [any option of pytest benchmarks]``; with ``--smoke`` in under a minute.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import pytest

from benchmarks import compare

HERE = Path(__file__).resolve().parent


def main(arguments: list[str] | None = None) -> int:
    """Returns pytest's exit status: not 0 if a contestant failed or gave a wrong answer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--output", type=Path, help="default: benchmarks/results/<date>-<time>.json")
    known, rest = parser.parse_known_args(arguments)
    output = known.output or HERE / "results" / time.strftime("%Y%m%d-%H%M%S.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    columns = "--benchmark-columns=median,iqr,min,rounds"
    status = pytest.main([str(HERE), f"--benchmark-json={output}", columns, *rest])
    if output.exists() and output.stat().st_size:
        shorten(output)
        for written in compare.report(output):
            print(written)
    return int(status)


def shorten(path: Path) -> None:
    """Rewrites a run with an entry a line and what can be computed from its turns left out, to be kept in git."""
    run = json.loads(path.read_text(encoding="utf-8"))
    entries = []
    for entry in run.pop("benchmarks"):
        stats = {
            "median": float(f"{entry['stats']['median']:.6g}"),
            "data": [float(f"{seconds:.6g}") for seconds in entry["stats"]["data"]],
        }
        entries.append({key: entry[key] for key in ("group", "name", "params", "extra_info")} | {"stats": stats})
    head = json.dumps(run, indent=1).removesuffix("\n}")
    lines = ",\n".join(f"  {json.dumps(entry)}" for entry in entries)
    path.write_text(f'{head},\n "benchmarks": [\n{lines}\n ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
