"""An optimizer applied from Python: gradients in, variables changed, by the reference of the rule that fit runs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from netlet.optimizers.own_state import OwnState
from netlet.optimizers.state import (
    Array,
    Slots,
    StateVariable,
    array_of,
    assign,
    frozen_among,
    name_of,
    parts_of,
)
from netlet.program.ops import OPTIMIZERS
from netlet.program.ops.optimizer_rule import squares
from netlet.program.spec import COMMON, Region
from netlet.program.update import clip_factor


class Optimizer(OwnState):
    """Base of the optimizers.

    Built-in ones name their op and its attributes, and train models below Python. One of your own defines ``build``,
    which calls this class' and adds variables, and ``update_step``, which moves one weight. It trains models too:
    ``fit`` computes the gradients below Python, and calls it for each step.

    Args, Raises: see `Settings`.

    Example::

        class Momentum(netlet.optimizers.Optimizer):
            def build(self, variables):
                super().build(variables)
                self.velocities = self.add_optimizer_variables(variables, "velocity")

            def update_step(self, gradient, variable, learning_rate):
                v = self.velocities[self._get_variable_index(variable)]
                self.assign(v, 0.9 * v - learning_rate * gradient)
                self.assign_add(variable, v)

        model.compile(Momentum(learning_rate=0.01), "mse")
    """

    def __init__(self, learning_rate: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        self._slots: Slots | None = None
        self._attrs: dict[str, Any] | None = None  # while a step is made

    @property
    def hosted(self) -> bool:
        """Whether `apply` makes the steps of ``fit`` too: there is no rule of its own for a Program to run."""
        own = type(self)
        return not self.op or own.update_step is not Optimizer.update_step or own.apply is not Optimizer.apply

    # State

    def build(self, variables: Sequence[Any]) -> None:
        """Make the state for these weights, unless it is there."""
        if self.built:
            return
        parts = parts_of(variables)
        dtype = array_of(variables[0]).dtype if variables else np.dtype(np.float32)
        data = np.zeros((len(self.slot_names()), parts[-1].stop if parts else 0), dtype)
        self.begin_slots(variables, data, parts)
        self._hold(variables, data, parts)

    def begin_slots(self, variables: Sequence[Any], data: Array, parts: Sequence[slice]) -> None:
        """Write the first values of the state that lies beside weights to ``data`` ``[slots, size]``, zeros so far.

        Args:
            parts: where in ``data`` each weight's lies.
        """
        names = self.slot_names()
        for name, value in self.initial_slots().items():
            for part in parts:
                data[names.index(name), part] = value

    def follow_weights(self) -> None:
        """Called before the very first step of ``fit``: begin where the weights are, if the state depends on that."""

    def attach(self, variables: Sequence[Any], data: Array, parts: Sequence[slice] | None = None) -> None:
        """Let the state be ``data`` ``[slots, size of all weights]``, as an engine that trains them keeps it.

        Args:
            parts: where in ``data`` each weight's lies; None where they lie one after the other.

        Raises: ValueError if variables were added for other weights.
        """
        if self.built and self._added and not (self._slots and self._slots.of_these(variables)):
            raise ValueError(f"{self.name}: it was built for other weights; make a new one")
        if not self.built and type(self).build is not Optimizer.build:
            self.build(list(variables))  # which may add variables
        self._hold(variables, data, parts)

    def _hold(self, variables: Sequence[Any], data: Array, parts: Sequence[slice] | None) -> None:
        self._slots = Slots(variables, self.slot_names(), data, self.name, parts)
        self.built = True

    def slots_for(self, variables: Sequence[Any]) -> Array | None:
        """Return the state, if it is that of these weights."""
        slots = self._slots
        return slots.data if slots is not None and slots.fits(variables, self.slot_names()) else None

    @property
    def variables(self) -> list[Any]:
        """The state as variables: the count of steps, the learning rate unless it is a schedule, then the slots."""
        listed = [*self._counters(), *self._added]
        if self._slots is None:
            return listed
        names = self.slot_names()
        own = self.own_slot_names()
        for name in names[len(own) :]:
            listed += self._slots.of(name)
        for group in self.slot_groups():
            rows = [self._slots.of(name) for name in group]
            listed += [variable for row in zip(*rows, strict=True) for variable in row]
        return listed

    def slot_groups(self) -> list[tuple[str, ...]]:
        """The rule's slots in the order of `variables`: those of a group stand side by side for each weight."""
        return [(name,) for name in self.own_slot_names()]

    def _slot(self, name: str) -> list[StateVariable]:
        return [] if self._slots is None else self._slots.of(name)

    @property
    def _model_variables_moving_average(self) -> list[StateVariable]:
        return self._slot("average")

    @property
    def _accumulated_gradients(self) -> list[StateVariable]:
        return self._slot("gradient_accumulator")

    @property
    def trainable_variables(self) -> list[Any]:
        """The weights that the optimizer was built for."""
        return [] if self._slots is None else self._slots.variables

    @property
    def _trainable_variables(self) -> list[Any]:
        return self.trainable_variables

    def _get_variable_index(self, variable: Any) -> int:
        """The place of a weight among those that the optimizer was built for."""
        assert self._slots is not None
        return self._slots.index[self._var_key(variable)]

    def _counters(self) -> list[StateVariable]:
        """The count of steps, and the learning rate unless something else says it."""
        count = StateVariable(self._count, "iteration", f"{self.name}/iteration")
        if callable(self._learning_rate):
            return [count]
        return [count, StateVariable(self._rate, "learning_rate", f"{self.name}/learning_rate")]

    def _numbers(self) -> list[StateVariable]:
        """What there is of state besides the counters and the slots."""
        return list(self._added)

    # Steps

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> int:
        """Make one step with pairs of a gradient and its variable; returns how many steps were made."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Make one step.

        Args:
            grads: gradients, one for each variable; None for a variable that is to stay as it is.
            trainable_variables: the weights; None for all that the optimizer was built with.

        Raises: ValueError for gradients that fit no variable, or a variable that the optimizer was not built with.
        """
        if len(grads) == 0:
            return
        pairs = [pair for pair in self._pairs(grads, trainable_variables) if not self._overwrite(*pair)]
        with np.errstate(all="ignore"):
            self._step([self._gradient(g, v) for g, v in pairs], [v for _, v in pairs])
        for _, variable in pairs:
            constraint = getattr(variable, "constraint", None)
            if constraint is not None:
                assign(variable, np.asarray(constraint(array_of(variable))))
        self._iterations += 1

    def _pairs(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None) -> list[tuple[Any, Any]]:
        """Each gradient that there is with its weight, after all checks; builds the optimizer if that is due."""
        if trainable_variables is None:
            if not self.built:
                raise ValueError(f"{self.name}: apply() needs the variables, or build() before it")
            variables = self.trainable_variables
        else:
            variables = list(trainable_variables)
            if not self.built:
                self.build(variables)
        if len(grads) != len(variables):
            raise ValueError(f"{self.name}: got {len(grads)} gradients for {len(variables)} variables")
        known = self._slots.index if self._slots is not None else {id(v): i for i, v in enumerate(variables)}
        for i, variable in enumerate(variables):
            if id(variable) not in known:
                raise ValueError(
                    f"Unknown variable {name_of(variable, i)[1]!r}: {self.name} was built for others; make a new one"
                )
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not pairs:
            raise ValueError("No gradients provided for any variable.")
        if len(pairs) < len(variables):
            lacking = [name_of(v, i)[1] for i, (g, v) in enumerate(zip(grads, variables, strict=True)) if g is None]
            warnings.warn(f"Gradients do not exist for variables {lacking}: they stay as they are", stacklevel=4)
        for g, variable in pairs:
            shape, expected = array_of(g).shape, array_of(variable).shape
            if shape != expected:
                name = name_of(variable, 0)[1]
                raise ValueError(f"{self.name}: variable {name!r} has shape {expected}, its gradient {shape}")
        return pairs

    def _overwrite(self, g: Any, variable: Any) -> bool:
        """Where a variable says ``overwrite_with_gradient``, write the gradient to it; returns whether it does.

        Of gradients that are accumulated, it is the largest of each element.
        """
        if not getattr(variable, "overwrite_with_gradient", False):
            return False
        value = np.array(array_of(g), array_of(variable).dtype)
        steps = self.gradient_accumulation_steps
        if steps is not None:
            assert self._slots is not None
            largest = self._accumulated_gradients[self._slots.index[id(variable)]]
            value = np.maximum(value, largest.value)
            if (self._iterations + 1) % steps:
                largest.assign(value)
                return True
            largest.value.fill(0)
        assign(variable, value)
        return True

    def _gradient(self, g: Any, variable: Any) -> Array:
        """A gradient as an array of its own, of the variable's type."""
        array = np.array(array_of(g), array_of(variable).dtype)
        if self.loss_scale_factor is not None:
            array /= self.loss_scale_factor
        return array

    def _step(self, grads: list[Array], variables: list[Any]) -> None:
        steps = self.gradient_accumulation_steps
        if steps is None:
            self._move(grads, variables)
        else:
            assert self._slots is not None
            sums = [self._accumulated_gradients[self._slots.index[id(v)]].value for v in variables]
            if (self._iterations + 1) % steps:
                for total, g in zip(sums, grads, strict=True):
                    total += g
            else:
                self._move([(g + total) / steps for total, g in zip(sums, grads, strict=True)], variables)
                for accumulator in self._accumulated_gradients:
                    accumulator.value.fill(0)
        if self.use_ema:
            self._update_averages()

    def _move(self, grads: list[Array], variables: list[Any]) -> None:
        clipped = self._clip_gradients(grads)
        self._apply_weight_decay(variables)
        rate = float(self.learning_rate)
        try:
            self._attrs = self._own_attrs() if self.op else None  # of all weights, once
            for g, variable in zip(clipped, variables, strict=True):
                self.update_step(g, variable, rate)
        finally:
            self._attrs = None

    def _clip_gradients(self, grads: Sequence[Any]) -> list[Any]:
        """Return the gradients, clipped as the settings say."""
        if self.clipnorm and self.clipnorm > 0:
            return [
                g if g is None else g * clip_factor(math.sqrt(squares(np.asarray(g))), self.clipnorm) for g in grads
            ]
        if self.global_clipnorm and self.global_clipnorm > 0:
            norm = math.sqrt(sum(squares(np.asarray(g)) for g in grads if g is not None))
            factor = clip_factor(norm, self.global_clipnorm) + (norm - norm)
            return [g if g is None else g * factor for g in grads]
        if self.clipvalue and self.clipvalue > 0:
            return [g if g is None else np.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        return list(grads)

    def _decay_of(self, variable: Any) -> float:
        """The share, times the learning rate, that a weight loses at an update."""
        return self.weight_decay or 0.0

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        rate = float(self.learning_rate)
        for variable in variables:
            share = self._decay_of(variable)
            if share and self._use_weight_decay(variable):
                value = array_of(variable)
                assign(variable, value - value * (share * rate))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one weight by the rule: no clipping, no decay."""
        if not self.op or self._slots is None:
            raise NotImplementedError(f"{type(self).__name__} does not define update_step()")
        i = self._slots.index[id(variable)]
        value = array_of(variable)
        w = value.reshape(-1).copy()
        g = np.array(array_of(gradient), value.dtype).reshape(-1)
        spec = OPTIMIZERS[self.op]
        attrs = self._own_attrs() if self._attrs is None else self._attrs
        slots = self._slots.data[: spec.own_slots(attrs), self._slots.parts[i]]
        spec.step(attrs, float(learning_rate), self.iterations + 1, w, g, slots, [Region(i, value.shape, 0, w.size)])
        assign(variable, w.reshape(value.shape))

    def _own_attrs(self) -> dict[str, Any]:
        """The rule's attributes, for the weights that the optimizer was built with."""
        attrs = OPTIMIZERS[self.op].normalize(self.rule_attrs(self.trainable_variables))
        return {name: value for name, value in attrs.items() if name not in COMMON}

    def _update_averages(self) -> None:
        keeps = self.ema_momentum if self.iterations else 0.0
        every = self.ema_overwrite_frequency
        for average, variable in zip(self._model_variables_moving_average, self.trainable_variables, strict=True):
            average.value *= keeps
            average.value += array_of(variable) * (1.0 - keeps)
        if every is not None and (self.iterations + 1) % every == 0:
            self.finalize_variable_values(self.trainable_variables)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Let the moving averages be the weights, if they are kept: what ``fit`` does at its end."""
        if not self.use_ema or self._slots is None:
            return
        if len(var_list) != len(self.trainable_variables):
            raise ValueError(
                f"{self.name}: got {len(var_list)} variables, averages are kept of {len(self.trainable_variables)}"
            )
        frozen = frozen_among(var_list)
        for variable, average in zip(var_list, self._model_variables_moving_average, strict=True):
            if id(variable) not in frozen:
                assign(variable, average.value)

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss that gradients for `apply` are to be taken of."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Array], list[Array]]:
        """Return what `apply` would make of these values of the weights and of `variables`; changes nothing.

        Raises: ValueError before the optimizer is built, or if there are more or fewer values than variables.
        """
        if not self.built:
            raise ValueError(f"{self.name}: stateless_apply() needs build() before it")
        state, weights = self.variables, self.trainable_variables
        for name, values, own in (
            ("optimizer_variables", optimizer_variables, state),
            ("trainable_variables", trainable_variables, weights),
        ):
            if len(values) != len(own):
                raise ValueError(f"{self.name}: {name} must be {len(own)} arrays, got {len(values)}")
        before = [array_of(variable).copy() for variable in (*weights, *state)]
        try:
            for variable, value in zip((*weights, *state), (*trainable_variables, *optimizer_variables), strict=True):
                assign(variable, array_of(value))
            self.apply(grads)
            return [array_of(w).copy() for w in weights], [array_of(v).copy() for v in state]
        finally:
            for variable, value in zip((*weights, *state), before, strict=True):
                assign(variable, value)

    # Saving

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`. ValueError before the optimizer is built, or if a shape differs."""
        if not self.built:
            raise ValueError("You are calling `set_weights()` on an optimizer that is not built; call build() first")
        for variable, weight in zip(self.variables, weights, strict=False):
            variable.assign(array_of(weight))

    def save_own_variables(self, store: Any) -> None:
        """Write the values of `variables` to a mapping, by their numbers."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote; warns and reads nothing if the numbers of variables differ."""
        variables = self.variables
        if len(store.keys()) != len(variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}': it has {len(variables)} variables, "
                f"and what was saved has {len(store.keys())}",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(i)]))

    def __getstate__(self) -> dict[str, Any]:
        """Settings and count; the slots belong to the weights, and those to a model."""
        state = dict(self.__dict__)
        state.update(built=False, _slots=None, _added=[])
        return state
