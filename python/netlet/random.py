"""Netlet's one random stream: Philox4x32-10, keyed by (seed, purpose, step, element).

A number is a function of where it is used and of nothing else: there is no hidden state that a thread, a backend or
the order of calls could disturb. Shuffles and initial weights are therefore equal everywhere, and resuming a run
takes two integers. ``csrc/core/philox.h`` computes the same bits; where the native extension is installed it serves
:func:`philox_words` and :func:`permutation`.

The stream: key = (seed mod 2^32, seed >> 32); counter = (block mod 2^32, block >> 32 | purpose << 16, step mod 2^32,
step >> 32); element e is word ``e % 4`` of block ``e // 4``.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.config import DEFAULT_DTYPE, numpy_dtype

__all__ = [
    "DATA",
    "DROPOUT",
    "INITIALIZE",
    "SEEDS",
    "SHUFFLE",
    "SeedGenerator",
    "global_generator",
    "next_seed",
    "normal",
    "permutation",
    "philox_words",
    "set_random_seed",
    "truncated_normal",
    "uniform",
]

#: What a draw is for. Draws of different purposes never share a counter.
SHUFFLE, INITIALIZE, DROPOUT, DATA, SEEDS = range(5)

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = 0x9E3779B9
_WEYL_1 = 0xBB67AE85
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MASK32 = 0xFFFFFFFF

_native_module: ModuleType | None = None
_native_looked_for = False


def _native() -> ModuleType | None:
    """The compiled extension if it is installed and has the stream, else None. Looked for once, at the first draw."""
    global _native_module, _native_looked_for
    if not _native_looked_for:
        try:
            from netlet import _native as module  # type: ignore[attr-defined, unused-ignore]
        except ImportError:
            pass
        else:
            if hasattr(module, "philox_words") and hasattr(module, "permutation"):
                _native_module = module
        _native_looked_for = True
    return _native_module


def _integer(name: str, value: Any, below: int) -> int:
    """``value`` as an int in [0, below); TypeError or ValueError naming the argument otherwise."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {value!r}") from None
    if not 0 <= number < below:
        raise ValueError(f"{name}: expected an integer from 0 to {below - 1}, got {number}")
    return number


def _philox_words_numpy(seed: int, purpose: int, step: int, first: int, count: int) -> NDArray[np.uint32]:
    """:func:`philox_words` in NumPy; arguments already checked."""
    if count == 0:
        return np.empty(0, np.uint32)
    first_block, last_block = first // 4, (first + count - 1) // 4
    block = np.arange(first_block, last_block + 1, dtype=np.uint64)
    c0 = block & _LOW
    c1 = (block >> _SHIFT) | np.uint64(purpose << 16)
    c2 = np.full_like(block, step & _MASK32)
    c3 = np.full_like(block, step >> 32)
    k0, k1 = seed & _MASK32, seed >> 32
    for _ in range(_ROUNDS):
        product_0 = c0 * _MULTIPLIER_0  # 32 x 32 -> 64 bits, exact
        product_1 = c2 * _MULTIPLIER_1
        c0 = (product_1 >> _SHIFT) ^ c1 ^ np.uint64(k0)
        c1 = product_1 & _LOW
        c2 = (product_0 >> _SHIFT) ^ c3 ^ np.uint64(k1)
        c3 = product_0 & _LOW
        k0, k1 = (k0 + _WEYL_0) & _MASK32, (k1 + _WEYL_1) & _MASK32
    words = np.stack((c0, c1, c2, c3), axis=1).astype(np.uint32).reshape(-1)
    skip = first - 4 * first_block
    return words[skip : skip + count]


