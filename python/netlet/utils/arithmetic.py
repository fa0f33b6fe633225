"""Arithmetic with objects that hold an array: weights, and the state of optimizers."""

from __future__ import annotations

from typing import Any

import numpy as np


class Arithmetic(np.lib.mixins.NDArrayOperatorsMixin):
    """Base of what has an array as its ``value``: it computes and compares as that does, into new arrays.

    NumPy's functions take it too, but not as their ``out``, nor does ``+=`` change it: ``assign_add`` does.
    """

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = (), **kwargs: Any) -> Any:
        if any(isinstance(entry, Arithmetic) for entry in out):
            return NotImplemented
        values = [getattr(entry, "value", entry) if isinstance(entry, Arithmetic) else entry for entry in inputs]
        return getattr(ufunc, method)(*values, **({**kwargs, "out": out} if out else kwargs))
