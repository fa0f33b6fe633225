"""How a model was compiled, in Keras' form and in Netlet's: optimizer, losses and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netlet import losses, metrics, optimizers
from netlet.errors import ModelFormatError
from netlet.models.custom_objects import lacking
from netlet.models.keras_files.objects import Custom, function_name, keras_object, refuse_code
from netlet.models.layered import LayeredModel

# Optimizers of Keras whose arguments, by the names in Netlet's configs, Keras knows too.
_OPTIMIZERS = (
    *("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl"),
    *("Lamb", "Lion", "Muon", "Nadam", "RMSprop", "ScheduleFreeAdamW", "SGD"),
)


def encode_compilation(model: LayeredModel) -> dict[str, Any] | None:
    """Return Keras' form of how a model was compiled; None if it was not, or Keras does not know all of it."""
    settings = model.get_compile_config()
    if settings is None:
        return None
    optimizer, cls = settings["optimizer"], type(model.optimizer)
    own = optimizers.REGISTRY.objects.get(cls.__name__) is not cls  # of the user; to be named in custom_objects
    if issubclass(cls, (optimizers.LossScaleOptimizer, optimizers.MultiOptimizer)) or not (
        own or cls.__name__ in _OPTIMIZERS
    ):
        return None
    try:
        written = _encode(optimizer, "keras.optimizers", {})
        if own:
            written = {**written, "module": cls.__module__, "registered_name": cls.__name__}
        return {
            "optimizer": written,
            "loss": _each(settings["loss"], lambda v: _encode(v, "keras.losses", losses.REGISTRY.objects)),
            "loss_weights": settings.get("loss_weights"),
            "metrics": _each(settings["metrics"], lambda v: _encode(v, "keras.metrics", metrics.REGISTRY.objects)),
            "weighted_metrics": _each(
                settings.get("weighted_metrics"), lambda v: _encode(v, "keras.metrics", metrics.REGISTRY.objects)
            ),
            "run_eagerly": False,
            "steps_per_execution": settings["steps_per_execution"],
            "jit_compile": "auto",
        }
    except KeyError:  # custom: only the user's code knows it
        return None


def check_optimizer(config: Any, custom: Custom) -> None:
    """Raise a ModelFormatError if a model was compiled with an optimizer of somebody's own that ``custom`` has not."""
    if not isinstance(config, Mapping):
        raise ModelFormatError(f"compile_config: expected an object, got {config!r}")
    optimizer = config.get("optimizer")
    if not isinstance(optimizer, Mapping) or not isinstance(name := optimizer.get("class_name"), str):
        return
    module = optimizer.get("module")
    of_keras = isinstance(module, str) and module.partition(".")[0] == "keras"
    if not of_keras and name not in custom and name not in optimizers.REGISTRY.objects:
        raise lacking("optimizer", name, [*optimizers.REGISTRY.objects, *custom])


def decode_compilation(config: Any, custom: Custom) -> dict[str, Any]:
    """Return the arguments of ``compile`` that Keras' form describes.

    Raises: ValueError or TypeError if Netlet does not have something that it names.
    """
    arguments: dict[str, Any] = {
        "optimizer": _optimizer(config.get("optimizer"), custom),
        "loss": _each(config.get("loss"), lambda v: _decode(v, losses.get, custom)),
        "loss_weights": config.get("loss_weights"),
        "metrics": _each(config.get("metrics"), lambda v: _decode(v, metrics.get, custom)),
        "weighted_metrics": _each(config.get("weighted_metrics"), lambda v: _decode(v, metrics.get, custom)),
    }
    if (steps := config.get("steps_per_execution")) is not None:
        arguments["steps_per_execution"] = steps
    return arguments


def _each(given: Any, change: Callable[[Any], Any]) -> Any:
    """``given`` with each object in its lists and dicts changed."""
    if isinstance(given, list):
        return [_each(entry, change) for entry in given]
    if isinstance(given, Mapping) and "class_name" not in given:
        return {key: _each(entry, change) for key, entry in given.items()}
    return None if given is None else change(given)


def _encode(value: Any, module: str, known: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return value
    name, config = value["class_name"], dict(value["config"])
    if known and name not in known:
        raise KeyError(name)
    if isinstance(rate := config.get("learning_rate"), Mapping):
        config["learning_rate"] = keras_object("keras.optimizers.schedules", rate["class_name"], rate["config"])
    return keras_object(module, name, config)


def _optimizer(value: Any, custom: Custom) -> Any:
    if not isinstance(value, Mapping):
        return value
    name, config = str(value.get("class_name")), value.get("config")
    refuse_code(name, "compile_config")
    config = dict(config) if isinstance(config, Mapping) else {}
    if isinstance(rate := config.get("learning_rate"), Mapping):
        config["learning_rate"] = _plain(rate)
    return optimizers.deserialize({"class_name": name, "config": config}, custom)


def _decode(value: Any, get: Callable[[Any], Any], custom: Custom) -> Any:
    value = function_name(value)
    if isinstance(value, Mapping):
        name, config = str(value.get("class_name")), value.get("config")
        refuse_code(name, "compile_config")
        if name in custom:
            return custom[name].from_config(dict(config or {}))
        config = dict(config) if isinstance(config, Mapping) else {}
        if isinstance(config.get("dtype"), Mapping):
            config["dtype"] = config["dtype"].get("config", {}).get("name")
        if "fn" in config:
            function = function_name(config["fn"])
            config["fn"] = custom.get(function, function) if isinstance(function, str) else function
        value = {"class_name": name, "config": config}
    elif isinstance(value, str) and value in custom:
        return custom[value]
    return value if isinstance(value, str) else get(value)


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"class_name": value.get("class_name"), "config": value.get("config")}
