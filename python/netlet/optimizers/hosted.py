"""Steps in Python of an optimizer that a Program has no rule for, while ``fit`` does the rest below Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netlet.optimizers.state import Array, array_of, parts_of

if TYPE_CHECKING:
    from netlet.optimizers.optimizer import Optimizer


class HostedStep:
    """What an executor calls for the step of an optimizer that is not one of the Program's.

    The optimizer gets the gradients that `apply` expects: of the loss as its ``scale_loss`` makes it. What it raises
    leaves weights and state as they were.

    Args:
        optimizer: built for these variables by the time of the first call.
        variables: all weights of the model, as they lie in ``params``.
        moved: which of them training changes, by place.
        params: the weights ``[param_size]``.
        slots: what the optimizer keeps beside them.
    """

    def __init__(
        self, optimizer: Optimizer, variables: Sequence[Any], moved: Sequence[int], params: Array, slots: Array
    ) -> None:
        parts = parts_of(variables)
        self._optimizer = optimizer
        self._variables = [variables[i] for i in moved]
        self._parts = [(parts[i], array_of(variables[i]).shape) for i in moved]
        self._kept = [(array, np.empty_like(array)) for array in (params, slots)]

    def __call__(self, gradient: Array, learning_rate: float, iteration: int) -> None:
        optimizer = self._optimizer
        scale = float(optimizer.scale_loss(1.0))
        if scale != 1.0:
            gradient *= scale
        numbers = optimizer._numbers()
        kept = [*self._kept, *((variable.value, variable.value.copy()) for variable in numbers)]
        for array, copy in self._kept:
            np.copyto(copy, array)
        try:
            optimizer.apply([gradient[part].reshape(shape) for part, shape in self._parts], self._variables)
        except BaseException:
            for array, copy in kept:
                np.copyto(array, copy)
            raise
