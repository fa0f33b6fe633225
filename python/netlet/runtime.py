"""What Netlet runs on here, and why: the words of ``netlet.show_runtime()`` and ``python -m netlet info``.

Nothing in this module fails because something is missing or set wrongly: that is what it is asked to report.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import sys
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from netlet import config
from netlet._version import __version__
from netlet.backends import backend_reasons, default_target
from netlet.errors import BackendUnavailableError

NEEDS_NATIVE = "none without the native backend"
VARIABLES = ("NETLET_BACKEND", "NETLET_ISA", "NETLET_NUM_THREADS", "NETLET_DYNAMIC", "NETLET_REQUIRE")
CGROUP_MEMBERSHIP, CGROUP_MOUNT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def runtime_info() -> dict[str, Any]:
    """What Netlet runs on here, as plain data that ``json.dumps`` takes.

    Returns a dictionary with the keys

    - ``version``, ``python``, ``numpy`` (with the BLAS it was built with), ``platform``, ``cpu``: texts;
    - ``backend``: the one that is used if none is named, or None; ``backend_reason``: why it;
    - ``backends``: for each backend, in order of preference, None if it is available, else why it is not;
    - ``isa``: ``in_use``, ``detected`` and ``available`` instruction sets of the native backend, None without it;
    - ``threads``: ``default``, ``reason``, and what was counted: ``affinity``, ``cgroup_quota``, ``environment``;
    - ``openmp``: the runtime, or why there is none; ``cuda``: None if it is available, else why it is not;
    - ``environment``: the ``NETLET_*`` variables that are set.
    """
    backends = backend_reasons()
    native = _native(backends)
    backend, backend_reason = _default_backend()
    return {
        "version": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": f"{np.__version__} ({_numpy_blas()})",
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu_name(),
        "backend": backend,
        "backend_reason": backend_reason,
        "backends": backends,
        "isa": _isa(native, backend),
        "threads": _threads(native),
        "openmp": _call(native.openmp_description) if native else NEEDS_NATIVE,
        "cuda": _why_no_cuda(),
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def fma_peak(
    dtype: str = "float32", num_threads: int | None = None, isa: str | None = None, seconds: float = 0.03
) -> float | None:
    """Measures how many GFLOP/s the processor does at most: multiply-adds on registers, which count as two.

    Args:
        dtype: "float32" or "float64".
        num_threads: how many threads share the work; None for the native backend's default.
        isa: the instruction set; None for the best that the native backend has here.
        seconds: how long to measure: the best of ten runs that take about so long together.

    Returns: None without the native backend.

    Raises: ValueError if an argument is none of these.
    """
    native = _native(backend_reasons())
    if native is None:
        return None
    threads = native.default_threads() if num_threads is None else num_threads
    peak: float = native.fma_peak(isa or native.isa_detected(), config.dtype_name(dtype), threads, seconds)
    return peak


def round_trip() -> float | None:
    """Measures how many seconds a line of cache takes to another thread, which writes it, and back.

    Some 50 ns between processors that share a cache, 300 and more between those that do not: work of 8 us can be shared
    in the first case, not in the second. A virtual machine's host may move its processors at any time.

    Returns: None without the native backend, on one processor, and where the second thread isn't scheduled in time.
    """
    native = _native(backend_reasons())
    return None if native is None else native.round_trip()


def measure_peaks() -> dict[str, dict[str, float | None]]:
    """GFLOP/s of the peak by element type, each for one thread and for the default number: "1" and, say, "8"."""
    native = _native(backend_reasons())
    counts = sorted({1, native.default_threads()}) if native else []
    return {dtype: {str(n): fma_peak(dtype, n) for n in counts} for dtype in config.DTYPES}


def format_peaks(peaks: dict[str, dict[str, float | None]]) -> str:
    """One line, such as ``float32 118 GFLOP/s on 1 thread, 236 on 2; float64 ...``."""
    lines = []
    for dtype, found in peaks.items():
        parts = [f"{peak:.4g} on {n} thread{'s' * (n != '1')}" for n, peak in found.items()]
        lines.append(f"{dtype} " + ", ".join(parts))
    return "; ".join(lines) + " (GFLOP/s of multiply-adds)" if any(peaks.values()) else NEEDS_NATIVE


def format_round_trip(seconds: float | None) -> str:
    """One line for what :func:`round_trip` returned."""
    return "unknown: no second thread" if seconds is None else f"{1e9 * seconds:.0f} ns to another thread and back"


def show_runtime(file: TextIO | None = None) -> None:
    """Prints what Netlet runs on here, for people; :func:`runtime_info` has the same as data.

    Args:
        file: where to print; ``sys.stdout`` if None.
    """
    print(format_runtime(runtime_info()), file=file or sys.stdout)


def format_runtime(info: dict[str, Any]) -> str:
    """The lines that :func:`show_runtime` prints of what :func:`runtime_info` returned."""
    isa, threads = info["isa"], info["threads"]
    lines = [
        ("netlet", info["version"]),
        ("python", info["python"]),
        ("numpy", info["numpy"]),
        ("platform", info["platform"]),
        ("cpu", info["cpu"]),
        ("backend", f"{info['backend'] or 'none'} ({info['backend_reason']})"),
        *((f"  {name}", "available" if why is None else f"no: {why}") for name, why in info["backends"].items()),
        ("isa", _isa_text(isa)),
        ("threads", f"{threads['default'] or 'unknown'} ({threads['reason']})"),
        ("openmp", info["openmp"]),
        ("cuda", "available" if info["cuda"] is None else f"no: {info['cuda']}"),
        *([("peak", format_peaks(info["peak"]))] if "peak" in info else []),
        *([("round trip", format_round_trip(info["round_trip"]))] if "round_trip" in info else []),
        ("environment", " ".join(f"{name}={value}" for name, value in info["environment"].items()) or "no NETLET_*"),
    ]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines)


def _native(reasons: dict[str, str | None]) -> Any:
    """The C++ extension or None; why it cannot be loaded is noted in ``reasons``."""
    if reasons["native"] is not None:
        return None
    try:
        return importlib.import_module("netlet._native")
    except Exception as error:  # a missing library, another Python's build, a processor below x86-64-v2
        reasons["native"] = f"netlet._native cannot be loaded: {_one_line(error)}"
        return None


def _default_backend() -> tuple[str | None, str]:
    """The target that serves when none is named, or None, and why."""
    try:
        target = default_target()
    except (ValueError, BackendUnavailableError) as error:
        return None, _one_line(error)
    if config.env_backend():
        return target, f"NETLET_BACKEND={target}"
    return target, f"the first of {', '.join(backend_reasons())} that is available"


def _isa(native: Any, backend: str | None) -> dict[str, Any]:
    """Instruction sets; that in use is the one that ``backend`` names, as in ``native:avx2``, or the default one."""
    if native is None:
        return {"in_use": None, "detected": None, "available": [], "reason": NEEDS_NATIVE}
    name, _, variant = (backend or "").partition(":")
    if name == "native" and variant:
        in_use, reason = variant, f"NETLET_BACKEND={backend}"
    else:
        in_use = _call(native.isa_in_use)
        reason = f"NETLET_ISA={config.env_isa()}" if config.env_isa() else "the best of this processor"
    return {
        "in_use": in_use,
        "detected": _call(native.isa_detected),
        "available": list(native.isas_available()),
        "reason": reason,
    }


def _isa_text(isa: dict[str, Any]) -> str:
    if isa["detected"] is None:
        return str(isa["reason"])
    available = ", ".join(isa["available"])
    return f"{isa['in_use']} ({isa['reason']}; detected {isa['detected']}; available {available})"


def _threads(native: Any) -> dict[str, Any]:
    affinity, quota = affinity_processors(), cgroup_quota()
    counted = {"affinity": affinity, "cgroup_quota": quota, "environment": os.environ.get("NETLET_NUM_THREADS")}
    try:
        chosen = config.env_num_threads()
    except ValueError as error:
        return {"default": None, "reason": str(error), **counted}
    default = native.default_threads() if native else chosen or min(affinity, quota or affinity)
    if chosen:
        reason = f"NETLET_NUM_THREADS={chosen}"
    elif quota and quota < affinity:
        reason = f"the control group's quota; the affinity mask has {affinity} of {os.cpu_count()} processors"
    else:
        limit = "no control group quota" if quota is None else f"control group quota {quota}"
        reason = f"the affinity mask has {affinity} of {os.cpu_count()} processors; {limit}"
    return {"default": default, "reason": reason, **counted}


def affinity_processors() -> int:
    """How many processors this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cgroup_quota(membership: Path = CGROUP_MEMBERSHIP, mount: Path = CGROUP_MOUNT) -> int | None:
    """The tightest CPU quota of this process's control groups (versions 1 and 2) in whole processors, rounded up.

    Args:
        membership: a file such as ``/proc/self/cgroup``.
        mount: where the groups' directories lie, such as ``/sys/fs/cgroup``.

    Returns: None where nothing limits the process.
    """
    try:
        entries = [line.split(":", 2) for line in membership.read_text().splitlines()]
    except OSError:
        return None
    quotas = []
    for _, controllers, path in (entry for entry in entries if len(entry) == 3):
        if controllers == "":
            quotas += _quotas(mount, path)
        elif "cpu" in controllers.split(","):
            quotas += _quotas(mount / controllers, path) or _quotas(mount / "cpu", path)
    return min(quotas, default=None)


