"""The whole run of steps in one call: gather, forward, loss, metrics, backward, update.

The unit of work is a block of rows of a step; a step has ``ceil(batch / block)`` of them and updates the parameters
after its last one. Blocks keep the workspace in the cache, let a caller stop within a long step, and change no bit:
rows are independent forward, and parameter gradients are summed over rows in their order, whether a block ends between
two rows or not (but for a parameter that several ops share, whose order of summation the block decides).
"""

from __future__ import annotations

from typing import Any

from netlet.backends.numba_kernels.codes import (
    BATCH,
    BLOCK,
    EVALUATE,
    FIRST,
    GRADIENTS,
    LAST,
    LOSS,
    LOSS_C,
    LOSS_OUTPUT,
    LOSS_POSITIONS,
    LOSS_X,
    METRIC,
    METRIC_C,
    METRIC_COLUMNS,
    METRIC_PER_CLASS,
    METRIC_POSITIONS,
    METRIC_SUMS,
    METRIC_THRESHOLD,
    METRIC_X,
    MODE,
    NESTEROV,
    NO_LOSS,
    NOTHING,
    NOWHERE,
    PORT_COLUMNS,
    PORT_GRADIENT,
    PORT_VALUE,
    PORT_WIDTH,
    RATES,
    ROWS,
    TRAIN,
    UPDATES,
    VJP,
    WRITE,
)
from netlet.backends.numba_kernels.jit import entry, inlined, kernel
from netlet.backends.numba_kernels.loss import position_loss
from netlet.backends.numba_kernels.metric import update_metric
from netlet.backends.numba_kernels.network import backward, buffer, forward, move, tables
from netlet.backends.numba_kernels.optimizer import sgd_step
from netlet.backends.numba_kernels.view import flat, matrix, matrix_at, vector

__all__ = ["run_forward", "run_steps"]


@kernel
def gather(source: Any, order: Any, first: int, target: Any) -> None:
    """target[R,C] = the rows of source[n,C] at places first, first+1, ... of the order (no order: as they lie)."""
    for r in range(target.shape[0]):
        row = order[first + r] if order.size > 0 else first + r
        for c in range(target.shape[1]):
            target[r, c] = source[row, c]


@kernel
def load_input(port: Any, x: int, n: int, order: Any, first: int, rows: int, block: int, values: Any) -> None:
    """Gathers a block of an input, [n, width] at address x, into its buffer; the port is its row of codes."""
    width = port[PORT_WIDTH]
    gather(matrix_at(x, values, n, width), order, first, buffer(values, port[PORT_VALUE], block, rows, width))


@kernel
def store(port: Any, y: int, n: int, first: int, rows: int, block: int, workspace: Any) -> None:
    """Copies a block of the port's buffer in values or grads to rows first .. of the [n, width] at address y."""
    width = port[PORT_WIDTH]
    source = buffer(workspace, port[PORT_VALUE], block, rows, width)
    move(WRITE, flat(source), vector(matrix_at(y, workspace, n, width), first * width, rows * width))


@kernel
def load_cotangent(port: Any, dy: int, n: int, first: int, rows: int, block: int, grads: Any) -> None:
    """Copies or adds rows first .. of the [n, width] at address dy to the port's buffer in grads."""
    width = port[PORT_WIDTH]
    source = vector(matrix_at(dy, grads, n, width), first * width, rows * width)
    move(port[PORT_GRADIENT], source, vector(grads, port[PORT_VALUE] * block, rows * width))


@inlined
def loss_block(
    loss: Any,
    block: int,
    batch: int,
    first: int,
    order: Any,
    weight: Any,
    y: Any,
    labels: Any,
    values: Any,
    grads: Any,
    sums: Any,
) -> None:
    """Adds the block's weighted losses and its rows to sums[0] and sums[1]; writes the gradient of the prediction.

    y[R, P C] or labels[R, P] are the block's own; ``first`` is its first place in the order, ``batch`` the rows of its
    step.
    """
    t = values.dtype.type
    rows, positions, classes = max(y.shape[0], labels.shape[0]), loss[LOSS_POSITIONS], loss[LOSS_C]
    x = buffer(values, loss[LOSS_X], block, rows * positions, classes)
    dx = buffer(grads, loss[LOSS_X], block, rows * positions, classes)
    p = dx
    if loss[LOSS_OUTPUT] != NOWHERE:
        p = buffer(values, loss[LOSS_OUTPUT], block, rows * positions, classes)
    for r in range(rows):
        w = 1.0
        if weight.size > 0:
            w = float(weight[order[first + r] if order.size > 0 else first + r, 0])
        factor = t(w / (float(batch) * positions))
        total = 0.0
        for q in range(positions):
            at = (r * positions + q) * classes
            label = labels[r, q] if labels.size > 0 else 0
            target = vector(y, at if y.size > 0 else 0, classes if y.size > 0 else 0)
            x1, p1, dx1 = vector(x, at, classes), vector(p, at, classes), vector(dx, at, classes)
            total += position_loss(loss[LOSS], x1, target, label, factor, p1, dx1)
        sums[0] += w * (total / positions)
    sums[1] += rows


