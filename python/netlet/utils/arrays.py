"""Arrays as the functions that people call take them: anything like an array in, float32 or float64 out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_floats(x: Any, name: str) -> NDArray[Any]:
    """Return ``x`` as a C-contiguous float32 or float64 array: float64 stays, everything else becomes float32.

    Args:
        x: an array, a variable, a number, or nested lists of numbers.
        name: what the error message calls it.

    Raises: TypeError if ``x`` holds anything but real numbers.
    """
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected real numbers, got an array of {array.dtype}")
    dtype = np.float64 if array.dtype == np.float64 else np.float32
    return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
