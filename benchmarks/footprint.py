"""What a library costs before it computes anything: time to import, memory after that, size on disk and as a wheel.

``python -m benchmarks.footprint [--output NAME.json] [--rounds 9] [--libraries netlet,numpy]`` writes ``NAME.json``,
``NAME.md`` and, where Matplotlib is installed, ``NAME.png``. Imports are timed in fresh processes that alternate
between the libraries; the first round, which fills the caches and compiles the bytecode, does not count. Netlet's wheel
is built and weighed, which takes minutes (``--no-build`` leaves that out); of the others, whose wheels are not kept
after they are installed, the installed files are deflated.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.compare import row
from benchmarks.contestants import OPENBLAS_VARIABLES, THREAD_VARIABLES
from benchmarks.figures import number, quartiles

HERE = Path(__file__).resolve().parent
OUTPUT = HERE / "results" / "footprint.json"
MEGABYTE = 1e6


@dataclass(frozen=True)
class Library:
    """What is imported, and which distributions it is.

    Args:
        name: for the command line.
        title: for the tables.
        statement: what a user begins with.
        packages: its own distributions; alternatives are tried in turn, separated by a bar.
        environment: set in its process.
    """

    name: str
    title: str
    statement: str
    packages: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


LIBRARIES = (
    Library("netlet", "Netlet", "import netlet", ("netlet",)),
    Library("numpy", "NumPy", "import numpy", ("numpy",)),
    Library("onnxruntime", "ONNX Runtime", "import onnxruntime", ("onnxruntime",)),
    Library("jax", "JAX", "import jax.numpy", ("jax", "jaxlib")),
    Library("sklearn", "scikit-learn", "from sklearn.neural_network import MLPClassifier", ("scikit-learn",)),
    Library("torch", "PyTorch", "import torch", ("torch",)),
    Library(
        "keras", "Keras on TensorFlow", "import keras", ("keras", "tensorflow-cpu|tensorflow"),
        {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
    ),
)  # fmt: skip

# What Netlet has to stay within: a field of Footprint, the bound, its unit.
GOALS = (
    ("seconds", 0.09, "s to import, NumPy included"),
    ("memory", 32, "MB of memory after that"),
    ("installed", 6, "MB on disk"),
)

# Run in a fresh interpreter; prints seconds, resident bytes and the number of modules.
PROGRAM = """
import sys, time
begin = time.perf_counter()
exec(sys.argv[1])
seconds = time.perf_counter() - begin
status = open("/proc/self/status").read()
print(seconds, 1024 * int(status.split("VmRSS:")[1].split()[0]), len(sys.modules))
"""


@dataclass(frozen=True)
class Footprint:
    """One library's figures; sizes in bytes, None where they cannot be had.

    ``installed`` are the files of its own distributions without bytecode, ``needed`` those of everything that it
    requires as well, ``wheel`` that of a wheel: one that was ``built``, or else its own files deflated.
    """

    library: str
    version: str
    seconds: list[float]
    memory: list[int]
    modules: int
    installed: int | None
    needed: int | None
    wheel: int | None
    built: bool = False


def fresh(library: Library) -> tuple[float, int, int]:
    """(seconds, resident bytes, modules) of one import in a new process. RuntimeError if it fails."""
    cleared = (*THREAD_VARIABLES, *OPENBLAS_VARIABLES, "PYTHONDONTWRITEBYTECODE")
    environment = {k: v for k, v in os.environ.items() if k not in cleared}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, library.statement],
        env={**environment, **library.environment}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{library.statement}: {done.stderr.strip().splitlines()[-1]}")
    seconds, memory, modules = done.stdout.split()[-3:]
    return float(seconds), int(memory), int(modules)


def own_files(library: Library) -> tuple[str, list[Path]]:
    """Version and files of its own distributions; of a source tree, those of the package."""
    if library.name == "netlet" and _distribution("netlet") is None:
        import netlet

        package = Path(netlet.__file__).parent
        return f"{netlet.__version__} (source tree)", _without_bytecode(package.rglob("*"))
    found = [_distribution(names) for names in library.packages]
    versions = " and ".join(d.version for d in found if d)
    return versions, [path for d in found if d for path in _files(d)]


def _distribution(names: str) -> importlib.metadata.Distribution | None:
    found = (d for name in names.split("|") for d in importlib.metadata.distributions(name=name))
    return next(found, None)


def _files(distribution: importlib.metadata.Distribution) -> list[Path]:
    return _without_bytecode(Path(str(distribution.locate_file(file))) for file in distribution.files or ())


def _without_bytecode(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.suffix != ".pyc" and path.is_file()]


def required(library: Library) -> set[str]:
    """Names of all distributions that the library's own ones need, themselves included."""
    from packaging.requirements import Requirement

    waiting, seen = [name for names in library.packages for name in names.split("|")], set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen or (distribution := _distribution(name)) is None:
            continue
        seen.add(name)
        needs = [Requirement(text) for text in distribution.requires or ()]
        waiting += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return seen


