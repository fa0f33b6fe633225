"""LossScaleOptimizer: a loss scale that follows what the gradients can bear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.state import Array, StateVariable, array_of

#: Arguments of all optimizers, which the inner one takes, with their neutral values.
_INNER = {
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class LossScaleOptimizer(Optimizer):
    """Another optimizer, given gradients of a loss times a scale that it finds: for types of a small range.

    The scale doubles after so many steps with finite gradients. A step with a gradient that is not finite is left out,
    and halves it. ``fit`` computes in float32 or float64, which seldom need a scale; there it is multiplied to the
    gradients, and each step is made in Python.

    Args:
        inner_optimizer: the Optimizer that makes the steps.
        initial_scale: the first scale; default 32768.
        dynamic_growth_steps: finite steps until the scale doubles; default 2000.
        name: the optimizer's name; automatic if None.
        dynamic: must be True.

    Raises: ValueError for any other argument: the inner optimizer takes those.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        dynamic: bool = True,
        **kwargs: Any,
    ) -> None:
        if not dynamic:
            raise ValueError(
                "LossScaleOptimizer: dynamic=False is not supported; set `loss_scale_factor` of the optimizer itself"
            )
        for key, value in list(kwargs.items()):
            if key in _INNER:
                if value != _INNER[key]:
                    raise ValueError(f"LossScaleOptimizer: set {key}={value!r} on the `inner_optimizer`")
                del kwargs[key]
        if kwargs:
            names = "`, `".join(kwargs)
            raise ValueError(f"LossScaleOptimizer does not take the arguments: `{names}`")
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None
        self._step_counter = StateVariable(np.zeros((), np.int64), "step_counter", f"{self.name}/step_counter")
        scale = np.array(initial_scale, np.float32)
        self._dynamic_scale = StateVariable(scale, "dynamic_scale", f"{self.name}/dynamic_scale")

    # The state that lies beside weights is the inner optimizer's.

    def own_slot_names(self) -> tuple[str, ...]:
        return self.inner_optimizer.slot_names()

    def lower(self, variables: Sequence[Any] = ()) -> tuple[str, dict[str, Any]]:
        self.inner_optimizer.lower(variables)
        return super().lower(variables)

    def begin_slots(self, variables: Sequence[Any], data: Array, parts: Sequence[slice]) -> None:
        self.inner_optimizer.begin_slots(variables, data, parts)

    def follow_weights(self) -> None:
        self.inner_optimizer.follow_weights()

    def build(self, variables: Sequence[Any]) -> None:
        self.inner_optimizer.build(variables)
        self._slots = self.inner_optimizer._slots
        self.built = True

    def attach(self, variables: Sequence[Any], data: Array, parts: Sequence[slice] | None = None) -> None:
        self.inner_optimizer.attach(variables, data, parts)
        self._slots = self.inner_optimizer._slots
        self.built = True

    def _numbers(self) -> list[StateVariable]:
        inner = self.inner_optimizer
        return [self._step_counter, self._dynamic_scale, *inner._counters(), *inner._numbers()]

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Sequence[str] | None = None) -> None:
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    @property
    def variables(self) -> list[Any]:
        return [self._step_counter, self._dynamic_scale, *self.inner_optimizer.variables]

    @property
    def trainable_variables(self) -> list[Any]:
        return self.inner_optimizer.trainable_variables

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer made; as a variable, unless it gathers gradients."""
        inner = self.inner_optimizer
        return inner.iterations if inner.gradient_accumulation_steps else inner.variables[0]

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self.inner_optimizer.iterations = int(value)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        if trainable_variables is not None and not self.built:
            self.build(list(trainable_variables))
        weights = self.trainable_variables if trainable_variables is None else list(trainable_variables)
        if not all(np.isfinite(array_of(g)).all() for g in grads if g is not None):
            self._step_counter.assign(0)
            self._dynamic_scale.assign(self._dynamic_scale.value * 0.5)
            return
        scale = self._dynamic_scale.value
        unscaled = [
            g if g is None or getattr(w, "overwrite_with_gradient", False) else array_of(g) / scale
            for g, w in zip(grads, weights, strict=True)
        ]
        self.inner_optimizer.apply(unscaled, trainable_variables)
        if int(self._step_counter) == self.dynamic_growth_steps - 1:
            self._step_counter.assign(0)
            self._dynamic_scale.assign(scale * 2.0)
        else:
            self._step_counter.assign_add(1)

    def scale_loss(self, loss: Any) -> Any:
        return loss * self._dynamic_scale.value

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        inner = self.inner_optimizer
        return {
            "name": self.name,
            "inner_optimizer": {"class_name": type(inner).__name__, "config": inner.get_config()},
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LossScaleOptimizer:
        from netlet.optimizers import deserialize

        arguments = dict(config)
        return cls(deserialize(arguments.pop("inner_optimizer"), custom_objects), **arguments)