def _quotas(mount: Path, path: str) -> list[int]:
    """The quotas of the group at ``path`` and of all groups above it."""
    group = mount / path.strip("/")
    found = []
    for directory in [group, *group.parents]:
        if directory == mount.parent:
            break
        for read in (_quota_v2, _quota_v1):
            quota = read(directory)
            if quota:
                found.append(quota)
    return found


def _quota_v2(directory: Path) -> int | None:
    try:
        quota, period = (directory / "cpu.max").read_text().split()
        return None if quota == "max" else -(-int(quota) // int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_v1(directory: Path) -> int | None:
    try:
        quota = int((directory / "cpu.cfs_quota_us").read_text())
        period = int((directory / "cpu.cfs_period_us").read_text())
        return -(-quota // period) if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _why_no_cuda() -> str | None:
    """None if CUDA can be used, else why not."""
    if importlib.util.find_spec("netlet._cuda") is not None:
        return None
    driver = Path("/proc/driver/nvidia/version")
    found = "an NVIDIA driver is loaded" if driver.exists() else "and no NVIDIA driver is loaded"
    return f"this installation of netlet has no CUDA extension, {found}"


def _numpy_blas() -> str:
    """The BLAS that NumPy was built with; it does the matrix products of the NumPy backend."""
    try:
        built: Any = np.show_config(mode="dicts")
        blas = built["Build Dependencies"]["blas"]
        return f"{blas['name']} {blas['version']}"
    except (TypeError, KeyError):  # an older NumPy, or a build that does not say
        return "BLAS unknown"


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model", "Processor")):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _call(function: Any) -> Any:
    """What ``function`` returns, or its error as text, so that a wrong setting is shown and not raised."""
    try:
        return function()
    except Exception as error:
        return f"error: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
