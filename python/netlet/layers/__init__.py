"""Layers: what models are made of."""

from __future__ import annotations

from typing import Any

from netlet.layers.activation import Activation
from netlet.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from netlet.layers.dense import Dense
from netlet.layers.embedding import Embedding
from netlet.layers.input_layer import Input, InputLayer
from netlet.layers.layer import Layer
from netlet.layers.merging import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from netlet.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from netlet.layers.normalization import BatchNormalization, LayerNormalization, RMSNormalization, UnitNormalization
from netlet.layers.reshape import Flatten, Permute, RepeatVector, Reshape
from netlet.layers.symbolic import SymbolicTensor
from netlet.layers.variable import Variable
from netlet.utils.registry import Registry, serialize

_LAYERS: tuple[type[Layer], ...] = (
    Activation,
    Add,
    AlphaDropout,
    Average,
    BatchNormalization,
    Concatenate,
    Dense,
    Dot,
    Dropout,
    ELU,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    InputLayer,
    LayerNormalization,
    LeakyReLU,
    Maximum,
    Minimum,
    Multiply,
    PReLU,
    Permute,
    RMSNormalization,
    ReLU,
    RepeatVector,
    Reshape,
    Softmax,
    Subtract,
    UnitNormalization,
)
REGISTRY = Registry("layer", {cls.__name__: cls for cls in _LAYERS})


def deserialize(config: Any) -> Layer:
    """Return the layer that a config describes; the inverse of `serialize`. It has no weights yet."""
    made = REGISTRY.deserialize(config)
    if not isinstance(made, Layer):
        raise ValueError(f"layer config: expected a dict with 'class_name' and 'config', got {config!r}")
    return made


__all__ = [
    "ELU",
    "Activation",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "Softmax",
    "Subtract",
    "SymbolicTensor",
    "UnitNormalization",
    "Variable",
    "deserialize",
    "serialize",
]
