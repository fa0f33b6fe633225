"""What every initializer shares: the call, the config, and where the random ones get their seed."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet import random
from netlet.config import DEFAULT_DTYPE, numpy_dtype

Shape = Sequence[int]
Axes = Sequence[int] | None
Seed = int | random.SeedGenerator | dict[str, Any] | None


def weight_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the NumPy dtype of a weight: of a name or a dtype, and of None the default, float32.

    Raises: ValueError if it is neither float32 nor float64.
    """
    return numpy_dtype(DEFAULT_DTYPE if dtype is None else dtype)


class Initializer:
    """Makes the first values of a weight: ``initializer(shape, dtype)`` is an array of that shape and dtype.

    Subclasses define ``__call__`` and, if they have arguments, ``get_config``.
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        """Return an array of ``shape``; a ``dtype`` of None is float32.

        Raises: ValueError if ``dtype`` is neither float32 nor float64, or the shape does not suit the initializer.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define __call__")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Return an initializer made with the arguments of ``config``; raises what the class does."""
        return cls(**config)

    def clone(self) -> Initializer:
        """Return another initializer with the same arguments; without a seed, it draws another one."""
        return self.from_config(self.get_config())


class RandomInitializer(Initializer):
    """An initializer that draws random numbers.

    Args:
        seed: an int (the same values at every call), a `netlet.random.SeedGenerator` (new values at every call), what
            a config holds of one, or None: at the first call a seed is drawn, and kept, from the stream that
            `set_random_seed` sets. Default None.

    Raises: ValueError if ``seed`` is none of these, or not in [0, 2^64).
    """

    def __init__(self, seed: Seed = None) -> None:
        if isinstance(seed, dict):
            seed = _generator(seed)
        self.seed: int | random.SeedGenerator | None = seed
        if seed is None or isinstance(seed, random.SeedGenerator):
            self._drawn: int | None = None
            return
        owner = type(self).__name__
        try:
            self.seed = self._drawn = operator.index(seed)
        except TypeError:
            raise ValueError(f"{owner}: seed must be an int, a SeedGenerator or None, got {seed!r}") from None
        if not 0 <= self.seed < 1 << 64:
            raise ValueError(f"{owner}: seed must lie in [0, 2^64), got {seed!r}")

    def draw_seed(self) -> int:
        """Return the seed of this call, 0 to 2^64-1."""
        if isinstance(self.seed, random.SeedGenerator):
            return self.seed.next()
        if self._drawn is None:
            self._drawn = random.next_seed()
        return self._drawn

    def get_config(self) -> dict[str, Any]:
        if isinstance(self.seed, random.SeedGenerator):
            return {"seed": {"class_name": "SeedGenerator", "config": {"seed": self.seed.seed}}}
        return {"seed": self.seed}


def _generator(config: dict[str, Any]) -> random.SeedGenerator:
    """The SeedGenerator of a config, at its beginning; with the seed None, one that the operating system seeds."""
    arguments = config.get("config")
    if config.get("class_name") != "SeedGenerator" or not isinstance(arguments, dict):
        raise ValueError(f"initializer config: expected a seed or the config of a SeedGenerator, got {config!r}")
    return random.SeedGenerator(arguments.get("seed"))


def compute_fans(shape: Shape, input_axes: Axes = None, output_axes: Axes = None) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight: of a kernel ``[..., I, O]`` the inputs and outputs of one unit.

    The leading axes are a receptive field that multiplies both. A vector has its length as both, a scalar 1.

    Args:
        shape: the weight's.
        input_axes, output_axes: which axes run over inputs and which over outputs, in place of the last two and the
            receptive field. Without the other, either is ignored.

    Source: keras.initializers.VarianceScaling, Keras 3.15.

    Raises: IndexError if there is no such axis.
    """
    if input_axes is not None and output_axes is not None:
        fan_in, fan_out = (math.prod(int(shape[axis]) for axis in axes) for axes in (input_axes, output_axes))
        return fan_in, fan_out
    if len(shape) < 1:
        return 1, 1
    if len(shape) == 1:
        return int(shape[0]), int(shape[0])
    field = int(np.prod(shape[:-2], dtype=np.int64))
    return int(shape[-2]) * field, int(shape[-1]) * field
