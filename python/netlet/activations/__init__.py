"""Activation functions, callable on arrays: ``netlet.activations.relu(x)``.

In a layer, give the name (``Dense(3, activation="relu")``), the function, or, to set an argument, a partial of it:
``functools.partial(activations.leaky_relu, negative_slope=0.1)``.
"""

from __future__ import annotations

import functools
from typing import Any

from netlet.activations.functions import (
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    leaky_relu,
    linear,
    log_softmax,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from netlet.activations.lowering import Activation, lowered
from netlet.errors import unknown_name

swish = silu

FUNCTIONS: dict[str, Activation] = {
    "elu": elu,
    "exponential": exponential,
    "gelu": gelu,
    "hard_sigmoid": hard_sigmoid,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_softmax": log_softmax,
    "relu": relu,
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": silu,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": softsign,
    "swish": silu,
    "tanh": tanh,
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
    lowered(activation)
    if isinstance(activation, functools.partial):
        return {"class_name": activation.func.__name__, "config": dict(activation.keywords)}
    return activation.__name__


def deserialize(config: Any) -> Activation:
    """Return the function that `serialize` wrote as ``config``."""
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
    lowered(function)
    return function if arguments else function.func


__all__ = [
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "leaky_relu",
    "linear",
    "log_softmax",
    "lowered",
    "relu",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]
