"""Runs a test file of Keras in a process of its own and reads what became of its tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from harness.suite import HERE

SECONDS = 600  # for one file


@dataclass
class Outcome:
    """What became of one test: "passed", "failed" or "skipped", and why."""

    outcome: str
    reason: str = ""
    details: str = ""


@dataclass
class FileRun:
    """What became of one file: its outcomes by test name, an error if it could not be loaded or finished, and where the
    package that was tested lies."""

    file: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    error: str = ""
    details: str = ""
    tested: str = ""


def environment() -> dict[str, str]:
    """Return the environment for the child, which runs in another folder: PYTHONPATH in absolute paths."""
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.environ | {"PYTHONPATH": os.pathsep.join(str(Path(place).resolve()) for place in places if place)}


def run_file(file: str, only: list[str] | None = None) -> FileRun:
    """Run the tests of ``file`` (relative to ``keras/src``); ``only`` those whose names contain one of these texts."""
    run = FileRun(file)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "outcomes.jsonl"
        command = [sys.executable, str(HERE / "harness" / "worker.py"), file, str(output), *(only or [])]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            died = f"the process ended with {done.returncode}: {done.stderr[-400:]}" if done.returncode else ""
        except subprocess.TimeoutExpired:
            died = f"the file took longer than {SECONDS} s"
        lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
    names: list[str] = []
    for line in lines:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # the last line of a process that died while it wrote
            continue
        if "tested" in entry:
            run.tested = entry["tested"]
        elif "names" in entry:
            names = entry["names"]
        elif "error" in entry:
            run.error, run.details = entry["error"], entry["details"]
        else:
            run.outcomes[entry["name"]] = Outcome(entry["outcome"], entry["reason"], entry["details"])
    if died:
        run.error = died
        for name in names:
            run.outcomes.setdefault(name, Outcome("failed", died))
    return run
