"""Masks: which positions of a row count, as 1 and 0, and what they do to values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.ops.merge import _broadcast, _fold
from netlet.program.spec import Array, Attr, Attrs, OpSpec, Shape, elements

__all__ = ["MaskAny", "MaskOf", "MaskedFill", "MaskedSelect"]


def _positions(mask: Array, x: Array) -> Array:
    """``mask`` with as many axes as ``x``, as truth values."""
    there = mask > 0.5
    return there[..., None] if mask.ndim == x.ndim - 1 else there


def _fits(mask: Shape, x: Shape) -> bool:
    """Whether a mask is of x's positions (without the last axis), or broadcasts to its elements."""
    return mask == x[:-1] or (len(mask) == len(x) and all(m in (1, n) for m, n in zip(mask, x, strict=True)))


class _Masks(OpSpec):
    """What ops that make masks share: nothing flows back through them."""

    native = False

    def backward(
        self,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        for dx in dxs:
            if dx is not None:
                dx[...] = 0

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return sum(elements(shape) for shape in inputs)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        arrays = {
            name: rng.integers(0, 2, (case.batch, *shape)) * 1.0
            for name, shape in zip(case.input_names, case.shapes, strict=True)
        }
        return {**arrays, "dy": rng.standard_normal((case.batch, *case.output_shape))}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        return {name: np.zeros_like(w) for name, w in want.items()}  # ones and zeros, exactly


class MaskOf(_Masks):
    """Where x differs from ``value``.

    ``over`` says of what: "last", in any element along the last axis, which goes; "none", each element by itself;
    "all", everywhere, whatever x holds, and the last axis goes.
    """

    name = "mask"
    signature = "x[B,...,C] -> y[B,...]"
    formula = "y = 1 where any(x != value), else 0"
    source = "keras.layers.Masking, keras.layers.Embedding"
    discrete = ("x",)

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("value", "float", 0.0), Attr("over", "name", "last", names=("last", "none", "all")))

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if attrs["over"] == "none":
            return inputs[0]
        if not inputs[0]:
            raise ValueError("expected an input of at least one axis, got shape ()")
        return inputs[0][:-1]

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        if attrs["over"] == "all":
            y[...] = 1
            return
        differs = xs[0] != xs[0].dtype.type(attrs["value"])
        y[...] = differs if attrs["over"] == "none" else differs.any(axis=-1)

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            for over in ("last", "none"):
                yield Case(self, (1, 3, 7)[n % 3], ((size,),), attrs={"over": over, "value": float(n % 2)})
        for shape in ((4, 1), (4, 2), (2, 3, 2)):
            for over in ("last", "none", "all"):
                yield Case(self, 3, (shape,), attrs={"over": over})


class MaskAny(_Masks):
    """What counts in any of the masks."""

    name = "mask_any"
    signature = "x0[B,...] x1[B,...] ... -> y[B,...]"
    formula = "y = 1 where any of x0, x1, ... is, else 0"
    source = "keras.layers.Add"
    arity = None
    discrete = ("x", "x1", "x2")

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if len({len(shape) for shape in inputs}) != 1:
            raise ValueError(f"expected masks of one rank, got shapes {', '.join(map(str, inputs))}")
        return _broadcast(self.name, inputs)

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        y[...] = xs[0]
        for x in xs[1:]:
            np.maximum(y, x, out=y)

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,),) * (2 + n % 2))
        yield Case(self, 5, ((), ()))
        yield Case(self, 3, ((1, 5), (4, 1), (4, 5)))


class MaskedFill(OpSpec):
    """x where it counts, ``value`` elsewhere."""

    name = "masked_fill"
    signature = "x[B,...,C] mask[B,...] -> y[B,...,C]"
    formula = "y = x where mask, else value"
    source = "keras.layers.Masking, keras.layers.Softmax"
    arity = 2
    native = False
    discrete = ("x1",)

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("value", "float", 0.0),)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if not _fits(inputs[1], inputs[0]):
            raise ValueError(f"a mask of shape {inputs[1]} does not fit an input of shape {inputs[0]}")
        return inputs[0]

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        x, mask = xs
        y[...] = np.where(_positions(mask, x), x, x.dtype.type(attrs["value"]))

    def backward(
        self,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        x, mask = xs
        if dxs[0] is not None:
            dxs[0][...] = np.where(_positions(mask, x), dy, dy.dtype.type(0))
        if dxs[1] is not None:
            dxs[1][...] = 0

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return elements(inputs[0])

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((3, size), (3,)), attrs={"value": float(n % 3)})
            yield Case(self, (1, 3, 7)[n % 3], ((size,), (size,)), attrs={"value": -1.0})
        yield Case(self, 5, ((4,), ()))
        yield Case(self, 5, ((2, 3), (1, 3)))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape, mask = case.shapes
        return {
            "x": rng.standard_normal((case.batch, *shape)),
            "x1": rng.integers(0, 2, (case.batch, *mask)) * 1.0,
            "dy": rng.standard_normal((case.batch, *shape)),
        }

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        return {name: np.zeros_like(w) for name, w in want.items()}  # it copies numbers


class MaskedSelect(OpSpec):
    """a where it counts, b elsewhere; the two broadcast to one shape."""

    name = "masked_select"
    signature = "a[B,...,C] b[B,...,C] mask[B,...] -> y[B,...,C]"
    formula = "y = a where mask, else b"
    source = "keras.layers.Maximum"
    arity = 3
    native = False
    discrete = ("x2",)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        a, b, mask = inputs
        if not _fits(mask, a):
            raise ValueError(f"a mask of shape {mask} does not fit an input of shape {a}")
        if len(a) != len(b):
            raise ValueError(f"expected inputs of one rank, got shapes {a}, {b}")
        return _broadcast(self.name, (a, b))

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        a, b, mask = xs
        y[...] = np.where(_positions(mask, a), a, b)

    def backward(
        self,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        a, _, mask = xs
        chosen = np.broadcast_to(_positions(mask, a), dy.shape)
        zero = dy.dtype.type(0)
        for dx, own in ((dxs[0], np.where(chosen, dy, zero)), (dxs[1], np.where(chosen, zero, dy))):
            if dx is not None:
                _fold(own, dx)
        if dxs[2] is not None:
            dxs[2][...] = 0

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return elements(_broadcast(self.name, inputs[:2]))

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((3, size), (3, size), (3,)))
        yield Case(self, 4, ((5,), (5,), ()))
        yield Case(self, 3, ((4, 5), (1, 5), (4,)))
        yield Case(self, 3, ((1, 5), (4, 5), (1,)))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        a, b, mask = case.shapes
        return {
            "x": rng.standard_normal((case.batch, *a)),
            "x1": rng.standard_normal((case.batch, *b)),
            "x2": rng.integers(0, 2, (case.batch, *mask)) * 1.0,
            "dy": rng.standard_normal((case.batch, *case.output_shape)),
        }

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # numbers are copied; a gradient is a sum of as many of them as the broadcast made of one
        bounds = {"y": np.zeros_like(want["y"]), "dx2": np.zeros_like(want["dx2"])}
        for name in ("x", "x1"):
            total = np.empty_like(arrays[name])
            _fold(np.abs(arrays["dy"]), total)
            bounds[f"d{name}"] = elements(case.output_shape) * eps * total
        return bounds
