"""Runs examples as a user does: in a process of their own, on a chosen backend."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from netlet.backends import target_reason
from netlet.config import env_require

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["native", "numba", "numpy"])
def backend(request) -> str:
    """Each backend by name; skipped where it cannot run, unless NETLET_REQUIRE names it."""
    name = str(request.param)
    reason = target_reason(name)
    if reason is not None:
        if name in env_require():
            pytest.fail(f"{name} is required: {reason}")
        pytest.skip(f"{name}: {reason}")
    return name


@pytest.fixture
def run(tmp_path) -> Run:
    """``run(name, *arguments, backend=...)`` runs an example in an empty directory, with warnings as errors.

    ``without=("sklearn",)`` hides packages from it.
    """

    def run_example(name: str, *arguments: str, backend: str = "numpy", without: tuple[str, ...] = ()):
        code = (
            f"import runpy, sys; sys.modules.update(dict.fromkeys({without!r}));"
            f"runpy.run_module('netlet.examples.{name}', run_name='__main__', alter_sys=True)"
        )
        environment = {**os.environ, "NETLET_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)}
        environment.pop("MPLBACKEND", None)
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code, *arguments],
            capture_output=True, text=True, timeout=300, cwd=tmp_path, env=environment,
        )  # fmt: skip

    return run_example
