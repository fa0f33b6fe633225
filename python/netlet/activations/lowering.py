"""From an activation function to the op that computes it in a program."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from netlet.activations import along_axis, functions
from netlet.program.ops.elementwise import ACTIVATIONS

Activation = Callable[..., Any]

_ALONG_AXIS = ("glu", "log_softmax", "softmax", "sparsemax")

# What each function takes besides x: Keras' names to the ops' attributes.
_ARGUMENTS: dict[str, dict[str, str]] = {
    "celu": {"alpha": "alpha"},
    "elu": {"alpha": "alpha"},
    "gelu": {"approximate": "approximate"},
    "glu": {"axis": "axis"},
    "hard_shrink": {"threshold": "alpha"},
    "leaky_relu": {"negative_slope": "alpha"},
    "log_softmax": {"axis": "axis"},
    "relu": {"negative_slope": "alpha", "max_value": "max_value", "threshold": "threshold"},
    "soft_shrink": {"threshold": "alpha"},
    "softmax": {"axis": "axis"},
    "sparsemax": {"axis": "axis"},
    "squareplus": {"b": "alpha"},
    "threshold": {"threshold": "threshold", "default_value": "value"},
}


def described(activation: Activation) -> tuple[str, dict[str, Any]]:
    """Return the name of ``activation`` and the arguments that a partial of it sets.

    Args:
        activation: a function of `netlet.activations`, or a `functools.partial` of one that sets its arguments.

    Raises: ValueError if it is any other function, or an argument that it does not have.
    """
    arguments: dict[str, Any] = {}
    function = activation
    if isinstance(function, functools.partial):
        if function.args:
            raise ValueError(f"activation: a partial may only set arguments by name, got {activation!r}")
        arguments = {key: functions.plain(value) for key, value in function.keywords.items()}
        function = function.func
    name = getattr(function, "__name__", "")
    module = functions if name in ACTIVATIONS else along_axis if name in _ALONG_AXIS else None
    if module is None or function is not getattr(module, name, None):
        raise ValueError(f"activation: custom functions are not supported yet, got {activation!r}")
    known = _ARGUMENTS.get(name, {})
    for key in arguments:
        if key not in known:
            raise ValueError(f"activation: {name} has no argument {key!r}; known: {', '.join(known) or 'none'}")
    return name, arguments


def lowered(activation: Activation) -> tuple[str, dict[str, Any]]:
    """Return what a program calls ``activation``, and the attributes it takes there.

    Args:
        activation: as for `described`.

    Raises: ValueError if it is a function that no backend could run.
    """
    name, arguments = described(activation)
    if name in ("glu", "sparsemax"):
        raise ValueError(f"activation: {name} works on arrays; in a layer it is not supported yet")
    if name in ("softmax", "log_softmax"):
        if arguments.get("axis", -1) != -1:
            raise ValueError(f"activation: {name} in a layer runs along the last axis only, got {activation!r}")
        return name, {}
    if name == "threshold" and len(arguments) < 2:
        raise ValueError("activation: threshold needs threshold and default_value; set them with functools.partial")
    if name == "relu":
        return functions.relu_op(**arguments)
    return name, {_ARGUMENTS[name][key]: value for key, value in arguments.items()}
