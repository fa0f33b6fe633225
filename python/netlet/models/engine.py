"""What runs a model: its program, optimized, and an executor over its arena."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends import make_executor
from netlet.backends.extras import NO_EXTRAS, Extras, Observer
from netlet.layers.variable import aligned_zeros
from netlet.metrics import MeanMetricWrapper
from netlet.metrics import Metric as AnyMetric
from netlet.models.arena import Arena
from netlet.models.compilation import Compilation, Scored
from netlet.models.composite import Composite, Part, join
from netlet.models.lowering import Lowered
from netlet.models.objective import Objective, objective
from netlet.optimizers import Optimizer
from netlet.optimizers.hosted import HostedStep
from netlet.optimizers.state import parts_of
from netlet.program import Loss, Metric, Program, metric_slices, optimize, sums_size


class Engine:
    """A model made ready to run; a new one is made when layers or settings change.

    Args:
        lowered: the program, without loss, optimizer and metrics.
        arena: the parameters.
        state: what is not trained by gradients.
        compilation: the settings of training, or None for a model that only predicts.
        output_shapes: of each output, the batch in front.
        slots: the optimizer's slots ``[n, param_size]`` to continue with, or None for zeros.
        joined: whether labels come joined with weights, as they do where the loss is a `Composite`.

    Attributes:
        program: what the executor runs.
        executor: see `netlet.backends.Executor`.
        slots: the optimizer's slots.
        metrics: in compile's order.
        names: of the logs: "loss", the losses of several outputs, then the metrics.
        composite: the joined loss of several outputs, masks and penalties on outputs; None for a plain one.
        per_row: whether each row's loss is its own, so that evaluation may cut the rows as it likes.
    """

    def __init__(
        self,
        lowered: Lowered,
        arena: Arena,
        state: Arena,
        compilation: Compilation | None,
        output_shapes: Sequence[Sequence[int | None]],
        slots: NDArray[Any] | None,
        joined: bool,
    ) -> None:
        program = lowered.program
        self.composite: Composite | None = None
        self.per_row = True
        extras = NO_EXTRAS
        scored: list[Scored] = []
        if compilation is not None and compilation.loss is not None:
            scored = compilation.scored(output_shapes)
            program, extras = self._with_training(lowered, compilation, scored, arena, joined)
        self.metrics = [entry.metric for entry in scored]
        self.program = optimize(program)
        if any(op.op == "custom" for op in self.program.ops):
            from netlet.layers.custom import custom_specs

            model = arena.owner()
            assert model is not None
            extras = extras._replace(layers=custom_specs(self.program, model._stack))
        shape = (self.program.num_slots, self.program.param_size)
        self.slots = aligned_zeros(shape, program.dtype)
        self._optimizer = compilation.optimizer if self.program.optimizer is not None and compilation else None
        if self._optimizer is not None:
            self._begin(self._optimizer, arena, slots)
            if self._optimizer.hosted:
                extras = extras._replace(step=self._step_of(self._optimizer, arena), constraints={})
        self.executor = make_executor(self.program, arena.data, state.data, self.slots, extras=extras)
        self._size = sums_size(self.program)
        self._watched = [self.metrics[place] for place in extras.metrics]
        parts: tuple[Part, ...] = self.composite.parts if self.composite is not None else ()
        readers: list[tuple[str, Callable[[list[float]], Any]]] = [("loss", _mean_loss)]
        for place, part in enumerate(parts):
            if part.spec is not None and compilation is not None and compilation.apart:
                readers.append((f"{part.name}_loss", partial(self._part_loss, place)))
        for entry, where in zip(scored, metric_slices(self.program), strict=True):
            metric = entry.metric
            own = where.stop > where.start
            readers.append((entry.name, partial(_sum_value, metric, where) if own else partial(_state_value, metric)))
        self.names = [name for name, _ in readers]
        self._readers = readers
        self._sorted = sorted(readers, key=lambda reader: reader[0])

    def _with_training(
        self, lowered: Lowered, compilation: Compilation, scored: Sequence[Scored], arena: Arena, joins: bool
    ) -> tuple[Program, Extras]:
        """The program with loss, optimizer and metrics, and the objects that it names."""
        optimizer = self._lower_optimizer(compilation.optimizer, arena)
        program, joined = lowered.program, None
        if joins:
            program, joined, self.composite = join(program, lowered, compilation)
            self.per_row = self.composite.per_row
            made = Objective("custom", {"labels": [self.composite.label_width]}, self.composite)
        else:
            loss = compilation.losses[0]
            assert loss is not None
            made = objective(loss)
            self.per_row = (made.spec or loss.spec).per_row_for(made.attrs)
            if made.spec is not None:
                prediction = program.values[program.outputs[0]].shape
                labels = made.spec.label_shape(prediction, made.attrs)
                made = made._replace(attrs={"labels": list(labels)} if labels else {})
        value = program.outputs[0] if joined is None else joined
        observers: dict[int, Observer] = {}
        entries = []
        for place, entry in enumerate(scored):
            part = None if self.composite is None else self.composite.parts[entry.output]
            if part is None and entry.metric.runs_in_program and not entry.weighted:
                name, attrs = entry.metric.lower()
                entries.append(Metric(name, value, attrs))
            else:
                entries.append(Metric("custom", value))
                observers[place] = _observer(entry, part)
        trained = program.with_training(
            loss=Loss(made.op, value, None, made.attrs), optimizer=optimizer, metrics=entries
        )
        kept = list(enumerate(arena.variables))
        owner = arena.owner()
        moved = {id(variable) for variable in owner.trainable_weights} if owner is not None else set()
        penalties = {i: v.regularizer for i, v in kept if v.regularizer is not None and id(v) in moved}
        constraints = {i: v.constraint for i, v in kept if v.constraint is not None and id(v) in moved}
        return trained, Extras(made.spec, observers, penalties, constraints)

    @staticmethod
    def _lower_optimizer(optimizer: Optimizer, arena: Arena) -> tuple[str, dict[str, Any]]:
        """The optimizer's op; what the model's layers do not let training change is frozen."""
        name, attrs = optimizer.lower(arena.variables)
        if not optimizer.hosted and arena.owner() is not None:
            moved = set(_moved(arena))
            attrs = {**attrs, "frozen": [i for i in range(len(arena.variables)) if i not in moved]}
        return name, attrs

    def _step_of(self, optimizer: Optimizer, arena: Arena) -> HostedStep:
        """What makes the steps of an optimizer that runs in Python; constraints are its own business."""
        return HostedStep(optimizer, arena.variables, _moved(arena), arena.data, self.slots)

    def _begin(self, optimizer: Optimizer, arena: Arena, slots: NDArray[Any] | None) -> None:
        """Give the slots their first values: those handed in, those the optimizer has of these weights, or new ones."""
        optimizer.begin_slots(arena.variables, self.slots, parts_of(arena.variables))
        if slots is None:
            slots = optimizer.slots_for(arena.variables)
        if slots is not None and slots.shape == self.slots.shape and slots.dtype == self.slots.dtype:
            np.copyto(self.slots, slots)
        optimizer.attach(arena.variables, self.slots)

    def finish(self) -> None:
        """End the training: where a moving average of the weights is kept, it becomes the weights."""
        if self._optimizer is not None:
            self._optimizer.finalize_variable_values(self._optimizer.trainable_variables)

    def new_sums(self) -> NDArray[np.float64]:
        """Return zeros for the sums that an executor adds to; metrics with a state of their own begin anew."""
        sums = np.zeros(self._size)
        self.restart(sums)
        return sums

    def restart(self, sums: NDArray[np.float64]) -> None:
        """Begin anew: set ``sums`` to zero, and forget what metrics and losses with a state of their own have seen."""
        sums.fill(0.0)
        for metric in self._watched:
            metric.reset_state()
        if self.composite is not None:
            self.composite.reset()

    def values(self, sums: NDArray[np.float64]) -> list[Any]:
        """Return the loss and the metrics that ``sums`` mean, in compile's order."""
        totals: list[float] = sums.tolist()  # a list is read faster than an array, one element at a time
        return [read(totals) for _, read in self._readers]

    def logs(self, sums: NDArray[np.float64]) -> dict[str, Any]:
        """Return the loss and the metrics that ``sums`` mean by name, sorted."""
        totals: list[float] = sums.tolist()
        return {name: read(totals) for name, read in self._sorted}

    @property
    def in_sums(self) -> bool:
        """Whether loss and metrics are all in the sums, and no state of their own is reset with the epoch."""
        return not self._watched and self.composite is None

    def columns(self, sums: Sequence[list[float]]) -> dict[str, list[Any]]:
        """Return what `logs` does, for several sums at once: a list by name."""
        return {name: [read(totals) for totals in sums] for name, read in self._sorted}

    def _part_loss(self, place: int, totals: list[float]) -> float:
        assert self.composite is not None
        return self.composite.means()[place]


