"""The objects that a layer's config names, in Keras' form and in Netlet's.

Keras writes an object as ``{"module", "class_name", "config", "registered_name"}``, Netlet as ``{"class_name",
"config"}``; a function of either is a name. Which kind an object is follows from the argument's name. Names are looked
up in Netlet's tables and in ``custom_objects``; ``module`` is not used to find anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from netlet import activations, constraints, initializers, regularizers
from netlet.config import DEFAULT_DTYPE, DTYPES
from netlet.errors import ModelFormatError, unknown_name

Custom = Mapping[str, Any]


class _Kind(NamedTuple):
    """A kind of object: what it is called, Keras' module of it, the known names, from a config to the object."""

    name: str
    module: str
    known: Mapping[str, Any]
    get: Callable[[Any], Any]


_INITIALIZER = _Kind("initializer", "keras.initializers", initializers.REGISTRY.objects, initializers.get)
_REGULARIZER = _Kind("regularizer", "keras.regularizers", regularizers.REGISTRY.objects, regularizers.get)
_CONSTRAINT = _Kind("constraint", "keras.constraints", constraints.REGISTRY.objects, constraints.get)


def _kind(argument: str) -> _Kind | None:
    for kind in (_INITIALIZER, _REGULARIZER, _CONSTRAINT):
        if argument == kind.name or argument.endswith(f"_{kind.name}"):
            return kind
    return None


def _is_activation(argument: str) -> bool:
    return argument == "activation" or argument.endswith("_activation")


# To Keras


def keras_object(module: str, class_name: str, config: Any, registered_name: str | None = None) -> dict[str, Any]:
    """Return Keras' form of an object."""
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered_name}


def encode_dtype(dtype: str | None) -> dict[str, Any]:
    """Return Keras' form of an element type: a policy."""
    return keras_object("keras", "DTypePolicy", {"name": dtype or DEFAULT_DTYPE})


def encode_argument(argument: str, value: Any, owner: str) -> Any:
    """Return Keras' form of a layer's argument, for what Netlet's config has.

    Raises: ValueError if Keras has no such object.
    """
    if argument == "dtype":
        return encode_dtype(value)
    if _is_activation(argument):
        if value is not None and not isinstance(value, str):
            raise ValueError(
                f"{owner}: {argument} {value!r} has arguments, which Keras' files have no place for; "
                "use a layer of its own, such as LeakyReLU"
            )
        return value
    kind = _kind(argument)
    if kind is None or value is None:
        return value
    name = value if isinstance(value, str) else value["class_name"]
    if name not in kind.known:
        raise ValueError(f"{owner}: {argument} {name!r} is a custom one, which Keras' files have no place for")
    return value if isinstance(value, str) else keras_object(kind.module, name, value["config"])


# From Keras


def decode_dtype(value: Any, owner: str) -> str | None:
    """Return the element type that a name or a policy stands for; None for Netlet's default.

    Raises: ModelFormatError if it is none that Netlet computes in.
    """
    if isinstance(value, Mapping):
        config = value.get("config")
        value = config.get("name") if isinstance(config, Mapping) else value
    if value is None:
        return None
    if value in DTYPES:
        return str(value)
    raise ModelFormatError(f"{owner}: dtype {value!r} is not supported, expected one of {', '.join(DTYPES)}")


def decode_argument(argument: str, value: Any, owner: str, custom: Custom) -> Any:
    """Return a layer's argument as Netlet's constructors take it, for what Keras' config has.

    Raises: ModelFormatError if it names something unknown.
    """
    if argument == "dtype":
        return decode_dtype(value, owner)
    if _is_activation(argument):
        return _activation(value, f"{owner}: {argument}", custom)
    kind = _kind(argument)
    if kind is None or value is None:
        return value
    return _object(kind, value, f"{owner}: {argument}", custom)


def refuse_code(class_name: Any, owner: str) -> None:
    """Raise a ModelFormatError if an object of this class holds Python code."""
    if class_name in ("__lambda__", "Lambda"):
        raise ModelFormatError(f"{owner}: {class_name} holds Python code, and code from a file is never run")


def function_name(value: Any) -> Any:
    """Return the name of a function in Keras' longer form of it; anything else as it is."""
    if isinstance(value, Mapping) and value.get("class_name") == "function":
        return value.get("config")
    return value


def _activation(value: Any, owner: str, custom: Custom) -> Any:
    value = function_name(value)
    if value is None:
        return None
    if isinstance(value, Mapping):
        refuse_code(value.get("class_name"), owner)
    if not isinstance(value, str):
        raise ModelFormatError(f"{owner}: expected the name of a function, got {value!r}")
    name = value.rpartition(">")[2]  # a registered one is called package>name
    for key in (value, name):
        if key in custom:
            return custom[key]
    if value not in activations.FUNCTIONS:
        raise ModelFormatError(str(unknown_name(f"activation (of {owner})", value, activations.FUNCTIONS)))
    return value


def _object(kind: _Kind, value: Any, owner: str, custom: Custom) -> Any:
    value = function_name(value)
    name: str
    arguments: Any
    if isinstance(value, str):
        name, arguments = value, {}
    elif isinstance(value, Mapping) and isinstance(value.get("class_name"), str):
        name, arguments = value["class_name"], value.get("config") or {}
    else:
        raise ModelFormatError(f"{owner}: expected a name or an object with a class_name, got {value!r}")
    refuse_code(name, owner)
    if name in custom:
        found = custom[name]
        return _from_config(found, arguments) if isinstance(found, type) else found
    if name not in kind.known:
        raise ModelFormatError(str(unknown_name(f"{kind.name} (of {owner})", name, kind.known)))
    if not isinstance(arguments, Mapping):
        raise ModelFormatError(f"{owner}: config of {name} must be an object, got {arguments!r}")
    return kind.get({"class_name": name, "config": {key: _seed(key, v) for key, v in arguments.items()}})


def _from_config(cls: Any, arguments: Mapping[str, Any]) -> Any:
    return cls.from_config(dict(arguments))


def _seed(key: str, value: Any) -> Any:
    """A seed that is an object, a generator, starts anew."""
    return None if key == "seed" and isinstance(value, Mapping) else value
