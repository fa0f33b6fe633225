"""Micro-benchmarks: each op at sizes that matter, on every target, with flops and bytes as its spec counts them.

``forward`` is a prediction by a Program of that op alone; ``backward`` gives the gradients of input and parameters and
contains the forward pass. Answers are compared with the op's float64 reference, within the op's own bound, before they
are timed. Entries follow one another: they are for looking at one kernel, not for comparing libraries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from benchmarks.peers import missing

if reason := missing("netlet"):
    pytest.skip(reason, allow_module_level=True)

from netlet.backends import Executor
from netlet.program import ACTIVATIONS, OPS, Op, Param, Program, Value
from netlet.program.case import Case
from netlet.program.spec import OpSpec, elements
from netlet.testing import Target, assert_close, targets

# B, I, O of the dense ops: layers of the cases, and a square for the peak.
DENSE_SIZES = ((1, 64, 64), (1, 784, 512), (10, 2, 3), (32, 64, 64), (128, 784, 128), (128, 512, 512), (512, 512, 512))
# Rows and widths of the others: in the second-level cache, and of a classifier's head.
ROWS, WIDTH, CLASSES = 256, 256, 10


def cases() -> Iterator[Case]:
    """The ops at the sizes that are timed, in float32."""
    for batch, inputs, outputs in DENSE_SIZES:
        yield Case(OPS["dense"], batch, ((inputs,),), ((inputs, outputs), (outputs,)), {"activation": "relu"})
    for name in ACTIVATIONS:
        if name != "linear":
            yield Case(OPS["activation"], ROWS, ((WIDTH,),), attrs={"activation": name})
    for name in ("softmax", "log_softmax"):
        for width in (CLASSES, WIDTH):
            yield Case(OPS[name], ROWS, ((width,),))


def _executor(case: Case, spec: OpSpec, target: Target) -> Executor:
    """Of a Program that has nothing but the case's op, over the case's parameters."""
    params, arrays, offset = [], [np.empty(0, case.dtype)], 0
    for name, shape in zip(spec.param_names, case.params, strict=False):
        params.append(Param(name, shape, offset))
        arrays.append(case.arrays[name].ravel())
        offset += elements(shape)
    program = Program(
        dtype=case.dtype,
        values=(Value("x", case.shapes[0]), Value("y", case.output_shape)),
        params=tuple(params),
        inputs=(0,),
        outputs=(1,),
        ops=(Op(spec.name, (0,), 1, tuple(range(len(params))), case.attrs),),
    )
    return target.executor(program, np.concatenate(arrays))


@pytest.mark.benchmark(max_time=0.2, min_rounds=5)
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("target", targets(), ids=str)
def test_op(op_case: Case, target: Target, direction: str, request: pytest.FixtureRequest) -> None:
    spec = op_case.spec
    assert isinstance(spec, OpSpec)
    if reason := target.reason(op_case.op):
        pytest.skip(f"{target}: {reason}")
    executor = _executor(op_case, spec, target)
    x, want, within = op_case.arrays["x"], op_case.reference(), op_case.tolerance
    got: dict[str, Any] = {"y": np.empty((op_case.batch, *op_case.output_shape), op_case.dtype)}

    def forward() -> None:
        executor.predict([x], [got["y"]], op_case.batch)

    def backward() -> None:
        (got["y"],), (got["dx"],), dparams = executor.vjp([x], [op_case.arrays["dy"]])
        for param in executor.program.params:
            got[f"d{param.name}"] = dparams[param.offset : param.offset + param.size].reshape(param.shape)

    run = forward if direction == "forward" else backward
    run()
    assert_close(got, want, {name: within[name] for name in got})

    benchmark = request.getfixturevalue("benchmark")  # only now: a skipped test must not hold an unused one
    benchmark.group = str(op_case)
    benchmark.extra_info.update(target=str(target), direction=direction)
    if direction == "forward":
        params = sum(elements(shape) for shape in op_case.params) * x.itemsize
        flops = spec.flops(op_case.shapes, op_case.params, op_case.attrs)
        moved = spec.bytes(op_case.shapes, op_case.params, op_case.attrs, x.itemsize)
        benchmark.extra_info.update(flops=op_case.batch * flops, bytes=op_case.batch * moved + params)
    benchmark(run)
