"""Losses: the value of each row and its gradient in one pass over the prediction.

For a row of weight w in a batch of B, with P positions of C elements each:
``l = mean over positions of l_p``, and ``dx = w / (B P) * dl_p/dx``. ``clip(q) = min(max(q, 1e-7), 1 - 1e-7)``, rounded
to the type, with gradient 0 where it cuts.

====================================  =================================================================================
mean_squared_error                    l_p = mean (x - y)^2
mean_absolute_error                   l_p = mean |x - y|; gradient 0 where x = y
binary_crossentropy                   l_p = -mean (y log q + (1 - y) log(1 - q)); q = clip(x), or sigmoid(x) for logits
categorical_crossentropy              l_p = -sum y log q; q = clip(x / sum x), or softmax(x) for logits
sparse_categorical_crossentropy       l_p = -log q_label; q = clip(x), or softmax(x) for logits
====================================  =================================================================================

A label that names no class makes the loss of its row, and the gradient of its position, NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from netlet.backends.numba_kernels.activation import sigmoid
from netlet.backends.numba_kernels.codes import (
    BINARY_CROSSENTROPY,
    BINARY_CROSSENTROPY_LOGITS,
    CATEGORICAL_CROSSENTROPY_LOGITS,
    MEAN_ABSOLUTE_ERROR,
    MEAN_SQUARED_ERROR,
    SPARSE_CATEGORICAL_CROSSENTROPY,
)
from netlet.backends.numba_kernels.jit import inlined, kernel
from netlet.backends.numba_kernels.softmax import softmax_row

__all__ = ["position_loss"]


@kernel
def mean_loss(code: int, x: Any, y: Any, factor: Any, p: Any, dx: Any) -> Any:
    """The losses that are a mean over C. x[C] y[C] -> l_p, dx[C]; p[C] becomes the probabilities of logits."""
    t = x.dtype.type
    zero, one = t(0), t(1)
    low, high = t(1e-7), t(1 - 1e-7)
    f = factor / t(x.size)
    total = 0.0
    if code == MEAN_SQUARED_ERROR:
        for c in range(x.size):
            d = x[c] - y[c]
            total += d * d
            dx[c] = f * (d + d)
    elif code == MEAN_ABSOLUTE_ERROR:
        for c in range(x.size):
            d = x[c] - y[c]
            total += abs(d)
            dx[c] = f if d > zero else (-f if d < zero else f * d)  # d is 0 here, or NaN and stays one
    elif code == BINARY_CROSSENTROPY:
        for c in range(x.size):
            q = low if x[c] < low else (high if x[c] > high else x[c])
            total -= y[c] * math.log(q) + (one - y[c]) * math.log(one - q)
            dx[c] = zero if x[c] < low or x[c] > high else f * ((q - y[c]) / q / (one - q))
    elif code == BINARY_CROSSENTROPY_LOGITS:
        for c in range(x.size):
            v = x[c]
            total += ((zero if v < zero else v) - v * y[c]) + math.log1p(math.exp(-abs(v)))
            s = sigmoid(v)
            p[c] = s
            dx[c] = f * (s - y[c])
    return total / x.size


@kernel
def categorical_loss(code: int, x: Any, y: Any, factor: Any, p: Any, dx: Any) -> Any:
    """x[C] y[C] -> l_p, dx[C]; p[C] becomes the probabilities of logits. p may be dx."""
    t = x.dtype.type
    zero = t(0)
    loss = 0.0
    if code == CATEGORICAL_CROSSENTROPY_LOGITS:
        largest, log_total = softmax_row(x, p)
        labels = 0.0
        for c in range(x.size):
            loss += y[c] * (log_total - (x[c] - largest))
            labels += y[c]
        mass = t(labels)  # y that do not sum to 1 are allowed
        for c in range(x.size):
            dx[c] = factor * (p[c] * mass - y[c])
    else:  # with q = x / s and g = dl/dq: dx = (g - sum of g q) / s
        low, high = t(1e-7), t(1 - 1e-7)
        total = 0.0
        for c in range(x.size):
            total += x[c]
        s = t(total)
        inner = 0.0
        for c in range(x.size):
            q = x[c] / s
            loss -= y[c] * math.log(low if q < low else (high if q > high else q))
            g = zero if q < low or q > high else -y[c] / q
            inner += g * q
            dx[c] = g
        mean = t(inner)
        for c in range(x.size):
            dx[c] = factor * ((dx[c] - mean) / s)
    return loss


@kernel
def sparse_categorical_loss(code: int, x: Any, label: int, factor: Any, p: Any, dx: Any) -> Any:
    """x[C] label -> l_p, dx[C]; p[C] becomes the probabilities of logits. p may be dx."""
    t = x.dtype.type
    zero, one = t(0), t(1)
    known = label >= 0 and label < x.size
    loss = np.nan
    if code == SPARSE_CATEGORICAL_CROSSENTROPY:
        low, high = t(1e-7), t(1 - 1e-7)
        for c in range(x.size):
            dx[c] = zero
        if known:
            raw = x[label]
            q = low if raw < low else (high if raw > high else raw)
            loss = float(-math.log(q))
            if not (raw < low or raw > high):
                dx[label] = -factor / raw
    else:
        largest, log_total = softmax_row(x, p)
        chosen = p[label] if known else zero
        for c in range(x.size):
            dx[c] = factor * p[c]
        if known:
            loss = float(log_total - (x[label] - largest))
            dx[label] = factor * (chosen - one)
    if not known:
        for c in range(x.size):
            dx[c] = t(np.nan)
    return loss


@inlined
def position_loss(code: int, x: Any, y: Any, label: int, factor: Any, p: Any, dx: Any) -> Any:
    """The loss of one position, float64. x[C], and y[C] or a label; factor = w / (B P); p[C] and dx[C] as above."""
    if code <= BINARY_CROSSENTROPY_LOGITS:
        return mean_loss(code, x, y, factor, p, dx)
    if code <= CATEGORICAL_CROSSENTROPY_LOGITS:
        return categorical_loss(code, x, y, factor, p, dx)
    return sparse_categorical_loss(code, x, label, factor, p, dx)
