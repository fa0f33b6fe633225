"""What every call of an entry shares: arrays of one type, the cache's failures, and the order of an epoch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends.numba_kernels.jit import CACHE_ERRORS, without_cache
from netlet.backends.numba_kernels.pacing import Pace
from netlet.backends.numba_kernels.random import shuffle_down
from netlet.program.spec import Array

__all__ = ["EpochOrder", "addresses", "aligned", "no_rows", "read_rows", "run"]

_NO_ADDRESSES: NDArray[np.int64] = np.empty(0, np.int64)


def run(function: Callable[..., None], *args: Any) -> None:
    """Calls an entry. Where its cache cannot be read or written, it is compiled without."""
    try:
        function(*args)
    except CACHE_ERRORS as error:  # raised before anything ran: kernels themselves raise nothing
        without_cache(error)
        function(*args)


def read_rows(array: Array, width: int) -> Array:
    """``array`` as a read-only [n, width]: one type for the kernels, whatever the caller's flags and shape."""
    view = aligned(array).reshape(len(array), width)
    view.flags.writeable = False
    return view


def addresses(arrays: Sequence[Array]) -> NDArray[np.int64]:
    """Where the arrays' elements lie; keep the arrays alive for as long as this is in use."""
    return np.array([array.ctypes.data for array in arrays], np.int64) if arrays else _NO_ADDRESSES


def aligned(array: Array) -> Array:
    """``array``, or a copy of it that lies where its element type may lie."""
    return array if array.flags.aligned else array.copy()


@functools.cache
def no_rows(dtype: str) -> Array:
    """A read-only array [0, 0]: what stands for an argument that is not there."""
    array: Array = np.empty((0, 0), dtype)
    array.flags.writeable = False
    return array


class EpochOrder:
    """The order of an epoch's rows, equal to :func:`netlet.random.permutation`. The last one is kept."""

    _SECONDS_PER_SWAP = 5e-8  # a first guess

    def __init__(self) -> None:
        self._last: tuple[tuple[int, int, int], NDArray[np.int64]] | None = None
        self._pace = Pace(self._SECONDS_PER_SWAP)

    def __call__(self, seed: int, epoch: int, n: int) -> NDArray[np.int64]:
        """Returns int64 [n]; ValueError if there are 2^32 rows or more."""
        if n >= 1 << 32:
            raise ValueError(f"shuffle: expected fewer than 2^32 rows, got {n}")
        key = (seed, epoch, n)
        if self._last is None or self._last[0] != key:
            order = np.arange(n, dtype=np.int64)
            for done, to in self._pace.chunks(0, n - 1):
                run(shuffle_down, np.uint64(seed), np.uint64(epoch), n - done, n - to, order)
            self._last = (key, order)
        return self._last[1]
