"""Guard bands: arrays that notice when somebody reads or writes beside them.

Each array is a slice out of the middle of a larger buffer whose rest holds NaN of a known bit pattern (for class
numbers, one that no class has). What a kernel reads there poisons its result; what it writes there is found by
:meth:`Guards.check`. Arrays start one element past a multiple of 64 bytes, so that nobody may count on alignment.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Guards"]

#: Elements on each side; four vectors of the widest kind.
BAND = 64

_PATTERNS: dict[str, tuple[Any, int]] = {
    "float32": (np.uint32, 0x7FC5A5A5),
    "float64": (np.uint64, 0x7FF8A5A5A5A5A5A5),
    "int32": (np.uint32, 0x85A5A5A5),
}


class _Guarded:
    """One array, the buffer that it lies in, and what it held."""

    def __init__(self, name: str, shape: tuple[int, ...], dtype: Any, offset: int) -> None:
        self.name = name
        kind = np.dtype(dtype)
        word, self.pattern = _PATTERNS[kind.name]
        size = int(np.prod(shape, dtype=np.int64))
        raw = np.empty((2 * BAND + offset + size) * kind.itemsize + 64, np.uint8)
        shift = -raw.ctypes.data % 64
        stop = shift + (2 * BAND + offset + size) * kind.itemsize
        self.words = raw[shift:stop].view(word)
        self.words.fill(self.pattern)
        self.start, self.stop = BAND + offset, BAND + offset + size
        self.array: NDArray[Any] = self.words.view(kind)[self.start : self.stop].reshape(shape)
        self.held: NDArray[Any] | None = None

    def check(self) -> None:
        before, after = self.words[: self.start], self.words[self.stop :]
        for side, band in (("before", before[::-1]), ("after", after)):
            hit = np.flatnonzero(band != self.pattern)
            if hit.size:
                raise AssertionError(f"{self.name}: element {int(hit[0]) + 1} {side} the array was written")
        if self.held is not None and not np.array_equal(self.words[self.start : self.stop], self.held):
            raise AssertionError(f"{self.name}: an input was changed")


class Guards:
    """Hands out guarded arrays, and checks all of them.

    Args:
        aligned: start arrays at a multiple of 64 bytes instead of one element past it.
    """

    def __init__(self, aligned: bool = False) -> None:
        self._offset = 0 if aligned else 1
        self._arrays: list[_Guarded] = []

    def _new(self, name: str, shape: tuple[int, ...], dtype: Any) -> _Guarded:
        guarded = _Guarded(name, shape, dtype, self._offset)
        self._arrays.append(guarded)
        return guarded

    def input(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """Returns a guarded copy of ``values`` that must not change."""
        guarded = self._new(name, values.shape, values.dtype)
        np.copyto(guarded.array, values)
        guarded.held = guarded.words[guarded.start : guarded.stop].copy()
        return guarded.array

    def inout(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """Returns a guarded copy of ``values`` that may change."""
        guarded = self._new(name, values.shape, values.dtype)
        np.copyto(guarded.array, values)
        return guarded.array

    def output(self, name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        """Returns a guarded array full of NaN, to be written."""
        return self._new(name, shape, dtype).array

    def check(self) -> None:
        """Raises AssertionError if anything beside an array, or in an input, was written."""
        for guarded in self._arrays:
            guarded.check()
