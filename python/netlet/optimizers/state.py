"""What an optimizer keeps between updates: its count, its learning rate, and arrays beside each weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.utils.arithmetic import Arithmetic

Array = NDArray[Any]


class StateVariable(Arithmetic):
    """A named array of an optimizer's, which computes as arrays do.

    Args:
        value: the live array; assigning writes into it.
        name, path: such as "kernel_momentum" and "adam/dense_kernel_momentum".
    """

    __slots__ = ("name", "path", "trainable", "value")

    def __init__(self, value: Array, name: str, path: str) -> None:
        self.value = value
        self.name = name
        self.path = path
        self.trainable = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.value.shape

    @property
    def dtype(self) -> str:
        """The name of its element type."""
        return self.value.dtype.name

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    def numpy(self) -> Array:
        """Return a copy of the values."""
        return self.value.copy()

    def assign(self, value: ArrayLike) -> StateVariable:
        """Set the values; ValueError if their shape is another one."""
        array = np.asarray(value)
        if array.shape != self.value.shape:
            raise ValueError(f"{self.path}: has shape {self.value.shape}, got {array.shape}")
        self.value[...] = array
        return self

    def assign_add(self, value: ArrayLike) -> StateVariable:
        """Add to the values."""
        return self.assign(self.value + np.asarray(value))

    def assign_sub(self, value: ArrayLike) -> StateVariable:
        """Subtract from the values."""
        return self.assign(self.value - np.asarray(value))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array: Array = self.value.astype(self.value.dtype if dtype is None else dtype, copy=True)
        return array

    __hash__ = object.__hash__

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __repr__(self) -> str:
        return f"<StateVariable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.value}>"


def array_of(variable: Any) -> Array:
    """The values of a weight: of a variable, or of an array itself."""
    value = getattr(variable, "value", variable)
    return np.asarray(value() if callable(value) else value)


def assign(variable: Any, value: Array) -> None:
    """Write to a weight: a variable, or an array in place."""
    if hasattr(variable, "assign"):
        variable.assign(value)
    else:
        variable[...] = value


def parts_of(variables: Sequence[Any]) -> list[slice]:
    """Where weights lie in a flat array that has them one after the other."""
    parts: list[slice] = []
    start = 0
    for variable in variables:
        size = array_of(variable).size
        parts.append(slice(start, start + size))
        start += size
    return parts


def name_of(variable: Any, index: int) -> tuple[str, str]:
    """Name and path of a weight; made up for an array."""
    name = getattr(variable, "name", None) or f"variable_{index}"
    return str(name), str(getattr(variable, "path", None) or name)


def frozen_among(variables: Sequence[Any]) -> set[int]:
    """Return the ids of the weights that do not train, by themselves or because their model holds them still."""
    found, moved = set(), {}
    for variable in variables:
        home = getattr(variable, "home", None)
        owner = None if home is None else home.owner()
        if owner is not None and id(owner) not in moved:
            moved[id(owner)] = {id(weight) for weight in owner.trainable_weights}
        if not getattr(variable, "trainable", True) or (owner is not None and id(variable) not in moved[id(owner)]):
            found.add(id(variable))
    return found


class Slots:
    """The arrays that an optimizer keeps beside the weights it was built for.

    Args:
        variables: the weights, in order.
        names: of the slots.
        data: ``[slots, size]``, in which each weight has a part.
        owner: the optimizer's name, for the paths.
        parts: the weights' parts; None where they lie one after the other.
    """

    def __init__(
        self,
        variables: Sequence[Any],
        names: Sequence[str],
        data: Array,
        owner: str,
        parts: Sequence[slice] | None = None,
    ) -> None:
        self.variables = list(variables)
        self.names = list(names)
        self.data = data
        self.index = {id(variable): i for i, variable in enumerate(self.variables)}
        self.parts = parts_of(self.variables) if parts is None else list(parts)
        self._views: dict[str, list[StateVariable]] = {}
        self._owner = owner

    def of(self, name: str) -> list[StateVariable]:
        """Return the slot called ``name`` of each weight, as live variables; none if there is no such slot."""
        if name not in self.names:
            return []
        if name not in self._views:
            row = self.data[self.names.index(name)]
            views = []
            for i, (variable, part) in enumerate(zip(self.variables, self.parts, strict=True)):
                own, path = name_of(variable, i)
                value = row[part].reshape(array_of(variable).shape)
                views.append(StateVariable(value, f"{own}_{name}", f"{self._owner}/{path.replace('/', '_')}_{name}"))
            self._views[name] = views
        return self._views[name]

    def of_these(self, variables: Sequence[Any]) -> bool:
        """Whether these are the weights."""
        return len(variables) == len(self.variables) and all(
            a is b for a, b in zip(variables, self.variables, strict=True)
        )

    def fits(self, variables: Sequence[Any], names: Sequence[str]) -> bool:
        """Whether these are the weights and the slots."""
        return self.of_these(variables) and list(names) == self.names
