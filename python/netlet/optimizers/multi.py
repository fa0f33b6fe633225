"""MultiOptimizer: different optimizers for different weights of one model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

import numpy as np

from netlet.optimizers.loss_scale import LossScaleOptimizer
from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.state import Array, Slots, array_of, name_of, parts_of
from netlet.utils.registry import serialize


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Which optimizer moves which weights, by their paths.

    A key is a path, such as "dense/kernel", or a regular expression that all of a path must match, such as "dense/.*";
    a key that is the path itself comes first. Weights that no key names are the default optimizer's.

    Args:
        default_optimizer: the Optimizer of all other weights.
        optimizer_map: dict of keys to Optimizers, or None.

    Raises: TypeError for a default that is no Optimizer or a map that is no dict. Looking up a path that several
        expressions match is a ValueError, as is setting a key again, or to what is no optimizer of weights.
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"OptimizerMap: default_optimizer must be an Optimizer, got {default_optimizer!r}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"OptimizerMap: optimizer_map must be a dict or None, got {optimizer_map!r}")
        self._default_optimizer = default_optimizer
        self._optimizer_map = dict(optimizer_map or {})

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of the weights that no key names."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        found = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"OptimizerMap: {key!r} is matched by several keys: {', '.join(map(repr, found))}")
        return self._optimizer_map[found[0]] if found else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: a key must be a string, got {key!r}")
        if key in self._optimizer_map:
            raise ValueError(f"OptimizerMap: {key!r} is there already, for {self._optimizer_map[key]!r}")
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"OptimizerMap: {key!r}: expected an Optimizer, got {optimizer!r}")
        for kind in (LossScaleOptimizer, MultiOptimizer):
            if isinstance(optimizer, kind):
                raise ValueError(f"OptimizerMap: {key!r}: optimizer cannot be {kind.__name__}.")
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Any) -> Optimizer:
        """Return the optimizer of a weight."""
        return self[name_of(variable, 0)[1]]

    def get_config(self) -> dict[str, Any]:
        """Return the optimizers as configs."""
        return {
            "default_optimizer": serialize(self._default_optimizer),
            "optimizer_map": {key: serialize(optimizer) for key, optimizer in self._optimizer_map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> OptimizerMap:
        """Return the map of a config. Optimizers that are alike in all, their names too, become one."""
        from netlet.optimizers import deserialize

        made: list[tuple[Any, Optimizer]] = []

        def optimizer_of(entry: Any) -> Optimizer:
            known = next((optimizer for seen, optimizer in made if seen == entry), None)
            if known is None:
                known = deserialize(entry, custom_objects)
                made.append((entry, known))
            return known

        mapped = {key: optimizer_of(entry) for key, entry in config["optimizer_map"].items()}
        return cls(optimizer_of(config["default_optimizer"]), mapped)


class MultiOptimizer(Optimizer):
    """Several optimizers, each of which moves weights of its own.

    In ``fit``, their steps are made in Python, one for each step of training, by NumPy. Each has its own learning rate,
    clipping, decay, averages and count; callbacks that set a learning rate set that of each.

    Args:
        optimizer_map: an `OptimizerMap`, or a function that returns the Optimizer of a variable.
        loss_scale_factor: that of all of them; theirs are overwritten.
        name: the optimizer's name; automatic if None.

    Raises: ValueError when it is built, if a weight's optimizer is none, or itself holds optimizers. AttributeError for
        ``learning_rate``: each of ``optimizers`` has its own.
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        self._inner_optimizers: list[Optimizer] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map: Any = optimizer_map
        self._seen: list[Any] = []
        self._var_to_optimizer_idx: dict[int, int] = {}
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._know(optimizer)

    def _know(self, optimizer: Optimizer) -> int:
        """The place of an optimizer among the known ones, of which it becomes one."""
        for i, known in enumerate(self._inner_optimizers):
            if known is optimizer:
                return i
        optimizer.loss_scale_factor = self.loss_scale_factor
        self._inner_optimizers.append(optimizer)
        return len(self._inner_optimizers) - 1

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers: those of the map in its order, then the default; of a function, as they are met."""
        return self._inner_optimizers

    @property
    def learning_rate(self) -> Any:
        """There is none."""
        raise AttributeError(f"{self.name} has no learning_rate: each of its `optimizers` has its own")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError(f"{self.name} has no learning_rate: set that of each of its `optimizers`")

    @property
    def loss_scale_factor(self) -> float | None:
        """What the loss is multiplied with, by all of them."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self._inner_optimizers:
            optimizer.loss_scale_factor = value

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Sequence[str] | None = None) -> None:
        for optimizer in self._inner_optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    # State: each weight's lies where the weight does, in as many slots as the greediest optimizer has.

    def own_slot_names(self) -> tuple[str, ...]:
        most = max((len(optimizer.slot_names()) for optimizer in self._inner_optimizers), default=0)
        return tuple(f"slot_{i}" for i in range(most))

    def _groups(self, variables: Sequence[Any]) -> list[list[int]]:
        """The places of the weights that each optimizer moves; chosen once for the same weights."""
        seen = self._seen
        if len(seen) != len(variables) or any(a is not b for a, b in zip(seen, variables, strict=True)):
            places = [self._know(self._chosen(variable, i)) for i, variable in enumerate(variables)]
            self._var_to_optimizer_idx = {self._var_key(v): i for v, i in zip(variables, places, strict=True)}
            self._seen = list(variables)
        own = [self._var_to_optimizer_idx[self._var_key(variable)] for variable in variables]
        return [[i for i, at in enumerate(own) if at == place] for place in range(len(self._inner_optimizers))]

    def _chosen(self, variable: Any, i: int) -> Optimizer:
        """The optimizer of a weight."""
        if not callable(self._optimizer_map):
            got = repr(self._optimizer_map)
            raise ValueError(f"{self.name}: optimizer_map must be an OptimizerMap or a function, got {got}")
        optimizer: Any = self._optimizer_map(variable)
        path = name_of(variable, i)[1]
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"{self.name}: {path!r}: expected an Optimizer, got {optimizer!r}")
        for kind in (LossScaleOptimizer, MultiOptimizer):
            if isinstance(optimizer, kind):
                raise ValueError(f"{self.name}: {path!r}: {kind.__name__} cannot be used inside an MultiOptimizer.")
        return optimizer

    def _each(
        self, variables: Sequence[Any], parts: Sequence[slice]
    ) -> Iterator[tuple[Optimizer, list[Any], list[slice]]]:
        """Each optimizer that moves a weight, its weights, and their parts."""
        groups = self._groups(variables)
        for optimizer, places in zip(self._inner_optimizers, groups, strict=True):
            if places:
                yield optimizer, [variables[i] for i in places], [parts[i] for i in places]

    def lower(self, variables: Sequence[Any] = ()) -> tuple[str, dict[str, Any]]:
        self._groups(variables)
        return super().lower(variables)

    def begin_slots(self, variables: Sequence[Any], data: Array, parts: Sequence[slice]) -> None:
        for optimizer, own, at in self._each(variables, parts):
            optimizer.begin_slots(own, data, at)

    def follow_weights(self) -> None:
        for optimizer in self._inner_optimizers:
            optimizer.follow_weights()

    def build(self, variables: Sequence[Any]) -> None:
        if self.built:
            return
        self._groups(variables)
        size = sum(array_of(variable).size for variable in variables)
        data = np.zeros((len(self.slot_names()), size), array_of(variables[0]).dtype if variables else np.float32)
        parts = parts_of(variables)
        self.begin_slots(variables, data, parts)
        self.attach(variables, data, parts)

    def attach(self, variables: Sequence[Any], data: Array, parts: Sequence[slice] | None = None) -> None:
        places = parts_of(variables) if parts is None else list(parts)
        for optimizer, own, at in self._each(variables, places):
            optimizer.attach(own, data[: len(optimizer.slot_names())], at)
        self._slots = Slots(variables, self.slot_names(), data, self.name, places)
        self.built = True

    def _numbers(self) -> list[Any]:
        inner = self._inner_optimizers
        return [v for optimizer in inner for v in (*optimizer._counters(), *optimizer._numbers())]

    @property
    def variables(self) -> list[Any]:
        """Its count and learning rate (which is not used), then the variables of each optimizer."""
        inner = [v for optimizer in self._inner_optimizers for v in optimizer.variables]
        return [*self._counters(), *inner]

    # Steps

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        if len(grads) == 0:
            return
        pairs = self._pairs(grads, trainable_variables)
        for i, optimizer in enumerate(self._inner_optimizers):
            own = [(g, v) for g, v in pairs if self._var_to_optimizer_idx[self._var_key(v)] == i]
            if own:
                optimizer.apply([g for g, _ in own], [v for _, v in own])
        self._iterations += 1

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        for i, optimizer in enumerate(self._inner_optimizers):
            own = [v for v in var_list if self._var_to_optimizer_idx.get(self._var_key(v)) == i]
            if own:
                optimizer.finalize_variable_values(own)

    # Configs and copies

    def get_config(self) -> dict[str, Any]:
        mapped = self._optimizer_map
        return {
            "optimizer_map": serialize(mapped)
            if isinstance(mapped, OptimizerMap)
            else getattr(mapped, "__name__", None),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> MultiOptimizer:
        """Return the optimizer of a config; a function must be among ``custom_objects`` by its name."""
        arguments = dict(config)
        mapped = arguments.pop("optimizer_map")
        if isinstance(mapped, dict):
            made: Any = OptimizerMap.from_config(mapped.get("config", mapped), custom_objects)
        else:
            made = (custom_objects or {}).get(mapped)
            if made is None:
                raise ValueError(
                    f"MultiOptimizer: the function {mapped!r} that chooses optimizers is not in the config"
                )
        return cls(made, **arguments)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_seen": [], "_var_to_optimizer_idx": {}}
