"""Batches by number: datasets with ``__getitem__`` and ``__len__``, and mapped files converted piece by piece."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlet import random
from netlet.models.data import check_rows, to_array, unpack_batch
from netlet.models.sources import ArraySource, Rows, Sums, train_batch

if TYPE_CHECKING:
    from netlet.models.engine import Engine
    from netlet.optimizers import Optimizer

#: Bytes: a mapped file that would take more than this as an array of the model's type is converted batch by batch.
MAPPED_LIMIT = 1 << 26

Adapt = Callable[[Any, Any, Any], Rows]
Shuffle = Callable[[int], tuple[int, int] | None]


def is_indexed(x: Any) -> bool:
    """Return whether ``x`` is a dataset of batches by number, as Keras' PyDataset and Sequence are."""
    if not hasattr(x, "__getitem__") or hasattr(x, "__array__"):
        return False
    if hasattr(x, "num_batches"):
        return True
    return hasattr(x, "__len__") and (hasattr(x, "on_epoch_end") or not hasattr(x, "__iter__"))


def length_of(x: Any) -> int | None:
    """Return how many batches ``x`` has, or None if it does not tell."""
    count = getattr(x, "num_batches", None)
    if count is None and not hasattr(x, "num_batches"):
        try:
            count = len(x)
        except TypeError:  # also where __len__ itself says so, as PyTorch's loaders of streams do
            return None
    if count == 0:
        raise ValueError(f"x: {type(x).__name__} has no batches")
    return None if count is None else int(count)


def steps_in(x: Any, limit: int | None) -> int | None:
    """Return how many of the batches of ``x`` to use: ``limit`` or as many as there are; None: until it ends.

    Raises: ValueError if there is no end.
    """
    count = length_of(x)
    if count is None:
        if limit is None and is_indexed(x):
            raise ValueError("x: the dataset has no end (num_batches is None); give steps")
        return limit
    return count if limit is None else min(count, limit)


def batches_in(x: Any) -> Iterator[Any]:
    """Yield the batches of an iterable or of a dataset by number, in order."""
    if not is_indexed(x):
        yield from x
        return
    count = length_of(x)
    for number in range(sys.maxsize if count is None else count):
        yield x[number]


class IndexedSource(ArraySource):
    """Batches that a dataset holds by number.

    Args:
        dataset: has ``__getitem__`` and ``__len__`` or ``num_batches`` (None: without end); its ``on_epoch_begin`` and
            ``on_epoch_end`` are called if it has them.
        adapt: makes a raw batch into Rows.
        shuffle: as of `ArraySource`: the order of the batches.
        steps_per_epoch: as of `ArraySource`.

    Raises: ValueError for a dataset without batches, or without end and without ``steps_per_epoch``.
    """

    def __init__(self, dataset: Any, adapt: Adapt, shuffle: Shuffle, steps_per_epoch: int | None) -> None:
        count = length_of(dataset)
        if count is None and steps_per_epoch is None:
            raise ValueError("x: the dataset has no end (num_batches is None); give steps_per_epoch")
        self._dataset = dataset
        self._adapt = adapt
        self._numbers: NDArray[np.int64] | None = None
        self._begin(count or sys.maxsize, 0, shuffle if count is not None else lambda passes: None, steps_per_epoch)

    def begin_epoch(self) -> None:
        super().begin_epoch()
        self._numbers = None
        _tell(self._dataset, "on_epoch_begin")

    def end_epoch(self) -> None:
        _tell(self._dataset, "on_epoch_end")

    def _run(self, engine: Engine, begin: int, end: int, optimizer: Optimizer, sums: Sums) -> None:
        if self._numbers is None and self._order is not None:
            self._numbers = random.permutation(*self._order, self._pass_steps)
        for step in range(begin, end):
            batch = self._dataset[step if self._numbers is None else int(self._numbers[step])]
            train_batch(engine, self._adapt(*unpack_batch(batch)), optimizer, sums)
            self._position = step + 1


