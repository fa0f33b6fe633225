"""The host: runs the parts of a Program that the C++ engine has no kernel for, with the references of their specs.

The engine calls these methods in the middle of a step, each with arrays that are views of its own memory:
``[rows, elements]``, C-contiguous. csrc/program/host.h says what they must do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netlet.backends.extras import Extras
from netlet.program.ops import LOSSES, METRICS, OPS
from netlet.program.program import Param, Program
from netlet.program.spec import Array, Context, elements

__all__ = ["Host", "needs_host"]


def needs_host(program: Program, extras: Extras) -> bool:
    """Whether something in the Program, or beside it, is not for the C++ engine to run."""
    loss = program.loss
    return (
        bool(extras.penalties or extras.constraints or extras.step)
        or not all(OPS[op.op].is_native(op.attrs) for op in program.ops)
        or (loss is not None and not LOSSES[loss.op].is_native(loss.attrs))
        or not all(METRICS[m.op].is_native(m.attrs) for m in program.metrics)
    )


def _split(arena: Array, entries: Sequence[Param]) -> list[Array]:
    return [arena[e.offset : e.offset + e.size].reshape(e.shape) for e in entries]


class Host:
    """Runs ops, loss and metrics of one Program over its arenas.

    Attributes:
        ops, metrics: the places of what is run here; has_loss: whether the loss is.
        input_sizes, output_sizes: per op, elements a row.
        prediction_size, label_size, integer_labels: of the loss; metric_sizes: of each metric's prediction.
        penalizes, constrains: whether weights have penalties, constraints; updates: whether the optimizer is run here.
        muted: metrics are not shown batches, state is written to a copy and weights are left alone, while a profile is
            taken.
    """

    def __init__(self, program: Program, params: Array, state: Array, extras: Extras) -> None:
        self._program = program
        self._params = _split(params, program.params)
        self._state = _split(state, program.state)
        self._extras = extras
        self._shapes = [value.shape for value in program.values]
        sizes = [elements(shape) for shape in self._shapes]
        loss = program.loss
        self.ops = {i for i, op in enumerate(program.ops) if not OPS[op.op].is_native(op.attrs)}
        self.has_loss = loss is not None and not LOSSES[loss.op].is_native(loss.attrs)
        self.metrics = {i for i, m in enumerate(program.metrics) if not METRICS[m.op].is_native(m.attrs)}
        self.input_sizes = [[sizes[v] for v in op.inputs] for op in program.ops]
        self.output_sizes = [sizes[op.output] for op in program.ops]
        self.prediction_size = 0 if loss is None else sizes[loss.input]
        self.metric_sizes = [sizes[m.input] for m in program.metrics]
        self.param_size = program.param_size
        self._label_shape = program.label_shape or ()
        self.label_size = elements(self._label_shape)
        self.integer_labels = program.label_dtype == "int32"
        self.penalizes, self.constrains = bool(extras.penalties), bool(extras.constraints)
        self.updates = extras.step is not None
        self.muted = False

    def _rows(self, array: Array, value: int) -> Array:
        return array.reshape(-1, *self._shapes[value])

    def _state_of(self, place: int) -> list[Array]:
        entries = [self._state[s] for s in self._program.ops[place].state]
        return [entry.copy() for entry in entries] if self.muted else entries

    def forward(self, place: int, training: bool, iteration: int, xs: list[Array], y: Array) -> None:
        """Writes the op's output."""
        op = self._program.ops[place]
        spec, params = self._extras.op_spec(op), [self._params[p] for p in op.params]
        rows = [self._rows(x, v) for x, v in zip(xs, op.inputs, strict=True)]
        out = self._rows(y, op.output)
        with np.errstate(all="ignore"):
            if spec.contextual:
                context = Context(training, iteration)
                spec.forward_in(context, op.attrs, rows, params, self._state_of(place), out)
            else:
                spec.forward(op.attrs, rows, params, out)

    def backward(
        self,
        place: int,
        training: bool,
        iteration: int,
        xs: list[Array],
        y: Array,
        dy: Array,
        dxs: list[Array | None],
        dparams: Array | None,
        accumulate: bool,
    ) -> None:
        """Writes the gradients of the inputs that are wanted, and writes or adds those of the parameters."""
        op = self._program.ops[place]
        spec, params = self._extras.op_spec(op), [self._params[p] for p in op.params]
        rows = [self._rows(x, v) for x, v in zip(xs, op.inputs, strict=True)]
        to = [None if dx is None else self._rows(dx, v) for dx, v in zip(dxs, op.inputs, strict=True)]
        out, cotangent = self._rows(y, op.output), self._rows(dy, op.output)
        gradients: list[Array | None] = [None] * len(params)
        if dparams is not None:
            views = _split(dparams, [self._program.params[p] for p in op.params])
            gradients = [np.empty_like(view) if accumulate else view for view in views]
        with np.errstate(all="ignore"):
            if spec.contextual:
                context = Context(training, iteration)
                state = self._state_of(place)
                spec.backward_in(context, op.attrs, rows, params, state, out, cotangent, to, gradients)
            else:
                spec.backward(op.attrs, rows, params, out, cotangent, to, gradients)
            if dparams is not None and accumulate:
                for view, gradient in zip(views, gradients, strict=True):
                    view += gradient

    def loss(self, x: Array, y: Array, weight: Array | None, dx: Array | None, row_losses: Array) -> None:
        """Writes each row's weighted loss, and the gradient of their mean if it is wanted."""
        loss = self._program.loss
        assert loss is not None
        rows = self._rows(x, loss.input)
        losses = np.empty(len(rows), x.dtype)
        gradient = None if dx is None else self._rows(dx, loss.input)
        labels = y.reshape(-1, *self._label_shape)
        with np.errstate(all="ignore"):
            spec = self._extras.loss_spec(loss)
            spec.value_and_gradient(loss.attrs, rows, labels, weight, losses, gradient, None)
        if weight is None:
            row_losses[:] = losses
        else:
            np.multiply(losses, weight, out=row_losses, dtype=np.float64)

    def metric(self, place: int, x: Array, y: Array, weight: Array | None) -> None:
        """Shows a metric a batch."""
        if not self.muted:
            rows = self._rows(x, self._program.metrics[place].input)
            self._extras.metrics[place](y.reshape(-1, *self._label_shape), rows, weight)

    def penalize(self, gradient: Array | None) -> float:
        """Returns the penalties on the weights, and adds their gradients to that of the arena."""
        gradients = None if gradient is None else _split(gradient, self._program.params)
        with np.errstate(all="ignore"):
            return self._extras.penalize(self._params, gradients)

    def constrain(self) -> None:
        """Brings the weights back to where their constraints want them."""
        if not self.muted:
            self._extras.constrain(self._params)

    def update(self, gradient: Array, learning_rate: float, iteration: int) -> None:
        """Makes the optimizer's step."""
        if not self.muted:
            assert self._extras.step is not None
            with np.errstate(all="ignore"):
                self._extras.step(gradient, learning_rate, iteration)
