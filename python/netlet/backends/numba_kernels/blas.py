"""The executor for big layers: matrix products by NumPy's BLAS, called by the interpreter, jitted kernels around them.

Where a kernel has tens of thousands of elements, nearly all time goes into matrix products, and BLAS, with its packed
panels and fused multiply-adds, is about twice as fast as loops in LLVM. It chooses its order of summation by shape, so
unlike JittedExecutor this does not promise equal bits across batch sizes.

Jitted is what passes over memory: bias and activation, their gradients, embedding, dropout and normalizations, the
loss, the update. Activations with an exponential stay with NumPy, which has them in SIMD where Numba calls the C
library for each element.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends.interpreter import Call, Interpreter
from netlet.backends.numba_kernels.activation import activation_backward, activation_forward
from netlet.backends.numba_kernels.calls import EpochOrder, no_rows, read_rows, run
from netlet.backends.numba_kernels.codes import ACTIVATIONS, HARD_SIGMOID, LEAKY_RELU, LINEAR, LOSSES, RELU
from netlet.backends.numba_kernels.coverage import jits_loss
from netlet.backends.numba_kernels.jit import entry
from netlet.backends.numba_kernels.layer_calls import backward_call, forward_call
from netlet.backends.numba_kernels.loss import position_loss
from netlet.backends.numba_kernels.update import bind_update
from netlet.backends.numba_kernels.view import flat, row
from netlet.backends.plan import Plan
from netlet.program import Loss, Op
from netlet.program.spec import Array

__all__ = ["BlasExecutor"]

_WITHOUT_EXPONENTIAL = frozenset((LINEAR, RELU, LEAKY_RELU, HARD_SIGMOID))


@entry
def bias_forward(activation: int, alpha: float, bias: Any, y: Any) -> None:
    """y[R,O] <- activation(y + bias[O]); a bias without elements counts as 0."""
    if bias.size > 0:
        for r in range(y.shape[0]):
            for o in range(y.shape[1]):
                y[r, o] += bias[o]
    activation_forward(activation, alpha, flat(y))


@entry
def bias_backward(activation: int, alpha: float, y: Any, dy: Any, dbias: Any) -> None:
    """dy[R,O] <- dz = dy * activation'(y), dbias[O] = sum over rows of dz; a dbias without elements is not wanted."""
    activation_backward(activation, alpha, flat(y), flat(y), flat(dy))
    for o in range(dbias.size):
        dbias[o] = 0
    if dbias.size > 0:
        for r in range(dy.shape[0]):
            for o in range(dy.shape[1]):
                dbias[o] += dy[r, o]


@entry
def loss_forward_backward(
    code: int, positions: int, x: Any, y: Any, labels: Any, weight: Any, losses: Any, p: Any, dx: Any
) -> None:
    """Each row's loss, losses[B], and the gradient dx[B P, C] of the weighted mean; see loss.py.

    x[B P, C]; y[B P, C], without elements if ``labels`` are int32[B P], and the other way round; weight[B, 1], or
    without elements for all ones; p[B P, C] becomes the probabilities of logits and may be dx.
    """
    t = x.dtype.type
    rows = losses.size
    for r in range(rows):
        w = float(weight[r, 0]) if weight.size > 0 else 1.0
        factor = t(w / (float(rows) * positions))
        total = 0.0
        for n in range(r * positions, (r + 1) * positions):
            label = labels[n] if labels.size > 0 else 0
            target = row(y, n if y.size > 0 else 0)
            total += position_loss(code, row(x, n), target, label, factor, row(p, n), row(dx, n))
        losses[r] = total / positions


def _matrix(array: Array) -> Array:
    """All axes but the last as rows; a view."""
    return array.reshape(-1, array.shape[-1])


