"""Masks: which positions of a value count, as a value of the program that is made when somebody reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder

__all__ = ["Mask", "all_of", "any_of", "fill", "nonzero", "select"]


class Mask:
    """Which positions count: 1 or 0 for each, ``[B, ...]`` without the last axis of the value that it goes with.

    Its ops enter the program when `node` is read for the first time: a mask that nobody reads costs nothing.

    Args:
        make: adds the ops and returns the value.
    """

    def __init__(self, make: Callable[[], Node]) -> None:
        self._make = make
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        """The mask as a value of the program."""
        if self._node is None:
            self._node = self._make()
        return self._node


def nonzero(builder: ProgramBuilder, x: Node, value: float = 0.0, last_axis: bool = True) -> Mask:
    """Return where ``x`` differs from ``value``: in any element along its last axis, or each element by itself.

    Shapes: x ``[B, ..., C]`` to a mask ``[B, ...]``; x ``[B, ...]`` to a mask of its shape unless ``last_axis``.
    """
    over = "last" if last_axis else "none"
    return Mask(lambda: builder.op("mask", x, name=f"{x.name}/mask", value=value, over=over))


def all_of(builder: ProgramBuilder, x: Node) -> Mask:
    """Return a mask ``[B, ...]`` of ``x`` ``[B, ..., C]`` that leaves nothing out."""
    return Mask(lambda: builder.op("mask", x, name=f"{x.name}/mask", over="all"))


def any_of(builder: ProgramBuilder, masks: Sequence[Mask]) -> Mask:
    """Return what counts in any of ``masks``, which broadcast to one shape."""
    if len(masks) == 1:
        return masks[0]
    return Mask(lambda: builder.op("mask_any", [mask.node for mask in masks]))


def fill(builder: ProgramBuilder, x: Node, mask: Mask, value: float, name: str | None = None) -> Node:
    """Return ``x``, with ``value`` wherever it does not count; a mask ``[B, ...]``, or one that broadcasts to x."""
    return builder.op("masked_fill", [x, mask.node], name=name, value=value)


def select(builder: ProgramBuilder, mask: Mask, x: Node, other: Node) -> Node:
    """Return ``x`` where it counts, and ``other`` elsewhere; mask as for `fill`, of x."""
    return builder.op("masked_select", [x, other, mask.node])
