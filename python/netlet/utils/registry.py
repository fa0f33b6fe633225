"""Find objects (layers, losses, ...) by name or by their config, and write them as a config.

The config of an object is ``{"class_name": str, "config": dict}``; of a function, its name. Nothing is imported or
evaluated: only names that a registry lists can come out of a config, which is what makes loading a model safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netlet.errors import unknown_name


class Registry:
    """Names of one kind of object.

    Args:
        kind: what error messages call an object, such as "loss".
        objects: classes and functions by name; aliases are further names of the same object.
    """

    def __init__(self, kind: str, objects: Mapping[str, Any]) -> None:
        self.kind = kind
        self.objects = dict(objects)

    def find(self, name: str) -> Any:
        """Return the class or function called ``name``; ValueError with the nearest known name if there is none."""
        try:
            return self.objects[name]
        except KeyError:
            raise unknown_name(self.kind, name, self.objects) from None

    def deserialize(self, config: Any) -> Any:
        """Return the object that ``config`` describes: a name, or ``{"class_name": ..., "config": {...}}``."""
        if isinstance(config, str):
            return self.find(config)
        if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
            raise ValueError(
                f"{self.kind} config: expected a name or a dict with 'class_name' and 'config', got {config!r}"
            )
        found = self.find(config["class_name"])
        arguments = config.get("config", {})
        if isinstance(arguments, str):  # Keras' form of a function: {"class_name": "function", "config": name}
            return self.find(arguments)
        if not isinstance(found, type):
            return found
        if not isinstance(arguments, Mapping):
            raise ValueError(f"{self.kind} config of {config['class_name']}: expected a dict, got {arguments!r}")
        from_config: Callable[[dict[str, Any]], Any] = found.from_config  # type: ignore[attr-defined]
        return from_config(dict(arguments))

    def get(self, identifier: Any) -> Any:
        """Return the object for ``identifier``: None, a name, a config, a class (one is made of it) or a callable.

        Raises: ValueError if it is none of these; an unknown name comes with the nearest known one.
        """
        if identifier is None:
            return None
        found = self.deserialize(identifier) if isinstance(identifier, (str, Mapping)) else identifier
        if isinstance(found, type):
            found = found()
        if callable(found):
            return found
        raise ValueError(f"{self.kind}: expected a name, a config, a callable or None, got {identifier!r}")


def serialize(obj: Any) -> Any:
    """Return the config of ``obj``: None, a function's name, or ``{"class_name": ..., "config": {...}}``.

    Raises: ValueError if it is a thing without a config and without a name.
    """
    if obj is None:
        return None
    if hasattr(obj, "get_config"):
        return {"class_name": type(obj).__name__, "config": obj.get_config()}
    if hasattr(obj, "__name__"):
        return obj.__name__
    raise ValueError(f"cannot serialize {obj!r}: it has neither get_config() nor a name")


def object_name(obj: Any) -> str:
    """Return ``obj.name``, or the name of a function, or of a class, whichever comes first."""
    return str(getattr(obj, "name", None) or getattr(obj, "__name__", None) or type(obj).__name__)
