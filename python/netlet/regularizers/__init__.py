"""Regularizers: penalties on weights that are added to the loss.

``Dense(..., kernel_regularizer="l2")``, ``regularizers.L2(0.01)`` and ``regularizers.l2(0.01)`` are the same thing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netlet.regularizers.norms import L1, L1L2, L2
from netlet.regularizers.orthogonal import OrthogonalRegularizer
from netlet.regularizers.regularizer import Regularizer, validate_float_arg
from netlet.utils.registry import Registry
from netlet.utils.registry import serialize as _serialize

l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

_CLASSES = (Regularizer, L1, L2, L1L2, OrthogonalRegularizer)
REGISTRY = Registry(
    "regularizer",
    {
        **{cls.__name__: cls for cls in _CLASSES},
        "regularizer": Regularizer,
        "l1": L1,
        "l2": L2,
        "l1l2": L1L2,
        "l1_l2": L1L2,
        "orthogonal_regularizer": OrthogonalRegularizer,
    },
)


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """Return a regularizer for ``identifier``: None, a name, a config, a regularizer, its class or a function.

    Raises: ValueError if it is none of these; an unknown name comes with the nearest known one.
    """
    found: Callable[[Any], Any] | None = REGISTRY.get(identifier)
    return found


def serialize(regularizer: Any) -> Any:
    """Return the config of a regularizer: ``{"class_name": ..., "config": {...}}``, None, or a function's name.

    Raises: ValueError if it has neither a config nor a name; NotImplementedError if its class lacks ``get_config``.
    """
    return _serialize(regularizer)


def deserialize(config: Any) -> Any:
    """Return the regularizer that a config describes; the inverse of `serialize`. Raises as `get`."""
    return REGISTRY.get(config)


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
    "validate_float_arg",
]
