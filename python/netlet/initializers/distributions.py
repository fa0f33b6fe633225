"""Initializers that draw each element from one distribution: normal, truncated normal, uniform; and orthogonal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet import random
from netlet.initializers.base import RandomInitializer, Seed, Shape, weight_dtype


class RandomNormal(RandomInitializer):
    """Normal distribution with the given ``mean`` and ``stddev``; ``seed`` as in `RandomInitializer`.

    Shapes: any. Defaults: mean 0, standard deviation 0.05. Errors as of `RandomInitializer`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        kind = weight_dtype(dtype)
        return random.normal(self.draw_seed(), 0, shape, mean=self.mean, stddev=self.stddev, dtype=kind)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomInitializer):
    """Normal distribution cut at two standard deviations; ``stddev`` is that before the cut.

    Numbers beyond are drawn anew, so that the standard deviation becomes 0.88 times as large.

    Shapes: any. Defaults: mean 0, standard deviation 0.05. Arguments and errors otherwise as of `RandomInitializer`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        return random.truncated_normal(
            self.draw_seed(), 0, shape, mean=self.mean, stddev=self.stddev, dtype=weight_dtype(dtype)
        )

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class RandomUniform(RandomInitializer):
    """Uniform distribution over ``[minval, maxval)``; ``seed`` as in `RandomInitializer`.

    Shapes: any. Default: [-0.05, 0.05). Errors as of `RandomInitializer`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        kind = weight_dtype(dtype)
        return random.uniform(self.draw_seed(), 0, shape, low=self.minval, high=self.maxval, dtype=kind)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


class Orthogonal(RandomInitializer):
    """``gain`` times a random matrix with orthonormal columns (rows, where there are fewer rows than columns).

    The matrix is Q of the QR decomposition of normal numbers, with signs that make it uniform over all orthogonal
    matrices. A shape with more than two axes is treated as ``[product of all but the last, last]``.
    Sources: Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2014; the signs: Mezzadri, "How to generate random matrices from the classical compact groups", 2007.

    Args:
        gain: default 1.
        seed: as in `RandomInitializer`.

    Shapes: any of two axes or more.

    Raises: ValueError if the shape has fewer than two axes, or as `RandomInitializer`.
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: shape must have at least two axes, got {tuple(shape)}")
        columns = int(shape[-1])
        rows = int(np.prod(shape[:-1], dtype=np.int64))
        tall = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(random.normal(self.draw_seed(), 0, tall, dtype="float64"))
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        if rows < columns:
            q = q.T
        result: NDArray[Any] = np.ascontiguousarray(self.gain * q.reshape(tuple(shape)), dtype=weight_dtype(dtype))
        return result

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, **super().get_config()}
