"""The one buffer that holds all parameters of a model, in the order of its program."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from netlet.layers.variable import Variable, aligned_zeros


class Arena:
    """A model's parameters, tightly packed in one 64-byte aligned array, with each weight a view into it.

    Args:
        variables: the weights, in order; their values move here.
        dtype: "float32" or "float64".
        owner: the model. Where a weight lies in another model's arena, that model lets go of it (``_lend``): its value
            moves here, and moves back when that model next runs. So models may share layers.

    Attributes:
        data: the flat array ``[param_size]``.

    Raises: RuntimeError if another thread trains the other model.
    """

    def __init__(self, variables: Sequence[Variable], dtype: str, owner: Any) -> None:
        for variable in variables:
            holder = None if variable.home is None else variable.home.owner()
            if holder is not None and holder is not owner:
                holder._lend()
        self.owner = weakref.ref(owner)
        self.data: NDArray[Any] = aligned_zeros(sum(variable.size for variable in variables), dtype)
        self.variables = list(variables)
        offset = 0
        for variable in variables:
            place = self.data[offset : offset + variable.size].reshape(variable.shape)
            variable.move(place, self)
            offset += variable.size

    def holds(self, variables: Sequence[Variable]) -> bool:
        """Return whether these are the arena's weights, in this order."""
        return len(variables) == len(self.variables) and all(
            a is b and a.home is self for a, b in zip(variables, self.variables, strict=True)
        )

    def views(self, flat: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return views of ``flat``, an array of the arena's layout, by the weights' paths."""
        views = {}
        offset = 0
        for variable in self.variables:
            views[variable.path] = flat[offset : offset + variable.size].reshape(variable.shape)
            offset += variable.size
        return views
