"""A loss object as what a program and its executor need: an op's name and attributes, or a spec where it has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from netlet.losses import Loss
from netlet.program.case import Case
from netlet.program.spec import Array, Attrs, LossSpec, Shape

__all__ = ["Objective", "objective"]

_MEANS = ("sum_over_batch_size", "mean")


class Objective(NamedTuple):
    """How a loss enters a program.

    Attributes:
        op, attrs: its name there.
        spec: what computes it where the name is ``custom`` or ``custom_sparse``; else None.
    """

    op: str
    attrs: dict[str, Any]
    spec: LossSpec | None


class _Reduced(LossSpec):
    """A loss whose batch is not reduced to its mean.

    Executors divide the sum of weighted row losses by the rows. ``sum`` undoes that division, and that of a row's
    losses by their number; ``mean_with_sample_weight`` divides by the sum of weights instead.
    """

    name = "custom"
    signature = "x[B,...] y[B,...] -> loss[B]"
    formula = "the loss, times what its reduction differs by from the mean"
    native = False
    per_row = False

    def __init__(self, loss: Loss) -> None:
        self.integer_labels = loss.integer_labels
        self._loss = loss
        self._spec = loss.spec
        self._attrs = loss.spec.normalize(loss.attrs()) if loss.op else {}
        self._positions: int | None = None

    def label_shape(self, prediction: Shape, attrs: Attrs = {}) -> Shape:  # noqa: B006  read only
        return self._spec.label_shape(prediction, self._attrs)

    def value_and_gradient(
        self,
        attrs: Attrs,
        x: Array,
        y: Array,
        weight: Array | None,
        losses: Array,
        dx: Array | None,
        output: Array | None,
        clip: tuple[float, float] | None = None,
    ) -> None:
        self._spec.value_and_gradient(self._attrs, x, y, weight, losses, dx, output, clip)
        factor = 1.0
        if self._loss.reduction == "sum":
            if self._positions is None:
                self._positions = max(np.size(self._loss.call(y, x)) // len(x), 1)
            factor = float(len(x) * self._positions)
        elif self._loss.reduction == "mean_with_sample_weight" and weight is not None:
            total = float(weight.sum(dtype=np.float64))
            factor = len(x) / total if total else 0.0
        losses *= losses.dtype.type(factor)
        if dx is not None:
            dx *= dx.dtype.type(factor)

    def cases(self) -> Iterator[Case]:
        return iter(())


def objective(loss: Loss) -> Objective:
    """Return how ``loss`` enters a program.

    Raises: ValueError for a reduction that leaves nothing to descend on.
    """
    if loss.reduction in (None, "none"):
        raise ValueError(f"{loss.name}: reduction={loss.reduction!r} leaves no one number to train for")
    name = "custom_sparse" if loss.integer_labels else "custom"
    if loss.reduction not in _MEANS:
        return Objective(name, {}, _Reduced(loss))
    if loss.op:
        return Objective(loss.op, loss.attrs(), None)
    return Objective(name, {}, loss.spec)
