"""Layers, losses, metrics and optimizers that somebody wrote in Python: names for a Program.

See :class:`netlet.backends.extras.Extras`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import NoReturn

from netlet.program.case import Case
from netlet.program.spec import (
    Array,
    Attr,
    Attrs,
    Context,
    LossSpec,
    MetricSpec,
    OpSpec,
    OptimizerSpec,
    Region,
    Shape,
)

__all__ = ["MOST_SLOTS", "CustomLayer", "CustomLoss", "CustomMetric", "CustomOptimizer", "CustomSparseLoss"]

#: The most arrays of the parameters' layout that a custom optimizer may keep.
MOST_SLOTS = 1000


class CustomLayer(OpSpec):
    """A layer of somebody's own, with any weights and any state."""

    name = "custom"
    signature = "x[B,...]... w[...]... state[...]... -> y[B,...]"
    formula = "what the executor was handed"
    native = False
    arity = None
    any_weights = True
    contextual = True

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        """``layer``: the layer's name, by which the executor knows it."""
        return (Attr("layer", "text", ""),)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        return declared

    def forward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
    ) -> None:
        raise ValueError(f"op 'custom': the executor was made without the layer {attrs['layer']!r}; see Extras")

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 0  # nobody knows

    def cases(self) -> Iterator[Case]:
        return iter(())


class CustomLoss(LossSpec):
    """A loss of somebody's own, of labels shaped as the prediction."""

    name = "custom"
    signature = "x[B,...] y[B,...] -> loss[B]"
    formula = "what the executor was handed"
    native = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        """``labels``: the shape of a row of labels, where it is not what the class says; empty if it is."""
        return (Attr("labels", "ints", (), 1, 1 << 40, optional=True),)

    def label_shape(self, prediction: Shape, attrs: Attrs = MappingProxyType({})) -> Shape:
        return tuple(attrs.get("labels", ())) or (prediction[:-1] if self.integer_labels else prediction)

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
    ) -> NoReturn:
        raise ValueError("loss 'custom': the executor was made without it; see Extras")

    def cases(self) -> Iterator[Case]:
        return iter(())


class CustomSparseLoss(CustomLoss):
    """A loss of somebody's own, of class numbers."""

    name = "custom_sparse"
    signature = "x[B,...,C] y[B,...] int32 -> loss[B]"
    integer_labels = True


class CustomMetric(MetricSpec):
    """A metric that keeps its own sums: it is shown each batch's labels, predictions and weights."""

    name = "custom"
    signature = "x[B,...] y[B,...] weight[B]? -> nothing"
    formula = "what the executor was handed"
    labels = "either"
    native = False

    def size(self, prediction: Shape, attrs: Attrs) -> int:
        return 0

    def update(self, attrs: Attrs, x: Array, y: Array, sums: Array) -> NoReturn:
        raise ValueError("metric 'custom': the executor was made without it; see Extras")

    def cases(self) -> Iterator[Case]:
        return iter(())


class CustomOptimizer(OptimizerSpec):
    """An optimizer that makes its own steps: it is handed the whole gradient of each."""

    name = "custom"
    signature = "w[P] g[P] slots[n,P] -> w[P] slots[n,P]"
    formula = "what the executor was handed"
    native = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        """``slots``: how many arrays of the parameters' layout it keeps."""
        return (Attr("slots", "int", 0, 0, MOST_SLOTS),)

    def own_slots(self, attrs: Attrs) -> int:
        slots: int = attrs["slots"]
        return slots

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> NoReturn:
        raise ValueError("optimizer 'custom': the executor was made without it; see Extras")

    def cases(self) -> Iterator[Case]:
        return iter(())