def deflated(paths: Iterable[Path]) -> int:
    """Bytes of the files when each is compressed as a wheel's are."""

    def size(path: Path) -> int:
        compressor, total = zlib.compressobj(wbits=-15), 0
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                total += len(compressor.compress(block))
        return total + len(compressor.flush())

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:  # zlib lets go of the GIL
        return sum(pool.map(size, paths))


def built_wheel(root: Path) -> int | None:
    """Bytes of the wheel that pip builds of the source tree; None where it cannot, with a line that says why."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-deps", "--no-cache-dir", "--quiet", "--wheel-dir", folder]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", *options, str(root)],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        found = list(Path(folder).glob("*.whl"))
        if done.returncode == 0 and len(found) == 1:
            return found[0].stat().st_size
    said = [line for line in done.stderr.splitlines() if "rror" in line]  # pip's last lines are hints
    reason = said[-1].strip() if said else f"pip ended with {done.returncode}"
    print(f"no wheel can be built, so its files are deflated instead: {reason}")
    return None


def sizes(library: Library) -> tuple[str, int | None, int | None, int | None]:
    """Version, and bytes installed, with all that is needed, and as a wheel."""
    version, files = own_files(library)
    if not files:
        return version, None, None, None
    installed = sum(path.stat().st_size for path in files)
    try:
        others = required(library) - {re.sub(r"[-_.]+", "-", n).lower() for p in library.packages for n in p.split("|")}
        if library.name == "netlet":
            others.add("numpy")  # a source tree has no metadata that says so
        needed = installed + sum(
            path.stat().st_size for name in others if (d := _distribution(name)) for path in _files(d)
        )
    except ModuleNotFoundError:  # packaging
        needed = None
    return version, installed, needed, deflated(files)


def _runs(library: Library) -> bool:
    """Imports it once, untimed."""
    try:
        fresh(library)
    except RuntimeError as error:
        print(f"{library.title} is left out: {error}")
        return False
    return True


def measure(libraries: Iterable[Library], rounds: int, build: bool) -> list[Footprint]:
    """Imports each library ``rounds`` times, by turns; those that are not installed are left out, with a line.

    With ``build``, Netlet's wheel is built, after all imports.
    """
    present = [library for library in libraries if _runs(library)]
    turns: dict[str, list[tuple[float, int, int]]] = {library.name: [] for library in present}
    order = list(present)
    for _ in range(rounds):
        for library in order:
            turns[library.name].append(fresh(library))
        order = order[1:] + order[:1]
    found = []
    for library in present:
        seconds, memory, modules = zip(*turns[library.name], strict=True)
        version, installed, needed, wheel = sizes(library)
        weighed = built_wheel(HERE.parent) if build and library.name == "netlet" else None
        wheel = wheel if weighed is None else weighed
        found.append(
            Footprint(
                library.name, version, list(seconds), list(memory), modules[0], installed, needed, wheel,
                built=weighed is not None,
            )
        )  # fmt: skip
    return found


def value(footprint: Footprint, name: str) -> float | None:
    """A field's median, sizes in megabytes."""
    held = getattr(footprint, name)
    if held is None:
        return None
    if name == "seconds":
        return statistics.median(held)
    return (statistics.median(held) if isinstance(held, list) else held) / MEGABYTE


def markdown(run: dict[str, Any], name: str) -> str:
    """The report of what :func:`main` writes as JSON."""
    where = run["machine_info"]
    lines = [
        f"# Footprint {name}",
        "",
        f"{where['cpu']} ({where['cpu_family']}), {where['cores']} cores; {where['system']}, {where['python']}. "
        f"Load when it began: {where['load']}.",
        "",
        *goals_table(run),
        "",
        *table(run),
    ]
    return "\n".join(lines) + "\n"


