"""What runs a model: its program, optimized, and an executor over its arena."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends import make_executor
from netlet.layers import InputLayer, Layer
from netlet.layers.variable import aligned_zeros
from netlet.metrics import Metric
from netlet.models.arena import Arena
from netlet.models.compilation import Compilation
from netlet.optimizers import Optimizer
from netlet.program import Program, ProgramBuilder, metric_slices, optimize, sums_size


def lower_layers(layers: Sequence[Layer], row_shape: Sequence[int], dtype: str) -> Program:
    """Return the program of a stack of built layers for inputs ``[B, *row_shape]``, as written: no pass has run."""
    builder = ProgramBuilder(dtype)
    name = layers[0].name if layers and isinstance(layers[0], InputLayer) else "input"
    node = builder.input(tuple(row_shape), name=name)
    for layer in layers:
        node = layer.lower(builder, node)
    return builder.finish(node)


class Engine:
    """A model made ready to run; a new one is made when layers or settings change.

    Args:
        program: as lowered, without loss, optimizer and metrics.
        arena: the parameters.
        state: what is not trained by gradients.
        compilation: the settings of training, or None for a model that only predicts.
        output_shape: of the model, the batch in front.
        slots: the optimizer's slots ``[n, param_size]`` to continue with, or None for zeros.

    Attributes:
        program: what the executor runs.
        executor: see `netlet.backends.Executor`.
        slots: the optimizer's slots.
        metrics: in compile's order.
        names: of the logs: "loss", then the metrics.
    """

    def __init__(
        self,
        program: Program,
        arena: Arena,
        state: Arena,
        compilation: Compilation | None,
        output_shape: Sequence[int | None],
        slots: NDArray[Any] | None,
    ) -> None:
        self.metrics: list[Metric] = []
        if compilation is not None and compilation.loss is not None:
            loss = compilation.loss
            self.metrics = compilation.metrics_for(output_shape)
            program = program.with_training(
                loss=(loss.op, loss.attrs()),
                optimizer=compilation.optimizer.lower(arena.variables),
                metrics=[metric.lower() for metric in self.metrics],
            )
        self.program = optimize(program)
        shape = (self.program.num_slots, self.program.param_size)
        self.slots = aligned_zeros(shape, program.dtype)
        self._optimizer = compilation.optimizer if self.program.optimizer is not None and compilation else None
        if self._optimizer is not None:
            self._begin(self._optimizer, arena, slots)
        self.executor = make_executor(self.program, arena.data, state.data, self.slots)
        self.names = ["loss", *(metric.name for metric in self.metrics)]
        self._size = sums_size(self.program)
        self._slices = metric_slices(self.program)
        entries = zip(self.names, [None, *self.metrics], [slice(0, 2), *self._slices], strict=True)
        self._sorted = sorted(entries, key=lambda entry: entry[0])

    def _begin(self, optimizer: Optimizer, arena: Arena, slots: NDArray[Any] | None) -> None:
        """Give the slots their first values: those handed in, those the optimizer has of these weights, or new ones."""
        names = optimizer.slot_names()
        for name, value in optimizer.initial_slots().items():
            self.slots[names.index(name)] = value
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
        """Return zeros for the sums that an executor adds to."""
        return np.zeros(self._size)

    def values(self, sums: NDArray[np.float64]) -> list[Any]:
        """Return the loss and the metrics that ``sums`` mean, in compile's order."""
        totals: list[float] = sums.tolist()  # a list is read faster than an array, one element at a time
        return [_loss(totals), *(m.value(totals[at]) for m, at in zip(self.metrics, self._slices, strict=True))]

    def logs(self, sums: NDArray[np.float64]) -> dict[str, Any]:
        """Return the loss and the metrics that ``sums`` mean by name, sorted."""
        totals: list[float] = sums.tolist()
        return {
            name: _loss(totals) if metric is None else metric.value(totals[at]) for name, metric, at in self._sorted
        }


def _loss(totals: Sequence[float]) -> float:
    """The mean loss; 0 before the first row."""
    return totals[0] / totals[1] if totals[1] else 0.0
