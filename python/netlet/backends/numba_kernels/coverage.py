"""What has jitted kernels: of the rest the Numba backend calls the reference."""

from __future__ import annotations

from netlet.backends.numba_kernels.codes import ACTIVATIONS, LOSSES, METRICS
from netlet.program import LOSSES as SPECS
from netlet.program import Loss, Op, Program
from netlet.program.spec import Spec

__all__ = ["has_kernel", "is_jitted", "jits_loss"]

_OPS = frozenset(("dense", "activation", "softmax", "log_softmax", "reshape"))
#: Ops that have kernels of their own, though no steps in which everything is jitted.
_ALONE = frozenset(("embedding", "dropout", "batch_normalization", "layer_normalization"))


def has_kernel(spec: Spec) -> bool:
    """Whether there is a jitted kernel for an op, loss or metric, or an optimizer's rule."""
    if spec.family == "op":
        return spec.name in _OPS | _ALONE
    if spec.family == "loss":
        return any(name == spec.name for name, _ in LOSSES)
    return spec.name in METRICS if spec.family == "metric" else spec.native


def _jits_op(op: Op) -> bool:
    return op.op in _OPS and op.attrs.get("activation", "linear") in ACTIVATIONS


def jits_loss(loss: Loss) -> bool:
    """Whether a loss has a jitted kernel, with its attributes."""
    known = (loss.op, bool(loss.attrs.get("from_logits", False))) in LOSSES
    return known and SPECS[loss.op].is_native(loss.attrs)


def is_jitted(program: Program) -> bool:
    """Whether whole steps of the Program can run in jitted code."""
    return (
        all(_jits_op(op) for op in program.ops)
        and (program.loss is None or jits_loss(program.loss))
        and all(metric.op in METRICS for metric in program.metrics)
    )
