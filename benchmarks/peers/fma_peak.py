"""The bound: a case's number of floating-point operations as multiply-adds that never leave the registers.

LLVM, which comes with Numba, compiles a loop over independent accumulators: more of them than one instruction's latency
times the instructions begun a cycle, and no more than fit into registers. On ``baseline``, which has no fused
instruction, a multiply-add is a product and then a sum, as it is for everyone else there.

One thread runs it, and T threads are held to do T times as much. Timed together they do less wherever one of them is
woken late or shares its core for a moment (190 GFLOP/s of two threads, where one did 116 and products on two reached
214), and what products exceed is no bound of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from ctypes import CFUNCTYPE, c_float, c_int64
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers import Settings, cores, missing

# Lanes of a register, accumulators, and whether there is a fused instruction; the widest first.
SHAPES = {"avx512": (16, 24, True), "avx2": (8, 12, True), "neon": (4, 24, True), "baseline": (4, 12, False)}
FEATURES = {"avx512": ("avx512f",), "avx2": ("avx2", "fma"), "neon": ("neon",), "baseline": ("sse4.2",)}
UNIT_FLOPS = 1e9

_LOOP = CFUNCTYPE(c_float, c_int64, c_float, c_float)


def available(settings: Settings) -> str | None:
    if reason := missing("llvmlite"):
        return reason
    isa = _isa(settings)
    if isa is None or not _runs(isa):
        return f"this processor has no {isa or 'instruction set that is known here'}"
    return None


def unsupported(case: Case) -> str | None:
    return None


def describe() -> dict[str, str]:
    import llvmlite

    return {"version": f"LLVM of llvmlite {llvmlite.__version__}", "threads": str(_threads())}


def prepare_bound(case: Case, settings: Settings) -> tuple[Callable[[], Any], float]:
    isa = _isa(settings)
    assert isa is not None
    loop, flops = _compile(isa)
    turns = int(UNIT_FLOPS / flops)
    return lambda: loop(turns, 0.999, 0.001), _threads() * turns * flops / case.flops


def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", cores()))


def _isa(settings: Settings) -> str | None:
    return settings["isa"] or next((isa for isa in SHAPES if _runs(isa)), None)


def _runs(isa: str) -> bool:
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return all(features.get(feature, False) for feature in FEATURES[isa])


def _compile(isa: str) -> tuple[Callable[[int, float, float], float], int]:
    """The loop over ``n`` turns, and the floating-point operations of one turn."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    lanes, accumulators, fused = SHAPES[isa]
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )
    module = llvm.parse_assembly(_source(lanes, accumulators, fused))
    module.verify()
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    function = _LOOP(engine.get_function_address("multiply_adds"))

    def loop(turns: int, factor: float, term: float, keep: Any = engine) -> float:
        return function(turns, factor, term)

    return loop, 2 * lanes * accumulators


def _source(lanes: int, accumulators: int, fused: bool) -> str:
    """``a <- a * factor + term`` in every accumulator, ``turns`` times; returns a sum, so that all are needed."""
    vector = f"<{lanes} x float>"

    def spread(name: str) -> str:
        return (
            f"  %{name}0 = insertelement {vector} poison, float %{name}, i32 0\n"
            f"  %{name}v = shufflevector {vector} %{name}0, {vector} poison, <{lanes} x i32> zeroinitializer\n"
        )

    indices = range(accumulators)
    counts = {i: ", ".join([f"float {i + 1}.0"] * lanes) for i in indices}
    starts = "".join(f"  %s{i} = fmul {vector} %factorv, <{counts[i]}>\n" for i in indices)
    phis = "".join(f"  %a{i} = phi {vector} [ %s{i}, %entry ], [ %b{i}, %body ]\n" for i in indices)
    if fused:
        call = f"call {vector} @llvm.fma.v{lanes}f32({vector} %a{{0}}, {vector} %factorv, {vector} %termv)\n"
        steps = "".join(f"  %b{i} = {call.format(i)}" for i in indices)
    else:
        steps = "".join(f"  %p{i} = fmul {vector} %a{i}, %factorv\n" for i in indices)
        steps += "".join(f"  %b{i} = fadd {vector} %p{i}, %termv\n" for i in indices)
    total, sums = "%b0", ""
    for i in indices[1:]:
        sums += f"  %t{i} = fadd {vector} {total}, %b{i}\n"
        total = f"%t{i}"
    return f"""
declare {vector} @llvm.fma.v{lanes}f32({vector}, {vector}, {vector})
define float @multiply_adds(i64 %turns, float %factor, float %term) #0 {{
entry:
{spread("factor")}{spread("term")}{starts}  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
{phis}{steps}  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %turns
  br i1 %more, label %body, label %exit
exit:
{sums}  %lane = extractelement {vector} {total}, i32 0
  ret float %lane
}}
attributes #0 = {{ "min-legal-vector-width"="512" "prefer-vector-width"="512" }}
"""
