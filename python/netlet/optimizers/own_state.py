"""What an optimizer of one's own is written with: variables besides the weights, and changes to variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.optimizers.settings import Settings
from netlet.optimizers.state import StateVariable, array_of, assign, name_of


class OwnState(Settings):
    """Variables that ``build`` adds, and what ``update_step`` changes them with."""

    def __init__(self, learning_rate: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        self._added: list[StateVariable] = []

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> StateVariable:
        """Add a variable to the state, for an optimizer of one's own.

        Args:
            shape: of the variable.
            initializer: the name of one, such as "zeros", or a function of shape and dtype.
            dtype: default float32.
            name: default "variable".
        """
        kind = np.dtype(dtype or "float32")
        if isinstance(initializer, str) and initializer in ("zeros", "ones"):
            value = np.full(tuple(shape), 0 if initializer == "zeros" else 1, kind)
        else:
            from netlet import initializers

            draw: Any = initializers.get(initializer)
            value = np.array(draw(tuple(shape), dtype=kind.name), kind)
        variable = StateVariable(value, name or "variable", f"{self.name}/{name or 'variable'}")
        self._added.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> StateVariable:
        """Add a variable of the shape and type of a weight."""
        array = array_of(reference_variable)
        own = f"{name_of(reference_variable, len(self._added))[1].replace('/', '_')}_{name or 'var'}"
        return self.add_variable(array.shape, initializer, array.dtype, own)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Any], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """Add a variable of the shape and type of each weight.

        Args:
            trainable_variables: the weights.
            name: of the new variables; a list of names adds as many to each weight, those of a weight side by side.
            initializer: as of `add_variable`; or a list, one for each name.

        Returns: a list of variables in the order of the weights; of several names, a tuple of such lists.

        Raises: ValueError if there are not as many initializers as names.
        """
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, (list, tuple))
        initial = list(initializer) if several else [initializer] * len(names)
        if len(names) != len(initial):
            raise ValueError(f"{self.name}: got {len(names)} names and {len(initial)} initializers")
        rows = [
            [self.add_variable_from_reference(variable, *pair) for pair in zip(names, initial, strict=True)]
            for variable in trainable_variables
        ]
        columns = tuple([row[i] for row in rows] for i in range(len(names)))
        return columns[0] if isinstance(name, str) else columns

    def assign(self, variable: Any, value: Any) -> None:
        """Set the values of a weight or of a variable."""
        assign(variable, np.asarray(value))

    def assign_add(self, variable: Any, value: Any) -> None:
        """Add to the values of a weight or of a variable."""
        assign(variable, array_of(variable) + np.asarray(value))

    def assign_sub(self, variable: Any, value: Any) -> None:
        """Subtract from the values of a weight or of a variable."""
        assign(variable, array_of(variable) - np.asarray(value))

    def _var_key(self, variable: Any) -> int:
        """What a weight is known by."""
        return id(variable)
