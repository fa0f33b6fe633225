"""A penalty on rows (or columns) of a matrix that point the same way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.regularizers.regularizer import Regularizer, validate_float_arg
from netlet.utils.arrays import as_floats

MODES = ("rows", "columns")


class OrthogonalRegularizer(Regularizer):
    """``factor`` times the mean, over all pairs of rows, of ``|cos|`` of the angle between them.

    Source: keras.regularizers.OrthogonalRegularizer, Keras 3.15. One row alone has no penalty.

    Args:
        factor: default 0.01.
        mode: "rows" (default) or "columns": which are to be orthogonal to each other.

    Shapes: x ``[N, M]`` to a number of its type, float32 or float64.

    Raises: ValueError if ``factor`` is not a finite number >= 0, ``mode`` is neither, or x is not a matrix;
    TypeError if x holds no real numbers.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = validate_float_arg(factor, "OrthogonalRegularizer: factor")
        if mode not in MODES:
            raise ValueError(
                f'Invalid value for argument `mode`. Expected one of {{"rows", "columns"}}. Received: mode={mode}'
            )
        self.mode = mode

    def _rows(self, x: Any) -> NDArray[Any]:
        """The rows (or columns) of x, as rows."""
        matrix = as_floats(x, "OrthogonalRegularizer")
        if matrix.ndim != 2:
            raise ValueError(f"Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={matrix.shape}")
        return matrix if self.mode == "rows" else matrix.T

    def _pairs(self, size: int, dtype: np.dtype[Any]) -> Any:
        """The factor of each pair; 0 where there is no pair."""
        return dtype.type(2 * self.factor / (size * (size - 1)) if size > 1 else 0.0)

    def __call__(self, x: Any) -> Any:
        rows = self._rows(x)
        unit = rows / _lengths(rows)
        return self._pairs(len(rows), rows.dtype) * np.sum(np.abs(np.triu(unit @ unit.T, 1)))

    def gradient(self, x: Any) -> NDArray[Any]:
        """Return the gradient: of u_i = x_i / |x_i|, what is orthogonal to u_i in sum_j sign(u_i u_j) u_j / |x_i|."""
        rows = self._rows(x)
        lengths = _lengths(rows)
        unit = rows / lengths
        signs = np.sign(unit @ unit.T)
        np.fill_diagonal(signs, 0)
        pull = signs @ unit
        pull -= np.sum(pull * unit, axis=1, keepdims=True) * unit
        pull *= self._pairs(len(rows), rows.dtype) / lengths
        return np.ascontiguousarray(pull if self.mode == "rows" else pull.T)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


def _lengths(rows: NDArray[Any]) -> NDArray[Any]:
    """|x_i| as a column; 1 for a row of zeros, which then stays one."""
    lengths: NDArray[Any] = np.sqrt(np.sum(np.square(rows), axis=1, keepdims=True))
    lengths[lengths == 0] = 1
    return lengths
