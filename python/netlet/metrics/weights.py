"""Sample weights: what shapes they may have, and the weighted sums that means are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def real_array(values: Any, what: str) -> NDArray[Any]:
    """Return ``values`` as an array; TypeError naming ``what`` if they are not real numbers."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected real numbers, got an array of {array.dtype}")
    return array


def broadcast_weight(sample_weight: ArrayLike, shape: tuple[int, ...], name: str) -> Floats:
    """Return the weights as float64 with one axis per axis of ``shape``, each of them of its length or of length 1.

    The weights' axes are the first axes of ``shape``; a last axis of length 1 too many is dropped.

    Raises:
        TypeError: naming ``name`` if the weights are not real numbers.
        ValueError: if they do not broadcast.
    """
    weight = np.asarray(sample_weight)
    if weight.dtype.kind not in "biuf":
        raise TypeError(f"{name}: sample_weight must hold real numbers, got an array of {weight.dtype}")
    given = weight.shape
    if weight.ndim == len(shape) + 1 and given[-1] == 1:
        weight = weight[..., 0]
    fitted: Floats = weight.astype(np.float64).reshape(weight.shape + (1,) * (len(shape) - weight.ndim))
    if fitted.ndim > len(shape) or any(size not in (1, n) for size, n in zip(fitted.shape, shape, strict=True)):
        raise ValueError(f"{name}: sample_weight has shape {given}, expected {shape} or the first of its axes")
    return fitted


def weighted_sums(values: NDArray[Any], sample_weight: ArrayLike | None, name: str) -> tuple[float, float]:
    """Return (weighted sum, sum of weights), in which all values of a sample ``[B, ...]`` count as their mean.

    Without weights the second is B, or 1 for a single number. Sums are float64.
    """
    per_sample = int(np.prod(values.shape[1:], dtype=np.int64)) or 1
    if sample_weight is None:
        samples = values.shape[0] if values.ndim else 1
        return float(values.sum(dtype=np.float64)) / per_sample, float(samples)
    weight = broadcast_weight(sample_weight, values.shape, name)
    total = float((values * weight).sum())
    spread = values.size / weight.size if weight.size else 0.0  # how many values share a weight
    return total / per_sample, float(weight.sum()) * spread / per_sample
