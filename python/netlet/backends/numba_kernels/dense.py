"""Dense: y = activation(x @ kernel + bias), forward beside backward.

LLVM vectorises along a row of the result (see gemm.py). Where rows have few elements, the transposed result is computed
instead: the same sums in the same order, hence the same bits, in lanes that are full.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netlet.backends.numba_kernels.activation import activation_backward, activation_forward
from netlet.backends.numba_kernels.codes import ADD, NOTHING, WRITE
from netlet.backends.numba_kernels.gemm import add_product, transpose
from netlet.backends.numba_kernels.jit import inlined, kernel
from netlet.backends.numba_kernels.view import flat, matrix

__all__ = ["NARROW", "WIDE", "dense_backward", "dense_forward", "dense_scratch"]

#: A result of at most NARROW columns and at least WIDE rows is computed transposed.
NARROW, WIDE = 12, 16


def dense_scratch(rows: int, inputs: int, outputs: int) -> int:
    """Elements of scratch that forward and backward need for x[rows, inputs] and y[rows, outputs]."""
    return max((inputs + outputs) * rows, inputs * outputs)


@kernel
def fill(value: Any, x: Any) -> None:
    """x[N] = value."""
    for n in range(x.size):
        x[n] = value


@inlined
def dense_forward(x: Any, kernel: Any, bias: Any, activation: int, alpha: float, scratch: Any, y: Any) -> None:
    """y[R,O] = activation(x[R,I] @ kernel[I,O] + bias[O]); a bias without elements counts as 0."""
    zero, one = y.dtype.type(0), np.int64(1)  # a literal 1 would be a type of its own: one more add_product to compile
    rows, inputs = x.shape
    outputs = kernel.shape[1]
    for r in range(rows):
        for o in range(outputs):
            y[r, o] = bias[o] if bias.size > 0 else zero
    if outputs <= NARROW and rows >= WIDE and inputs >= WIDE:
        x_t = matrix(scratch, 0, inputs, rows)
        y_t = matrix(scratch, inputs * rows, outputs, rows)
        transpose(x, x_t)
        transpose(y, y_t)
        add_product(flat(kernel), one, outputs, x_t, y_t)
        transpose(y_t, y)
    else:
        add_product(flat(x), inputs, one, kernel, y)
    activation_forward(activation, alpha, flat(y))


@inlined
def dense_backward(
    x: Any,
    kernel: Any,
    activation: int,
    alpha: float,
    y: Any,
    dy: Any,
    scratch: Any,
    dx_mode: int,
    dx: Any,
    dkernel_mode: int,
    dkernel: Any,
    dbias_mode: int,
    dbias: Any,
) -> None:
    """With dz[R,O] = dy * activation'(y), which overwrites dy:

    dbias[O] = sum over rows of dz,  dkernel[I,O] = x.T @ dz,  dx[R,I] = dz @ kernel.T,
    each overwritten (WRITE), added to (ADD) or left alone (NOTHING).
    """
    zero, one = y.dtype.type(0), np.int64(1)
    rows, outputs = dy.shape
    inputs = x.shape[1]
    activation_backward(activation, alpha, flat(y), flat(y), flat(dy))
    if dbias_mode != NOTHING:
        if dbias_mode == WRITE:
            fill(zero, dbias)
        for r in range(rows):
            for o in range(outputs):
                dbias[o] += dy[r, o]
    if dkernel_mode != NOTHING:
        if outputs <= NARROW and inputs >= WIDE:
            dkernel_t = matrix(scratch, 0, outputs, inputs)
            if dkernel_mode == ADD:
                transpose(dkernel, dkernel_t)
            else:
                fill(zero, flat(dkernel_t))
            add_product(flat(dy), one, outputs, x, dkernel_t)
            transpose(dkernel_t, dkernel)
        else:
            if dkernel_mode == WRITE:
                fill(zero, flat(dkernel))
            add_product(flat(x), one, inputs, dy, dkernel)
    if dx_mode != NOTHING:
        kernel_t = matrix(scratch, 0, outputs, inputs)
        transpose(kernel, kernel_t)
        if dx_mode == WRITE:
            fill(zero, flat(dx))
        add_product(flat(dy), outputs, one, kernel_t, dx)
