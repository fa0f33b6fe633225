"""Optimizers: how gradients change the parameters."""

from __future__ import annotations

from typing import Any

from netlet.optimizers import schedules
from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.sgd import SGD
from netlet.utils.registry import Registry, serialize

REGISTRY = Registry("optimizer", {"SGD": SGD, "sgd": SGD})


def get(identifier: Any) -> Optimizer:
    """Return an optimizer for ``identifier``: an optimizer, its class, a name (any case) or a config.

    Raises: ValueError if it is none of these; an unknown name comes with the nearest known one.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        name = identifier if identifier in REGISTRY.objects else identifier.lower()
        made: Optimizer = REGISTRY.find(name)()
        return made
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()  # type: ignore[call-arg]
    raise ValueError(f"optimizer: expected a name, a config or an Optimizer, got {identifier!r}")


def deserialize(config: Any) -> Optimizer:
    """Return the optimizer that a config describes; the inverse of `serialize`."""
    made = REGISTRY.deserialize(config)
    optimizer: Optimizer = made() if isinstance(made, type) else made
    return optimizer


__all__ = ["SGD", "Optimizer", "deserialize", "get", "schedules", "serialize"]
