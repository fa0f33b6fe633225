"""Learning-rate schedules: the learning rate as a function of the number of updates made so far."""

from __future__ import annotations

from typing import Any

from netlet.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from netlet.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from netlet.optimizers.schedules.schedule import LearningRateSchedule
from netlet.utils.registry import Registry
from netlet.utils.registry import serialize as _serialize

_CLASSES: tuple[type[LearningRateSchedule], ...] = (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
REGISTRY = Registry("learning-rate schedule", {cls.__name__: cls for cls in _CLASSES})


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """Return the config of a schedule: ``{"class_name": ..., "config": {...}}``.

    Raises: NotImplementedError if the schedule has no ``get_config``.
    """
    return _serialize(learning_rate_schedule)


def deserialize(config: Any) -> LearningRateSchedule:
    """Return the schedule that a config describes; the inverse of `serialize`.

    Raises: ValueError if it describes none; an unknown name comes with the nearest known one.
    """
    if not isinstance(config, dict):
        raise ValueError(f"learning-rate schedule config: expected a dict with 'class_name', got {config!r}")
    schedule: LearningRateSchedule = REGISTRY.deserialize(config)
    return schedule


__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]
