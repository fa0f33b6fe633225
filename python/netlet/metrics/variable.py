"""The state of a metric: named arrays of sums and counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, NDArray


class MetricVariable(NDArrayOperatorsMixin):
    """One array of a metric's state, made by `Metric.add_variable`.

    It stands in NumPy expressions like the array it holds (``np.sqrt(total / count)``); only `assign`, `assign_add`
    and `assign_sub` change it.

    Args:
        value: the first values; the variable owns this array.
        name: such as "total".
    """

    __slots__ = ("__weakref__", "_value", "name")

    def __init__(self, value: NDArray[Any], name: str) -> None:
        self._value = value
        self.name = name

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
        """The name of its element type."""
        return self._value.dtype.name

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim

    def numpy(self) -> NDArray[Any]:
        """Return a copy of the values."""
        return self._value.copy()

    def assign(self, value: ArrayLike | MetricVariable) -> MetricVariable:
        """Set the values; a number sets all of them. Returns the variable.

        Raises: ValueError if ``value`` is neither a number nor of the variable's shape.
        """
        np.copyto(self._value, self._fitting(value), casting="unsafe")
        return self

    def assign_add(self, value: ArrayLike | MetricVariable) -> MetricVariable:
        """Add to the values; the rules of `assign`."""
        return self.assign(self._value + self._fitting(value))

    def assign_sub(self, value: ArrayLike | MetricVariable) -> MetricVariable:
        """Subtract from the values; the rules of `assign`."""
        return self.assign(self._value - self._fitting(value))

    def _fitting(self, value: ArrayLike | MetricVariable) -> NDArray[Any]:
        array = np.asarray(value)
        if array.shape not in ((), self.shape):
            raise ValueError(f"metric variable {self.name!r}: expected shape {self.shape}, got {array.shape}")
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy or (dtype is not None and np.dtype(dtype) != self._value.dtype):
            return self._value.astype(self._value.dtype if dtype is None else dtype, copy=True)
        view = self._value.view()
        view.flags.writeable = False
        return view

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Compute with the arrays; ``variable += x`` assigns, as ``assign_add`` does."""
        plain = [x._value if isinstance(x, MetricVariable) else x for x in inputs]
        out = kwargs.get("out", ())
        if not any(isinstance(x, MetricVariable) for x in out):
            return getattr(ufunc, method)(*plain, **kwargs)
        if len(out) != 1:
            return NotImplemented
        del kwargs["out"]
        return out[0].assign(getattr(ufunc, method)(*plain, **kwargs))

    def __getitem__(self, key: Any) -> Any:
        return self.__array__()[key]

    def __len__(self) -> int:
        return len(self._value)

    def __float__(self) -> float:
        return float(self._value)

    def __int__(self) -> int:
        return int(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"<MetricVariable name={self.name}, shape={self.shape}, dtype={self.dtype}, value={self._value}>"


def is_state(value: Any) -> bool:
    """Whether ``value`` can serve as a metric's state: something that can be assigned to and read as an array."""
    return isinstance(value, MetricVariable) or (hasattr(value, "assign") and hasattr(value, "numpy"))


def reset(variables: Sequence[Any]) -> None:
    """Set every variable to zero."""
    for variable in variables:
        variable.assign(np.zeros(variable.shape, variable.dtype))
