"""Backends: what executes a Program. :func:`make_executor` is the door; :mod:`netlet.backends.registry` the list."""

from netlet.backends.executor import Executor
from netlet.backends.predictor import Adapter, Predictor
from netlet.backends.registry import (
    all_targets,
    available_backends,
    backend_reasons,
    default_target,
    make_executor,
    target_reason,
)

__all__ = [
    "Adapter",
    "Executor",
    "Predictor",
    "all_targets",
    "available_backends",
    "backend_reasons",
    "default_target",
    "make_executor",
    "target_reason",
]
