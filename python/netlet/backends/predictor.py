"""Predictors: a frozen model as a callable, and what serves one where there is no C++ extension.

What a caller may hand to a predictor is the model's matter: an :class:`Adapter` makes it into arrays that a backend
runs. The native backend's ``netlet._predictor.Predictor`` asks it only for arrays that are not right already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol, runtime_checkable

import numpy as np

from netlet.program.spec import Array

if TYPE_CHECKING:
    from netlet.backends.executor import Executor

__all__ = ["Adapter", "Predictor", "PythonPredictor"]


@runtime_checkable
class Predictor(Protocol):
    """A frozen model: see ``Sequential.predictor``, which makes one."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        ...

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one row's prediction."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type of predictions, and of rows that need no conversion."""
        ...

    def __call__(self, x: Any, out: Array | None = None) -> Array:
        """Return the prediction for a row ``[*input]`` or a batch ``[B, *input]``, in ``out`` if that is given."""
        ...


class Adapter(Protocol):
    """What a predictor is called with, made into what a backend runs.

    Attributes:
        input_shape, output_shape, dtype: of the predictor.
        check_finite: whether each x must pass through here, even an array that is right already.
        block_rows: rows that an executor may hold at a time.
    """

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    check_finite: bool
    block_rows: int

    def __call__(self, x: Any, out: Any) -> tuple[Array, Array, Array]:
        """Returns rows ``[B, *input]``, the array ``[B, *output]`` for their outputs, and what the caller gets of it.

        Both are C-contiguous, aligned, of ``dtype``, and do not overlap.

        Raises: ValueError, TypeError if x or out does not fit; nothing is written then.
        """
        ...


class PythonPredictor:
    """A predictor over an executor that nobody else has.

    Args:
        executor: of a copy of the weights.
        adapter: of the model.
    """

    def __init__(self, executor: Executor, adapter: Adapter) -> None:
        self._executor = executor
        self._adapter = adapter

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self._adapter.input_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one row's prediction."""
        return self._adapter.output_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type of predictions, and of rows that need no conversion."""
        return self._adapter.dtype

    def __call__(self, x: Any, out: Array | None = None) -> Array:
        """Return the prediction for a row ``[*input]`` or a batch ``[B, *input]``, in ``out`` if that is given."""
        rows, results, answer = self._adapter(x, out)
        self._executor.predict([rows], [results], self._adapter.block_rows)
        return answer

    def __repr__(self) -> str:
        return f"<Predictor {self.input_shape} -> {self.output_shape}, {self.dtype}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Predictor cannot be pickled or copied: pickle the model, and call predictor() of the copy")
