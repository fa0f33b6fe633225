"""What an elementwise activation is: a function of one variable with its derivative and its error bounds.

``forward(attrs, x, y)`` writes f(x) into y; ``backward(attrs, x, y, dy, dx)`` writes dy * f'(x) into dx. y may be x,
and dx may be dy. Those with ``from_output`` compute f' from y alone (x may be None), so a dense op can take them as its
epilogue without keeping its pre-activations.
"""

from __future__ import annotations

import numpy as np

from netlet.program.spec import Array, Attr, Attrs

__all__ = ["Elementwise", "sigmoid"]


class Elementwise:
    """One function of one variable; see the module's text.

    Attributes:
        name: how attrs call it.
        formula: f(x), for people.
        from_output: whether its derivative follows from f(x) alone.
        attrs: what it takes besides the name.
        flops: rough count of operations per element, for the benchmarks.
    """

    name: str
    formula: str
    from_output: bool = True
    attrs: tuple[Attr, ...] = ()
    flops: int = 1
    #: An upper bound of |f'| (for exponential: of |f'| / f).
    steepest: float = 1.0
    #: Whether f' jumps somewhere; test data of dense ops then stays away from there.
    kinked: bool = False

    def forward(self, attrs: Attrs, x: Array, y: Array) -> None:
        """y = f(x); y may be x."""
        raise NotImplementedError

    def backward(self, attrs: Attrs, x: Array | None, y: Array, dy: Array, dx: Array) -> None:
        """dx = dy * f'(x), from y alone where ``from_output`` (x may be None); dx may be dy."""
        raise NotImplementedError

    def forward_error(self, attrs: Attrs, x: Array, y: Array, eps: float) -> Array:
        """How far f(x), computed from an exact x, may be off: by default 4 eps of it, for at most two elementary
        functions or four operations."""
        return 4 * eps * np.abs(y)

    def slope_error(self, attrs: Attrs, x: Array, y: Array, y_error: Array, eps: float) -> Array:
        """How far the computed f'(x) may be off; ``y_error`` is the error of the y that it is computed from."""
        raise NotImplementedError


def sigmoid(x: Array, y: Array) -> None:
    """y = 1 / (1 + exp(-x)), by exp(-|x|), which cannot overflow. y may be x."""
    small = np.exp(-np.abs(x))
    numerator = np.where(x >= 0, x.dtype.type(1), small)
    small += 1
    np.divide(numerator, small, out=y)
