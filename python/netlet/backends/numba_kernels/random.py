"""The shuffle of an epoch: Philox4x32-10 and Durstenfeld's algorithm, equal in every bit to :mod:`netlet.random`.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netlet.backends.numba_kernels.jit import entry, kernel

__all__ = ["shuffle_down"]

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)


@kernel
def philox_pairs(seed: Any, step: Any, block: Any) -> Any:
    """Block ``block`` of the shuffle stream (purpose 0) as two 64-bit numbers: its words (0, 1) and (2, 3).

    All arguments are uint64; ``block`` is below 2^48. Each word lives in the low half of a uint64.
    """
    c0, c1 = block & _LOW, block >> _32
    c2, c3 = step & _LOW, step >> _32
    k0, k1 = seed & _LOW, seed >> _32
    for _ in range(10):
        product_0 = c0 * _MULTIPLIER_0  # 32 x 32 -> 64 bits, exact
        product_1 = c2 * _MULTIPLIER_1
        c0 = (product_1 >> _32) ^ c1 ^ k0
        c1 = product_1 & _LOW
        c2 = (product_0 >> _32) ^ c3 ^ k1
        c3 = product_0 & _LOW
        k0 = (k0 + _WEYL_0) & _LOW
        k1 = (k1 + _WEYL_1) & _LOW
    return c0 | (c1 << _32), c2 | (c3 << _32)


@entry
def shuffle_down(seed: Any, epoch: Any, high: int, low: int, order: Any) -> None:
    """Swaps positions high-1, high-2, ..., low of order[n] with random lower ones.

    Over high = n, low = 1 in one call or in several descending ones, this makes ``arange(n)`` the permutation of
    (seed, epoch). seed and epoch are uint64; n is below 2^32, so that (r * (i+1)) >> 64 needs no 128-bit product.
    """
    even = np.uint64(0)
    for i in range(high - 1, low - 1, -1):
        if i % 2 == 1 or i == high - 1:  # positions i and i-1 share a block where i is odd
            even, odd = philox_pairs(seed, epoch, np.uint64(i // 2))
            r = odd if i % 2 == 1 else even
        else:
            r = even
        bound = np.uint64(i + 1)
        j = ((r >> _32) * bound + (((r & _LOW) * bound) >> _32)) >> _32
        order[i], order[j] = order[j], order[i]
