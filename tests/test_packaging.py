"""What is installed: its version, its size, what its extension exports; and that the README tells the truth."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import netlet

ROOT = Path(__file__).parents[1]
PACKAGE = Path(netlet.__file__).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

needs_native = pytest.mark.skipif(
    importlib.util.find_spec("netlet._native") is None, reason="netlet is installed without its C++ extension"
)


def extension(name: str) -> Path:
    """The file of a compiled module."""
    spec = importlib.util.find_spec(f"netlet.{name}")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


def marked(kind: str, name: str) -> str:
    """The block of code that the README shows under ``<!-- kind:name -->``."""
    match = re.search(rf"^<!-- {kind}:{name} -->\n```\w+\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert match is not None, f"README.md: no block under <!-- {kind}:{name} -->"
    return match[1]


def test_version_is_written_once() -> None:
    source = (ROOT / "python/netlet/_version.py").read_text(encoding="utf-8")
    assert re.findall(r'^__version__ = "(.*)"$', source, re.MULTILINE) == [netlet.__version__]
    assert f"## {netlet.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_metadata_agrees_with_the_package() -> None:
    try:
        metadata = importlib.metadata.metadata("netlet")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("netlet runs from its source tree, it is not installed")
    assert metadata["Version"] == netlet.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.10"
    required = [r for r in metadata.get_all("Requires-Dist") or [] if "extra ==" not in r]
    assert [re.split(r"[<>=!~ ]", r)[0] for r in required] == ["numpy"]
    assert {"numba", "examples", "test", "bench", "cuda13"} <= set(metadata.get_all("Provides-Extra") or [])


def test_package_is_typed_and_small() -> None:
    assert (PACKAGE / "py.typed").exists()
    files = [f for f in PACKAGE.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    assert sum(f.stat().st_size for f in files) <= 6e6


@needs_native
@pytest.mark.parametrize("module", ["_native", "_predictor"])
@pytest.mark.skipif(shutil.which("nm") is None, reason="nm (binutils) is not installed")
def test_extension_exports_nothing_but_its_entry(module: str) -> None:
    listed = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--no-demangle", str(extension(module))],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    symbols = [line.split()[-1] for line in listed.splitlines()]
    assert f"PyInit_{module}" in symbols
    assert [s for s in symbols if "netlet" in s] == []


@needs_native
def test_stubs_describe_the_extensions() -> None:
    installed = "site-packages" in PACKAGE.parts
    modules = ["netlet._native", "netlet._predictor"]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "--allowlist", "tests/stubtest_allowlist.txt", *modules],
        env=os.environ if installed else {**os.environ, "MYPYPATH": str(PACKAGE.parent)},
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_readme_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(marked("example", "quick"), "README.md", "exec"), {})
    accuracy = re.fullmatch(r"validation accuracy: (\d\.\d{3})\n", capsys.readouterr().out)
    assert accuracy is not None
    assert float(accuracy[1]) > 0.9


@pytest.mark.parametrize("name", ["examples", "test"])
def test_readme_commands_are_complete(name: str) -> None:
    command = marked("command", name)
    assert len(command.splitlines()) == 1
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")


def test_readme_lists_every_example() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))
    modules = {f.stem for f in (PACKAGE / "examples").glob("*.py") if not f.stem.startswith("_")}
    assert modules - listed == set()


def test_readme_lists_every_setting() -> None:
    from netlet.runtime import VARIABLES

    assert [v for v in VARIABLES if f"| `{v}` |" not in README] == []
