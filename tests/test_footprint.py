"""Importing netlet stays light: what it loads, how long that takes beside NumPy's import, and the memory it adds.

Figures are of fresh interpreters and compared within each of them, so that a slow or busy machine does not matter:
processor time instead of time on the clock, and the least of several runs. ``benchmarks.footprint`` has the figures
themselves, beside those of other libraries.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import netlet

PACKAGE = Path(netlet.__file__).parent

# Parts of the standard library that take milliseconds, or start or open something, when they are imported. What NumPy
# itself imports is not held against Netlet.
HEAVY_NAMES = """
    argparse asyncio cProfile concurrent configparser csv ctypes curses dbm decimal difflib distutils doctest email
    ensurepip fractions ftplib gettext getpass glob gzip html http imaplib importlib.metadata importlib.resources
    ipaddress json lib2to3 logging lzma mailbox multiprocessing netrc optparse pathlib pdb pickle pkgutil plistlib
    profile pydoc queue readline sched secrets selectors shelve shutil smtplib socket socketserver sqlite3 ssl
    statistics subprocess sysconfig tarfile tempfile timeit tkinter tomllib trace tracemalloc turtle unittest urllib
    uuid venv wave webbrowser wsgiref xml xmlrpc zipfile zoneinfo
"""
HEAVY = frozenset(HEAVY_NAMES.split())

# Both bounds are what the goals leave beside NumPy: 0.09 s and 32 MB in all, where NumPy takes 0.06 s and 24 to 26 MB.
MOST_TIME = 0.5  # of what importing NumPy takes
MOST_MEMORY = 6e6  # bytes

PROGRAM = """
import sys, time
def resident():
    try:
        return 1024 * int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0])
    except OSError:
        return 0
begin = time.process_time()
import numpy
middle, memory, loaded = time.process_time(), resident(), set(sys.modules)
again = time.process_time()
import netlet
end = time.process_time()
found = {"numpy": middle - begin, "netlet": end - again, "memory": resident() - memory,
         "modules": sorted(set(sys.modules) - loaded)}
import json
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What several fresh interpreters say; bytecode is compiled by one before them, into a folder of the test."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("bytecode"))
    environment["PYTHONPATH"] = os.pathsep.join([str(PACKAGE.parent), *sys.path])
    found = []
    for _ in range(8):
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        found.append(json.loads(run.stdout))
    return found[1:]


def test_importing_netlet_loads_nothing_heavy(imports: list[dict[str, Any]]) -> None:
    loaded = imports[0]["modules"]
    packages = {name.partition(".")[0] for name in loaded}
    assert "netlet" in packages
    assert packages - {"netlet", "numpy"} <= set(sys.stdlib_module_names), "other packages than NumPy"
    heavy = {name for name in loaded if name in HEAVY or name.partition(".")[0] in HEAVY}
    assert not heavy, f"import these where they are needed: {', '.join(sorted(heavy))}"


def test_importing_netlet_is_quick_beside_numpy(imports: list[dict[str, Any]]) -> None:
    ours, numpy = (min(run[name] for run in imports) for name in ("netlet", "numpy"))
    assert ours <= MOST_TIME * numpy, f"{1e3 * ours:.1f} ms, beside NumPy's {1e3 * numpy:.1f} ms"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_importing_netlet_takes_little_memory(imports: list[dict[str, Any]]) -> None:
    least = min(run["memory"] for run in imports)
    assert least <= MOST_MEMORY, f"{least / 1e6:.1f} MB above NumPy"