class MappedSource(ArraySource):
    """Rows in a file mapped to memory, read and converted batch by batch; the training is that of rows in memory.

    Args:
        rows: the data.
        adapt: makes a raw batch into Rows.
        batch_size, shuffle, steps_per_epoch: as of `ArraySource`.
    """

    def __init__(
        self, rows: MappedRows, adapt: Adapt, batch_size: int, shuffle: Shuffle, steps_per_epoch: int | None
    ) -> None:
        self._rows = rows
        self._adapt = adapt
        self._numbers: NDArray[np.int64] | None = None
        self._begin(-(-len(rows) // batch_size), batch_size, shuffle, steps_per_epoch)

    def begin_epoch(self) -> None:
        super().begin_epoch()
        self._numbers = None

    def _run(self, engine: Engine, begin: int, end: int, optimizer: Optimizer, sums: Sums) -> None:
        if self._numbers is None and self._order is not None:
            self._numbers = random.permutation(*self._order, len(self._rows))
        for step in range(begin, end):
            first, last = step * self.batch_size, (step + 1) * self.batch_size
            index = slice(first, last) if self._numbers is None else self._numbers[first:last]
            train_batch(engine, self._adapt(*self._rows.take(index)), optimizer, sums)
            self._position = step + 1


class MappedRows:
    """Raw rows, some of them in a file mapped to memory.

    Args:
        x: an array, or a list or dict of arrays.
        y, sample_weight: arrays or None.

    Raises: ValueError unless all have as many rows.
    """

    def __init__(self, x: Any, y: Any = None, sample_weight: Any = None) -> None:
        self._parts = (x, _array(y, "y"), _array(sample_weight, "sample_weight"))
        self._count = len(_leaves(x)[0])
        for what, part in zip(("x", "y", "sample_weight"), self._parts, strict=True):
            for leaf in _leaves(part):
                check_rows(self._count, len(leaf), what)

    def __len__(self) -> int:
        return self._count

    def take(self, index: Any) -> tuple[Any, Any, Any]:
        """Return the rows of a slice or an array of numbers, as a raw batch."""
        x, y, sample_weight = (_map(part, lambda leaf: np.asarray(leaf[index])) for part in self._parts)
        return x, y, sample_weight

    def part(self, first: int, last: int, weighted: bool = True) -> MappedRows:
        """Return rows ``first .. last-1``, without reading them; ``weighted``: with their weights."""
        x, y, sample_weight = (_map(part, lambda leaf: leaf[first:last]) for part in self._parts)
        return MappedRows(x, y, sample_weight if weighted else None)

    def batches(self, batch_size: int) -> MappedBatches:
        """Return the rows as an iterable of raw batches, in order."""
        return MappedBatches(self, batch_size)


class MappedBatches:
    """The raw batches of `MappedRows`, any number of times."""

    def __init__(self, rows: MappedRows, batch_size: int) -> None:
        self._rows = rows
        self._size = batch_size

    def __len__(self) -> int:
        return -(-len(self._rows) // self._size)

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        for first in range(0, len(self._rows), self._size):
            yield self._rows.take(slice(first, first + self._size))


def is_mapped(x: Any, dtype: str) -> bool:
    """Return whether ``x`` has a large array in a file mapped to memory that is not as executors take it."""
    wanted = np.dtype(dtype)
    return any(
        isinstance(leaf, np.memmap)
        and (leaf.dtype != wanted or not leaf.flags.c_contiguous or not leaf.flags.aligned)
        and leaf.size * wanted.itemsize > MAPPED_LIMIT
        for leaf in _leaves(x)
    )


def _leaves(x: Any) -> list[Any]:
    if x is None:
        return []
    if isinstance(x, Mapping):
        return list(x.values())
    return list(x) if isinstance(x, (list, tuple)) and any(isinstance(e, np.ndarray) for e in x) else [x]


def _map(x: Any, function: Callable[[Any], Any]) -> Any:
    if x is None:
        return None
    if isinstance(x, Mapping):
        return {key: function(value) for key, value in x.items()}
    return [function(leaf) for leaf in x] if isinstance(x, (list, tuple)) else function(x)


def _array(value: Any, what: str) -> Any:
    return value if value is None or isinstance(value, (Mapping, np.ndarray)) else to_array(value, what)


def _tell(dataset: Any, hook: str) -> None:
    method = getattr(dataset, hook, None)
    if method is not None:
        method()
