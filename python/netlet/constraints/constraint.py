"""The base of the constraints."""

from __future__ import annotations

from typing import Any


class Constraint:
    """A rule that a weight is brought back to after every update: ``constraint(w)`` is the nearest allowed weight.

    This base allows everything. A subclass defines ``__call__`` and, with arguments, ``get_config``.

    Shapes: w of any to the same.
    """

    def __call__(self, w: Any) -> Any:
        """Return the weight that takes the place of ``w``, of the same shape."""
        return w

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """Return a constraint made with the arguments of ``config``; raises what the class does."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in self.get_config().items())})"
