"""From a stack of layers to the program that they are."""

from __future__ import annotations

from collections.abc import Sequence

from netlet.layers import InputLayer, Layer
from netlet.models.hosts import leading_hosts
from netlet.program import Program, ProgramBuilder


def lower_layers(layers: list[Layer], row_shape: Sequence[int], dtype: str) -> Program:
    """Return the program of a stack of built layers for inputs ``[B, *row_shape]``, as written: no pass has run."""
    builder = ProgramBuilder(dtype)
    name = layers[0].name if layers and isinstance(layers[0], InputLayer) else "input"
    hosts = leading_hosts(layers)
    if hosts and (shape := hosts[-1].output_shape) is not None:  # the Program begins behind them
        row_shape = [n for n in shape[1:] if n is not None]
    node = builder.input(tuple(row_shape), name=name)
    for layer in layers[:1] + layers[1 + len(hosts) :]:
        node = layer.lower(builder, node)
    return builder.finish(node)
