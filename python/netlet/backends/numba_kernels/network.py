"""Forward and backward through an encoded Program, for one block of rows in a workspace.

``values`` and ``grads`` hold one buffer per value: the one at ``place`` (elements per row before it) starts at
``place * block`` and holds the rows of the block one after the other. ``tables`` unpacks what encode.py wrote.
"""

from __future__ import annotations

from typing import Any

from netlet.backends.numba_kernels.activation import activation_backward, activation_forward
from netlet.backends.numba_kernels.codes import (
    ACTIVATION,
    ADD,
    DENSE,
    HEADER,
    LOG_SOFTMAX,
    LOSS_COLUMNS,
    METRIC_COLUMNS,
    N_INPUTS,
    N_METRICS,
    N_OPS,
    N_OUTPUTS,
    NOTHING,
    NOWHERE,
    OP,
    OP_ACTIVATION,
    OP_ALPHA,
    OP_BACKWARD,
    OP_BIAS,
    OP_BY_LOSS,
    OP_COLUMNS,
    OP_DBIAS,
    OP_DKERNEL,
    OP_DX,
    OP_I,
    OP_KERNEL,
    OP_O,
    OP_POSITIONS,
    OP_X,
    OP_Y,
    PIECEWISE,
    PORT_COLUMNS,
    SOFTMAX,
    WRITE,
)
from netlet.backends.numba_kernels.dense import dense_backward, dense_forward
from netlet.backends.numba_kernels.jit import inlined, kernel
from netlet.backends.numba_kernels.piecewise import piecewise_backward, piecewise_forward
from netlet.backends.numba_kernels.softmax import (
    log_softmax_backward,
    log_softmax_forward,
    softmax_backward,
    softmax_forward,
)
from netlet.backends.numba_kernels.view import flat, matrix, vector

__all__ = ["backward", "buffer", "forward", "move", "tables"]


@inlined
def tables(code: Any) -> Any:
    """The tables of the code: inputs, outputs, ops, loss (one row) and metrics, each [rows, columns]."""
    inputs = HEADER
    outputs = inputs + code[N_INPUTS] * PORT_COLUMNS
    ops = outputs + code[N_OUTPUTS] * PORT_COLUMNS
    loss = ops + code[N_OPS] * OP_COLUMNS
    metrics = loss + LOSS_COLUMNS
    return (
        matrix(code, inputs, code[N_INPUTS], PORT_COLUMNS),
        matrix(code, outputs, code[N_OUTPUTS], PORT_COLUMNS),
        matrix(code, ops, code[N_OPS], OP_COLUMNS),
        vector(code, loss, LOSS_COLUMNS),
        matrix(code, metrics, code[N_METRICS], METRIC_COLUMNS),
    )


@inlined
def buffer(workspace: Any, place: int, block: int, rows: int, width: int) -> Any:
    """The first ``rows`` rows of the buffer at ``place``, as [rows, width]."""
    return matrix(workspace, place * block, rows, width)


@kernel
def move(mode: int, dy: Any, dx: Any) -> None:
    """dx[N] = dy (WRITE), dx += dy (ADD), or nothing."""
    if mode == WRITE:
        for n in range(dy.size):
            dx[n] = dy[n]
    elif mode == ADD:
        for n in range(dy.size):
            dx[n] += dy[n]


@inlined
def forward(ops: Any, attrs: Any, by_loss: bool, params: Any, block: int, rows: int, values: Any, scratch: Any) -> None:
    """Computes every value from the inputs; with ``by_loss`` not those that the loss computes."""
    for n in range(ops.shape[0]):
        op = vector(ops, n * OP_COLUMNS, OP_COLUMNS)
        if by_loss and op[OP_BY_LOSS]:
            continue
        positions = rows * op[OP_POSITIONS]
        i, o = op[OP_I], op[OP_O]
        x = buffer(values, op[OP_X], block, positions, i)
        y = buffer(values, op[OP_Y], block, positions, o)
        if op[OP] == DENSE:
            kernel = matrix(params, op[OP_KERNEL], i, o)
            bias = vector(params, op[OP_BIAS], o if op[OP_BIAS] != NOWHERE else 0)
            dense_forward(x, kernel, bias, op[OP_ACTIVATION], attrs[op[OP_ALPHA]], scratch, y)
        elif op[OP] == ACTIVATION:
            move(WRITE, flat(x), flat(y))
            activation_forward(op[OP_ACTIVATION], attrs[op[OP_ALPHA]], flat(y))
        elif op[OP] == PIECEWISE:
            piecewise_forward(vector(attrs, op[OP_ALPHA], 5), flat(x), flat(y))
        elif op[OP] == SOFTMAX:
            softmax_forward(x, y)
        elif op[OP] == LOG_SOFTMAX:
            log_softmax_forward(x, y)


@inlined
def backward(
    ops: Any,
    attrs: Any,
    further: bool,
    params: Any,
    block: int,
    rows: int,
    values: Any,
    grads: Any,
    scratch: Any,
    dparams: Any,
) -> None:
    """Carries the gradients of the last values back to parameters and, where wanted, inputs.

    With ``further``, a later block of the same step, parameter gradients are added to those of the blocks before. An
    op's own gradient buffer is scratch once it has been carried on.
    """
    for n in range(ops.shape[0] - 1, -1, -1):
        op = vector(ops, n * OP_COLUMNS, OP_COLUMNS)
        if not op[OP_BACKWARD]:
            continue
        positions = rows * op[OP_POSITIONS]
        i, o = op[OP_I], op[OP_O]
        x = buffer(values, op[OP_X], block, positions, i)
        y = buffer(values, op[OP_Y], block, positions, o)
        dx = buffer(grads, op[OP_X], block, positions, i)
        dy = buffer(grads, op[OP_Y], block, positions, o)
        if op[OP] == DENSE:
            k, b = op[OP_KERNEL], op[OP_BIAS]
            dkernel_mode, dbias_mode = op[OP_DKERNEL], op[OP_DBIAS]
            if further:
                dkernel_mode = ADD
                dbias_mode = ADD if b != NOWHERE else NOTHING
            kernel, dkernel = matrix(params, k, i, o), matrix(dparams, k, i, o)
            dbias = vector(dparams, b, o if b != NOWHERE else 0)
            activation, alpha = op[OP_ACTIVATION], attrs[op[OP_ALPHA]]
            dense_backward(
                x, kernel, activation, alpha, y, dy, scratch, op[OP_DX], dx, dkernel_mode, dkernel, dbias_mode, dbias
            )
            continue
        if op[OP] == ACTIVATION:
            activation_backward(op[OP_ACTIVATION], attrs[op[OP_ALPHA]], flat(x), flat(y), flat(dy))
        elif op[OP] == PIECEWISE:
            piecewise_backward(vector(attrs, op[OP_ALPHA], 5), flat(x), flat(dy))
        elif op[OP] == SOFTMAX:
            softmax_backward(y, dy)
        elif op[OP] == LOG_SOFTMAX:
            log_softmax_backward(y, dy)
        move(op[OP_DX], flat(dy), flat(dx))
