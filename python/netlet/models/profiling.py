"""``model.profile()``: what an executor measured, beside what the op specs count, as rows and as a table."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from netlet.backends.measured import Measured, Part
from netlet.program import OPS, OPTIMIZERS, Program
from netlet.program.spec import elements

#: Floating-point operations a byte below which the bytes bound and not the arithmetic: about what a core's caches
#: deliver for each operation of its peak.
BALANCE = 1.0


class ProfileRow(NamedTuple):
    """One part of a step.

    Attributes:
        name: such as "dense_1 forward", "loss", "gather" or "other".
        phase: "shuffle", "gather", "prepare", "forward", "loss", "metrics", "backward", "update" or "other". The update
            has the sum of the shards' gradients in it, and is itself in "backward" where plain gradient descent is
            done as each gradient is found.
        op: the name of the op in the program, such as "dense", where it is one op's; else None.
        microseconds: a step.
        share: of the step, in per cent.
        flops: floating-point operations a step, as the op's spec counts them; None where nothing counts them.
        gflops: 10^9 of them a second.
        of_peak: the same in per cent of the processor's peak; None where that is not known.
        bytes: that the part must move a step; None where nothing counts them.
        gigabytes: 10^9 of them a second, where they are what bounds: fewer than BALANCE operations a byte.
    """

    name: str
    phase: str
    op: str | None
    microseconds: float
    share: float
    flops: int | None
    gflops: float | None
    of_peak: float | None
    bytes: int | None
    gigabytes: float | None


@dataclass(frozen=True)
class Profile:
    """Where the time of a step goes; `Sequential.profile` makes it. It prints as a table.

    Attributes:
        model: the model's name.
        training: whether the step is one of training; else it is a prediction.
        batch_size: rows a step.
        dtype: element type.
        target: what ran, such as "native:avx512".
        threads: the most that shared a step's work; None where that is not known.
        peak: GFLOP/s of multiply-adds that so many threads were measured to do; None where threads or kernels are not
            known.
        steps: how many steps were timed.
        microseconds: a step.
        rows: the parts, in the order in which they run, and at last "other".
        note: what is to be known of how it was measured; "" if nothing.
    """

    model: str
    training: bool
    batch_size: int
    dtype: str
    target: str
    threads: int | None
    peak: float | None
    steps: int
    microseconds: float
    rows: tuple[ProfileRow, ...]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data that ``json.dumps`` takes."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**data, "rows": [row._asdict() for row in self.rows]}

    def __str__(self) -> str:
        """The table, with a line above it that says what was measured and where."""
        head, *lines, total = _aligned([_HEAD, *self._cells()])
        rule = "-" * len(head)
        text = [self._title(), "", head, rule, *lines, rule, total]
        if self.note:
            text += ["", *textwrap.wrap(f"{self.note}.", max(len(head), 60))]
        return "\n".join(text)

    def _repr_html_(self) -> str:
        """The table, for notebooks."""

        def row(cells: Iterable[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        lines = [row(_HEAD, "th"), *(row(cells, "td") for cells in self._cells())]
        note = f"<p>{html.escape(self.note)}.</p>" if self.note else ""
        return f"<p>{html.escape(self._title())}</p><table>{''.join(lines)}</table>{note}"

    def _title(self) -> str:
        what = "training step" if self.training else "prediction"
        rows = f"{self.batch_size:,} row{'s' if self.batch_size != 1 else ''}"
        threads = "threads unknown" if self.threads is None else f"{self.threads} thread{'s' * (self.threads != 1)}"
        peak = "" if self.peak is None else f", whose peak is {_number(self.peak)} GFLOP/s"
        return (
            f'Profile of "{self.model}": a {what} of {rows}\n'
            f"{self.dtype} on {self.target}, {threads}{peak}; {self.steps:,} steps timed"
        )

    def _cells(self) -> list[list[str]]:
        counted = sum(row.flops or 0 for row in self.rows)
        gflops, of_peak = _rates(counted or None, self.microseconds, self.peak)
        total = ProfileRow("step", "", None, self.microseconds, 100.0, counted, gflops, of_peak, None, None)
        return [_cells(row) for row in (*self.rows, total)]


_HEAD = ["part", "µs", "share", "GFLOP/s", "of peak", "GB/s"]


def _cells(row: ProfileRow) -> list[str]:
    return [
        row.name,
        _number(row.microseconds),
        f"{row.share:.1f} %",
        "" if row.gflops is None else _number(row.gflops),
        "" if row.of_peak is None else f"{row.of_peak:.1f} %",
        "" if row.gigabytes is None else _number(row.gigabytes),
    ]


def _number(value: float) -> str:
    """Three digits or a thousandth of what is small, all digits of what is large: 0.012, 4.07, 31.2, 1,234."""
    for digits, below in ((3, 1.0), (2, 10.0), (1, 1000.0)):
        if abs(value) < below:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def _aligned(table: list[list[str]]) -> list[str]:
    """The rows as text: the first column flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for first, *rest in table:
        cells = [first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def make_profile(model: str, program: Program, measured: Measured, batch_size: int, training: bool) -> Profile:
    """Return the Profile of what an executor measured.

    Args:
        model: the model's name.
        program: that the executor ran.
        measured: what it found, of steps of ``batch_size`` rows.
    """
    counts = Counts(program, batch_size, training)
    peak = _peak(measured, program.dtype)
    known = sum(part.seconds for part in measured.parts)
    step = max(measured.step, known)  # taking the time of short parts can cost them more than is subtracted
    rows = []
    for part in measured.parts:
        name = part.phase if part.op is None else f"{op_name(program, part.op)} {part.phase}"
        op = None if part.op is None else program.ops[part.op].op
        flops, moved = counts(part)
        gflops, of_peak = _rates(flops, part.seconds * 1e6, peak)
        gigabytes = None
        if flops is not None and moved and flops < BALANCE * moved and part.seconds > 0:
            gigabytes = moved / part.seconds / 1e9
        share = 100 * part.seconds / step
        rows.append(
            ProfileRow(name, part.phase, op, part.seconds * 1e6, share, flops, gflops, of_peak, moved, gigabytes)
        )
    other = step - known
    rows.append(ProfileRow("other", "other", None, other * 1e6, 100 * other / step, None, None, None, None, None))
    return Profile(
        model,
        training,
        batch_size,
        program.dtype,
        measured.target,
        measured.threads,
        peak,
        measured.steps,
        step * 1e6,
        tuple(rows),
        measured.note,
    )


def op_name(program: Program, place: int) -> str:
    """The name that people know the op at ``place`` by: that of the layer whose weights it has, or of its output."""
    op = program.ops[place]
    if op.params:
        layer, slash, _ = program.params[op.params[0]].name.rpartition("/")
        if slash:
            return layer
    return program.values[op.output].name


def _rates(flops: int | None, microseconds: float, peak: float | None) -> tuple[float | None, float | None]:
    """GFLOP/s, and per cent of the peak."""
    if not flops or microseconds <= 0:
        return None, None
    gflops = flops / microseconds / 1e3
    return gflops, None if peak is None else 100 * gflops / peak


def _peak(measured: Measured, dtype: str) -> float | None:
    if measured.threads is None:
        return None
    from netlet.runtime import fma_peak

    backend, _, isa = measured.target.partition(":")
    return fma_peak(dtype, measured.threads, isa if backend == "native" else None)


class Counts:
    """What the specs count of each part of a step: operations, and bytes that must be moved.

    Args:
        program: the program of the step.
        batch_size: rows a step.
        training: whether the loss writes the output that it was fused with.
    """

    def __init__(self, program: Program, batch_size: int, training: bool) -> None:
        self._program = program
        self._batch = batch_size
        self._itemsize = np.dtype(program.dtype).itemsize
        self._training = training
        self._from_params: set[int] = set()  # values whose gradient is wanted
        for op in program.ops:
            if op.params or any(value in self._from_params for value in op.inputs):
                self._from_params.add(op.output)

    def __call__(self, part: Part) -> tuple[int | None, int | None]:
        """Return (operations, bytes) a step of a part, or None for what is not counted."""
        program = self._program
        if part.phase in ("forward", "backward"):
            one = self._forward if part.phase == "forward" else self._backward
            if part.op is not None:
                return one(part.op)
            return sum(one(place)[0] for place in self._ran()), None
        if part.phase == "backward and update":
            update = self._update()
            return sum(self._backward(place)[0] for place in self._ran()) + update[0], None
        if part.phase == "update":
            return self._update()
        if part.phase == "gather":
            rows = sum(elements(program.values[v].shape) for v in program.inputs) * self._itemsize
            return 0, 2 * self._batch * (rows + self._label_bytes())
        return None, None

    def _ran(self) -> list[int]:
        """The places of the ops that a step runs: not the one whose output the loss writes."""
        loss = self._program.loss
        skipped = loss.output if self._training and loss is not None else None
        return [place for place, op in enumerate(self._program.ops) if op.output != skipped]

    def _shapes(self, place: int) -> tuple[list[Any], list[Any]]:
        op = self._program.ops[place]
        inputs = [self._program.values[v].shape for v in op.inputs]
        return inputs, [self._program.params[p].shape for p in op.params]

    def _forward(self, place: int) -> tuple[int, int]:
        op, (inputs, params) = self._program.ops[place], self._shapes(place)
        weights = self._itemsize * sum(elements(shape) for shape in params)
        moved = OPS[op.op].bytes(inputs, params, op.attrs, self._itemsize)
        return self._batch * OPS[op.op].flops(inputs, params, op.attrs), self._batch * moved + weights

    def _backward(self, place: int) -> tuple[int, int]:
        op, (inputs, params) = self._program.ops[place], self._shapes(place)
        dx = any(value in self._from_params for value in op.inputs)
        weights = self._itemsize * sum(elements(shape) for shape in params) * (1 + dx)
        moved = OPS[op.op].backward_bytes(inputs, params, op.attrs, self._itemsize, dx)
        return self._batch * OPS[op.op].backward_flops(inputs, params, op.attrs, dx), self._batch * moved + weights

    def _update(self) -> tuple[int, int]:
        optimizer, size = self._program.optimizer, self._program.param_size
        assert optimizer is not None
        spec = OPTIMIZERS[optimizer.op]
        return size * spec.flops(optimizer.attrs), size * spec.bytes(optimizer.attrs, self._itemsize)

    def _label_bytes(self) -> int:
        shape, dtype = self._program.label_shape, self._program.label_dtype
        if not self._training or shape is None or dtype is None:
            return 0
        return elements(shape) * np.dtype(dtype).itemsize
