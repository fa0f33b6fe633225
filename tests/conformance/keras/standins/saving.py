"""``keras.saving``: Netlet's own where it has one, else ``serialize`` and ``deserialize`` of the object's family."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import netlet
from standins.missing import NotInNetlet

FAMILIES = {
    "initializers": "Initializer",
    "regularizers": "Regularizer",
    "constraints": "Constraint",
    "losses": "Loss",
    "metrics": "Metric",
    "optimizers": "Optimizer",
    "optimizers.schedules": "LearningRateSchedule",
    "layers": "Layer",
}


def _own() -> Any:
    try:
        return importlib.import_module("netlet.saving")
    except ModuleNotFoundError:
        return None


def family_of(instance: Any) -> Any:
    """Return the Netlet module whose base class ``instance`` has."""
    for name, base in FAMILIES.items():
        try:
            module = importlib.import_module(f"netlet.{name}")
        except ModuleNotFoundError:
            continue
        if isinstance(instance, getattr(module, base, ())):
            return module
    raise NotInNetlet(f"netlet has no serialization of {type(instance).__name__}")


def serialize(instance: Any) -> Any:
    own = _own()
    return own.serialize_keras_object(instance) if own else family_of(instance).serialize(instance)


def deserialize(config: Any, like: Any, custom_objects: dict[str, Any] | None) -> Any:
    """Return the object of ``config``, which was made from ``like``."""
    own = _own()
    function = own.deserialize_keras_object if own else family_of(like).deserialize
    return function(config, custom_objects=custom_objects) if custom_objects else function(config)


@contextlib.contextmanager
def custom_objects_known(custom_objects: dict[str, Any] | None) -> Iterator[None]:
    own = _own()
    if own and custom_objects:
        with own.custom_object_scope(custom_objects):
            yield
    else:
        yield


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Register with Netlet; if it has no such thing, the tests that depend on it fail by themselves."""
    own = _own()
    return own.register_keras_serializable(package, name) if own else lambda made: made


def load_model(*args: Any, **kwargs: Any) -> Any:
    return netlet.load_model(*args, **kwargs)
