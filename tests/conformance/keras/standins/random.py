"""``keras.random`` as tests use it for data: NumPy's generator where Netlet has no function of the name."""

from __future__ import annotations

from typing import Any

import numpy as np

import netlet.random
from standins.backend import standardize_dtype
from standins.missing import Missing

SeedGenerator = getattr(netlet.random, "SeedGenerator", Missing("random.SeedGenerator"))


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> np.ndarray:
    return np.random.uniform(minval, maxval, shape).astype(standardize_dtype(dtype))  # noqa: NPY002


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> np.ndarray:
    return np.random.normal(mean, stddev, shape).astype(standardize_dtype(dtype))  # noqa: NPY002
