"""A weight: a named array that, once its model runs, is a view into the model's one parameter arena."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.utils.arithmetic import Arithmetic

if TYPE_CHECKING:
    from netlet.program import Param, ProgramBuilder

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register


def aligned_zeros(shape: int | tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return a C-contiguous array of zeros whose first element lies at a multiple of 64 bytes."""
    kind = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    raw = np.zeros(count * kind.itemsize + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    aligned: NDArray[Any] = raw[start : start + count * kind.itemsize].view(kind).reshape(shape)
    return aligned


class Variable(Arithmetic):
    """One weight of a layer.

    Args:
        value: its first values, of any shape; the variable owns this array until `move` gives it another place.
        name: such as "kernel".
        path: the name with its layer, such as "dense/kernel".
        trainable: whether training changes it; default True.

    Attributes:
        regularizer, constraint: what training does with it besides; None for nothing.

    It computes and compares as arrays do, into new arrays; but ``==`` asks whether it is the same variable.

    ``numpy()`` is a copy. ``value`` is the live array: it changes when the model trains, and writing to it changes the
    model. `numpy.asarray` of a variable is a read-only view of it.
    """

    __slots__ = ("__weakref__", "_value", "constraint", "home", "name", "path", "regularizer", "trainable")

    def __init__(self, value: NDArray[Any], name: str, path: str, trainable: bool = True) -> None:
        self._value = value
        self.name = name
        self.path = path
        self.trainable = trainable
        self.home: Any = None  # the arena it lies in, once a model has one
        self.regularizer: Any = None
        self.constraint: Any = None

    @property
    def value(self) -> NDArray[Any]:
        """The live array."""
        return self._value

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._value.shape

    @property
    def dtype(self) -> str:
        """Its element type, "float32" or "float64"."""
        return self._value.dtype.name

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._value.size

    def numpy(self) -> NDArray[Any]:
        """Return a copy of the values."""
        return self._value.copy()

    def assign(self, value: ArrayLike | Variable) -> Variable:
        """Set the values; their shape must be the variable's. Returns the variable.

        Raises: ValueError if the shape differs, TypeError if the values are not real numbers.
        """
        np.copyto(self._value, self.check(value))
        return self

    def assign_add(self, value: ArrayLike | Variable) -> Variable:
        """Add to the values; arguments, result and errors as of `assign`."""
        self._value += self.check(value)
        return self

    def assign_sub(self, value: ArrayLike | Variable) -> Variable:
        """Subtract from the values; arguments, result and errors as of `assign`."""
        self._value -= self.check(value)
        return self

    def check(self, value: ArrayLike | Variable) -> NDArray[Any]:
        """Return ``value`` as an array that fits this variable; raises as `assign` does."""
        array = value._value if isinstance(value, Variable) else np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{self.path}: expected real numbers, got an array of {array.dtype}")
        if array.shape != self._value.shape:
            raise ValueError(f"{self.path}: weight has shape {self._value.shape}, got {array.shape}")
        return array.astype(self._value.dtype, copy=False)

    def move(self, place: NDArray[Any], home: Any) -> None:
        """Copy the values to ``place``, a view of the same shape into the arena ``home``, and live there."""
        np.copyto(place, self._value)
        self._value = place
        self.home = home

    def lower(self, builder: ProgramBuilder) -> Param:
        """Add this weight to the parameters of a program, unless a layer that is called twice has."""
        return builder.param(self.path, self.shape, shared=True)

    def lower_state(self, builder: ProgramBuilder) -> Param:
        """Add this weight to the state of a program, which no gradient changes."""
        return builder.state(self.path, self.shape, shared=True)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy or (dtype is not None and np.dtype(dtype) != self._value.dtype):
            return self._value.astype(self._value.dtype if dtype is None else dtype, copy=True)
        view = self._value.view()
        view.flags.writeable = False
        return view

    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__

    def __len__(self) -> int:
        return len(self._value)

    def __getitem__(self, key: Any) -> Any:
        return self.__array__()[key]

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self._value}>"
