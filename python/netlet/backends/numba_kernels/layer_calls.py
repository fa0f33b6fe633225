"""Binds the kernels of layers.py to the arrays of an op: what the executor over BLAS calls in place of a reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from netlet.backends.numba_kernels import layers
from netlet.backends.numba_kernels.calls import run
from netlet.program import OPS, Op
from netlet.program.spec import Array, Context, elements

__all__ = ["backward_call", "forward_call"]

Bound = Callable[[Context], None]


def _dropout(op: Op, x: Array, y: Array) -> Bound:
    rate = op.attrs["rate"]
    threshold = np.uint64(math.ceil(rate * 2.0**32))
    scale = np.full(1, 0.0 if rate == 1.0 else 1.0 / (1.0 - rate), y.dtype)
    seed = np.uint64(op.attrs["seed"])
    source, target = x.reshape(-1), y.reshape(-1)

    def call(context: Context) -> None:
        if context.training and rate > 0.0:
            run(layers.dropout, seed, np.uint64(context.iteration), threshold, scale, source, target)
        else:
            np.copyto(y, x)

    return call


def _pair(op: Op, arrays: Sequence[Array | None], like: Array) -> tuple[Array, Array]:
    """Of gamma and beta, or their gradients, those that there are, flat; without elements those that there are not."""
    none = np.empty(0, like.dtype)
    gamma = arrays[0] if arrays and op.attrs["scale"] else None
    beta = arrays[-1] if arrays and op.attrs["center"] else None
    return none if gamma is None else gamma.reshape(-1), none if beta is None else beta.reshape(-1)


def _rows(op: Op, x: Array) -> Array:
    """[R, what shares a moment]"""
    axes = op.attrs.get("axes", 1)
    return x.reshape(-1, elements(x.shape[x.ndim - axes :]))


def forward_call(
    op: Op, xs: Sequence[Array], params: Sequence[Array], state: Sequence[Array], y: Array
) -> Bound | None:
    """Returns a call that computes ``y``, or None where there is no kernel."""
    attrs, x = op.attrs, xs[0]
    if op.op == "embedding":
        numbers, rows = x.reshape(-1), y.reshape(x.size, -1)
        return lambda context: run(layers.embedding_forward, numbers, params[0], rows)
    if op.op == "dropout" and OPS[op.op].is_native(attrs):
        return _dropout(op, x, y)
    if op.op == "layer_normalization":
        pair = _pair(op, params, y)
        of, to = _rows(op, x), _rows(op, y)
        return lambda context: run(layers.layer_norm_forward, attrs["epsilon"], attrs["rms"], of, *pair, to)
    if op.op == "batch_normalization":
        pair, numbers_of = _pair(op, params, y), (attrs["momentum"], attrs["epsilon"])
        of, to = _rows(op, x), _rows(op, y)

        def call(context: Context) -> None:
            training = context.training and not attrs["frozen"]
            run(layers.batch_norm_forward, training, *numbers_of, of, *pair, *state, to)

        return call
    return None


def backward_call(
    op: Op,
    xs: Sequence[Array],
    params: Sequence[Array],
    state: Sequence[Array],
    dy: Array,
    dxs: Sequence[Array | None],
    dparams: Sequence[Array | None],
) -> Bound | None:
    """Returns a call that overwrites ``dxs`` and ``dparams`` and may spoil ``dy``, or None where there is no kernel."""
    attrs, x, dx = op.attrs, xs[0], dxs[0]
    if op.op == "embedding":
        numbers, rows = x.reshape(-1), dy.reshape(x.size, -1)

        def scatter(context: Context) -> None:
            if dparams and dparams[0] is not None:
                run(layers.embedding_backward, numbers, rows, dparams[0])
            if dx is not None:
                dx.fill(0)

        return scatter
    if op.op == "dropout" and OPS[op.op].is_native(attrs):
        return (lambda context: None) if dx is None else _dropout(op, dy, dx)
    if op.op not in ("layer_normalization", "batch_normalization"):
        return None
    (gamma, _), gradients = _pair(op, params, dy), _pair(op, dparams, dy)
    of, along = _rows(op, x), _rows(op, dy)
    to = np.empty((0, 0), dy.dtype) if dx is None else _rows(op, dx)
    if op.op == "layer_normalization":
        numbers_of = attrs["epsilon"], attrs["rms"]
        return lambda context: run(layers.layer_norm_backward, *numbers_of, of, gamma, along, to, *gradients)

    def call(context: Context) -> None:
        training = context.training and not attrs["frozen"]
        run(layers.batch_norm_backward, training, attrs["epsilon"], of, gamma, *state, along, to, *gradients)

    return call
