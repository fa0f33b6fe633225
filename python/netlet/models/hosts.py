"""Layers on strings that directly follow a model's input: they run in Python, and the Program begins behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netlet.layers import Layer, SymbolicTensor
from netlet.layers.shapes import Shape, format_shape
from netlet.models.data import fit_rank, shape_fits


def on_host(layer: Layer) -> bool:
    """Return whether ``layer`` runs in Python, before the Program."""
    return bool(getattr(layer, "runs_on_host", False))


def leading_hosts(layers: Sequence[Layer]) -> list[Layer]:
    """Return those of a stack's layers that directly follow its first, the Input, and run on the host."""
    found: list[Layer] = []
    for layer in layers[1:]:
        if not on_host(layer):
            break
        found.append(layer)
    return found


def host_chain(inputs: Sequence[SymbolicTensor], order: Sequence[SymbolicTensor]) -> list[SymbolicTensor]:
    """Return the values of a graph, in order, that layers on the host make of its only input.

    Args:
        inputs: the graph's inputs.
        order: its other values, each after those it is made of.
    """
    found: list[SymbolicTensor] = []
    if len(inputs) != 1:
        return found
    value = inputs[0]
    while True:
        readers = [v for v in order if v.call is not None and any(entry is value for entry in v.call.inputs)]
        if len(readers) != 1 or not on_host(readers[0].layer):
            return found
        value = readers[0]
        found.append(value)


def run_hosts(hosts: Sequence[Any], x: Any, expected: Shape) -> tuple[Any, Shape]:
    """Return what layers on the host make of a model's input, and the shape that the rest of the model expects.

    Args:
        hosts: the layers, in order.
        x: rows: an array, a list, a frame or a series.
        expected: the model's input shape, the batch in front.

    Raises: ValueError for a wrong shape, and what the layers raise.
    """
    if isinstance(x, Mapping) and len(x) == 1:  # by the input's name
        (x,) = x.values()
    array = fit_rank(np.asarray(x), expected)
    if not shape_fits(array.shape, expected):
        name = hosts[0].name
        raise ValueError(f"{name}: input has shape {format_shape(array.shape)}, expected {format_shape(expected)}")
    for layer in hosts:
        array = layer.host(array)
    return array, hosts[-1].output_shape
