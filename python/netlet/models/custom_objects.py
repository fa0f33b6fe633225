"""What a file of Netlet's names and only the user has: an optimizer, losses and metrics, in ``custom_objects``.

They are looked up by the names that the file has for them. Nothing is imported, and no code comes from a file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from netlet import losses, metrics, optimizers
from netlet.errors import ModelFormatError, did_you_mean
from netlet.metrics import ACCURACY
from netlet.metrics.registry import FUNCTIONS
from netlet.models.compilation import CROSSENTROPY
from netlet.optimizers import schedules

Custom = Mapping[str, Any]

__all__ = ["compile_arguments", "lacking"]


def compile_arguments(settings: Mapping[str, Any], custom: Custom) -> dict[str, Any]:
    """Return the arguments of ``compile`` for what a file has of them, with the user's objects made.

    Raises: ModelFormatError naming what neither Netlet nor ``custom`` has.
    """
    changes = {"optimizer": _optimizer, "loss": _loss, "metrics": _metric, "weighted_metrics": _metric}
    return {key: _each(value, changes[key], custom) if key in changes else value for key, value in settings.items()}


def lacking(kind: str, name: str, known: Collection[str]) -> ModelFormatError:
    """Return the error for a name in the settings of ``compile`` that is unknown."""
    return ModelFormatError(
        f"compile: unknown {kind} {name!r}.{did_you_mean(name, known)} One of your own must be handed in, as "
        f"load_model(path, custom_objects={{{name!r}: ...}}); load_model(path, compile=False) does without it"
    )


def _each(given: Any, change: Callable[[Any, Custom], Any], custom: Custom) -> Any:
    return [_each(entry, change, custom) for entry in given] if isinstance(given, list) else change(given, custom)


def _optimizer(config: Any, custom: Custom) -> Any:
    known = {*optimizers.REGISTRY.objects, *schedules.REGISTRY.objects, "OptimizerMap"}
    for name in _classes(config, custom):
        if name not in known and name.lower() not in known:
            raise lacking("optimizer", name, [*optimizers.REGISTRY.objects, *custom])
    return optimizers.deserialize(config, dict(custom)) if custom else config


def _classes(config: Any, custom: Custom) -> Iterator[str]:
    """The names of the classes in an optimizer's config; within those of the user, it is not looked."""
    if not isinstance(config, Mapping) or config.get("class_name") in custom:
        return
    if isinstance(name := config.get("class_name"), str):
        yield name
    for value in config.values():
        yield from _classes(value, custom)


def _loss(value: Any, custom: Custom) -> Any:
    known = losses.REGISTRY.objects
    return value if isinstance(value, str) and value in CROSSENTROPY else _named("loss", value, custom, known, known)


def _metric(value: Any, custom: Custom) -> Any:
    if isinstance(value, str) and value.lower() in ACCURACY:
        return value
    return _named("metric", value, custom, metrics.REGISTRY.objects, FUNCTIONS.objects)


def _named(kind: str, value: Any, custom: Custom, known: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
    """A loss or a metric: the user's object where it, or the function that it computes, is one; else its config."""
    name = value.get("class_name") if isinstance(value, Mapping) else value
    if not isinstance(name, str):
        return value
    arguments = value.get("config", {}) if isinstance(value, Mapping) else {}
    if name in custom:
        return custom[name].from_config(dict(arguments)) if isinstance(value, Mapping) else custom[name]
    if name not in known:
        raise lacking(kind, name, [*known, *custom])
    function = arguments.get("fn") if isinstance(arguments, Mapping) else None
    if isinstance(function, str):
        if function in custom:
            return {**value, "config": {**arguments, "fn": custom[function]}}
        if function not in functions:
            raise lacking(f"function of a {kind}", function, [*functions, *custom])
    return value