def philox_words(seed: int, purpose: int, step: int, first: int, count: int) -> NDArray[np.uint32]:
    """Returns elements ``first .. first+count-1`` of the stream (seed, purpose, step), as uint32 ``[count]``.

    Args:
        seed: 0 to 2^64-1.
        purpose: 0 to 65535; see SHUFFLE, INITIALIZE, DROPOUT, DATA, SEEDS.
        step: 0 to 2^64-1; the epoch, the training step or the number of the draw.
        first: the first element, 0 to 2^50-1.
        count: how many; ``first + count`` is at most 2^50.

    Raises:
        TypeError, ValueError: if an argument is not an integer or out of its range.
    """
    seed = _integer("seed", seed, 1 << 64)
    purpose = _integer("purpose", purpose, 1 << 16)
    step = _integer("step", step, 1 << 64)
    first = _integer("first", first, 1 << 50)
    count = _integer("count", count, (1 << 50) - first + 1)
    native = _native()
    if native is not None:
        words: NDArray[np.uint32] = native.philox_words(seed, purpose, step, first, count)
        return words
    return _philox_words_numpy(seed, purpose, step, first, count)


def _permutation_numpy(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """:func:`permutation` in NumPy; arguments already checked."""
    if n < 2:
        return np.arange(n, dtype=np.int64)
    words = _philox_words_numpy(seed, SHUFFLE, epoch, 2, 2 * (n - 1)).astype(np.uint64)
    low, high = words[0::2], words[1::2]
    bound = np.arange(2, n + 1, dtype=np.uint64)  # i + 1 for i = 1 .. n-1; below 2^32, so nothing overflows
    swap = ((high * bound + ((low * bound) >> _SHIFT)) >> _SHIFT).tolist()  # (r * (i+1)) >> 64
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j = swap[i - 1]
        order[i], order[j] = order[j], order[i]
    return np.array(order, dtype=np.int64)


def permutation(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """Returns the order in which an epoch visits ``n`` rows: a permutation of ``0 .. n-1``, int64 ``[n]``.

    Durstenfeld's shuffle: for i from n-1 down to 1, swap i with ``(r_i * (i+1)) >> 64``, where r_i is the 64-bit
    number in elements 2i (low) and 2i+1 (high) of the stream (seed, SHUFFLE, epoch).

    Raises:
        TypeError, ValueError: if an argument is not an integer or out of its range (n below 2^32).
    """
    seed = _integer("seed", seed, 1 << 64)
    epoch = _integer("epoch", epoch, 1 << 64)
    n = _integer("n", n, 1 << 32)
    native = _native()
    if native is not None:
        order: NDArray[np.int64] = native.permutation(seed, epoch, n)
        return order
    return _permutation_numpy(seed, epoch, n)


def _size(shape: int | Sequence[int]) -> tuple[tuple[int, ...], int]:
    """A shape as a tuple, and its number of elements."""
    dims = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    checked = tuple(_integer("shape", d, 1 << 40) for d in dims)
    count = 1
    for d in checked:
        count *= d
    return checked, count


def _uniform01(seed: int, purpose: int, step: int, first: int, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """``count`` numbers in [0, 1), from number ``first`` on: 24 bits of one word, or 53 bits of two."""
    if dtype == np.float32:
        words = philox_words(seed, purpose, step, first, count)
        return (words >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    words = philox_words(seed, purpose, step, 2 * first, 2 * count)
    high = (words[0::2] >> np.uint32(5)).astype(np.float64)
    low = (words[1::2] >> np.uint32(6)).astype(np.float64)
    return (high * 2.0**26 + low) * 2.0**-53


def uniform(
    seed: int,
    step: int,
    shape: int | Sequence[int],
    *,
    low: float = 0.0,
    high: float = 1.0,
    dtype: Any = DEFAULT_DTYPE,
    purpose: int = INITIALIZE,
) -> NDArray[Any]:
    """Returns numbers drawn evenly from [low, high), as an array of ``shape``.

    Args:
        seed, step: which stream; two draws with equal (seed, purpose, step) are equal.
        shape: of the result; an int is one axis.
        low, high: the interval.
        dtype: float32 (24 random bits) or float64 (53 random bits).
        purpose: the stream's purpose.
    """
    kind = numpy_dtype(dtype)
    dims, count = _size(shape)
    numbers = _uniform01(seed, purpose, step, 0, count, kind)
    numbers *= kind.type(high - low)
    numbers += kind.type(low)
    return numbers.reshape(dims)


def _normal(seed: int, purpose: int, step: int, first: int, count: int) -> NDArray[np.float64]:
    """Standard normal numbers ``first .. first+count-1`` of a stream, each from its own two uniform numbers."""
    pairs = _uniform01(seed, purpose, step, 2 * first, 2 * count, np.dtype(np.float64))
    radius = np.sqrt(-2.0 * np.log1p(-pairs[0::2]))  # 1 - u lies in (0, 1]: the logarithm is finite
    normals: NDArray[np.float64] = radius * np.cos(2.0 * np.pi * pairs[1::2])
    return normals


def normal(
    seed: int,
    step: int,
    shape: int | Sequence[int],
    *,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = DEFAULT_DTYPE,
    purpose: int = INITIALIZE,
) -> NDArray[Any]:
    """Returns normally distributed numbers, as an array of ``shape``. Box and Muller's transform, in float64.

    Arguments as :func:`uniform`, with the mean and the standard deviation in place of the interval.
    """
    kind = numpy_dtype(dtype)
    dims, count = _size(shape)
    return (_normal(seed, purpose, step, 0, count) * stddev + mean).astype(kind).reshape(dims)


def truncated_normal(
    seed: int,
    step: int,
    shape: int | Sequence[int],
    *,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = DEFAULT_DTYPE,
    purpose: int = INITIALIZE,
) -> NDArray[Any]:
    """Returns normally distributed numbers, those beyond two standard deviations drawn anew.

    ``stddev`` is that of the normal distribution before it is cut. Arguments as :func:`normal`.
    """
    kind = numpy_dtype(dtype)
    dims, count = _size(shape)
    numbers = _normal(seed, purpose, step, 0, count)
    drawn = count
    outside = np.flatnonzero(np.abs(numbers) > 2.0)
    while outside.size:  # one number in 22 is outside, so the rounds shrink fast
        again = _normal(seed, purpose, step, drawn, outside.size)
        drawn += outside.size
        numbers[outside] = again
        outside = outside[np.abs(again) > 2.0]
    return (numbers * stddev + mean).astype(kind).reshape(dims)


class SeedGenerator:
    """A sequence of 64-bit seeds: seed number k is the same for the same ``seed``, on every machine.

    Args:
        seed: 0 to 2^64-1; None takes one from the operating system.

    Attributes:
        seed: the seed in use.
        count: how many seeds have been drawn; set it to continue an interrupted run.

    Any number of threads may draw from one generator.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = int.from_bytes(os.urandom(8), "little") if seed is None else _integer("seed", seed, 1 << 64)
        self.count = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        """Returns the next seed, 0 to 2^64-1."""
        with self._lock:
            number = self.count
            self.count += 1
        low, high = philox_words(self.seed, SEEDS, number, 0, 2).tolist()
        return int(low) | int(high) << 32

    def __repr__(self) -> str:
        return f"SeedGenerator(seed={self.seed}, count={self.count})"


_global_generator = SeedGenerator()


def set_random_seed(seed: int) -> None:
    """Makes everything random that follows (initial weights, shuffles) a function of ``seed``.

    Args:
        seed: 0 to 2^64-1.

    Raises:
        TypeError: if it is not an integer. ValueError: if it is out of range.
    """
    global _global_generator
    _global_generator = SeedGenerator(_integer("seed", seed, 1 << 64))


def global_generator() -> SeedGenerator:
    """Returns the generator that :func:`next_seed` draws from; a new one since the last :func:`set_random_seed`."""
    return _global_generator


def next_seed() -> int:
    """Returns a new seed from the generator that :func:`set_random_seed` sets; 0 to 2^64-1."""
    return _global_generator.next()