@inlined
def metric_block(metrics: Any, attrs: Any, block: int, y: Any, labels: Any, values: Any, sums: Any) -> None:
    """Adds what the block's predictions, with y[R, P C] or labels[R, P], contribute to each metric's sums."""
    rows = max(y.shape[0], labels.shape[0])
    for m in range(metrics.shape[0]):
        metric = vector(metrics, m * METRIC_COLUMNS, METRIC_COLUMNS)
        positions, classes = rows * metric[METRIC_POSITIONS], metric[METRIC_C]
        x = buffer(values, metric[METRIC_X], block, positions, classes)
        y2 = matrix(y, 0, positions if y.size > 0 else 0, classes)
        threshold = attrs[metric[METRIC_THRESHOLD]]
        own = vector(sums, metric[METRIC_SUMS], sums.size - metric[METRIC_SUMS])
        update_metric(metric[METRIC], x, y2, flat(labels), threshold, metric[METRIC_PER_CLASS], own)


@entry
def run_forward(control: Any, code: Any, attrs: Any, xs: Any, params: Any, values: Any, scratch: Any, ys: Any) -> None:
    """Predicts rows FIRST .. LAST-1 of the inputs into the outputs; xs and ys as those of run_steps."""
    inputs, outputs, ops, _, _ = tables(code)
    n, block = control[ROWS], control[BLOCK]
    no_order = vector(code, 0, 0)
    for first in range(control[FIRST], control[LAST], block):
        rows = min(block, control[LAST] - first)
        for k in range(inputs.shape[0]):
            load_input(vector(inputs, k * PORT_COLUMNS, PORT_COLUMNS), xs[k], n, no_order, first, rows, block, values)
        forward(ops, attrs, False, params, block, rows, values, scratch)
        for k in range(outputs.shape[0]):
            port = vector(outputs, k * PORT_COLUMNS, PORT_COLUMNS)
            store(port, ys[k], n, first, rows, block, values)


@entry
def run_steps(
    control: Any,
    code: Any,
    attrs: Any,
    rates: Any,
    xs: Any,
    y: Any,
    labels: Any,
    weight: Any,
    order: Any,
    params: Any,
    slots: Any,
    dparams: Any,
    values: Any,
    grads: Any,
    scratch: Any,
    y_block: Any,
    label_block: Any,
    sums: Any,
    ys: Any,
    dys: Any,
    dxs: Any,
) -> None:
    """Runs units FIRST .. LAST-1; unit u is block ``u % blocks`` of step ``u // blocks``.

    TRAIN updates params and slots after each step's last block (without UPDATES it leaves the last step's gradient in
    dparams for the caller, who asks for one step at a time); EVALUATE only adds to sums; GRADIENTS (one step) leaves
    the gradients of the loss in dparams and dxs; VJP (one step) those of the outputs' cotangents dys, and the outputs
    in ys.

    Args:
        control: int64[CONTROL], see codes.py.
        code, attrs: the Program, see encode.py.
        rates: float64, the momentum of gradient descent, then the learning rate of all steps or one for each from step
            RATES on.
        xs, ys, dys, dxs: int64 addresses of row-major [n, width], one per input or output; the caller keeps them alive.
        y: labels [n, P C], without elements if ``labels`` are int32[n, P]; and the other way round.
        weight: [n, 1], or without elements for all ones.
        order: int64[n], or without elements for the rows as they lie.
        params, dparams: [P]. slots: [n_slots, P]. sums: float64.
        values, grads, scratch, y_block, label_block: the workspace.
    """
    inputs, outputs, ops, loss, metrics = tables(code)
    mode, n, batch, block = control[MODE], control[ROWS], control[BATCH], control[BLOCK]
    blocks = (batch + block - 1) // block
    for unit in range(control[FIRST], control[LAST]):
        step, part = unit // blocks, unit % blocks
        begin = step * batch
        batch_rows = min(batch, n - begin)
        first = begin + part * block
        rows = min(block, begin + batch_rows - first)
        if rows > 0:  # the last step may have fewer blocks
            for k in range(inputs.shape[0]):
                load_input(vector(inputs, k * PORT_COLUMNS, PORT_COLUMNS), xs[k], n, order, first, rows, block, values)
            forward(ops, attrs, mode != VJP, params, block, rows, values, scratch)
            if mode == VJP:
                for k in range(outputs.shape[0]):
                    port = vector(outputs, k * PORT_COLUMNS, PORT_COLUMNS)
                    store(port, ys[k], n, first, rows, block, values)
                    load_cotangent(port, dys[k], n, first, rows, block, grads)
            else:
                some_y = matrix(y_block, 0, rows, y.shape[1])
                some_labels = matrix(label_block, 0, rows, labels.shape[1])
                gather(y, order, first, some_y)
                gather(labels, order, first, some_labels)
                if loss[LOSS] != NO_LOSS:
                    loss_block(loss, block, batch_rows, first, order, weight, some_y, some_labels, values, grads, sums)
                if mode != GRADIENTS:
                    metric_block(metrics, attrs, block, some_y, some_labels, values, sums)
            if mode != EVALUATE:
                backward(ops, attrs, part > 0, params, block, rows, values, grads, scratch, dparams)
            if mode in (GRADIENTS, VJP):
                for k in range(inputs.shape[0]):
                    if inputs[k, PORT_GRADIENT] != NOTHING:
                        store(vector(inputs, k * PORT_COLUMNS, PORT_COLUMNS), dxs[k], n, first, rows, block, grads)
        if mode == TRAIN and part == blocks - 1 and control[UPDATES] != 0:
            v = vector(slots, 0, params.size if slots.shape[0] > 0 else 0)
            rate = rates[1 + step - control[RATES]] if rates.size > 2 else rates[1]
            sgd_step(rate, rates[0], control[NESTEROV] != 0, dparams, v, params)
