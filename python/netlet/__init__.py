"""Netlet: small, fast, dependable neural networks with a Keras-style API.

>>> from netlet import Sequential, Input
>>> from netlet.layers import Dense
>>> model = Sequential([Input((2,)), Dense(3, activation="relu"), Dense(1)])
>>> model.compile(optimizer="sgd", loss="mse")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet import activations, constraints, errors, initializers, layers, models, random, regularizers, utils
from netlet._version import __version__
from netlet.errors import BackendUnavailableError, ModelFormatError, NetletError, NotBuiltError, NotCompiledError
from netlet.layers import Input, Layer
from netlet.models import Sequential
from netlet.utils import set_random_seed

if TYPE_CHECKING:
    from netlet import callbacks, losses, metrics, optimizers, preprocessing
    from netlet.models import Model, load_model
    from netlet.runtime import show_runtime

__all__ = [
    "BackendUnavailableError",
    "Input",
    "Layer",
    "Model",
    "ModelFormatError",
    "NetletError",
    "NotBuiltError",
    "NotCompiledError",
    "Sequential",
    "__version__",
    "activations",
    "callbacks",
    "constraints",
    "errors",
    "initializers",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "set_random_seed",
    "show_runtime",
    "utils",
]


# Imported when they are first asked for, or when a model is compiled: it keeps `import netlet` short.
_LATER = ("callbacks", "losses", "metrics", "optimizers", "preprocessing")


def __getattr__(name: str) -> Any:
    # Asked for once in a session, if at all: kept out of the import.
    if name == "Model":
        from netlet.models.functional import Model

        return Model
    if name == "load_model":
        from netlet.models.saving import load_model

        return load_model
    if name in _LATER:
        from importlib import import_module

        return import_module(f"netlet.{name}")
    if name == "show_runtime":
        from netlet.runtime import show_runtime

        return show_runtime
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
