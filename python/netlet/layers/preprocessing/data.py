"""What ``adapt`` takes, made into batches; and class numbers as vectors, outside of a model."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.errors import unknown_name
from netlet.program.ops import OPS

OUTPUT_MODES = ("int", "one_hot", "multi_hot", "count")


def real_numbers(value: Any, what: str) -> NDArray[Any]:
    """``value`` as an array of real numbers; TypeError naming ``what`` if it holds anything else."""
    array = np.asarray(value)
    if array.dtype == object and hasattr(value, "columns"):  # a frame whose columns differ in type
        array = np.asarray(value, np.float64)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected real numbers, got an array of {array.dtype}")
    return array


def texts(value: Any, what: str) -> NDArray[Any]:
    """``value`` as an array of ``str`` objects: bytes are UTF-8, numbers are written out (floats cut to integers).

    Raises: TypeError naming ``what`` for anything else, such as None.
    """
    array = np.asarray(value)
    if array.dtype.kind in "biu":
        return array.astype(np.int64).astype(str).astype(object)
    if array.dtype.kind == "f":
        return array.astype(np.int64).astype(str).astype(object)
    if array.dtype.kind not in "USOT":
        raise TypeError(f"{what}: expected strings or integers, got an array of {array.dtype}")
    flat = [_text(entry, what) for entry in array.reshape(-1).tolist()]
    made = np.empty(len(flat), object)
    made[:] = flat
    return made.reshape(array.shape)


def _text(entry: Any, what: str) -> str:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, bytes):
        return entry.decode("utf-8")
    if isinstance(entry, (int, np.integer)) and not isinstance(entry, bool):
        return str(int(entry))
    raise TypeError(f"{what}: expected strings, got {entry!r}")


def batches(data: Any, steps: int | None = None) -> Iterator[Any]:
    """Yield ``data`` whole if it is an array, a frame or a nested list; else what the iterable yields.

    A list of arrays counts as an iterable of batches, and so does whatever can be iterated and is no array. Of a batch
    that is a tuple (x, y, ...), x is taken.

    Args:
        data: see above.
        steps: how many batches of an iterable; None for all.
    """
    listed = isinstance(data, (list, tuple))
    if listed and data and isinstance(data[0], np.ndarray) and data[0].ndim:
        listed = False
    elif listed or isinstance(data, (str, bytes)) or hasattr(data, "__array__") or not isinstance(data, Iterable):
        yield data
        return
    for batch in itertools.islice(data, steps):
        yield batch[0] if isinstance(batch, tuple) else batch


def check_mode(mode: Any, name: str) -> str:
    """Return ``mode`` if it is an output mode; ValueError with the nearest one otherwise."""
    if mode == "binary":
        return "multi_hot"
    if mode not in OUTPUT_MODES:
        raise unknown_name(f"{name}: output_mode", mode, OUTPUT_MODES)
    return str(mode)


def encoded_shape(shape: tuple[int | None, ...], mode: str, depth: int) -> tuple[int | None, ...]:
    """The shape, the batch in front, of class numbers of ``shape`` in an output mode; see `CategoryEncoding`."""
    if mode == "int":
        return shape
    batch, *row = shape
    keeps = mode == "one_hot" and row[-1:] != [1]
    return (batch, *(row if keeps else row[:-1]), depth)


def encode(numbers: NDArray[Any], mode: str, depth: int, dtype: str) -> NDArray[Any]:
    """Class numbers ``[B, ...]`` as vectors in an output mode other than "int".

    Shapes: ``[B, ...]`` to what `encoded_shape` returns, of ``dtype``. Numbers beyond 0 .. depth-1 leave zeros.
    """
    spec = OPS["encode_category"]
    x = numbers.astype(np.float64)
    y = np.empty([n for n in encoded_shape(x.shape, mode, depth) if n is not None], dtype)
    spec.forward({"mode": mode, "depth": depth}, [x], [], y)
    return y
