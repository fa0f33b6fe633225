"""Keras' own unit tests still have the outcomes that are recorded: none that passed may fail, none is hidden.

Each file of Keras runs in a process of its own, behind stand-ins that never enter this one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # the harness is no part of the installed package

from harness.suite import FAMILIES, HERE, files_of, missing_requirement

MISSING = missing_requirement()
FILES = [] if MISSING else [file for family in FAMILIES for file in files_of(family)]


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
@pytest.mark.parametrize("file", FILES or ["every file"])
def test_outcomes_are_the_recorded_ones(file: str) -> None:
    done = subprocess.run([sys.executable, str(HERE), "--check", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
