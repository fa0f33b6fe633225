"""Shapes with a batch in front: checked, written, compared."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

#: Sizes by axis; None stands for any size. The first is the batch.
Shape = tuple[int | None, ...]

MAX_SIZE = 1 << 40  # elements along one axis: no memory holds more, and products of two stay in 64 bits


def positive_int(value: Any, what: str) -> int:
    """Return ``value`` as an int; ValueError naming ``what`` unless it is a positive integer."""
    number = None
    if not isinstance(value, bool):
        try:
            number = operator.index(value)
        except TypeError:
            number = None
    if number is None or not 0 < number <= MAX_SIZE:
        raise ValueError(f"{what} must be a positive integer, got {value!r}")
    return number


def batch_shape(row_shape: Any, what: str) -> Shape:
    """Return ``(None, *row_shape)``, every size checked to be a positive integer.

    Args:
        row_shape: sizes of one row; an int is one axis.
        what: names the argument in errors.

    Raises: ValueError, also for a size of None: in this version only the batch may vary.
    """
    sizes: Sequence[Any]
    if isinstance(row_shape, (str, bytes)):
        raise ValueError(f"{what} must be a tuple of positive integers, got {row_shape!r}")
    try:
        sizes = (operator.index(row_shape),)
    except TypeError:
        try:
            sizes = tuple(row_shape)
        except TypeError:
            raise ValueError(f"{what} must be a tuple of positive integers, got {row_shape!r}") from None
    for size in sizes:
        if size is None:
            raise ValueError(f"{what} is {tuple(sizes)}: only the batch may be of any size, other axes must be known")
        positive_int(size, f"{what} {tuple(sizes)}: every size")
    return (None, *(int(size) for size in sizes))


def format_shape(shape: Sequence[int | None]) -> str:
    """Return the shape as Python writes a tuple."""
    return str(tuple(shape))


def check_input(name: str, shape: Sequence[int | None], expected: Shape) -> None:
    """Raise ``dense_1: input has shape (32, 10), expected (None, 12)`` unless ``shape`` fits ``expected``."""
    if len(shape) != len(expected) or any(
        want is not None and have is not None and have != want for have, want in zip(shape, expected, strict=True)
    ):
        raise ValueError(f"{name}: input has shape {format_shape(shape)}, expected {format_shape(expected)}")
