"""Activation functions, callable on arrays: ``netlet.activations.relu(x)``.

In a layer, give the name (``Dense(3, activation="relu")``), the function, or, to set an argument, a partial of it:
``functools.partial(activations.leaky_relu, negative_slope=0.1)``.
"""

from __future__ import annotations

import functools
from typing import Any

from netlet.activations.along_axis import glu, log_softmax, softmax, sparsemax
from netlet.activations.functions import (
    celu,
    elu,
    exponential,
    gelu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
from netlet.activations.lowering import Activation, described, lowered
from netlet.errors import unknown_name

swish = silu
hard_swish = hard_silu

FUNCTIONS: dict[str, Activation] = {
    "celu": celu,
    "elu": elu,
    "exponential": exponential,
    "gelu": gelu,
    "glu": glu,
    "hard_shrink": hard_shrink,
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": hard_silu,
    "hard_swish": hard_silu,
    "hard_tanh": hard_tanh,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_sigmoid": log_sigmoid,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": silu,
    "soft_shrink": soft_shrink,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": softsign,
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": sparse_sigmoid,
    "sparsemax": sparsemax,
    "squareplus": squareplus,
    "swish": silu,
    "tanh": tanh,
    "tanh_shrink": tanh_shrink,
    "threshold": threshold,
}


def get(identifier: Any) -> Activation:
    """Return the activation function for ``identifier``: None (linear), a name, a config or a callable.

    Raises: ValueError if it is none of these; an unknown name comes with the nearest known one.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if callable(identifier):
        found: Activation = identifier
        return found
    raise ValueError(f"activation: expected a name, a function or None, got {identifier!r}")


def serialize(activation: Activation) -> Any:
    """Return the name of ``activation``; of a partial, ``{"class_name": name, "config": arguments}``.

    Raises: ValueError if it is not one of these functions.
    """
    name, arguments = described(activation)
    return {"class_name": name, "config": arguments} if isinstance(activation, functools.partial) else name


def deserialize(config: Any) -> Activation:
    """Return the function that `serialize` wrote as ``config``.

    Raises: ValueError if it describes none; an unknown name comes with the nearest known one.
    """
    if isinstance(config, str):
        if config not in FUNCTIONS:
            raise unknown_name("activation", config, FUNCTIONS)
        return FUNCTIONS[config]
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ValueError(f"activation config: expected a name or a dict with 'class_name', got {config!r}")
    arguments = config.get("config", {})
    if isinstance(arguments, str):  # Keras' form: {"class_name": "function", "config": name}
        return deserialize(arguments)
    if not isinstance(arguments, dict):
        raise ValueError(f"activation config: 'config' must be a dict, got {arguments!r}")
    function = functools.partial(deserialize(config["class_name"]), **arguments)
    described(function)
    return function if arguments else function.func


__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "lowered",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]
