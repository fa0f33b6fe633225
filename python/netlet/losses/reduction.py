"""From the losses of rows and positions to what a loss object returns: weights, masks and reductions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.errors import unknown_name
from netlet.losses.arrays import as_floats, squeeze_or_expand_to_same_rank

Array = NDArray[Any]

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


def standardize_reduction(reduction: Any) -> Any:
    """Return ``reduction`` if it is one of `REDUCTIONS`; else a ValueError with the nearest of them."""
    if reduction is None or (isinstance(reduction, str) and reduction in REDUCTIONS):
        return reduction
    problem = unknown_name("reduction", reduction, [name for name in REDUCTIONS if name is not None])
    raise ValueError(f"Invalid value for argument 'reduction': {problem}, None")


def _quotient(total: Array, divisor: Any) -> Array:
    """total / divisor, and 0 where nothing was counted."""
    result: Array = total / np.asarray(divisor, total.dtype) if divisor else np.zeros_like(total)
    return result


def reduce_values(values: Array, sample_weight: Array | None = None, reduction: Any = "sum_over_batch_size") -> Any:
    """Return the sum or mean of ``values``, which weights have multiplied already; a single value as it is.

    ``mean_with_sample_weight`` divides by the sum of the weights, the other means by the number of values. A mean of
    nothing is 0.
    """
    if reduction in (None, "none") or values.shape in ((), (0,)):
        return values
    wide = np.float32 if values.dtype.itemsize < 4 else values.dtype
    total = values.sum(dtype=wide)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        total = _quotient(total, sample_weight.sum(dtype=wide))
    elif reduction != "sum":
        total = _quotient(total, values.size)
    return total.astype(values.dtype)


def apply_mask(sample_weight: Array | None, mask: Array | None, dtype: Any, reduction: Any) -> Array | None:
    """Return weights in which what the mask leaves out counts 0.

    Where the reduction divides by the number of values, what is left weighs so much more that the mean is over it.
    """
    if mask is None:
        return sample_weight
    weight = mask.astype(dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        weight = weight * _quotient(np.asarray(mask.size, dtype), np.count_nonzero(mask))
    if sample_weight is None:
        return weight
    weight, sample_weight = squeeze_or_expand_to_same_rank(weight, sample_weight)
    combined: Array = sample_weight * weight
    return combined


def fit_weights(values: Array, sample_weight: Array, name: str) -> tuple[Array, Array]:
    """Return values and weights so that they broadcast: weights of fewer axes belong to the first ones, as to rows.

    Raises: ValueError if they do not fit.
    """
    values, weight = squeeze_or_expand_to_same_rank(values, sample_weight)
    if weight.ndim and weight.ndim < values.ndim and weight.shape == values.shape[: weight.ndim]:
        return values, weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
    try:
        np.broadcast_shapes(values.shape, weight.shape)
    except ValueError:
        raise ValueError(f"{name}: sample_weight has shape {weight.shape}, expected {values.shape}") from None
    return values, weight


def reduce_weighted_values(
    values: ArrayLike,
    sample_weight: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    reduction: Any = "sum_over_batch_size",
    dtype: Any = None,
    name: str = "loss",
) -> Any:
    """Return the reduction of weighted and masked values.

    Args:
        values: losses.
        sample_weight: a number, or an array that fits them: as many axes, fewer (the first), or one more of length 1.
        mask: which values count, of the values' shape; the others weigh 0, and means do not count them.
        reduction: one of `REDUCTIONS`.
        dtype: element type of the computation; that of the values if None.
        name: what errors call the loss.

    Raises: ValueError if weights or mask do not fit, or the reduction is unknown.
    """
    standardize_reduction(reduction)
    array = np.asarray(values) if dtype is None else np.asarray(values).astype(dtype)
    weight: Array | None = None
    if sample_weight is not None:
        weight = as_floats(sample_weight, f"{name}: sample_weight").astype(array.dtype)
    masked = None if mask is None else np.asarray(mask).astype(bool)
    weight = apply_mask(weight, masked, array.dtype, reduction)
    if weight is not None:
        array, weight = fit_weights(array, weight, name)
        array = array * weight
    return reduce_values(array, weight, reduction)
