"""The loss of a model with several outputs: each output's loss of its own labels, weighted and added.

Executors know one loss over one array of labels. So the outputs of a row are joined to one vector, and so are its
labels, followed by one weight for each output; a :class:`Composite` takes them apart again. It runs in Python, over the
references of the losses, on every backend.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlet.models.objective import objective
from netlet.program import Op, Program, Value
from netlet.program.case import Case
from netlet.program.spec import Array, Attrs, LossSpec, Shape, elements

if TYPE_CHECKING:
    from netlet.models.compilation import Compilation

__all__ = ["Composite", "Part", "join_labels", "join_outputs"]


class Part(NamedTuple):
    """One output's share.

    Attributes:
        name: of the output.
        spec: of its loss; None for an output that has none.
        attrs: of the loss.
        weight: what its loss counts.
        shape: of a row of the output.
        at: where its elements lie in the joined row.
        labels: the shape of a row of its labels.
        labels_at: where they lie in the joined labels.
        integer: whether they are class numbers.
        weight_at: where its sample weight lies in the joined labels.
    """

    name: str
    spec: LossSpec | None
    attrs: Attrs
    weight: float
    shape: Shape
    at: slice
    labels: Shape
    labels_at: slice
    integer: bool
    weight_at: int

    def prediction(self, x: Array) -> Array:
        """This output's part of joined outputs, ``[B, *shape]``."""
        return np.ascontiguousarray(x[:, self.at]).reshape(len(x), *self.shape)

    def truth(self, y: Array) -> Array:
        """This output's part of joined labels, ``[B, *labels]``."""
        part = np.ascontiguousarray(y[:, self.labels_at]).reshape(len(y), *self.labels)
        return part.astype(np.int32) if self.integer else part

    def weights(self, y: Array) -> Array:
        """This output's sample weights, ``[B]``."""
        return np.ascontiguousarray(y[:, self.weight_at])


class Composite(LossSpec):
    """A loss over joined outputs and labels.

    Args:
        parts: of the outputs, in order.

    Attributes:
        totals: for each part, the sum of weighted losses since :meth:`reset`; rows: how many there were.
    """

    name = "custom"
    signature = "x[B,N] y[B,L] -> loss[B]"
    formula = "sum over outputs of weight * loss"
    native = False

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self.width = sum(elements(part.shape) for part in parts)
        self.label_width = sum(elements(part.labels) for part in parts) + len(parts)
        self.per_row = all(part.spec is None or part.spec.per_row_for(part.attrs) for part in parts)
        self.totals: NDArray[np.float64] = np.zeros(len(parts))
        self.rows = 0

    def reset(self) -> None:
        """Begin the sums anew."""
        self.totals[:] = 0
        self.rows = 0

    def means(self) -> list[float]:
        """Each output's mean loss since the last reset."""
        return [float(total / self.rows) if self.rows else 0.0 for total in self.totals]

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
        losses[:] = 0
        if dx is not None:
            dx[...] = 0
        for i, part in enumerate(self.parts):
            if part.spec is None:
                continue
            prediction, weights = part.prediction(x), part.weights(y)
            own = np.empty_like(losses)
            gradient = None if dx is None else np.empty_like(prediction)
            part.spec.value_and_gradient(part.attrs, prediction, part.truth(y), weights, own, gradient, None, clip)
            own *= weights
            self.totals[i] += own.sum(dtype=np.float64)
            losses += x.dtype.type(part.weight) * own
            if dx is not None and gradient is not None:
                dx[:, part.at] = x.dtype.type(part.weight) * gradient.reshape(len(x), -1)
        self.rows += len(x)

    def cases(self) -> Iterator[Case]:
        return iter(())


def join_labels(parts: Sequence[Part], labels: Sequence[Array], weights: Sequence[Array | None], dtype: Any) -> Array:
    """Returns labels and weights of each output as one array ``[n, label_width]``."""
    rows = len(labels[0])
    joined = np.empty((rows, sum(elements(part.labels) for part in parts) + len(parts)), dtype)
    for part, own, weight in zip(parts, labels, weights, strict=True):
        joined[:, part.labels_at] = own.reshape(rows, -1)
        joined[:, part.weight_at] = 1 if weight is None else weight
    return joined


def join_outputs(program: Program, compilation: Compilation) -> tuple[Program, int, Composite]:
    """Returns the program with all outputs of a row joined to one vector, that value's id, and the loss over it."""
    values, ops = list(program.values), list(program.ops)
    flat, parts = [], []
    at = labels_at = 0
    for name, value, loss, weight in zip(
        compilation.outputs, program.outputs, compilation.losses, compilation.loss_weights, strict=True
    ):
        shape = program.values[value].shape
        size = elements(shape)
        spec, attrs, labels, integer = None, {}, shape, False
        if loss is not None:
            made = objective(loss)
            spec = made.spec or loss.spec
            attrs = spec.normalize(made.attrs) if made.spec is None else made.attrs
            labels, integer = spec.label_shape(shape, attrs), loss.integer_labels
        width = elements(labels) if loss is not None else 0
        parts.append(
            Part(
                name,
                spec,
                attrs,
                weight,
                shape,
                slice(at, at + size),
                labels if loss is not None else (0,),
                slice(labels_at, labels_at + width),
                integer,
                0,
            )
        )
        at, labels_at = at + size, labels_at + width
        values.append(Value(f"{name}/flat", (size,)))
        ops.append(Op("reshape", (value,), len(values) - 1))
        flat.append(len(values) - 1)
    parts = [part._replace(weight_at=labels_at + i) for i, part in enumerate(parts)]
    values.append(Value("outputs/joined", (at,)))
    ops.append(Op("concatenate", tuple(flat), len(values) - 1, (), {"axis": -1}))
    joined = dataclasses.replace(program, values=tuple(values), ops=tuple(ops))
    return joined, len(values) - 1, Composite(parts)
