"""`Input`: the shape of what enters a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netlet.config import DEFAULT_DTYPE
from netlet.layers.layer import Layer
from netlet.layers.shapes import Shape, batch_shape, positive_int
from netlet.layers.symbolic import SymbolicTensor

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class InputLayer(Layer):
    """The first layer of a model: it holds the input's shape.

    Args:
        shape: of one row, such as ``(28, 28)``.
        batch_size: a fixed size of the batch; None, the default, for any.
        dtype: "float32", "float64", or None for the model's. "string" says that data are strings, for a `StringLookup`
            or a `Hashing` that follows, "int32" and its like that they are whole numbers, which enter the model as its
            floats; the rest of the model then is float32, or what it names.
        batch_shape: ``(batch_size, *shape)``, instead of both.
        name: as for every layer.

    Shapes: the value is ``[batch_size, *shape]``.

    Raises: ValueError if neither or both of ``shape`` and ``batch_shape`` are given, or ``batch_size`` with the latter;
    if a size is not positive, or None behind the batch; if ``dtype`` is unknown.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | int | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
    ) -> None:
        self.data_dtype = _data_dtype(dtype)
        self.strings = self.data_dtype == "string"
        super().__init__(name=name, dtype=dtype if self.data_dtype is None else None)
        if (shape is None) == (batch_shape is None):
            raise ValueError(f"{self.name}: give one of shape and batch_shape, got {shape!r} and {batch_shape!r}")
        if batch_shape is not None:
            if batch_size is not None:
                raise ValueError(f"{self.name}: give batch_size or batch_shape, not both")
            if isinstance(batch_shape, int) or not tuple(batch_shape):
                raise ValueError(f"{self.name}: batch_shape must be a tuple that begins with the batch")
            batch_size, *rest = batch_shape
            shape = tuple(rest)
        if batch_size is not None:
            batch_size = positive_int(batch_size, f"{self.name}: batch_size")
        row = _batch_shape(shape, f"{self.name}: shape")
        self.batch_shape: Shape = (batch_size, *row[1:])
        self.input_shape = self.output_shape = self.batch_shape
        self.built = True
        self._output: SymbolicTensor | None = None

    @property
    def output(self) -> SymbolicTensor:
        """The input as a symbolic tensor, always the same one."""
        if self._output is None:
            self._output = SymbolicTensor(self.batch_shape, self._dtype or DEFAULT_DTYPE, self.name, self)
        return self._output

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.batch_shape

    def lower(self, builder: ProgramBuilder, x: Node) -> Node:
        return x

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "batch_shape": list(self.batch_shape),
            "dtype": self.data_dtype or self._dtype,
        }


_batch_shape = batch_shape


def _data_dtype(dtype: Any) -> str | None:
    """The name of a type of data that no layer computes in: of strings, whole numbers and truth values; else None."""
    if dtype is None or (isinstance(dtype, str) and dtype == "string"):
        return dtype
    try:
        given = np.dtype(dtype)
    except TypeError:
        return None
    return given.name if given.kind in "biu" else None


def Input(
    shape: Sequence[int | None] | int | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> SymbolicTensor:
    """Return a symbolic input of a model, to be the first element of a `Sequential`.

    Args, shapes and errors: as of `InputLayer`.
    """
    return InputLayer(shape, batch_size, dtype, batch_shape, name).output
