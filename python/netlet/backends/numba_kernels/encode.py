"""Writes a Program as the numbers that the kernels walk through: one int64 array and one of float64.

What can be decided once is decided here: where each value lies in the workspace, which ops backward passes over, and
whether a gradient is the first to arrive (WRITE) or is added to earlier ones (ADD). An op that changes no number
(reshape, a linear activation) disappears: its output shares the buffer of its input, and so do their gradients.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends.numba_kernels import codes
from netlet.program import Op, Program, metric_slices
from netlet.program.ops.piecewise import PIECEWISE, pieces
from netlet.program.spec import elements

__all__ = ["Encoded", "Layout", "encode"]


@dataclass(frozen=True)
class Encoded:
    """A Program in numbers.

    Attributes:
        code, attrs: int64 and float64; see codes.py for the tables in the code.
        reaches_all_params: whether backward writes the gradient of every parameter.
    """

    code: NDArray[np.int64]
    attrs: NDArray[np.float64]
    reaches_all_params: bool


class Layout:
    """Where the values of a Program lie in a workspace.

    Attributes:
        place: per value, the elements per row that lie before it.
        width: elements per row of all values together.
        aliases: places in the op list of the ops that compute nothing.
    """

    def __init__(self, program: Program) -> None:
        self.place: list[int] = [codes.NOWHERE] * len(program.values)
        self.width = 0
        self.aliases: set[int] = set()
        for value in program.inputs:
            self._append(program, value)
        for i, op in enumerate(program.ops):
            if op.op == "reshape" or (op.op == "activation" and op.attrs["activation"] == "linear"):
                self.place[op.output] = self.place[op.inputs[0]]
                self.aliases.add(i)
            else:
                self._append(program, op.output)

    def _append(self, program: Program, value: int) -> None:
        self.place[value] = self.width
        self.width += elements(program.values[value].shape)


class _Gradients:
    """Which gradients are wanted, and which have arrived, while the op list is walked in reverse."""

    def __init__(self, wanted: set[int], arrived: Iterable[int]) -> None:
        self.wanted = wanted
        self.arrived = set(arrived)
        self.params: set[int] = set()

    def arrive(self, place: int) -> int:
        """What to do with a gradient of the value at ``place``: NOTHING, WRITE or ADD."""
        if place not in self.wanted:
            return codes.NOTHING
        mode = codes.ADD if place in self.arrived else codes.WRITE
        self.arrived.add(place)
        return mode

    def arrive_param(self, param: int) -> int:
        """What to do with a gradient of a parameter: WRITE the first, ADD the others."""
        mode = codes.ADD if param in self.params else codes.WRITE
        self.params.add(param)
        return mode


def _wanted(program: Program, layout: Layout, inputs_too: bool) -> set[int]:
    """Places of values on whose way back lies a parameter (or, with ``inputs_too``, an input)."""
    wanted = {layout.place[v] for v in program.inputs} if inputs_too else set()
    for op in program.ops:
        if op.params or layout.place[op.inputs[0]] in wanted:
            wanted.add(layout.place[op.output])
    return wanted


def _activation(op: Op) -> int:
    name = op.attrs["activation"]
    return codes.GELU_TANH if name == "gelu" and op.attrs["approximate"] else codes.ACTIVATIONS[name]


def _op_row(program: Program, layout: Layout, op: Op, attrs: list[float], by_loss: bool) -> list[int]:
    """The forward half of an op's row."""
    source, target = program.values[op.inputs[0]].shape, program.values[op.output].shape
    row = [0] * codes.OP_COLUMNS
    row[codes.OP_X], row[codes.OP_Y] = layout.place[op.inputs[0]], layout.place[op.output]
    row[codes.OP_KERNEL] = row[codes.OP_BIAS] = codes.NOWHERE
    row[codes.OP_BY_LOSS] = int(by_loss)
    if op.op == "activation":
        piecewise = op.attrs["activation"] in PIECEWISE
        row[codes.OP] = codes.PIECEWISE if piecewise else codes.ACTIVATION
        row[codes.OP_POSITIONS], row[codes.OP_I], row[codes.OP_O] = 1, elements(source), elements(target)
    else:
        row[codes.OP] = {"dense": codes.DENSE, "softmax": codes.SOFTMAX, "log_softmax": codes.LOG_SOFTMAX}[op.op]
        row[codes.OP_POSITIONS], row[codes.OP_I], row[codes.OP_O] = elements(source[:-1]), source[-1], target[-1]
    if op.op == "dense":
        row[codes.OP_KERNEL] = program.params[op.params[0]].offset
        if len(op.params) == 2:
            row[codes.OP_BIAS] = program.params[op.params[1]].offset
    row[codes.OP_ALPHA] = len(attrs)
    if row[codes.OP] == codes.PIECEWISE:
        attrs += pieces(op.attrs["activation"], op.attrs)
    elif "activation" in op.attrs:
        row[codes.OP_ACTIVATION] = _activation(op)
        attrs.append(float(op.attrs.get("alpha", 0.0)))
    return row


