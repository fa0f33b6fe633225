"""The executor that runs whole steps in one jitted call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netlet.backends.checks import (
    check_arrays,
    check_batch_size,
    check_gradients,
    check_iteration,
    check_outputs,
    check_rates,
    check_rows,
    check_sums,
)
from netlet.backends.epochs import EpochByEpoch
from netlet.backends.extras import Step
from netlet.backends.numba_kernels import codes
from netlet.backends.numba_kernels.calls import EpochOrder, addresses, aligned, no_rows, read_rows, run
from netlet.backends.numba_kernels.encode import Encoded, Layout, encode
from netlet.backends.numba_kernels.pacing import Pace
from netlet.backends.numba_kernels.steps import run_forward, run_steps
from netlet.backends.numba_kernels.update import bind_update
from netlet.backends.numba_kernels.workspace import Pool, block_rows
from netlet.backends.predictor import Adapter, Predictor, PythonPredictor
from netlet.backends.training_lock import TrainingLock
from netlet.config import numpy_dtype
from netlet.program import OPS, Program, sums_size
from netlet.program.spec import INFERENCE, Array, Context, Vjp, elements

if TYPE_CHECKING:
    from netlet.backends.measured import Measured

__all__ = ["JittedExecutor"]

#: Slow guesses, by which the first call of each kind is cut.
_SECONDS_PER_FLOP, _SECONDS_PER_UNIT = 1e-9, 1e-6
#: Training does about three times the arithmetic of a forward pass.
_BACKWARD_FACTOR = 3
#: A mode of its own for the pace, besides those of run_steps.
_PREDICT = -1

_NO_ORDER: NDArray[np.int64] = np.empty(0, np.int64)


class JittedExecutor(EpochByEpoch):
    """An executor (see :class:`netlet.backends.Executor`): one jitted call, without the GIL, for a run of steps.

    Rows are independent and each sum has one order: results do not depend on how rows are split into batches.
    """

    def __init__(
        self, program: Program, params: Array, state: Array, slots: Array, *, step: Step | None = None
    ) -> None:
        self.program = program
        self.params = params
        self.state = state
        self.slots = slots
        self._dtype = numpy_dtype(program.dtype)
        self._layout = Layout(program)
        self._pool = Pool(program, self._layout)
        self._encoded: dict[int, Encoded] = {}
        self._paces: dict[tuple[int, int], Pace] = {}
        self._epoch_order = EpochOrder()
        self._training = TrainingLock()
        self._label_width, self._class_numbers = elements(program.label_shape or ()), program.label_dtype == "int32"
        self._update: Step | None = step
        self._momentum, self._nesterov = 0.0, False
        # Whether updates are part of the jitted steps: those of gradient descent and nothing else.
        self._inside = program.optimizer is not None and program.optimizer.op == "sgd"
        if program.optimizer is not None and step is None:
            self._update = update = bind_update(program, params, slots)
            if self._inside:
                self._momentum = float(program.optimizer.attrs["momentum"])
                self._nesterov = bool(program.optimizer.attrs["nesterov"])
                self._inside = update.plain
        self._hosted = step is not None
        self._row_flops = self._layout.width
        for op in program.ops:
            shapes = [program.values[v].shape for v in op.inputs], [program.params[p].shape for p in op.params]
            self._row_flops += OPS[op.op].flops(*shapes, op.attrs)

    def predict(self, xs: Sequence[Array], outs: Sequence[Array] | None, batch_size: int) -> list[Array]:
        """See :meth:`netlet.backends.Executor.predict`. The batch size does not matter."""
        n = check_rows(self.program, xs)
        check_batch_size(batch_size)
        if outs is None:
            outs = [np.empty((n, *self.program.values[v].shape), self._dtype) for v in self.program.outputs]
        else:
            check_outputs(self.program, outs, n)
        rows, results = list(map(aligned, xs)), list(map(aligned, outs))
        code = self._encode(codes.EVALUATE)
        block = block_rows(self._layout.width, self._dtype.itemsize, n)
        control = np.zeros(codes.CONTROL, np.int64)
        control[codes.ROWS], control[codes.BLOCK] = n, block
        at, to = addresses(rows), addresses(results)
        w = self._pool.take(block)
        for first, last in self._pace(_PREDICT, 1).chunks(0, n):
            control[codes.FIRST], control[codes.LAST] = first, last
            run(run_forward, control, code.code, code.attrs, at, self.params, w.values, w.scratch, to)
        self._pool.give(w)
        for out, result in zip(outs, results, strict=True):
            if result is not out:
                np.copyto(out, result)
        return list(outs)

    def train(
        self,
        xs: Sequence[Array],
        y: Array,
        sample_weight: Array | None,
        *,
        batch_size: int,
        shuffle: tuple[int, int] | None,
        first: int,
        last: int,
        learning_rate: float | NDArray[np.float64],
        iteration: int = 0,
        sums: Array,
    ) -> None:
        """See :meth:`netlet.backends.Executor.train`."""
        if self.program.optimizer is None:
            raise ValueError("train: the Program has no optimizer")
        n = check_arrays(self.program, xs, y, sample_weight)
        check_batch_size(batch_size)
        check_sums(self.program, sums)
        steps = -(-n // batch_size)
        if not 0 <= first <= last <= steps:
            raise ValueError(f"train: expected 0 <= first <= last <= {steps} steps, got {first} and {last}")
        rates = check_rates(learning_rate, iteration, last - first)
        order = _NO_ORDER if shuffle is None else self._epoch_order(*shuffle, n)
        rows = min(batch_size, n)
        pace = (rates if isinstance(rates, list) else [rates], iteration)
        with self._training:
            self._steps(codes.TRAIN, xs, y, sample_weight, rows, first, last, sums, order=order, pace=pace)

    def evaluate(
        self, xs: Sequence[Array], y: Array, sample_weight: Array | None, *, batch_size: int, sums: Array
    ) -> None:
        """See :meth:`netlet.backends.Executor.evaluate`. The batch size does not matter."""
        n = check_arrays(self.program, xs, y, sample_weight)
        check_batch_size(batch_size)
        check_sums(self.program, sums)
        self._steps(codes.EVALUATE, xs, y, sample_weight, n, 0, 1, sums)

    def gradients(self, xs: Sequence[Array], y: Array, sample_weight: Array | None) -> tuple[float, Array, list[Array]]:
        """See :meth:`netlet.backends.Executor.gradients`."""
        n = check_arrays(self.program, xs, y, sample_weight)
        sums = np.zeros(sums_size(self.program))
        dxs = [np.zeros_like(x) for x in xs]
        dparams = self._steps(codes.GRADIENTS, xs, y, sample_weight, n, 0, 1, sums, dxs=dxs)
        return float(sums[0]) / n, dparams, dxs

    def vjp(
        self, xs: Sequence[Array], dys: Sequence[Array], context: Context = INFERENCE, outs: Vjp | None = None
    ) -> Vjp:
        """See :meth:`netlet.backends.Executor.vjp`."""
        n = check_rows(self.program, xs)
        check_outputs(self.program, dys, n, name="dys")
        if outs is None:
            outs = [np.empty_like(dy) for dy in dys], [np.empty_like(x) for x in xs], np.empty_like(self.params)
        else:
            check_gradients(self.program, outs, n)
        ys, dxs, dparams = outs
        for dx in dxs:
            dx.fill(0)
        np.copyto(dparams, self._steps(codes.VJP, xs, None, None, n, 0, 1, np.zeros(2), ys=ys, dys=dys, dxs=dxs))
        return outs

    def predictor(self, adapter: Adapter) -> Predictor:
        """See :meth:`netlet.backends.Executor.predictor`."""
        with self._training:
            params = self.params.copy()
        program, slots = self.program.without_training(), np.zeros((0, 0), self._dtype)
        return PythonPredictor(JittedExecutor(program, params, self.state.copy(), slots), adapter)

    def apply(self, gradient: Array, learning_rate: float, iteration: int = 0) -> None:
        """See :meth:`netlet.backends.Executor.apply`."""
        if self._update is None:
            raise ValueError("apply: the Program has no optimizer")
        if gradient.shape != self.params.shape or gradient.dtype != self._dtype:
            raise ValueError(
                f"apply: expected a gradient {self._dtype} of shape {self.params.shape}, "
                f"got {gradient.dtype} of shape {gradient.shape}"
            )
        check_iteration(iteration)
        with np.errstate(all="ignore"):
            self._update(gradient.copy(), float(learning_rate), iteration)

    def profile(
        self,
        xs: Sequence[Array],
        y: Array | None,
        sample_weight: Array | None,
        *,
        batch_size: int,
        learning_rate: float,
        seconds: float,
    ) -> Measured:
        """See :meth:`netlet.backends.Executor.profile`: phases, not ops, since a step is one jitted call."""
        from netlet.backends.numba_kernels.phases import profile

        step = _no_step if self._hosted else None
        twin = JittedExecutor(self.program, self.params.copy(), self.state.copy(), self.slots.copy(), step=step)
        return profile(twin, xs, y, sample_weight, batch_size, learning_rate, seconds)

    def _encode(self, mode: int) -> Encoded:
        """The Program in numbers for a mode of run_steps; made at its first use."""
        encoded = self._encoded.get(mode)
        if encoded is None:
            inputs_too = mode in (codes.GRADIENTS, codes.VJP)
            encoded = encode(self.program, self._layout, outputs_too=mode == codes.VJP, inputs_too=inputs_too)
            self._encoded[mode] = encoded
        return encoded

    def _pace(self, mode: int, rows: int) -> Pace:
        """How fast units of ``rows`` rows go in a mode."""
        pace = self._paces.get((mode, rows))
        if pace is None:
            factor = 1 if mode in (_PREDICT, codes.EVALUATE) else _BACKWARD_FACTOR
            guess = rows * factor * self._row_flops * _SECONDS_PER_FLOP + _SECONDS_PER_UNIT
            pace = self._paces.setdefault((mode, rows), Pace(guess))
        return pace

    def _steps(
        self,
        mode: int,
        xs: Sequence[Array],
        y: Array | None,
        weight: Array | None,
        batch: int,
        first: int,
        last: int,
        sums: Array,
        *,
        order: NDArray[np.int64] = _NO_ORDER,
        pace: tuple[list[float], int] = ([0.0], 0),
        ys: Sequence[Array] = (),
        dys: Sequence[Array] = (),
        dxs: Sequence[Array] = (),
    ) -> Array:
        """Runs steps ``first .. last-1`` in a mode of run_steps; returns the parameters' gradient of the last one.

        Args:
            pace: of training: the learning rate of all steps, or that of each, and the steps made before.
        """
        block = block_rows(self._layout.width, self._dtype.itemsize, batch)
        blocks = -(-batch // block)
        control = np.zeros(codes.CONTROL, np.int64)
        control[codes.MODE], control[codes.NESTEROV] = mode, self._nesterov
        control[codes.ROWS], control[codes.BATCH], control[codes.BLOCK] = len(xs[0]), batch, block
        values, labels = no_rows(self.program.dtype), no_rows("int32")
        if y is not None and self._class_numbers:
            labels = read_rows(y, self._label_width)
        elif y is not None:
            values = read_rows(y, self._label_width)
        code = self._encode(mode)
        rates, iteration = pace
        control[codes.RATES], control[codes.UPDATES] = first, self._inside
        numbers = np.array((self._momentum, *rates))
        xs, dys = list(map(aligned, xs)), list(map(aligned, dys))
        weights = no_rows(self.program.dtype) if weight is None else read_rows(weight, 1)
        w = self._pool.take(block)
        if not code.reaches_all_params:
            w.dparams.fill(0)
        data = (numbers, addresses(xs), values, labels, weights, order, self.params, self.slots)
        buffers = (w.dparams, w.values, w.grads, w.scratch, w.y, w.labels)
        results = (sums, addresses(ys), addresses(dys), addresses(dxs))
        by_step = mode == codes.TRAIN and not self._inside
        for part in range(first, last) if by_step else (first,):
            until = part + 1 if by_step else last
            before = sums.copy() if by_step else sums
            for begin, end in self._pace(mode, block).chunks(part * blocks, until * blocks):
                control[codes.FIRST], control[codes.LAST] = begin, end
                run(run_steps, control, code.code, code.attrs, *data, *buffers, *results)
            if by_step:
                assert self._update is not None
                done = part - first
                try:
                    with np.errstate(all="ignore"):
                        self._update(w.dparams, rates[done if len(rates) > 1 else 0], iteration + done)
                except BaseException:  # the step was not made, and is not counted
                    sums[:] = before
                    raise
        dparams = w.dparams.copy() if mode in (codes.GRADIENTS, codes.VJP) else w.dparams
        self._pool.give(w)
        return dparams


def _no_step(gradient: Array, learning_rate: float, iteration: int) -> None:
    """What makes the steps of a profile where the optimizer is somebody's own."""
