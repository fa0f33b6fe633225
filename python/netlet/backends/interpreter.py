"""The interpreter: executes a Program in Python, one call per op, for every backend whose kernels Python calls.

A subclass says how one op is called (the ``bind_*`` hooks, which default to the reference functions of the op
specs); what is called when, on which buffers, is here. All buffers of a batch size and purpose are allocated once,
in a *plan* that also holds every call with its arguments bound, so a step is a walk over a list of functions.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netlet import random
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
from netlet.backends.extras import NO_EXTRAS, Extras
from netlet.backends.plan import Call, Plan
from netlet.backends.predictor import Adapter, Predictor, PythonPredictor
from netlet.backends.training_lock import TrainingLock
from netlet.config import numpy_dtype
from netlet.program.ops import METRICS, OPS
from netlet.program.program import Loss, Metric, Op, Param, Program, metric_slices, sums_size
from netlet.program.spec import INFERENCE, Array, Context, Vjp
from netlet.program.update import Update

if TYPE_CHECKING:
    from netlet.backends.extras import Observer
    from netlet.backends.measured import Measured

__all__ = ["Call", "Interpreter", "Plan"]

#: Plans that an executor keeps for each combination of purpose and batch size; the least recently used goes first.
MAX_PLANS = 6


class Interpreter(EpochByEpoch):
    """An executor that walks the list of ops in Python; see :class:`netlet.backends.Executor` for its methods.

    Subclasses override the ``bind_*`` hooks: each gets arrays that stay the same for the plan's life, and returns a
    function that computes on them whenever it is called. Gradients are overwritten, and ``dy`` is scratch afterwards,
    as :mod:`netlet.program.spec` says.

    Attributes:
        target: the name that a profile gives to what ran.
    """

    target = "numpy"

    def __init__(
        self,
        program: Program,
        params: Array,
        state: Array,
        slots: Array,
        *,
        variant: str | None = None,
        num_threads: int | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> None:
        self.program = program
        self.params = params
        self.state = state
        self.slots = slots
        self.num_threads = num_threads
        self._variant = variant
        self._extras = extras
        self.dtype = numpy_dtype(program.dtype)
        self._param_views = self._split(params, program.params)
        self._state_views = self._split(state, program.state)
        self._sums_size = sums_size(program)
        self._plans: OrderedDict[tuple[str, int], list[Plan]] = OrderedDict()
        self._lock = threading.Lock()
        self._training = TrainingLock()
        self._order: tuple[tuple[int, int, int], NDArray[np.int64]] | None = None
        self._update: Callable[[Array, float, int], None] | None = None
        if program.optimizer is not None:
            self._update = extras.step or self.bind_update()

    # Hooks: how one op is called. ------------------------------------------------------------------------------

    def bind_forward(self, op: Op, xs: list[Array], params: list[Array], y: Array) -> Call:
        """Returns a call that computes ``y`` from ``xs`` and ``params``."""
        return partial(OPS[op.op].forward, op.attrs, xs, params, y)

    def bind_backward(
        self,
        op: Op,
        xs: list[Array],
        params: list[Array],
        y: Array,
        dy: Array,
        dxs: list[Array | None],
        dparams: list[Array | None],
    ) -> Call:
        """Returns a call that overwrites ``dxs`` and ``dparams`` (None: not wanted), and may spoil ``dy``."""
        return partial(OPS[op.op].backward, op.attrs, xs, params, y, dy, dxs, dparams)

    def bind_loss(
        self, loss: Loss, x: Array, y: Array, losses: Array, dx: Array | None, output: Array | None
    ) -> Callable[[Array | None], None]:
        """Returns a function of the weights (``[B]`` or None) that overwrites ``losses``, ``dx`` and ``output``."""
        function = self._extras.loss_spec(loss).value_and_gradient
        attrs = loss.attrs

        def call(weight: Array | None) -> None:
            function(attrs, x, y, weight, losses, dx, output)

        return call

    def bind_metric(self, metric: Metric, x: Array, y: Array, sums: Array) -> Call:
        """Returns a call that adds the batch to ``sums``, the metric's own slice."""
        return partial(METRICS[metric.op].update, metric.attrs, x, y, sums)

    def bind_update(self) -> Callable[[Array, float, int], None]:
        """Returns the optimizer's step: a function of gradient (undefined afterwards), learning rate and iteration."""
        optimizer = self.program.optimizer
        assert optimizer is not None
        return Update(optimizer, self.program.params, self.params, self.slots)

    # Plans. ----------------------------------------------------------------------------------------------------

    @staticmethod
    def _split(arena: Array, entries: Sequence[Param]) -> list[Array]:
        """A view of ``arena`` for each parameter or entry of state, in its shape."""
        return [arena[p.offset : p.offset + p.size].reshape(p.shape) for p in entries]

    def _buffer(self, size: int, value: int) -> Array:
        return np.empty((size, *self.program.values[value].shape), self.dtype)

    def _needed(self, purpose: str) -> set[int]:
        """The values that must be computed for ``purpose``, and whatever they come from."""
        program = self.program
        if purpose in ("predict", "vjp"):
            needed = set(program.outputs)
        else:
            assert program.loss is not None
            needed = {program.loss.input} | {m.input for m in program.metrics}
        for op in reversed(program.ops):
            if op.output in needed:
                needed.update(op.inputs)
        return needed

    def _build(self, purpose: str, size: int) -> Plan:
        """A new plan: allocates buffers and binds calls."""
        program = self.program
        plan = Plan(purpose, size)
        needed = self._needed(purpose)
        values: list[Array | None] = [None] * len(program.values)
        for v in program.inputs:
            values[v] = self._buffer(size, v)
        with_loss = purpose not in ("predict", "vjp")
        # The probabilities that a loss from logits writes need no op while training.
        written_by_loss = program.loss.output if with_loss and program.loss is not None else None
        for place, op in enumerate(program.ops):
            if op.output not in needed:
                continue
            xs = [self._computed(values, v) for v in op.inputs]
            if op.op == "reshape":
                values[op.output] = xs[0].reshape(size, *program.values[op.output].shape)
                continue
            y = self._buffer(size, op.output)
            values[op.output] = y
            if op.output != written_by_loss:
                plan.forward.append(self._forward_call(plan, op, xs, y))
                plan.forward_ops.append(place)
        plan.values = values
        plan.inputs = [self._computed(values, v) for v in program.inputs]
        if not with_loss:
            plan.outputs = [self._computed(values, v) for v in program.outputs]
        if purpose in ("predict", "evaluate"):
            if with_loss:
                self._bind_loss(plan, None)
            return plan
        self._bind_backward(plan, seed_outputs=not with_loss, want_inputs=purpose != "train")
        return plan

    def _forward_call(self, plan: Plan, op: Op, xs: list[Array], y: Array) -> Call:
        params = [self._param_views[p] for p in op.params]
        spec = self._extras.op_spec(op)
        if not spec.contextual:
            return self.bind_forward(op, xs, params, y)
        state = [self._state_views[s] for s in op.state]
        return lambda: spec.forward_in(plan.context, op.attrs, xs, params, state, y)

    def _backward_call(
        self,
        plan: Plan,
        op: Op,
        xs: list[Array],
        y: Array,
        dy: Array,
        dxs: list[Array | None],
        dparams: list[Array | None],
    ) -> Call:
        params = [self._param_views[p] for p in op.params]
        spec = self._extras.op_spec(op)
        if not spec.contextual:
            return self.bind_backward(op, xs, params, y, dy, dxs, dparams)
        state = [self._state_views[s] for s in op.state]
        return lambda: spec.backward_in(plan.context, op.attrs, xs, params, state, y, dy, dxs, dparams)

    @staticmethod
    def _show(plan: Plan, observer: Observer, x: Array) -> None:
        observer(plan.y, x, plan.weight)

    @staticmethod
    def _computed(values: list[Array | None], v: int) -> Array:
        array = values[v]
        assert array is not None
        return array

    def _bind_loss(self, plan: Plan, dx: Array | None) -> None:
        program = self.program
        loss = program.loss
        assert loss is not None
        label_shape, label_dtype = program.label_shape, program.label_dtype
        assert label_shape is not None and label_dtype is not None
        plan.y = np.empty((plan.size, *label_shape), label_dtype)
        plan.losses = np.empty(plan.size, self.dtype)
        plan.sums = np.zeros(self._sums_size)
        output = None if loss.output is None else plan.values[loss.output]
        plan.loss = self.bind_loss(loss, self._computed(plan.values, loss.input), plan.y, plan.losses, dx, output)
        for place, (metric, where) in enumerate(zip(program.metrics, metric_slices(program), strict=True)):
            x = self._computed(plan.values, metric.input)
            if place in self._extras.metrics:
                plan.metrics.append(partial(self._show, plan, self._extras.metrics[place], x))
            else:
                plan.metrics.append(self.bind_metric(metric, x, plan.y, plan.sums[where]))

    def _bind_backward(self, plan: Plan, seed_outputs: bool, want_inputs: bool) -> None:
        """Binds loss and backward calls; where a value or parameter has several readers, their gradients are added."""
        program, size = self.program, plan.size
        wanted = set(program.inputs) if want_inputs else set()
        for op in program.ops:
            if op.params or any(v in wanted for v in op.inputs):
                wanted.add(op.output)
        grads: dict[int, Array] = {}
        if seed_outputs:
            for v in program.outputs:
                if v not in grads:
                    grads[v] = self._buffer(size, v)
            plan.seeds = [grads[v] for v in program.outputs]
        else:
            assert program.loss is not None
            v = program.loss.input
            if v in wanted:
                grads[v] = self._buffer(size, v)
            self._bind_loss(plan, grads.get(v))
        plan.gradient = np.zeros(program.param_size, self.dtype)
        param_grads = self._split(plan.gradient, program.params)
        written: set[int] = set()
        for place, op in reversed(list(enumerate(program.ops))):
            dy = grads.get(op.output)
            if dy is None or op.output not in wanted:
                continue
            if op.op == "reshape" and op.inputs[0] in wanted and op.inputs[0] not in grads:
                grads[op.inputs[0]] = dy.reshape(size, *program.values[op.inputs[0]].shape)
                continue
            later: list[Call] = []  # additions, for what already holds a gradient
            dxs: list[Array | None] = []
            for v in op.inputs:
                if v not in wanted:
                    dxs.append(None)
                elif v in grads:
                    scratch = np.empty_like(grads[v])
                    dxs.append(scratch)
                    later.append(partial(np.add, grads[v], scratch, out=grads[v]))
                else:
                    grads[v] = self._buffer(size, v)
                    dxs.append(grads[v])
            dparams: list[Array | None] = []
            for p in op.params:
                if p in written:
                    scratch = np.empty_like(param_grads[p])
                    dparams.append(scratch)
                    later.append(partial(np.add, param_grads[p], scratch, out=param_grads[p]))
                else:
                    written.add(p)
                    dparams.append(param_grads[p])
            xs = [self._computed(plan.values, v) for v in op.inputs]
            y = self._computed(plan.values, op.output)
            plan.backward.append(self._backward_call(plan, op, xs, y, dy, dxs, dparams))
            plan.backward += later
            plan.backward_ops += [place] * (1 + len(later))
        plan.unreached = sorted(set(range(len(program.params))) - written)
        plan.input_gradients = [grads.get(v) for v in program.inputs]

    def _take(self, purpose: str, size: int, context: Context = INFERENCE) -> Plan:
        """A plan that no other thread uses; give it back with :meth:`_give`."""
        with self._lock:
            free = self._plans.get((purpose, size))
            plan = free.pop() if free else None
        if plan is None:
            plan = self._build(purpose, size)
        plan.context = context
        return plan

    def _give(self, plan: Plan) -> None:
        key = (plan.purpose, plan.size)
        with self._lock:
            self._plans.setdefault(key, []).append(plan)
            self._plans.move_to_end(key)
            while len(self._plans) > MAX_PLANS:
                self._plans.popitem(last=False)

    # The executor's methods. -----------------------------------------------------------------------------------

    def predict(self, xs: Sequence[Array], outs: Sequence[Array] | None, batch_size: int) -> list[Array]:
        program = self.program
        n = check_rows(program, xs)
        check_batch_size(batch_size)
        if outs is None:
            results = [self._buffer(n, v) for v in program.outputs]
        else:
            check_outputs(program, outs, n)
            results = list(outs)
        with np.errstate(all="ignore"):
            for start in range(0, n, batch_size):
                stop = min(n, start + batch_size)
                plan = self._take("predict", stop - start)
                for buffer, x in zip(plan.inputs, xs, strict=True):
                    np.copyto(buffer, x[start:stop])
                plan.run_forward()
                for result, output in zip(results, plan.outputs, strict=True):
                    np.copyto(result[start:stop], output)
                self._give(plan)
        return results

    def _epoch_order(self, shuffle: tuple[int, int] | None, n: int) -> NDArray[np.int64] | None:
        """The order of an epoch's rows; None for the order in which they lie. The last one is kept."""
        if shuffle is None:
            return None
        key = (shuffle[0], shuffle[1], n)
        if self._order is None or self._order[0] != key:
            self._order = (key, random.permutation(*key))
        return self._order[1]

    @staticmethod
    def _load(
        plan: Plan,
        xs: Sequence[Array],
        y: Array,
        weight: Array | None,
        start: int,
        stop: int,
        order: NDArray[np.int64] | None = None,
    ) -> Array | None:
        """Copies a batch's rows into the plan; returns its weights."""
        if order is None:
            for buffer, x in zip(plan.inputs, xs, strict=True):
                np.copyto(buffer, x[start:stop])
            np.copyto(plan.y, y[start:stop])
            return None if weight is None else weight[start:stop]
        rows = order[start:stop]
        for buffer, x in zip(plan.inputs, xs, strict=True):
            x.take(rows, axis=0, out=buffer, mode="clip")  # a mode other than "raise" writes out directly
        y.take(rows, axis=0, out=plan.y, mode="clip")
        return None if weight is None else weight.take(rows)

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
        if self._update is None:
            raise ValueError("train: the Program has no optimizer")
        n = check_arrays(self.program, xs, y, sample_weight)
        check_batch_size(batch_size)
        check_sums(self.program, sums)
        steps = -(-n // batch_size)
        if not 0 <= first <= last <= steps:
            raise ValueError(f"train: expected 0 <= first <= last <= {steps} steps, got {first} and {last}")
        order = self._epoch_order(shuffle, n)
        rates = check_rates(learning_rate, iteration, last - first)
        plan = None
        with self._training, np.errstate(all="ignore"):
            for step in range(first, last):
                start = step * batch_size
                stop = min(n, start + batch_size)
                if plan is None or plan.size != stop - start:
                    if plan is not None:
                        self._give(plan)
                    plan = self._take("train", stop - start)
                done = step - first
                plan.context = Context(True, iteration + done)
                plan.run_loss(self._load(plan, xs, y, sample_weight, start, stop, order))
                plan.run_backward()
                plan.sums[0] += len(plan.losses) * self._penalize(plan)
                self._update(plan.gradient, rates[done] if isinstance(rates, list) else rates, iteration + done)
                self._extras.constrain(self._param_views)
                sums += plan.sums
        if plan is not None:
            self._give(plan)

    def evaluate(
        self, xs: Sequence[Array], y: Array, sample_weight: Array | None, *, batch_size: int, sums: Array
    ) -> None:
        n = check_arrays(self.program, xs, y, sample_weight)
        check_batch_size(batch_size)
        check_sums(self.program, sums)
        with np.errstate(all="ignore"):
            for start in range(0, n, batch_size):
                stop = min(n, start + batch_size)
                plan = self._take("evaluate", stop - start)
                plan.run_loss(self._load(plan, xs, y, sample_weight, start, stop))
                sums += plan.sums
                self._give(plan)
            sums[0] += n * self._extras.penalize(self._param_views, None)

    def gradients(self, xs: Sequence[Array], y: Array, sample_weight: Array | None) -> tuple[float, Array, list[Array]]:
        n = check_arrays(self.program, xs, y, sample_weight)
        with np.errstate(all="ignore"):
            plan = self._take("gradients", n)
            plan.run_loss(self._load(plan, xs, y, sample_weight, 0, n))
            plan.run_backward()
            loss = float(plan.sums[0]) / n + self._penalize(plan)
            result = loss, plan.gradient.copy(), self._input_gradients(plan)
            self._give(plan)
        return result

    def vjp(
        self, xs: Sequence[Array], dys: Sequence[Array], context: Context = INFERENCE, outs: Vjp | None = None
    ) -> Vjp:
        n = check_rows(self.program, xs)
        check_outputs(self.program, dys, n, name="dys")
        if outs is not None:
            check_gradients(self.program, outs, n)
        with np.errstate(all="ignore"):
            plan = self._take("vjp", n, context)
            for buffer, x in zip(plan.inputs, xs, strict=True):
                np.copyto(buffer, x)
            plan.run_forward()
            ys = [output.copy() for output in plan.outputs]
            for seed in plan.seeds:
                seed.fill(0)
            for seed, dy in zip(plan.seeds, dys, strict=True):  # an output may be named twice
                seed += dy
            plan.run_backward()
            result = ys, self._input_gradients(plan), plan.gradient.copy()
            self._give(plan)
        if outs is None:
            return result
        for out, found in zip([*outs[0], *outs[1], outs[2]], [*result[0], *result[1], result[2]], strict=True):
            np.copyto(out, found)
        return outs

    def _penalize(self, plan: Plan) -> float:
        """The penalties on the weights, their gradients added to the plan's."""
        if not self._extras.penalties:
            return 0.0
        gradients = self._split(plan.gradient, self.program.params)
        for place in plan.unreached:
            gradients[place].fill(0)
        return self._extras.penalize(self._param_views, gradients)

    def _input_gradients(self, plan: Plan) -> list[Array]:
        return [
            np.zeros_like(x) if dx is None else dx.copy()
            for x, dx in zip(plan.inputs, plan.input_gradients, strict=True)
        ]

    def predictor(self, adapter: Adapter) -> Predictor:
        """See :meth:`netlet.backends.Executor.predictor`."""
        with self._training:
            params = self.params.copy()
        program, slots = self.program.without_training(), np.zeros((0, 0), self.dtype)
        layers = NO_EXTRAS._replace(layers=self._extras.layers)
        twin = type(self)(program, params, self.state.copy(), slots, extras=layers)
        return PythonPredictor(twin, adapter)

    def apply(self, gradient: Array, learning_rate: float, iteration: int = 0) -> None:
        if self._update is None:
            raise ValueError("apply: the Program has no optimizer")
        if gradient.shape != self.params.shape or gradient.dtype != self.dtype:
            raise ValueError(
                f"apply: expected a gradient {self.dtype} of shape {self.params.shape}, "
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
        from netlet.backends.interpreter_profile import profile

        return profile(self, xs, y, sample_weight, batch_size, learning_rate, seconds)

    def twin(self) -> Interpreter:
        """Another executor of the Program, over copies of the arrays."""
        copies = (self.params.copy(), self.state.copy(), self.slots.copy())
        muted = self._extras._replace(metrics=dict.fromkeys(self._extras.metrics, _ignore))
        if muted.step is not None:
            muted = muted._replace(step=_ignore)
        return type(self)(self.program, *copies, variant=self._variant, num_threads=self.num_threads, extras=muted)


def _ignore(*arguments: object) -> None:
    """What a profile shows its batches to, and what makes its steps where the optimizer is somebody's own."""
