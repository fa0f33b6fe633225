"""Initializers that draw each element from one distribution: normal, truncated normal, uniform; and orthogonal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet import random
from netlet.initializers.base import RandomInitializer, Seed, Shape, weight_dtype


class RandomNormal(RandomInitializer):
    """Normal distribution with the given ``mean`` and ``stddev``; ``seed`` as in `RandomInitializer`."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        kind = weight_dtype(dtype)
        return random.normal(self.draw_seed(), 0, shape, mean=self.mean, stddev=self.stddev, dtype=kind)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomInitializer):
    """Normal distribution cut at two standard deviations; ``stddev`` is that before the cut."""

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
    """Uniform distribution over ``[minval, maxval)``; ``seed`` as in `RandomInitializer`."""

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
    Source: Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning", 2014.

    Raises: ValueError if the shape has fewer than two axes.
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
