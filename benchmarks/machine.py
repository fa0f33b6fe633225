"""What a run ran on: processor, instruction sets, cores, caches, versions. No host names, no paths, no users."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

_FLAGS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "asimd")


def describe() -> dict[str, Any]:
    """The machine as a JSON object. ``load`` is the one-minute average: what else ran while this began."""
    info = _cpuinfo()
    flags = set(info.get("flags", info.get("Features", "")).split())
    return {
        "cpu": info.get("model name", platform.machine()),
        "cpu_family": f"{info.get('cpu family', '?')}.{info.get('model', '?')}",
        "isa": [flag for flag in _FLAGS if flag in flags],
        "cores": len(os.sched_getaffinity(0)),
        "caches": _caches(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": round(os.getloadavg()[0], 2),
    }


def _cpuinfo() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    return dict(re.findall(r"^([\w ]+?)\s*: (.*)$", text.partition("\n\n")[0], re.MULTILINE))


def _caches() -> dict[str, str]:
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = {"Data": "d", "Instruction": "i"}.get((index / "type").read_text().strip(), "")
        found[f"L{(index / 'level').read_text().strip()}{kind}"] = (index / "size").read_text().strip()
    return found
