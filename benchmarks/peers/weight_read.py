"""The bound of one row: reading the network's weights once, into registers, and nothing else.

Each weight of a dense layer serves one multiply-add of a row, so a core reads as many bytes as it has weights, from the
nearest cache that holds them, before the row can be done. LLVM, which comes with Numba, compiles a loop of the widest
loads, whose sums keep the loads from being left out: four independent ones, so that none waits for another.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import CFUNCTYPE, c_float, c_int64, c_void_p
from typing import Any

import numpy as np

from benchmarks.cases import Case, InferenceCase
from benchmarks.peers import Settings
from benchmarks.peers.fma_peak import SHAPES, _isa, available

__all__ = ["available", "describe", "prepare_bound", "unsupported"]

STREAMS = 4
# Calls in a unit: one takes a microsecond or so, less than what ctypes adds to it.
CALLS = 256

_LOOP = CFUNCTYPE(c_float, c_int64, c_int64, c_void_p)


def unsupported(case: Case) -> str | None:
    row = isinstance(case, InferenceCase) and case.batch == 1
    return None if row else "it bounds a prediction of one row"


def describe() -> dict[str, str]:
    import llvmlite

    return {"version": f"LLVM of llvmlite {llvmlite.__version__}", "threads": "1"}


def prepare_bound(case: Case, settings: Settings) -> tuple[Callable[[], Any], float]:
    assert isinstance(case, InferenceCase)
    isa = _isa({"isa": None})
    assert isa is not None
    lanes = SHAPES[isa][0]
    step = STREAMS * lanes
    weights = sum((layer.inputs + 1) * layer.outputs for layer in case.layers)
    steps = -(-weights // step)
    raw = np.ones(steps * step + 16, np.float32)
    begin = -raw.ctypes.data % 64 // 4  # of a cache line
    values = raw[begin : begin + steps * step]
    loop = _compile(lanes)
    address = values.ctypes.data
    return lambda keep=values: loop(CALLS, steps, address), float(CALLS)


def _compile(lanes: int) -> Callable[[int, int, int], float]:
    """``loop(calls, steps, address)``: reads ``steps`` times STREAMS vectors from ``address``, ``calls`` times over."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )
    module = llvm.parse_assembly(_source(lanes))
    module.verify()
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    function = _LOOP(engine.get_function_address("read"))

    def loop(calls: int, steps: int, address: int, keep: Any = engine) -> float:
        return function(calls, steps, address)

    return loop


def _source(lanes: int) -> str:
    """Two loops, one in the other; the sums go on from call to call, so that no call can be left out."""
    vector = f"<{lanes} x float>"
    indices = range(STREAMS)
    zeros = f"<{', '.join(['float 0.0'] * lanes)}>"
    outer = "".join(f"  %o{i} = phi {vector} [ {zeros}, %entry ], [ %s{i}, %next ]\n" for i in indices)
    inner = "".join(f"  %a{i} = phi {vector} [ %o{i}, %call ], [ %s{i}, %body ]\n" for i in indices)
    reads = "".join(
        f"  %k{i} = add i64 %at, {i}\n"
        f"  %p{i} = getelementptr {vector}, ptr %data, i64 %k{i}\n"
        f"  %v{i} = load {vector}, ptr %p{i}, align 4\n"
        f"  %s{i} = fadd {vector} %a{i}, %v{i}\n"
        for i in indices
    )
    total, sums = "%s0", ""
    for i in indices[1:]:
        sums += f"  %t{i} = fadd {vector} {total}, %s{i}\n"
        total = f"%t{i}"
    return f"""
define float @read(i64 %calls, i64 %steps, ptr %data) #0 {{
entry:
  br label %call
call:
  %c = phi i64 [ 0, %entry ], [ %c1, %next ]
{outer}  br label %body
body:
  %n = phi i64 [ 0, %call ], [ %n1, %body ]
{inner}  %at = mul i64 %n, {STREAMS}
{reads}  %n1 = add i64 %n, 1
  %more = icmp slt i64 %n1, %steps
  br i1 %more, label %body, label %next
next:
  %c1 = add i64 %c, 1
  %again = icmp slt i64 %c1, %calls
  br i1 %again, label %call, label %exit
exit:
{sums}  %lane = extractelement {vector} {total}, i32 0
  ret float %lane
}}
attributes #0 = {{ "min-legal-vector-width"="512" "prefer-vector-width"="512" }}
"""