def footprints(run: dict[str, Any]) -> list[Footprint]:
    return [Footprint(**entry) for entry in run["footprints"]]


def table(run: dict[str, Any]) -> list[str]:
    """A row a library: medians, sizes in MB (10^6 bytes); below, how the wheels were weighed."""
    titles = {library.name: library.title for library in LIBRARIES}
    lines = [
        "| library | version | import, s | memory, MB | modules | installed, MB | with what it needs, MB | wheel, MB |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for f in footprints(run):
        low, high = quartiles(f.seconds)
        disk = ["" if (v := value(f, n)) is None else number(v) for n in ("installed", "needed", "wheel")]
        seconds = f"{value(f, 'seconds'):.3f} [{low:.3f}, {high:.3f}]"
        if disk[-1] and not f.built:
            disk[-1] = f"≈ {disk[-1]}"
        lines.append(row([titles[f.library], f.version, seconds, number(value(f, "memory") or 0), f.modules, *disk]))
    lines += [
        "",
        "A wheel with ≈ was not weighed: it is the sum of the installed files, each deflated as a wheel has it.",
    ]
    return lines


def goals_table(run: dict[str, Any]) -> list[str]:
    """A row a goal; empty if Netlet was not measured."""
    ours = next((f for f in footprints(run) if f.library == "netlet"), None)
    if ours is None:
        return []
    lines = ["| Netlet | | goal | met |", "|---|---:|---:|---|"]
    for name, bound, unit in GOALS:
        if (have := value(ours, name)) is not None:
            lines.append(row([unit, f"{have:.3g}", f"≤ {bound:g}", "yes" if have <= bound else "no"]))
    return lines


def plot(run: dict[str, Any], path: Path) -> None:
    """Bars: a panel a figure, a row a library. Needs Matplotlib."""
    from benchmarks.plot import STYLES, canvas_of

    titles = {library.name: library.title for library in LIBRARIES}
    panels = (("seconds", "seconds to import"), ("memory", "MB of memory after that"),
              ("needed", "MB installed, with what it needs"), ("wheel", "MB as a wheel"))  # fmt: skip
    found = footprints(run)
    where = run["machine_info"]
    height = 0.8 + 0.3 * len(found)
    canvas, axes = canvas_of(1, len(panels), 3.2, height, f"before anything is computed\n{where['cpu']}", sharey=True)
    for axis, (name, title) in zip(axes, panels, strict=True):
        held = [value(f, name) or 0.0 for f in found]
        colours = [STYLES[f.library][0] for f in found]
        axis.barh(range(len(found)), held, color=colours, height=0.65)
        for place, length in enumerate(held):
            axis.annotate(number(length) if length else "–", (length, place), textcoords="offset points",
                          xytext=(4, -3), fontsize=8)  # fmt: skip
        axis.set_xlim(0, 1.22 * max(held))
        axis.set_title(title, fontsize=9)
        axis.set_axisbelow(True)
        axis.grid(True, axis="x", alpha=0.25)
    axes[0].set_yticks(range(len(found)), [titles[f.library] for f in found])
    axes[0].set_ylim(len(found) - 0.5, -0.5)
    canvas.savefig(path, dpi=120)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: benchmarks/results/footprint.json")
    parser.add_argument("--rounds", type=int, default=9, help="imports of each library that count; default 9")
    parser.add_argument("--libraries", help=f"some of {', '.join(x.name for x in LIBRARIES)}; default: all")
    parser.add_argument("--no-build", action="store_true", help="build no wheel of Netlet to weigh it")
    options = parser.parse_args(arguments)
    names = options.libraries.split(",") if options.libraries else [library.name for library in LIBRARIES]
    if unknown := set(names) - {library.name for library in LIBRARIES}:
        parser.error(f"no library is called {', '.join(sorted(unknown))}")
    about = machine.describe()
    found = measure([library for library in LIBRARIES if library.name in names], options.rounds, not options.no_build)
    run = {"machine_info": about, "footprints": [vars(footprint) for footprint in found]}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    report = options.output.with_suffix(".md")
    report.write_text(markdown(run, options.output.stem), encoding="utf-8")
    print(report.read_text(encoding="utf-8"))
    try:
        plot(run, options.output.with_suffix(".png"))
    except ModuleNotFoundError as error:
        print(f"no plot: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
