"""Layers: what models are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from netlet.errors import unknown_name
from netlet.layers.activation import Activation
from netlet.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from netlet.layers.activity_regularization import ActivityRegularization
from netlet.layers.dense import Dense
from netlet.layers.embedding import Embedding
from netlet.layers.group_normalization import GroupNormalization
from netlet.layers.input_layer import Input, InputLayer
from netlet.layers.layer import Layer
from netlet.layers.masking import Masking
from netlet.layers.merging import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from netlet.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from netlet.layers.normalization import BatchNormalization, LayerNormalization, RMSNormalization, UnitNormalization
from netlet.layers.reshape import Flatten, Permute, RepeatVector, Reshape
from netlet.layers.symbolic import SymbolicTensor
from netlet.layers.variable import Variable
from netlet.utils.registry import Registry, serialize

if TYPE_CHECKING:
    from netlet.layers.preprocessing import (
        CategoryEncoding,
        CenterCrop,
        Discretization,
        Hashing,
        IntegerLookup,
        Normalization,
        RandomContrast,
        RandomFlip,
        RandomRotation,
        RandomTranslation,
        RandomZoom,
        Rescaling,
        Resizing,
        StringLookup,
    )

_LAYERS: tuple[type[Layer], ...] = (
    Activation,
    ActivityRegularization,
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
    GroupNormalization,
    InputLayer,
    LayerNormalization,
    LeakyReLU,
    Masking,
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
# Seldom wanted, and several files: imported at the first use.
_PREPROCESSING = frozenset(
    (
        "CategoryEncoding",
        "CenterCrop",
        "Discretization",
        "Hashing",
        "IntegerLookup",
        "Normalization",
        "RandomContrast",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
        "Rescaling",
        "Resizing",
        "StringLookup",
    )
)


def __getattr__(name: str) -> Any:
    if name not in _PREPROCESSING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from netlet.layers import preprocessing

    found = {each: getattr(preprocessing, each) for each in _PREPROCESSING}
    REGISTRY.objects.update(found)
    globals().update(found)
    return found[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """Return the layer that a config describes; the inverse of `serialize`. It has no weights yet.

    Args:
        config: ``{"class_name": str, "config": dict}``.
        custom_objects: layers, regularizers and constraints of one's own, by name.

    Raises: ValueError if the config is none, or names something unknown, or an argument is invalid; TypeError if one is
    missing.
    """
    name = config.get("class_name") if isinstance(config, Mapping) else None
    custom = custom_objects or {}
    if isinstance(name, str) and name not in REGISTRY.objects and name not in custom:
        __getattr__("Normalization")  # registers those of its group
        if name not in REGISTRY.objects:
            known = [*REGISTRY.objects, *custom]
            raise ValueError(f"{unknown_name('layer', name, known)}; one of your own must be among custom_objects")
    if custom and isinstance(config, Mapping) and isinstance(config.get("config"), Mapping):
        config = {**config, "config": {key: _own(key, value, custom) for key, value in config["config"].items()}}
    own = custom.get(name) if isinstance(name, str) else None
    made = REGISTRY.deserialize(config) if own is None else own.from_config(dict(config.get("config", {})))
    if not isinstance(made, Layer):
        raise ValueError(f"layer config: expected a dict with 'class_name' and 'config', got {config!r}")
    return made


def _own(argument: str, value: Any, custom: Mapping[str, Any]) -> Any:
    """An argument of a layer: the user's object where its name is one of them."""
    if argument.rpartition("_")[2] not in ("activation", "constraint", "initializer", "regularizer"):
        return value
    name = value.get("class_name") if isinstance(value, Mapping) else value
    if not isinstance(name, str) or name not in custom:
        return value
    found = custom[name]
    return found.from_config(dict(value.get("config", {}))) if isinstance(value, Mapping) else found


__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Dense",
    "Discretization",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Hashing",
    "Input",
    "InputLayer",
    "IntegerLookup",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RandomContrast",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "Softmax",
    "StringLookup",
    "Subtract",
    "SymbolicTensor",
    "UnitNormalization",
    "Variable",
    "deserialize",
    "serialize",
]