def _moved(arena: Arena) -> list[int]:
    """The places of the weights that training changes."""
    owner = arena.owner()
    moved = {id(variable) for variable in (arena.variables if owner is None else owner.trainable_weights)}
    return [i for i, variable in enumerate(arena.variables) if id(variable) in moved]


def _mean_loss(totals: list[float]) -> float:
    """The mean loss; 0 before the first row."""
    return totals[0] / totals[1] if totals[1] else 0.0


def _sum_value(metric: AnyMetric, where: slice, totals: list[float]) -> Any:
    return metric.value(totals[where])


def _state_value(metric: AnyMetric, totals: list[float]) -> Any:
    result = metric.result()
    return float(result) if np.ndim(result) == 0 else result


def _observer(scored: Scored, part: Part | None) -> Observer:
    """What shows a metric each batch, in arrays of its own: an executor's are gone after the step."""
    metric, weighted = scored.metric, scored.weighted

    def observe(y: NDArray[Any], x: NDArray[Any], weight: NDArray[Any] | None) -> None:
        if part is None:
            metric.update_state(y.copy(), x.copy(), weight.copy() if weighted and weight is not None else None)
        else:
            weights = part.weights(y) if weighted else None
            if isinstance(metric, MeanMetricWrapper):  # those alone take masks
                weights = part.positions(x, weights)
            metric.update_state(part.truth(y), part.prediction(x), weights)

    return observe
