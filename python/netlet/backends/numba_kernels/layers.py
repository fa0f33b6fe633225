"""Ops of layers beside dense, as single calls: embedding, dropout, batch and layer normalization.

The executor over BLAS calls them op by op; what they compute and in which order is that of their specs' references,
with the random numbers of :mod:`netlet.random`, except that a gradient's sum over rows runs in order of the rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from netlet.backends.numba_kernels.jit import entry, inlined
from netlet.backends.numba_kernels.random import philox_pairs

__all__ = [
    "batch_norm_backward",
    "batch_norm_forward",
    "dropout",
    "embedding_backward",
    "embedding_forward",
    "layer_norm_backward",
    "layer_norm_forward",
]


@inlined
def _table_row(x: Any, rows: int) -> int:
    """The row that a number picks: NaN the first, one beyond the table the nearest."""
    if not x > 0:
        return 0
    return rows - 1 if x >= rows - 1 else int(x)


@entry
def embedding_forward(x: Any, table: Any, y: Any) -> None:
    """y[N,D] = table[x[N]]."""
    for n in range(x.size):
        r = _table_row(x[n], table.shape[0])
        for d in range(table.shape[1]):
            y[n, d] = table[r, d]


@entry
def embedding_backward(x: Any, dy: Any, dtable: Any) -> None:
    """dtable[V,D] <- for each row the sum of dy[N,D] over the places that picked it, in their order."""
    for r in range(dtable.shape[0]):
        for d in range(dtable.shape[1]):
            dtable[r, d] = 0
    for n in range(x.size):
        r = _table_row(x[n], dtable.shape[0])
        for d in range(dtable.shape[1]):
            dtable[r, d] += dy[n, d]


@entry
def dropout(seed: Any, step: Any, threshold: Any, scale: Any, x: Any, y: Any) -> None:
    """y[N] <- x * scale where the element's word is at least ``threshold``, else x * 0. seed, step, threshold: uint64.

    scale[1] is of x's type.
    """
    low, shift, purpose = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(2) << np.uint64(48)
    zero = x.dtype.type(0)
    for block in range((x.size + 3) // 4):
        first, second = philox_pairs(seed, step, np.uint64(block) | purpose)
        for k in range(min(4, x.size - 4 * block)):
            pair = first if k < 2 else second
            word = pair >> shift if k % 2 == 1 else pair & low
            y[4 * block + k] = x[4 * block + k] * (scale[0] if word >= threshold else zero)


@inlined
def _row_moments(x: Any, r: int, epsilon: float, rms: bool) -> Any:
    """Mean (0 with ``rms``) and 1 / sqrt(variance + epsilon) of row r, in x's type; summed in float64."""
    t = x.dtype.type
    n = x.shape[1]
    total = 0.0
    if not rms:
        for c in range(n):
            total += x[r, c]
    mean = t(total / n)
    squares = 0.0
    for c in range(n):
        squares += (x[r, c] - mean) * (x[r, c] - mean)
    return mean, t(1.0 / math.sqrt(squares / n + epsilon))


@entry
def layer_norm_forward(epsilon: float, rms: bool, x: Any, gamma: Any, beta: Any, y: Any) -> None:
    """y[R,N] = (x - mean) * scale * gamma + beta; gamma or beta without elements: 1, 0."""
    for r in range(x.shape[0]):
        mean, scale = _row_moments(x, r, epsilon, rms)
        for c in range(x.shape[1]):
            unit = (x[r, c] - mean) * scale
            if gamma.size > 0:
                unit *= gamma[c]
            y[r, c] = unit + beta[c] if beta.size > 0 else unit