def _backward_modes(op: Op, row: list[int], gradients: _Gradients) -> None:
    """The backward half of an op's row; ops come in reverse order."""
    if row[codes.OP_Y] not in gradients.arrived:
        return
    row[codes.OP_DX] = gradients.arrive(row[codes.OP_X])
    if op.params:
        row[codes.OP_DKERNEL] = gradients.arrive_param(op.params[0])
        if len(op.params) == 2:
            row[codes.OP_DBIAS] = gradients.arrive_param(op.params[1])
    row[codes.OP_BACKWARD] = int(bool(op.params) or row[codes.OP_DX] != codes.NOTHING)


def _loss_row(program: Program, layout: Layout) -> list[int]:
    row = [0] * codes.LOSS_COLUMNS
    row[codes.LOSS] = codes.NO_LOSS
    if program.loss is not None:
        loss = program.loss
        shape = program.values[loss.input].shape
        row[codes.LOSS] = codes.LOSSES[loss.op, bool(loss.attrs.get("from_logits", False))]
        row[codes.LOSS_X] = layout.place[loss.input]
        row[codes.LOSS_POSITIONS], row[codes.LOSS_C] = elements(shape[:-1]), shape[-1]
        row[codes.LOSS_OUTPUT] = codes.NOWHERE if loss.output is None else layout.place[loss.output]
    return row


def _metric_rows(program: Program, layout: Layout, attrs: list[float]) -> list[list[int]]:
    rows = []
    for metric, sums in zip(program.metrics, metric_slices(program), strict=True):
        shape = program.values[metric.input].shape
        row = [0] * codes.METRIC_COLUMNS
        row[codes.METRIC] = codes.METRICS[metric.op]
        row[codes.METRIC_X] = layout.place[metric.input]
        row[codes.METRIC_POSITIONS], row[codes.METRIC_C] = elements(shape[:-1]), shape[-1]
        row[codes.METRIC_SUMS] = sums.start
        row[codes.METRIC_THRESHOLD] = len(attrs)
        threshold = metric.attrs.get("threshold")
        attrs.append(math.nan if threshold is None else threshold)
        row[codes.METRIC_PER_CLASS] = int(bool(metric.attrs.get("per_class", False)))
        rows.append(row)
    return rows


def encode(program: Program, layout: Layout, *, outputs_too: bool = False, inputs_too: bool = False) -> Encoded:
    """Returns the Program in numbers.

    Args:
        outputs_too: whether the gradients to carry back are given for the outputs, and not by the loss.
        inputs_too: whether the gradients of the inputs are wanted besides those of the parameters.
    """
    attrs = [0.0]
    gradients = _Gradients(_wanted(program, layout, inputs_too), ())
    outputs = []
    for value in program.outputs:
        row = [0] * codes.PORT_COLUMNS
        row[codes.PORT_VALUE], row[codes.PORT_WIDTH] = layout.place[value], elements(program.values[value].shape)
        if outputs_too:
            row[codes.PORT_GRADIENT] = gradients.arrive(layout.place[value])
        outputs.append(row)
    if not outputs_too and program.loss is not None:
        gradients.arrive(layout.place[program.loss.input])
    by_loss = program.loss.output if program.loss is not None else None
    kept = [op for i, op in enumerate(program.ops) if i not in layout.aliases]
    ops = [_op_row(program, layout, op, attrs, op.output == by_loss) for op in kept]
    for op, row in zip(reversed(kept), reversed(ops), strict=True):
        _backward_modes(op, row, gradients)
    inputs = []
    for value in program.inputs:
        row = [0] * codes.PORT_COLUMNS
        row[codes.PORT_VALUE], row[codes.PORT_WIDTH] = layout.place[value], elements(program.values[value].shape)
        if inputs_too and layout.place[value] in gradients.arrived:
            row[codes.PORT_GRADIENT] = codes.WRITE
        inputs.append(row)
    header = [0] * codes.HEADER
    header[codes.N_INPUTS], header[codes.N_OUTPUTS] = len(inputs), len(outputs)
    metrics = _metric_rows(program, layout, attrs)
    header[codes.N_OPS], header[codes.N_METRICS] = len(ops), len(metrics)
    numbers: list[Any] = [*header]
    for table in (inputs, outputs, ops, [_loss_row(program, layout)], metrics):
        for row in table:
            numbers += row
    reaches_all = len(gradients.params) == len(program.params)
    return Encoded(np.array(numbers, np.int64), np.array(attrs, np.float64), reaches_all)
