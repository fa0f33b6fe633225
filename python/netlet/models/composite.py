"""The loss of a model with several outputs, masks or penalties on what its layers put out: all of them added.

Executors know one loss of one value, over one array of labels. So the outputs of a row are joined to one vector, with
their masks and the values that have penalties; and so are its labels, followed by one weight for each output
(``joined_labels.py``). A :class:`Composite` takes them apart again. It runs in Python, over the references of the
losses, on every backend.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlet.models.masked_loss import MaskedLoss
from netlet.models.objective import objective
from netlet.program import Op, Program, Value
from netlet.program.case import Case
from netlet.program.spec import Array, Attrs, LossSpec, Shape, elements
from netlet.regularizers import L1L2

if TYPE_CHECKING:
    from netlet.models.compilation import Compilation
    from netlet.models.lowering import Lowered

__all__ = ["Charge", "Composite", "Part", "join"]


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
        mask: where its mask lies in the joined row; None for one that has none.
        masked: its loss with that mask.
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
    mask: slice | None = None
    masked: MaskedLoss | None = None

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

    def positions(self, x: Array, weight: Array | None) -> Array | None:
        """The weights of this output's positions: those of rows, 0 where the mask leaves one out."""
        if self.mask is None:
            return weight
        mask = np.ascontiguousarray(x[:, self.mask]).reshape(len(x), *self.shape[:-1])
        return mask if weight is None else mask * weight.reshape(-1, *(1,) * (mask.ndim - 1))


class Charge(NamedTuple):
    """A penalty on values of the network.

    Attributes:
        penalty: the regularizer.
        shape: of a row of the values.
        at: where they lie in the joined row.
    """

    penalty: Any
    shape: Shape
    at: slice


class Composite(LossSpec):
    """A loss over joined outputs and labels, plus penalties divided by the number of rows.

    Args:
        parts: of the outputs, in order.
        width: of the joined row.
        charges: the penalties.

    Attributes:
        totals: for each part, the sum of weighted losses since :meth:`reset`; rows: how many there were.
    """

    name = "custom"
    signature = "x[B,N] y[B,L] -> loss[B]"
    formula = "sum over outputs of weight * loss, + penalties / B"
    native = False

    def __init__(self, parts: Sequence[Part], charges: Sequence[Charge] = ()) -> None:
        self.parts = tuple(parts)
        self.charges = tuple(charges)
        self.label_width = sum(elements(part.labels) for part in parts) + len(parts)
        alone = all(part.spec is None or (part.masked is None and part.spec.per_row_for(part.attrs)) for part in parts)
        self.per_row = alone and all(isinstance(charge.penalty, L1L2) for charge in charges)
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
            if part.masked is not None and part.mask is not None:
                mask, truth = np.ascontiguousarray(x[:, part.mask]), part.truth(y)
                part.masked.value_and_gradient(prediction, truth, weights, mask, own, gradient, clip)
            else:
                part.spec.value_and_gradient(part.attrs, prediction, part.truth(y), weights, own, gradient, None, clip)
            own *= weights
            self.totals[i] += own.sum(dtype=np.float64)
            losses += x.dtype.type(part.weight) * own
            if dx is not None and gradient is not None:
                dx[:, part.at] = x.dtype.type(part.weight) * gradient.reshape(len(x), -1)
        rows = x.dtype.type(len(x))
        for charge in self.charges:
            values = np.ascontiguousarray(x[:, charge.at]).reshape(len(x), *charge.shape)
            losses += x.dtype.type(charge.penalty(values)) / rows
            if dx is not None:
                dx[:, charge.at] = charge.penalty.gradient(values).reshape(len(x), -1) / rows
        self.rows += len(x)

    def cases(self) -> Iterator[Case]:
        return iter(())


def _parts(program: Program, lowered: Lowered, compilation: Compilation) -> list[Part]:
    """The parts of the outputs, whose elements lie one after the other; masks are not placed yet."""
    parts = []
    at = labels_at = 0
    for name, value, mask, loss, weight in zip(
        compilation.outputs or ("output",),
        program.outputs,
        lowered.masks,
        compilation.losses,
        compilation.loss_weights,
        strict=True,
    ):
        shape = program.values[value].shape
        spec, attrs, labels, integer, masked = None, {}, shape, False, None
        if loss is not None:
            made = objective(loss)
            spec = made.spec or loss.spec
            attrs = spec.normalize(made.attrs) if made.spec is None else made.attrs
            labels, integer = spec.label_shape(shape, attrs), loss.integer_labels
            if mask is not None:
                masked = MaskedLoss(loss, shape, program.values[mask].shape)
                masked = None if masked.idle else masked
        size, width = elements(shape), elements(labels) if loss is not None else 0
        own = slice(at, at + size), labels if loss is not None else (0,), slice(labels_at, labels_at + width)
        parts.append(Part(name, spec, attrs, weight, shape, *own, integer, 0, None, masked))
        at, labels_at = at + size, labels_at + width
    return [part._replace(weight_at=labels_at + i) for i, part in enumerate(parts)]


def join(program: Program, lowered: Lowered, compilation: Compilation) -> tuple[Program, int, Composite]:
    """Returns the program with all that its loss reads of a row joined to one vector, that value's id, and the loss."""
    values, ops = list(program.values), list(program.ops)
    flat: list[int] = []
    at = 0

    def place(value: int, name: str) -> slice:
        nonlocal at
        size = elements(values[value].shape)
        values.append(Value(name, (size,)))
        ops.append(Op("reshape", (value,), len(values) - 1))
        flat.append(len(values) - 1)
        at += size
        return slice(at - size, at)

    parts = _parts(program, lowered, compilation)
    for part, value in zip(parts, program.outputs, strict=True):
        place(value, f"{part.name}/flat")
    for i, mask in enumerate(lowered.masks):
        if mask is not None and parts[i].spec is not None:
            parts[i] = parts[i]._replace(mask=place(mask, f"{parts[i].name}/mask"))
    charges = [
        Charge(penalty, program.values[value].shape, place(value, f"{name}/activity"))
        for value, penalty, name in lowered.activities
    ]
    values.append(Value("outputs/joined", (at,)))
    if len(flat) > 1:
        ops.append(Op("concatenate", tuple(flat), len(values) - 1, (), {"axis": -1}))
    else:
        ops.append(Op("reshape", tuple(flat), len(values) - 1))
    joined = dataclasses.replace(program, values=tuple(values), ops=tuple(ops))
    return joined, len(values) - 1, Composite(parts, charges)