@entry
def layer_norm_backward(
    epsilon: float, rms: bool, x: Any, gamma: Any, dy: Any, dx: Any, dgamma: Any, dbeta: Any
) -> None:
    """dx[R,N], dgamma[N], dbeta[N]; what has no elements is not wanted. dy is spoilt."""
    for c in range(dgamma.size):
        dgamma[c] = 0
    for c in range(dbeta.size):
        dbeta[c] = 0
    t = x.dtype.type
    n = x.shape[1]
    for r in range(x.shape[0]):
        mean, scale = _row_moments(x, r, epsilon, rms)
        for c in range(dgamma.size):
            dgamma[c] += dy[r, c] * ((x[r, c] - mean) * scale)
        for c in range(dbeta.size):
            dbeta[c] += dy[r, c]
        if dx.size > 0:
            total, product = 0.0, 0.0
            for c in range(n):
                if gamma.size > 0:
                    dy[r, c] *= gamma[c]
                total += dy[r, c]
                product += dy[r, c] * ((x[r, c] - mean) * scale)
            flat, along = t(0.0 if rms else total / n), t(product / n)
            for c in range(n):
                dx[r, c] = scale * (dy[r, c] - flat - (x[r, c] - mean) * scale * along)


@inlined
def _column_moments(x: Any, mean: Any, variance: Any) -> None:
    """mean[C], variance[C] of the columns of x[R,C]."""
    rows = x.dtype.type(x.shape[0])
    for c in range(x.shape[1]):
        mean[c] = variance[c] = 0
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            mean[c] += x[r, c]
    for c in range(x.shape[1]):
        mean[c] /= rows
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            variance[c] += (x[r, c] - mean[c]) * (x[r, c] - mean[c])
    for c in range(x.shape[1]):
        variance[c] /= rows


@entry
def batch_norm_forward(
    training: bool, momentum: float, epsilon: float, x: Any, gamma: Any, beta: Any, moving: Any, spread: Any, y: Any
) -> None:
    """y[R,C]; in training by the moments of x, which also move ``moving`` [C] and ``spread`` [C], else by those."""
    t = x.dtype.type
    width = x.shape[1]
    mean, variance = np.empty(width, x.dtype), np.empty(width, x.dtype)
    if training:
        _column_moments(x, mean, variance)
        keep, fresh = t(momentum), t(1.0 - momentum)
        for c in range(width):
            moving[c] = keep * moving[c] + fresh * mean[c]
            spread[c] = keep * spread[c] + fresh * variance[c]
    else:
        for c in range(width):
            mean[c], variance[c] = moving[c], spread[c]
    for c in range(width):
        variance[c] = t(1) / t(math.sqrt(variance[c] + t(epsilon)))
        if gamma.size > 0:
            variance[c] *= gamma[c]
    for r in range(x.shape[0]):
        for c in range(width):
            unit = (x[r, c] - mean[c]) * variance[c]
            y[r, c] = unit + beta[c] if beta.size > 0 else unit


@entry
def batch_norm_backward(
    training: bool,
    epsilon: float,
    x: Any,
    gamma: Any,
    moving: Any,
    spread: Any,
    dy: Any,
    dx: Any,
    dgamma: Any,
    dbeta: Any,
) -> None:
    """dx[R,C], dgamma[C], dbeta[C]; what has no elements is not wanted."""
    t = x.dtype.type
    width, rows = x.shape[1], x.shape[0]
    mean, scale = np.empty(width, x.dtype), np.empty(width, x.dtype)
    along, flat = np.zeros(width, x.dtype), np.zeros(width, x.dtype)
    if training:
        _column_moments(x, mean, scale)
    else:
        for c in range(width):
            mean[c], scale[c] = moving[c], spread[c]
    for c in range(width):
        scale[c] = t(1) / t(math.sqrt(scale[c] + t(epsilon)))
    for r in range(rows):
        for c in range(width):
            along[c] += dy[r, c] * ((x[r, c] - mean[c]) * scale[c])
            flat[c] += dy[r, c]
    for c in range(dgamma.size):
        dgamma[c] = along[c]
    for c in range(dbeta.size):
        dbeta[c] = flat[c]
    if dx.size > 0:
        for r in range(rows):
            for c in range(width):
                d = dy[r, c]
                if training:  # the moments depend on x as well
                    d -= (flat[c] + (x[r, c] - mean[c]) * scale[c] * along[c]) / t(rows)
                factor = scale[c] * gamma[c] if gamma.size > 0 else scale[c]
                dx[r, c] = d * factor
