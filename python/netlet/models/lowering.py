"""From layers to the program that they are: what flows between them, their masks, and the penalties on outputs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from netlet.layers import InputLayer, Layer
from netlet.layers.masks import Mask
from netlet.models.hosts import leading_hosts
from netlet.program import Node, Program, ProgramBuilder

__all__ = ["Activity", "Flow", "Lowered", "Lowering", "lower_layers"]


class Flow(NamedTuple):
    """What leaves a layer: a value, and its mask if it has one."""

    node: Node
    mask: Mask | None = None


class Activity(NamedTuple):
    """A penalty on a value of the program.

    Attributes:
        value: its id.
        penalty: the regularizer.
        name: of the layer that has it.
    """

    value: int
    penalty: Any
    name: str


class Lowered(NamedTuple):
    """A program, and what training has to know of it.

    Attributes:
        program: as written: no pass has run.
        masks: for each output the id of its mask, or None.
        activities: in the order of the layers.
    """

    program: Program
    masks: tuple[int | None, ...]
    activities: tuple[Activity, ...]


class Lowering:
    """Calls layers on values of a program that is being built."""

    def __init__(self, dtype: str) -> None:
        self._builder = ProgramBuilder(dtype)
        self._activities: list[Activity] = []

    def input(self, row_shape: Sequence[int], name: str) -> Flow:
        """Add an input."""
        return Flow(self._builder.input(tuple(row_shape), name=name))

    def call(self, layer: Layer, entering: Sequence[Flow]) -> Flow:
        """Add a layer's ops; several values for a layer that takes a list."""
        listed = layer.takes_list
        x: Any = [flow.node for flow in entering] if listed else entering[0].node
        mask: Any = [flow.mask for flow in entering] if listed else entering[0].mask
        masked = any(flow.mask is not None for flow in entering)
        node = layer.lower_masked(self._builder, x, mask) if masked else layer.lower(self._builder, x)
        if layer.activity_regularizer is not None:
            self._activities.append(Activity(node.id, layer.activity_regularizer, layer.name))
        leaving = None
        if layer.supports_masking and (masked or layer.makes_mask):
            leaving = layer.lower_mask(self._builder, x, mask)
        elif masked:
            warnings.warn(
                f"{layer.name}: {type(layer).__name__} does not pass masks on: the mask of its input ends here",
                stacklevel=2,
            )
        return Flow(node, leaving)

    def finish(self, outputs: Sequence[Flow], training: bool) -> Lowered:
        """Return the program; masks that nothing but losses read are in it if it is for training."""
        masks = [flow.mask.node.id if training and flow.mask is not None else None for flow in outputs]
        return Lowered(self._builder.finish([flow.node for flow in outputs]), tuple(masks), tuple(self._activities))


def lower_layers(layers: list[Layer], row_shape: Sequence[int], dtype: str, training: bool) -> Lowered:
    """Return the program of a stack of built layers for inputs ``[B, *row_shape]``; see `Lowering.finish`."""
    lowering = Lowering(dtype)
    name = layers[0].name if layers and isinstance(layers[0], InputLayer) else "input"
    hosts = leading_hosts(layers)
    if hosts and (shape := hosts[-1].output_shape) is not None:  # the Program begins behind them
        row_shape = [n for n in shape[1:] if n is not None]
    flow = lowering.input(row_shape, name)
    for layer in layers[:1] + layers[1 + len(hosts) :]:
        flow = lowering.call(layer, [flow])
    return lowering.finish([flow], training)
