"""Constraints: what weights are brought back to after every update.

``Dense(..., kernel_constraint="max_norm")``, ``constraints.MaxNorm(2)`` and ``constraints.max_norm(2)`` are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netlet.constraints.constraint import Constraint
from netlet.constraints.norms import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from netlet.utils.registry import Registry
from netlet.utils.registry import serialize as _serialize

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_SNAKE: dict[str, type[Constraint]] = {
    "constraint": Constraint,
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
}
REGISTRY = Registry("constraint", {**{cls.__name__: cls for cls in _SNAKE.values()}, **_SNAKE})


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """Return a constraint for ``identifier``: None, a name, a config, a constraint, its class or a function.

    Raises: ValueError if it is none of these; an unknown name comes with the nearest known one.
    """
    found: Callable[[Any], Any] | None = REGISTRY.get(identifier)
    return found


def serialize(constraint: Any) -> Any:
    """Return the config of a constraint: ``{"class_name": ..., "config": {...}}``, None, or a function's name.

    Raises: ValueError if it has neither a config nor a name.
    """
    return _serialize(constraint)


def deserialize(config: Any) -> Any:
    """Return the constraint that a config describes; the inverse of `serialize`. Raises as `get`."""
    return REGISTRY.get(config)


__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
