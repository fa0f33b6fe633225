"""From an activation function to the op that computes it in a program."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from netlet.activations import functions

Activation = Callable[..., Any]

# Keras' argument names to the ops' attributes, where an activation has arguments.
_ARGUMENTS = {
    "leaky_relu": {"negative_slope": "alpha"},
    "elu": {"alpha": "alpha"},
    "gelu": {"approximate": "approximate"},
}


def lowered(activation: Activation) -> tuple[str, dict[str, Any]]:
    """Return what a program calls ``activation``, and the attributes it takes there.

    Args:
        activation: a function of `netlet.activations`, or a `functools.partial` of one that sets its arguments.

    Raises: ValueError if it is any other function, which no backend could run.
    """
    arguments: dict[str, Any] = {}
    function = activation
    if isinstance(function, functools.partial):
        if function.args:
            raise ValueError(f"activation: a partial may only set arguments by name, got {activation!r}")
        arguments = dict(function.keywords)
        function = function.func
    name = getattr(function, "__name__", "")
    if getattr(functions, name, None) is not function or name.startswith("_"):
        raise ValueError(f"activation: custom functions are not supported yet, got {activation!r}")
    if name == "relu" and set(arguments) == {"negative_slope"}:
        name = "leaky_relu"
    if name in ("softmax", "log_softmax"):
        if arguments.pop("axis", -1) != -1 or arguments:
            raise ValueError(f"activation: {name} in a layer runs along the last axis only, got {activation!r}")
        return name, {}
    known = _ARGUMENTS.get(name, {})
    attrs: dict[str, Any] = {}
    for key, value in arguments.items():
        if key not in known:
            raise ValueError(f"activation: {name} has no argument {key!r}; known: {', '.join(known) or 'none'}")
        attrs[known[key]] = value
    return name, attrs
