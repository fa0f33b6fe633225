"""Where the Numba backend's machine code is kept, what happens where it cannot be, and what imports Numba.

Each test starts a Python of its own, with a copy of the package where it changes a file. ``apply``, the smallest
kernel, stands for all: it compiles in a second.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import netlet
from netlet.backends import target_reason

PACKAGE = Path(netlet.__file__).parent

APPLY = """
import numpy as np
from netlet.backends import make_executor
from netlet.program import ProgramBuilder

b = ProgramBuilder()
program = b.finish(b.dense(b.input((1,)), b.param("kernel", (1, 3)))).with_training(loss=None, optimizer="sgd")
w = np.array([1, 2, 3], np.float32)
executor = make_executor(program, w, np.zeros(0, np.float32), np.zeros((0, 3), np.float32), target="numba")
executor.apply(np.array([1, 1, 2], np.float32), 0.5)
assert w.tolist() == [0.5, 1.5, 2.0], w
from netlet.backends.numba_ import cache_folder, cache_trouble
from netlet.backends.numba_kernels.optimizer import momentum
"""


def python(code: str, path: Path = PACKAGE.parent, **environment: str) -> str:
    """Runs ``code`` in a new Python that finds netlet in ``path``; returns what it prints."""
    env = {k: v for k, v in os.environ.items() if k not in ("NETLET_BACKEND", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT")}
    env |= {"PYTHONPATH": str(path), "PYTHONSAFEPATH": "1"} | environment
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def needs_numba() -> None:
    if target_reason("numba") is not None:
        pytest.skip(f"numba: {target_reason('numba')}")


@pytest.mark.usefixtures("needs_numba")
def test_numba_is_imported_by_nothing_but_its_backend() -> None:
    code = APPLY.partition("from netlet.backends.numba_")[0].replace('target="numba"', 'target="numpy"')
    assert python(f"import sys, netlet\n{code}\nprint('numba' in sys.modules)") == "False"


def test_without_numba_the_error_says_what_to_install() -> None:
    code = """
import sys
sys.modules["numba"] = None
from netlet.errors import BackendUnavailableError
try:
    import netlet.backends.numba_
except BackendUnavailableError as error:
    print(error)
"""
    message = python(code)
    assert "numba" in message and "pip install 'netlet[numba]'" in message


@pytest.mark.usefixtures("needs_numba")
def test_machine_code_is_kept_and_renewed_when_any_kernel_changes(tmp_path: Path) -> None:
    """A change in a file other than the entry's own, which Numba alone would not notice."""
    shutil.copytree(PACKAGE, tmp_path / "netlet", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    code = APPLY + "print(sum(momentum.stats.cache_hits.values()), sum(momentum.stats.cache_misses.values()))"
    assert python(code, tmp_path) == "0 1"
    assert python(code, tmp_path) == "1 0"
    changed = tmp_path / "netlet/backends/numba_kernels/gemm.py"
    changed.write_text(changed.read_text() + "\n# another version\n")
    assert python(code, tmp_path) == "0 1"
    assert python(code, tmp_path) == "1 0"
    assert (
        python(APPLY + "print(cache_folder(), cache_trouble())", tmp_path) == f"{changed.parent / '__pycache__'} None"
    )


@pytest.mark.usefixtures("needs_numba")
def test_a_read_only_installation_keeps_its_code_in_the_users_cache(tmp_path: Path) -> None:
    refuse = f"""
import tempfile
import numba.core.caching as caching
real = caching._CacheLocator.ensure_cache_path
def ensure(self):
    if self.get_cache_path().startswith({str(PACKAGE)!r}):
        raise PermissionError(13, "read-only")
    real(self)
caching._CacheLocator.ensure_cache_path = ensure
"""
    code = refuse + APPLY + "print(cache_folder(), cache_trouble())"
    folder, trouble = python(code, XDG_CACHE_HOME=str(tmp_path)).rsplit(" ", 1)
    assert folder.startswith(str(tmp_path)) and trouble == "None"
    assert list(Path(folder).glob("*.nbc"))


@pytest.mark.usefixtures("needs_numba")
def test_where_nothing_can_be_written_kernels_compile_all_the_same() -> None:
    refuse = """
import numba.core.caching as caching
def ensure(self):
    raise PermissionError(13, "read-only")
caching._CacheLocator.ensure_cache_path = ensure
"""
    told = python(refuse + APPLY + "print(cache_folder()); print(cache_trouble())")
    folder, trouble = told.split("\n", 1)
    assert folder == "None" and "cannot cache" in trouble


@pytest.mark.usefixtures("needs_numba")
@pytest.mark.parametrize("when", ["saving", "loading"])
def test_a_cache_that_fails_later_is_done_without(when: str, tmp_path: Path) -> None:
    """The disk is full when machine code is saved; a crash left an empty index behind."""
    if when == "saving":
        fault = """
import numba.core.caching as caching
def save(self, key, data):
    raise OSError(28, "No space left on device")
caching.IndexDataCacheFile.save = save
"""
    else:
        fault = ""
        python(APPLY, NUMBA_CACHE_DIR=str(tmp_path))
        indexes = list(tmp_path.glob("*/*momentum*.nbi"))
        assert indexes
        for index in indexes:
            index.write_bytes(b"")
    told = python(fault + APPLY + "print(cache_trouble())", NUMBA_CACHE_DIR=str(tmp_path))
    assert ("No space left" if when == "saving" else "EOFError") in told


@pytest.mark.usefixtures("needs_numba")
def test_kernels_also_run_as_plain_python() -> None:
    """With NUMBA_DISABLE_JIT, for debuggers: then NumPy checks every index."""
    tests = PACKAGE.parent.parent / "tests" / "backends" / "test_executors.py"
    if not tests.exists():
        pytest.skip("the tests are not beside the package")
    code = f"""
import sys, pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", "numba and classifier", {str(tests)!r}]))
"""
    assert "passed" in python(code, NUMBA_DISABLE_JIT="1")
