"""Axes that a layer works along: which they are, and how they come last, where ops want them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder

__all__ = ["axes_last", "row_axes"]


def row_axes(axis: Any, rank: int, name: str) -> tuple[int, ...]:
    """Return the axes that ``axis`` names, an int or several, in rising order.

    Args:
        rank: how many there are, counting the batch, which is 0.
        name: what errors call the layer.

    Raises: ValueError if there is none, or one is the batch, named twice or not there.
    """
    try:
        given = [operator.index(axis)]
    except TypeError:
        try:
            given = [operator.index(a) for a in axis]
        except TypeError:
            raise ValueError(f"{name}: axis must be an integer or several, got {axis!r}") from None
    places = sorted(a if a >= 0 else rank + a for a in given)
    if not places or len(set(places)) != len(places) or places[0] < 1 or places[-1] >= rank:
        raise ValueError(f"{name}: axis={axis!r} of an input of rank {rank}: expected axes of it, and not the batch")
    return tuple(places)


def axes_last(
    builder: ProgramBuilder, x: Node, places: Sequence[int], body: Callable[[Node, str | None], Node], name: str
) -> Node:
    """Return what ``body`` makes of ``x`` with the axes ``places`` last; the axes are put back afterwards.

    Args:
        places: as `row_axes` returns them.
        body: a function of a value and of its output's name, whose shapes are the same.
        name: of the output.
    """
    every = range(1, len(x.shape) + 1)
    order = [axis for axis in every if axis not in places] + list(places)
    if order == list(every):
        return body(x, name)
    back = sorted(every, key=lambda axis: order[axis - 1])
    return builder.op("permute", body(builder.op("permute", x, axes=order), None), name=name, axes=back)