class BlasExecutor(Interpreter):
    """An executor (see :class:`netlet.backends.Executor`) over NumPy's BLAS and jitted kernels."""

    target = "numba"

    def __init__(self, *args: Any, **settings: Any) -> None:
        self._shuffled = EpochOrder()
        super().__init__(*args, **settings)

    def _epoch_order(self, shuffle: tuple[int, int] | None, n: int) -> NDArray[np.int64] | None:
        return None if shuffle is None else self._shuffled(*shuffle, n)

    def _forward_call(self, plan: Plan, op: Op, xs: list[Array], y: Array) -> Call:
        params, state = [self._param_views[p] for p in op.params], [self._state_views[s] for s in op.state]
        bound = forward_call(op, xs, params, state, y)
        return super()._forward_call(plan, op, xs, y) if bound is None else lambda: bound(plan.context)

    def _backward_call(
        self,
        plan: Plan,
        op: Op,
        xs: list[Array],
        y: Array,
        dy: Array,
        dxs: list[Array | None],
        dparams: list[Array | None],
    ) -> Call:
        params, state = [self._param_views[p] for p in op.params], [self._state_views[s] for s in op.state]
        bound = backward_call(op, xs, params, state, dy, dxs, dparams)
        if bound is None:
            return super()._backward_call(plan, op, xs, y, dy, dxs, dparams)
        return lambda: bound(plan.context)

    def bind_forward(self, op: Op, xs: list[Array], params: list[Array], y: Array) -> Call:
        activation = ACTIVATIONS.get(op.attrs["activation"]) if op.op == "dense" else None
        if activation not in _WITHOUT_EXPONENTIAL:
            return super().bind_forward(op, xs, params, y)
        x2, y2, kernel = _matrix(xs[0]), _matrix(y), params[0]
        bias = params[1] if len(params) == 2 else np.empty(0, y.dtype)
        alpha = float(op.attrs.get("alpha", 0.0))

        def call() -> None:
            np.matmul(x2, kernel, out=y2)
            run(bias_forward, activation, alpha, bias, y2)

        return call

    def bind_backward(
        self,
        op: Op,
        xs: list[Array],
        params: list[Array],
        y: Array,
        dy: Array,
        dxs: list[Array | None],
        dparams: list[Array | None],
    ) -> Call:
        activation = ACTIVATIONS.get(op.attrs["activation"]) if op.op == "dense" else None
        if activation not in _WITHOUT_EXPONENTIAL:
            return super().bind_backward(op, xs, params, y, dy, dxs, dparams)
        y2, dz = _matrix(y), _matrix(dy)
        x_t, kernel_t = _matrix(xs[0]).T, params[0].T
        dx = None if dxs[0] is None else _matrix(dxs[0])
        dkernel = dparams[0]
        dbias = dparams[1] if len(dparams) == 2 and dparams[1] is not None else np.empty(0, y.dtype)
        alpha = float(op.attrs.get("alpha", 0.0))

        def call() -> None:
            run(bias_backward, activation, alpha, y2, dz, dbias)
            if dkernel is not None:
                np.matmul(x_t, dz, out=dkernel)
            if dx is not None:
                np.matmul(dz, kernel_t, out=dx)

        return call

    def bind_loss(
        self, loss: Loss, x: Array, y: Array, losses: Array, dx: Array | None, output: Array | None
    ) -> Callable[[Array | None], None]:
        if not jits_loss(loss):
            return super().bind_loss(loss, x, y, losses, dx, output)
        code = LOSSES[loss.op, bool(loss.attrs.get("from_logits", False))]
        x2 = _matrix(x)
        dx2 = np.empty_like(x2) if dx is None else _matrix(dx)
        p = dx2 if output is None else _matrix(output)
        integer = y.dtype == np.int32
        labels = y.reshape(-1) if integer else np.empty(0, np.int32)
        targets = np.empty((0, x2.shape[1]), x.dtype) if integer else _matrix(y)
        call = partial(run, loss_forward_backward, code, len(x2) // len(x), x2, targets, labels)
        absent = no_rows(self.program.dtype)

        def weighted(weight: Array | None) -> None:
            call(absent if weight is None else read_rows(weight, 1), losses, p, dx2)

        return weighted

    def bind_update(self) -> Callable[[Array, float, int], None]:
        return bind_update(self.program, self.params, self.slots)
