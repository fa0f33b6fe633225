"""`Flatten`, `Reshape`, `Permute` and `RepeatVector`: the elements of each row in another shape or order."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netlet.layers.layer import Layer
from netlet.layers.shapes import Shape, format_shape, positive_int

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class Flatten(Layer):
    """Each row as a vector.

    Source: keras.layers.Flatten, Keras 3.15.

    Args:
        data_format: None, "channels_last", or "channels_first": the first axis then becomes the last one before.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y ``[B, N]``, N the number of elements of a row.

    Raises: ValueError if ``data_format`` is none of these.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(
                f"{self.name}: data_format must be None, 'channels_last' or 'channels_first', got {data_format!r}"
            )
        self.data_format = data_format

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], math.prod(_known(input_shape, self.name)))

    def lower(self, builder: ProgramBuilder, x: Node) -> Node:
        if self.data_format == "channels_first" and len(x.shape) > 1:
            x = builder.op("permute", x, axes=(*range(2, len(x.shape) + 1), 1))
        return builder.reshape(x, (math.prod(x.shape),), name=self.name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """Each row in the shape ``target_shape``.

    Args:
        target_shape: sizes of one row; one of them may be -1 and follows from the others.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y ``[B, *target_shape]``, with as many elements.

    Raises: ValueError if ``target_shape`` is not such a tuple, or the number of elements differs.
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        try:
            self.target_shape = tuple(operator.index(size) for size in target_shape)
        except TypeError:
            raise ValueError(f"{self.name}: target_shape must be a tuple of ints, got {target_shape!r}") from None
        if any(size < 1 and size != -1 for size in self.target_shape) or self.target_shape.count(-1) > 1:
            raise ValueError(
                f"{self.name}: target_shape must hold positive sizes and at most one -1, got {self.target_shape}"
            )

    def _resolve(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        count = math.prod(sizes)
        given = math.prod(size for size in self.target_shape if size != -1)
        if (-1 in self.target_shape and count % given) or (-1 not in self.target_shape and count != given):
            raise ValueError(
                f"{self.name}: input has shape {format_shape((None, *sizes))}, {count} elements a row, "
                f"expected as many as target_shape {self.target_shape} holds"
            )
        return tuple(count // given if size == -1 else size for size in self.target_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self._resolve(_known(input_shape, self.name)))

    def lower(self, builder: ProgramBuilder, x: Node) -> Node:
        return builder.reshape(x, self._resolve(x.shape), name=self.name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": list(self.target_shape)}


class Permute(Layer):
    """Each row's axes in another order.

    Args:
        dims: the axes in their new order, numbered from 1, as 0 is the batch: ``(2, 1)`` transposes a matrix.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y with as many axes, of which axis i has the length of x's axis ``dims[i - 1]``.

    Raises: ValueError if ``dims`` does not hold each of 1 .. n once, or x has not n axes besides the batch; TypeError
    if they are no ints.
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(operator.index(axis) for axis in dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"{self.name}: dims must hold each of 1 .. n once, got {self.dims}")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(self.dims) != len(input_shape) - 1:
            raise ValueError(f"{self.name}: input has shape {format_shape(input_shape)}, dims are {self.dims}")
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def lower(self, builder: ProgramBuilder, x: Node) -> Node:
        return builder.op("permute", x, name=self.name, axes=self.dims)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": list(self.dims)}


class RepeatVector(Layer):
    """Each row, a vector, ``n`` times: ``[B, N]`` to ``[B, n, N]``.

    Args:
        n: how many times; a positive int.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, N]`` to y ``[B, n, N]``.

    Raises: ValueError if ``n`` is not a positive int, or x is not a vector for each row.
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive_int(n, f"{self.name}: n")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2:
            raise ValueError(f"{self.name}: input has shape {format_shape(input_shape)}, expected (batch, N)")
        return (input_shape[0], self.n, input_shape[1])

    def lower(self, builder: ProgramBuilder, x: Node) -> Node:
        return builder.op("repeat_vector", x, name=self.name, n=self.n)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}


def _known(input_shape: Shape, name: str) -> tuple[int, ...]:
    """The sizes of one row, all of which must be known."""
    sizes = [size for size in input_shape[1:] if size is not None]
    if len(sizes) != len(input_shape) - 1:
        raise ValueError(f"{name}: input has shape {format_shape(input_shape)}, expected known sizes after the batch")
    return tuple(sizes)
