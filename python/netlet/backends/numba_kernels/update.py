"""The update around the jitted rules. What has none (norms, matrices, averages of weights) is the reference's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from netlet.backends.numba_kernels import optimizer as jitted
from netlet.backends.numba_kernels.calls import run
from netlet.program import Program
from netlet.program.ops.optimizers_adam import nadam_product
from netlet.program.ops.optimizers_schedule_free import warmed_up
from netlet.program.spec import Array, Attrs, Region
from netlet.program.update import Update

__all__ = ["bind_update"]

#: The numbers of one update and the arrays of a rule, in the order of its kernel.
Arguments = tuple[list[float], list[Array]]


def _sgd(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    return [rate, a["momentum"], float(a["nesterov"])], [slots[0] if a["momentum"] else none]


def _adam(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    corrected = rate * math.sqrt(1.0 - a["beta_2"] ** t) / (1.0 - a["beta_1"] ** t)
    arrays = [slots[0], slots[1], slots[2] if a["amsgrad"] else none]
    return [corrected, 1.0 - a["beta_1"], 1.0 - a["beta_2"], a["epsilon"]], arrays


def _adamax(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    return [rate / (1.0 - a["beta_1"] ** t), 1.0 - a["beta_1"], a["beta_2"], a["epsilon"]], [*slots]


def _nadam(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    beta_1, beta_2 = a["beta_1"], a["beta_2"]
    u, after = beta_1 * (1.0 - 0.5 * 0.96**t), beta_1 * (1.0 - 0.5 * 0.96 ** (t + 1))
    product = nadam_product(beta_1, t)
    rates = [rate * after / (1.0 - product * after), rate * (1.0 - u) / (1.0 - product)]
    return [*rates, 1.0 - beta_1, 1.0 - beta_2, a["epsilon"], 1.0 / (1.0 - beta_2**t)], [*slots]


def _schedule_free(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    beta_1, beta_2 = a["beta_1"], a["beta_2"]
    correction = 1.0 / (1.0 - beta_2**t) if beta_2 < 1.0 else math.inf
    step = warmed_up(rate, a["warmup_steps"], t)
    return [step, beta_1, 1.0 - beta_1, 1.0 - beta_2, a["epsilon"], correction, 1.0 / t], [*slots]


def _rmsprop(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    moves = a["momentum"] > 0
    arrays = [slots[0], slots[1] if moves else none, slots[1 + moves] if a["centered"] else none]
    return [rate, a["rho"], 1.0 - a["rho"], a["epsilon"], a["momentum"]], arrays


def _adagrad(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    return [rate, a["epsilon"]], [*slots]


def _adadelta(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    return [rate, a["rho"], 1.0 - a["rho"], a["epsilon"]], [*slots]


def _lion(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    return [rate, a["beta_1"], 1.0 - a["beta_1"], a["beta_2"], 1.0 - a["beta_2"]], [*slots]


def _ftrl(a: Attrs, rate: float, t: int, slots: Array, none: Array) -> Arguments:
    shrinkage = 2.0 * a["l2_shrinkage_regularization_strength"]
    beta = a["beta"] / (2.0 * rate) if rate else math.inf if a["beta"] else 0.0
    l2 = 2.0 * (a["l2_regularization_strength"] + beta)
    return [rate, -a["learning_rate_power"], a["l1_regularization_strength"], l2, shrinkage], [*slots]


_RULES: dict[str, tuple[Callable[[Attrs, float, int, Array, Array], Arguments], Callable[..., None]]] = {
    "sgd": (_sgd, jitted.momentum),
    "adam": (_adam, jitted.adam),
    "adamax": (_adamax, jitted.adamax),
    "nadam": (_nadam, jitted.nadam),
    "schedule_free_adamw": (_schedule_free, jitted.schedule_free),
    "rmsprop": (_rmsprop, jitted.rmsprop),
    "adagrad": (_adagrad, jitted.adagrad),
    "adadelta": (_adadelta, jitted.adadelta),
    "lion": (_lion, jitted.lion),
    "ftrl": (_ftrl, jitted.ftrl),
}


def bind_update(program: Program, params: Array, slots: Array) -> Update:
    """Returns the optimizer of ``program`` over these arrays, with a jitted rule where there is one."""
    optimizer = program.optimizer
    assert optimizer is not None
    if optimizer.op not in _RULES:
        return Update(optimizer, program.params, params, slots)
    arguments, kernel = _RULES[optimizer.op]
    none: NDArray[np.generic] = np.empty(0, params.dtype)

    def rule(
        attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        numbers, arrays = arguments(attrs, learning_rate, t, slots, none)
        run(kernel, np.array(numbers), g, *arrays, w)

    return Update(optimizer, program.params, params, slots, rule)
