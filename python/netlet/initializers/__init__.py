"""Initializers: how the first values of weights are made.

Every class has a snake_case alias (``GlorotUniform`` and ``glorot_uniform``), so ``Dense(..., kernel_initializer=
"he_normal")``, ``initializers.HeNormal()`` and ``initializers.he_normal()`` are the same thing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.initializers.base import Initializer, RandomInitializer, compute_fans, weight_dtype
from netlet.initializers.constant import Constant, Identity, Ones, Zeros
from netlet.initializers.distributions import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from netlet.initializers.stft import STFT
from netlet.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from netlet.utils.registry import Registry

constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

_SNAKE = {
    "constant": Constant,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "identity": Identity,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "ones": Ones,
    "orthogonal": Orthogonal,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "stft": STFT,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "zeros": Zeros,
}
_ALIASES = {
    "normal": RandomNormal,
    "one": Ones,
    "uniform": RandomUniform,
    "zero": Zeros,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
    "STFTInitializer": STFT,
}
REGISTRY = Registry("initializer", {**{cls.__name__: cls for cls in _SNAKE.values()}, **_SNAKE, **_ALIASES})

Maker = Callable[..., NDArray[Any]]


class ArrayInitializer(Initializer):
    """Gives a weight the values of ``array``, whose shape must be the weight's.

    Raises: ValueError if it is not, or ``dtype`` is neither float32 nor float64.
    """

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = np.array(array)

    def __call__(self, shape: Any, dtype: Any = None) -> NDArray[Any]:
        if tuple(shape) != self.array.shape:
            raise ValueError(
                f"initializer: Expected `shape` to be {self.array.shape}, which the array has. Received: {tuple(shape)}"
            )
        return self.array.astype(weight_dtype(dtype))


def get(identifier: Any) -> Maker | None:
    """Return an initializer for ``identifier``.

    Args:
        identifier: None, a name, a config, an initializer, its class, an array, or a function of (shape, dtype).

    Raises: ValueError if it is none of these; an unknown name comes with the nearest known one.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        cls = REGISTRY.find(identifier)
        made: Maker = cls()
        return made
    if isinstance(identifier, dict):
        loaded: Maker = deserialize(identifier)
        return loaded
    if isinstance(identifier, (np.ndarray, np.generic)):
        return ArrayInitializer(np.asarray(identifier))
    if isinstance(identifier, type):
        identifier = identifier()
    if callable(identifier):
        found: Maker = identifier
        return found
    raise ValueError(f"initializer: expected a name, a config or a callable, got {identifier!r}")


def serialize(initializer: Any) -> Any:
    """Return the config of an initializer: None for a custom one, of which a config can hold nothing.

    A config is ``{"class_name": str, "config": dict}``.
    """
    if type(initializer).__name__ not in REGISTRY.objects:
        return None
    return {"class_name": type(initializer).__name__, "config": initializer.get_config()}


def deserialize(config: Any) -> Any:
    """Return the initializer that a config describes; the inverse of `serialize`.

    Raises: ValueError if it is no config, or names none; TypeError if it holds an argument that the class has not.
    """
    made = REGISTRY.deserialize(config)
    return made() if isinstance(made, type) else made


__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]
