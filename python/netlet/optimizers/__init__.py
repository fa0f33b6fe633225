"""Optimizers: how gradients change the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netlet.optimizers import schedules
from netlet.optimizers.adafactor import Adafactor
from netlet.optimizers.adam import Adam, AdamW
from netlet.optimizers.adam_kin import Adamax, Lamb, Nadam
from netlet.optimizers.ftrl import Ftrl
from netlet.optimizers.lion import Lion
from netlet.optimizers.loss_scale import LossScaleOptimizer
from netlet.optimizers.multi import MultiOptimizer, OptimizerMap
from netlet.optimizers.muon import Muon
from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.schedule_free import ScheduleFreeAdamW
from netlet.optimizers.sgd import SGD
from netlet.optimizers.squares import Adadelta, Adagrad, RMSprop
from netlet.utils.registry import Registry, serialize

_CLASSES: tuple[type[Optimizer], ...] = (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    AdamW,
    Adamax,
    Ftrl,
    Lamb,
    Lion,
    LossScaleOptimizer,
    MultiOptimizer,
    Muon,
    Nadam,
    RMSprop,
    ScheduleFreeAdamW,
)
REGISTRY = Registry("optimizer", {name: cls for cls in _CLASSES for name in (cls.__name__, cls.__name__.lower())})


def get(identifier: Any) -> Optimizer | None:
    """Return an optimizer for ``identifier``: None, an optimizer, its class, a name (any case) or a config.

    Raises: ValueError if it is none of these; an unknown name comes with the nearest known one.
    """
    if identifier is None or isinstance(identifier, Optimizer):
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


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Optimizer:
    """Return the optimizer that a config describes; the inverse of `serialize`.

    Args:
        custom_objects: classes of one's own by name, and functions that its learning rates are.

    Raises: ValueError if it describes none, TypeError if a class of one's own makes something else.
    """
    if isinstance(config, dict) and isinstance(config.get("class_name"), str):
        name = config["class_name"]
        if custom_objects:
            config = _with_own_rate(config, custom_objects)
            if name in custom_objects:
                found: Any = custom_objects[name].from_config(dict(config.get("config", {})))
                if not isinstance(found, Optimizer):
                    raise TypeError(f"optimizer: {name!r} of custom_objects made {found!r}, expected an Optimizer")
                return found
        config = {**config, "class_name": name if name in REGISTRY.objects else name.lower()}
        kind = REGISTRY.objects.get(config["class_name"])
        if kind in (LossScaleOptimizer, MultiOptimizer) and isinstance(config.get("config"), dict):
            wrapper: Optimizer = kind.from_config(dict(config["config"]), custom_objects)  # of others, maybe one's own
            return wrapper
    made = REGISTRY.deserialize(config)
    optimizer: Optimizer = made() if isinstance(made, type) else made
    return optimizer


def _with_own_rate(config: dict[str, Any], custom: Mapping[str, Any]) -> dict[str, Any]:
    """The config with a learning rate of the user's, a schedule or a function, in the place of its name."""
    arguments = config.get("config")
    rate = arguments.get("learning_rate") if isinstance(arguments, Mapping) else None
    name = rate.get("class_name") if isinstance(rate, Mapping) else rate
    if not isinstance(name, str) or name not in custom:
        return config
    own = custom[name].from_config(dict(rate.get("config", {}))) if isinstance(rate, Mapping) else custom[name]
    return {**config, "config": {**config["config"], "learning_rate": own}}


__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
