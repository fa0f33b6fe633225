"""What the C++ sources may hold where: each of their dependencies lives on one floor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSRC = Path(__file__).parents[1] / "csrc"


@pytest.mark.parametrize(
    ("what", "pattern", "homes"),
    [
        ("pybind11", r"#include\s*<pybind11/|\bpybind11::", ("bindings/",)),
        ("Python.h", r"#include\s*<Python\.h>", ("bindings/",)),
        ("OpenMP", r"#\s*pragma\s+omp|#include\s*<omp\.h>|\bomp_\w+\(", ("core/parallel.cpp",)),
        ("intrinsics", r"#include\s*<\w*(intrin|arm_neon)\.h>|\b_mm\d*_\w+\(", ("simd/",)),
        ("exit", r"\b(std::)?(exit|abort|_Exit|quick_exit)\(", ()),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
def test_cpp_lives_where_it_belongs(what: str, pattern: str, homes: tuple[str, ...]) -> None:
    files = [f for f in CSRC.rglob("*") if f.suffix in (".h", ".cpp", ".inl")]
    assert len(files) > 20
    found = []
    for file in files:
        name = file.relative_to(CSRC).as_posix()
        code = re.sub(r"//[^\n]*", "", file.read_text(encoding="utf-8"))
        if re.search(pattern, code) and not (homes and name.startswith(homes)):
            found.append(name)
    assert found == [], f"{what} outside {homes or 'nowhere'}"


def test_kernels_include_no_standard_container() -> None:
    containers = r"#include\s*<(vector|string|map|unordered_map|array|optional|functional|memory|iostream|sstream)>"
    compiled_per_isa = [*CSRC.glob("kernels/*.inl"), *CSRC.glob("simd/*.h")]
    assert compiled_per_isa
    assert [f.name for f in compiled_per_isa if re.search(containers, f.read_text(encoding="utf-8"))] == []
