"""Layers: what a `Sequential` is made of."""

from __future__ import annotations

from typing import Any

from netlet.layers.activation import Activation
from netlet.layers.dense import Dense
from netlet.layers.input_layer import Input, InputLayer, SymbolicTensor
from netlet.layers.layer import Layer
from netlet.layers.reshape import Flatten, Reshape
from netlet.layers.variable import Variable
from netlet.utils.registry import Registry, serialize

REGISTRY = Registry("layer", {cls.__name__: cls for cls in (Activation, Dense, Flatten, InputLayer, Reshape)})


def deserialize(config: Any) -> Layer:
    """Return the layer that a config describes; the inverse of `serialize`. It has no weights yet."""
    made = REGISTRY.deserialize(config)
    if not isinstance(made, Layer):
        raise ValueError(f"layer config: expected a dict with 'class_name' and 'config', got {config!r}")
    return made


__all__ = [
    "Activation",
    "Dense",
    "Flatten",
    "Input",
    "InputLayer",
    "Layer",
    "Reshape",
    "SymbolicTensor",
    "Variable",
    "deserialize",
    "serialize",
]
