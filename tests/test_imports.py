"""The house's arrows: imports point down only, and to NumPy and the standard library alone."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import netlet

PACKAGE = Path(netlet.__file__).parent

# From the ground up. A module may import what stands on its own floor or below it.
FLOORS = [
    {"_version", "config", "errors", "_native", "_predictor"},
    {"preprocessing", "random", "utils"},
    {"program"},
    {"backends"},
    {"activations", "constraints", "initializers", "losses", "metrics", "optimizers", "regularizers"},
    {"layers"},
    {"callbacks", "models", "plotting", "runtime"},
    {"model_selection"},
    {"__main__", "examples", "testing", "__init__"},
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    """The first name below ``netlet``: the part of the house that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """What a file imports, as full module names, and whether at import (not in a function, nor for types alone)."""
    package = ["netlet", *path.relative_to(PACKAGE).parent.parts]

    def visit(node: ast.AST, at_import: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, at_import) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = package[: len(package) - child.level + 1] if child.level else []
                name = ".".join([*base, *(child.module.split(".") if child.module else [])])
                yield from ((f"{name}.{alias.name}", at_import) for alias in child.names)
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) or (
                isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            ):
                yield from visit(child, False)
            else:
                yield from visit(child, at_import)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")), True)


def test_every_part_has_its_floor() -> None:
    parts = {part(path) for path in modules()}
    assert parts - set(FLOOR) == set(), "say in FLOORS where a new part of the house stands"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = FLOOR[part(path)]
    for name, _ in imported(path):
        pieces = name.split(".")
        if pieces[0] != "netlet":
            continue
        other = pieces[1] if len(pieces) > 1 else "__init__"
        if other not in FLOOR:  # a public name out of netlet/__init__.py
            other = "__init__"
        assert FLOOR[other] <= own, f"{path.relative_to(PACKAGE)} imports {name}, which stands above it"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_import_nothing_but_numpy_and_the_standard_library(path: Path) -> None:
    """Numba is for the Numba backend, and examples and plots fetch their packages when they run."""
    allowed = {"netlet", "numpy", "__future__"} | set(sys.stdlib_module_names)
    if "numba" in path.name or "numba" in str(path.relative_to(PACKAGE)):
        allowed.add("numba")
    if part(path) == "examples":
        return
    for name, at_import in imported(path):
        if at_import:
            assert name.split(".")[0] in allowed, f"{path.relative_to(PACKAGE)} imports {name}"


def loaded_after(code: str, **environment: str) -> set[str]:
    """The modules that a fresh interpreter holds after running ``code``."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    env = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), *sys.path])}
    env.pop("NETLET_BACKEND", None)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env, text=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_netlet_loads_no_backend() -> None:
    modules_loaded = loaded_after("import netlet")
    backends = {
        "netlet.backends.native",
        "netlet.backends.numba_",
        "netlet._native",
        "netlet._predictor",
        "netlet.testing",
    }
    assert not modules_loaded & backends


def test_importing_netlet_starts_no_thread() -> None:
    code = "import netlet, threading, os; assert threading.active_count() == 1; n = len(os.listdir('/proc/self/task'))"
    if not Path("/proc/self/task").exists():
        pytest.skip("needs /proc")
    code = f"import numpy, os; before = len(os.listdir('/proc/self/task'))\n{code}\nassert n == before, (before, n)"
    loaded_after(code)


@pytest.mark.parametrize("name", ["netlet", "netlet.layers", "netlet.models", "netlet.utils", "netlet.callbacks"])
def test_dir_lists_what_is_imported_later(name: str) -> None:
    """In a fresh interpreter, where nobody has asked for it yet: what completion at a prompt offers."""
    program = f"import {name} as module; print(sorted(set(module.__all__) - set(dir(module))))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
