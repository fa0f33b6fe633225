"""Layers that join several values into one: sums, products, averages, extremes, concatenation, dot products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netlet.layers.layer import Layer
from netlet.layers.masks import Mask, all_of, any_of, fill, select
from netlet.layers.shapes import Shape, format_shape
from netlet.program.ops import OPS

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


def known(shape: Sequence[int | None], name: str) -> tuple[int, ...]:
    """Return the sizes of one row, all of which must be known; ValueError naming ``name`` if one is None."""
    sizes = [size for size in shape[1:] if size is not None]
    if len(sizes) != len(shape) - 1:
        raise ValueError(f"{name}: input has shape {format_shape(shape)}, expected known sizes after the batch")
    return tuple(sizes)


class _Merge(Layer):
    """What the merging layers share: a list of values in, one out, by an op of the program."""

    supports_masking = True
    takes_list = True
    op = ""

    def attrs(self) -> dict[str, Any]:
        """Return the op's attributes."""
        return {}

    def compute_output_shape(self, input_shape: Any) -> Shape:
        spec = OPS[self.op]
        rows = self._ranked([known(shape, self.name) for shape in input_shape])
        least = spec.least_inputs if spec.arity is None else spec.arity
        if len(rows) < least or (spec.arity is not None and len(rows) > spec.arity):
            wanted = f"{least}" if spec.arity is not None else f"at least {least}"
            raise ValueError(f"{self.name}: got {len(rows)} inputs, expected {wanted}")
        try:
            row = spec.output_shape(rows, (), spec.normalize(self.attrs()), rows[0])
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        return (input_shape[0][0], *row)

    def _ranked(self, rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """The rows' shapes as the op takes them."""
        return rows

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return builder.op(self.op, x, name=self.name, **self.attrs())


class _Elementwise(_Merge):
    """A merge that works on one element of each input, which broadcast to one shape.

    Inputs of fewer axes get the missing ones, of length 1, behind the batch.
    """

    uses_mask = True

    def _ranked(self, rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        rank = max(map(len, rows), default=0)
        return [(1,) * (rank - len(row)) + row for row in rows]

    def _inputs(self, builder: ProgramBuilder, x: Sequence[Node]) -> list[Node]:
        shapes = self._ranked([node.shape for node in x])
        return [
            node if node.shape == shape else builder.reshape(node, shape) for node, shape in zip(x, shapes, strict=True)
        ]

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return super().lower(builder, self._inputs(builder, x))

    def lower_mask(self, builder: ProgramBuilder, x: Any, mask: Any) -> Mask | None:
        if any(one is None for one in mask):
            return None
        self._check_ranks(x)
        return any_of(builder, mask)

    def _check_ranks(self, x: Sequence[Node]) -> None:
        if len({len(node.shape) for node in x}) != 1:
            shapes = ", ".join(str(node.shape) for node in x)
            raise ValueError(f"{self.name}: masks of inputs of different ranks do not fit each other, got {shapes}")


class _Extreme(_Elementwise):
    """The largest or smallest element: one that a mask leaves out gives way to another input's."""

    def lower_masked(self, builder: ProgramBuilder, x: Any, mask: Any) -> Node:
        self._check_ranks(x)
        found: Node = x[0]
        own = mask[0]
        for node, other in zip(x[1:], mask[1:], strict=True):
            if other is not None:
                node = select(builder, other, node, found)
            if own is not None:
                found = select(builder, own, found, node)
            found = builder.op(self.op, [found, node])
            own = any_of(builder, [own, other]) if own is not None and other is not None else None
        return found


class Add(_Elementwise):
    """The sum of the inputs, which broadcast to one shape; arguments as of `Layer`.

    Source: keras.layers.Add, Keras 3.15.

    Shapes: two or more x ``[B, ...]`` to y ``[B, ...]``; an x of fewer axes gets axes of length 1 behind the batch.
    Where all have masks, what counts in any of them counts in y.

    Raises: ValueError if there are fewer than two inputs, they do not broadcast, or all have masks and their ranks
    differ.
    """

    op = "add"


class Subtract(_Elementwise):
    """The first input less the second, which broadcast to one shape; arguments as of `Layer`.

    Source: keras.layers.Subtract, Keras 3.15. Shapes and errors as of `Add`, but for two inputs exactly.
    """

    op = "subtract"


class Multiply(_Elementwise):
    """The product of the inputs, which broadcast to one shape; arguments as of `Layer`.

    What a mask leaves out counts as 1, and what all masks leave out as 0. Source: keras.layers.Multiply, Keras 3.15.
    Shapes and errors as of `Add`; inputs with a mask must be of one rank even if others have none.
    """

    op = "multiply"

    def lower_masked(self, builder: ProgramBuilder, x: Any, mask: Any) -> Node:
        self._check_ranks(x)
        pairs = zip(x, mask, strict=True)
        factors = [node if own is None else fill(builder, node, own, 1.0) for node, own in pairs]
        product = self.lower(builder, factors)
        together = self.lower_mask(builder, x, mask)
        return product if together is None else fill(builder, product, together, 0.0)


class Average(_Elementwise):
    """The mean of the inputs, which broadcast to one shape; arguments as of `Layer`.

    Source: keras.layers.Average, Keras 3.15. Shapes and errors as of `Add`.
    """

    op = "average"


class Maximum(_Extreme):
    """The largest of the inputs, which broadcast to one shape; arguments as of `Layer`.

    What a mask leaves out gives way to another input. Source: keras.layers.Maximum, Keras 3.15. Shapes and errors as of
    `Add`; inputs with a mask must be of one rank even if others have none.
    """

    op = "maximum"


class Minimum(_Extreme):
    """The smallest of the inputs, which broadcast to one shape; arguments as of `Layer`.

    What a mask leaves out gives way to another input. Source: keras.layers.Minimum, Keras 3.15. Shapes and errors as of
    `Add`; inputs with a mask must be of one rank even if others have none.
    """

    op = "minimum"


class Concatenate(_Merge):
    """The inputs side by side.

    Source: keras.layers.Concatenate, Keras 3.15.

    Args:
        axis: along which, the batch being 0, which it can't be; default -1, the last.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ..., N, ...]`` to y, whose N is the sum of theirs. If one has a mask, so has y; an x without one
    counts wholly.

    Raises: ValueError if the inputs differ in another axis, or ``axis`` is the batch or not there.
    """

    op = "concatenate"

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not isinstance(axis, int) or axis == 0:
            raise ValueError(f"{self.name}: axis must be an integer other than 0, the batch, got {axis!r}")
        self.axis = axis

    def attrs(self) -> dict[str, Any]:
        return {"axis": self.axis}

    def lower_mask(self, builder: ProgramBuilder, x: Any, mask: Any) -> Mask | None:
        if all(one is None for one in mask):
            return None
        masks = [all_of(builder, node) if one is None else one for node, one in zip(x, mask, strict=True)]
        axis = self.axis if self.axis > 0 else len(x[0].shape) + 1 + self.axis
        if axis == len(x[0].shape):  # along the last one, which masks do not have
            return any_of(builder, masks)
        return Mask(lambda: builder.op("concatenate", [one.node for one in masks], axis=axis))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class Dot(_Merge):
    """Products of two inputs, summed over an axis of each; rows of the batch do not mix.

    Source: keras.layers.Dot, Keras 3.15; norms are ``sqrt(max(sum of squares, 1e-12))``.

    Args:
        axes: one axis for both, or one for each, the batch being 0; negative ones count from the end.
        normalize: whether to divide both by their norms along these axes first (cosine similarity); default False.
        **kwargs: as for every `Layer`.

    Shapes: the other axes of the first input, then those of the second; ``(B, 1)`` where none is left.

    Raises: ValueError if there are not two inputs, an axis is the batch or not there, or their lengths differ.
    """

    op = "dot"

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = [axes] if isinstance(axes, int) else list(axes)
        if len(given) not in (1, 2) or any(isinstance(a, bool) or not isinstance(a, int) or a == 0 for a in given):
            raise ValueError(f"{self.name}: axes must be one or two integers other than 0, the batch, got {axes!r}")
        if not isinstance(normalize, bool):
            raise ValueError(f"{self.name}: normalize must be True or False, got {normalize!r}")
        self.axes = axes if isinstance(axes, int) else tuple(given)
        self.normalize = normalize
        self._resolved = {"axis0": given[0], "axis1": given[-1], "normalize": normalize}

    def attrs(self) -> dict[str, Any]:
        return self._resolved

    def compute_output_shape(self, input_shape: Any) -> Shape:
        if len(input_shape) == 2:
            axes = [self.axes] * 2 if isinstance(self.axes, int) else [self.axes[0], self.axes[-1]]
            for i, (axis, shape) in enumerate(zip(axes, input_shape, strict=True)):
                self._resolved[f"axis{i}"] = axis if axis > 0 else len(shape) + axis
        return super().compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        axes = self.axes if isinstance(self.axes, int) else list(self.axes)
        return {**super().get_config(), "axes": axes, "normalize": self.normalize}
