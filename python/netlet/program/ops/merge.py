"""Ops that join several values of a row into one: sums, products, averages, extremes, concatenation, dot products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.spec import Array, Attr, Attrs, OpSpec, Shape, elements

__all__ = ["Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"]


def _broadcast(name: str, shapes: Sequence[Shape]) -> Shape:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = ", ".join(map(str, shapes))
        raise ValueError(f"{name}: inputs of shapes {listed} do not broadcast to one shape") from None


def _fold(dy: Array, dx: Array) -> None:
    """dx <- dy, summed over the axes that dx was broadcast along; both begin with the batch."""
    axes = tuple(axis for axis in range(1, dy.ndim) if dx.shape[axis] != dy.shape[axis])
    if axes:
        np.add.reduce(dy, axis=axes, keepdims=True, out=dx)
    else:
        np.copyto(dx, dy)


class _Elementwise(OpSpec):
    """What the elementwise ones share: inputs of one rank, whose axes are equal or 1."""

    arity: int | None = None
    least_inputs = 2

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if len({len(shape) for shape in inputs}) != 1:
            raise ValueError(f"{self.name}: expected inputs of one rank, got shapes {', '.join(map(str, inputs))}")
        return _broadcast(self.name, inputs)

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return elements(_broadcast(self.name, inputs)) * (len(inputs) - 1)

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            count = self.arity or 2 + n % 3
            yield Case(self, (1, 3, 7)[n % 3], ((size,),) * count)
        pair: tuple[tuple[Shape, Shape], ...] = (((4, 5), (4, 5)), ((1, 5), (4, 1)), ((3, 1, 2), (3, 7, 2)))
        for shapes in pair:
            yield Case(self, 3, shapes)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        arrays = {
            name: rng.standard_normal((case.batch, *shape))
            for name, shape in zip(case.input_names, case.shapes, strict=True)
        }
        return {**arrays, "dy": rng.standard_normal((case.batch, *case.output_shape))}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # n - 1 roundings of partial results, none larger than the sum (or product) of sizes; gradients are sums of
        # at most as many terms as the broadcast made of one, times n - 1 factors
        xs = [np.abs(arrays[name]) for name in case.input_names]
        size = self._size(xs)
        count, spread = len(xs), elements(case.output_shape)
        bounds = {"y": count * eps * size}
        for i, name in enumerate(case.input_names):
            total = np.empty_like(arrays[name])
            _fold(np.abs(arrays["dy"]) * self._slope(xs, i), total)
            bounds[f"d{name}"] = (count + spread) * eps * total
        return bounds

    def _slope(self, xs: list[Array], i: int) -> Array | float:
        """At most how much the output changes with input i."""
        return 1.0

    def _size(self, xs: list[Array]) -> Array:
        total = xs[0]
        for x in xs[1:]:
            total = total + x
        return total


class Add(_Elementwise):
    """The sum, from the first input to the last."""

    name = "add"
    signature = "x0[B,...] x1[B,...] ... -> y[B,...]"
    formula = "y = x0 + x1 + ..."
    source = "keras.layers.Add"

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.add(xs[0], xs[1], out=y)
        for x in xs[2:]:
            y += x

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
                _fold(dy, dx)


class Average(Add):
    """The mean of the inputs."""

    name = "average"
    formula = "y = (x0 + x1 + ...) / n"
    source = "keras.layers.Average"

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        super().forward(attrs, xs, params, y)
        y /= len(xs)

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
        dy /= len(xs)
        super().backward(attrs, xs, params, y, dy, dxs, dparams)


class Subtract(_Elementwise):
    """The first input less the second."""

    name = "subtract"
    signature = "x0[B,...] x1[B,...] -> y[B,...]"
    formula = "y = x0 - x1"
    source = "keras.layers.Subtract"
    arity = 2

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.subtract(xs[0], xs[1], out=y)

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
        if dxs[0] is not None:
            _fold(dy, dxs[0])
        if dxs[1] is not None:
            np.negative(dy, out=dy)
            _fold(dy, dxs[1])


class Multiply(_Elementwise):
    """The product, from the first input to the last."""

    name = "multiply"
    signature = "x0[B,...] x1[B,...] ... -> y[B,...]"
    formula = "y = x0 * x1 * ..."
    source = "keras.layers.Multiply"

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.multiply(xs[0], xs[1], out=y)
        for x in xs[2:]:
            y *= x

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
        for i, dx in enumerate(dxs):
            if dx is not None:  # the others' product, not y / x: x may be 0
                product = dy.copy()
                for j, x in enumerate(xs):
                    if j != i:
                        product *= x
                _fold(product, dx)

    def _size(self, xs: list[Array]) -> Array:
        product = xs[0]
        for x in xs[1:]:
            product = product * x
        return product

    def _slope(self, xs: list[Array], i: int) -> Array | float:
        rest = [x for j, x in enumerate(xs) if j != i]
        return self._size(rest)


class Maximum(_Elementwise):
    """The largest of the inputs; its gradient goes to the first of those that are as large."""

    name = "maximum"
    signature = "x0[B,...] x1[B,...] ... -> y[B,...]"
    formula = "y = max(x0, x1, ...)"
    source = "keras.layers.Maximum"
    _pick: Any = staticmethod(np.maximum)

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        self._pick(xs[0], xs[1], out=y)
        for x in xs[2:]:
            self._pick(y, x, out=y)

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
        free = np.ones(y.shape, bool)
        for x, dx in zip(xs, dxs, strict=True):
            chosen = (x == y) & free
            free &= ~chosen
            if dx is not None:
                _fold(np.where(chosen, dy, dy.dtype.type(0)), dx)


class Minimum(Maximum):
    """The smallest of the inputs; its gradient goes to the first of those that are as small."""

    name = "minimum"
    formula = "y = min(x0, x1, ...)"
    source = "keras.layers.Minimum"
    _pick: Any = staticmethod(np.minimum)


class Concatenate(OpSpec):
    """The inputs side by side along one axis of a row."""

    name = "concatenate"
    signature = "x0[B,...,N0,...] x1[B,...,N1,...] ... -> y[B,...,N0+N1+...,...]"
    formula = "y = x0, x1, ... side by side along the axis"
    source = "keras.layers.Concatenate"
    arity = None

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("axis", "int", -1, -16, 16),)

    @staticmethod
    def _axis(attrs: Attrs, rank: int) -> int:
        """The axis of the arrays, the batch counted; ``axis`` counts it, too, where it is positive."""
        axis = int(attrs["axis"])
        return axis if axis > 0 else rank + 1 + axis

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        rank = len(inputs[0])
        axis = self._axis(attrs, rank)
        if not 1 <= axis <= rank:
            raise ValueError(f"concatenate: axis {attrs['axis']} is none of a row's, which has {rank}; 0 is the batch")
        rests = {(*shape[: axis - 1], *shape[axis:]) for shape in inputs}
        if len({len(shape) for shape in inputs}) != 1 or len(rests) != 1:
            raise ValueError(
                f"concatenate: inputs of shapes {', '.join(map(str, inputs))} differ in more than axis {attrs['axis']}"
            )
        total = sum(shape[axis - 1] for shape in inputs)
        return (*inputs[0][: axis - 1], total, *inputs[0][axis:])

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.concatenate(xs, axis=self._axis(attrs, y.ndim - 1), out=y)

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
        axis = self._axis(attrs, y.ndim - 1)
        ends = np.cumsum([x.shape[axis] for x in xs])
        for dx, part in zip(dxs, np.split(dy, ends[:-1], axis=axis), strict=True):
            if dx is not None:
                np.copyto(dx, part)

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 0

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,), (5,), (1,))[: 1 + n % 3])
        yield Case(self, 3, ((4, 5), (4, 2)))
        yield Case(self, 3, ((4, 5), (3, 5)), attrs={"axis": 1})
        yield Case(self, 2, ((2, 3, 2), (2, 1, 2)), attrs={"axis": -2})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        arrays = {
            name: rng.standard_normal((case.batch, *shape))
            for name, shape in zip(case.input_names, case.shapes, strict=True)
        }
        return {**arrays, "dy": rng.standard_normal((case.batch, *case.output_shape))}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        return {name: np.zeros_like(w) for name, w in want.items()}  # it moves numbers, it computes none


class Dot(OpSpec):
    """Products of two inputs summed over one axis of each, as ``keras.layers.Dot``; rows do not mix.

    With ``normalize``, both are first divided by their norms along these axes (cosine similarity): by
    ``sqrt(max(sum of squares, 1e-12))``.
    """

    name = "dot"
    signature = "x0[B,...,K,...] x1[B,...,K,...] -> y[B,..., ...]"
    formula = "y = sum over k of x0[..., k, ...] * x1[..., k, ...]"
    source = "keras.layers.Dot"
    arity = 2
    native = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("axis0", "int", 1, 1, 16),
            Attr("axis1", "int", 1, 1, 16),
            Attr("normalize", "bool", False),
        )

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        first, second = attrs["axis0"] - 1, attrs["axis1"] - 1
        if first >= len(inputs[0]) or second >= len(inputs[1]) or inputs[0][first] != inputs[1][second]:
            raise ValueError(
                f"dot: inputs of shapes {inputs[0]} and {inputs[1]} have no axes {attrs['axis0']} and "
                f"{attrs['axis1']} of one length (axis 0 is the batch)"
            )
        rest = (*inputs[0][:first], *inputs[0][first + 1 :], *inputs[1][:second], *inputs[1][second + 1 :])
        return rest or (1,)

    @staticmethod
    def _last(x: Array, axis: int) -> Array:
        """``x`` as ``[B, rest, K]``."""
        moved = np.moveaxis(x, axis, -1)
        return moved.reshape(len(x), -1, x.shape[axis])

    @staticmethod
    def _norms(x: Array) -> tuple[Array, Array]:
        """What ``[B, R, K]`` is divided by, and where that is the norm and not its least value."""
        squares = np.add.reduce(x * x, axis=2, keepdims=True)
        least = x.dtype.type(1e-12)
        return np.sqrt(np.maximum(squares, least)), squares > least

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        a, b = self._last(xs[0], attrs["axis0"]), self._last(xs[1], attrs["axis1"])
        if attrs["normalize"]:
            a, b = a / self._norms(a)[0], b / self._norms(b)[0]
        np.copyto(y.reshape(len(y), a.shape[1], b.shape[1]), np.matmul(a, b.transpose(0, 2, 1)))

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
        axes = attrs["axis0"], attrs["axis1"]
        raw = [self._last(x, axis) for x, axis in zip(xs, axes, strict=True)]
        sides = [x / self._norms(x)[0] for x in raw] if attrs["normalize"] else raw
        d = dy.reshape(len(dy), raw[0].shape[1], raw[1].shape[1])
        flows = np.matmul(d, sides[1]), np.matmul(d.transpose(0, 2, 1), sides[0])
        for x, unit, flow, axis, dx in zip(raw, sides, flows, axes, dxs, strict=True):
            if dx is None:
                continue
            if attrs["normalize"]:  # of x / |x|: (flow - unit (unit . flow)) / |x|
                norm, free = self._norms(x)
                along = np.add.reduce(unit * flow, axis=2, keepdims=True)
                flow = (flow - np.where(free, along, x.dtype.type(0)) * unit) / norm
            moved = np.moveaxis(dx, axis, -1)
            np.copyto(moved, flow.reshape(moved.shape))

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        shared: int = inputs[0][attrs["axis0"] - 1]
        return 2 * elements(inputs[0]) * elements(inputs[1]) // shared

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,), (size,)), attrs={"normalize": n % 2 == 1})
        for normalize in (False, True):
            yield Case(self, 3, ((4, 5), (4, 2)), attrs={"normalize": normalize})
            yield Case(self, 2, ((4, 5), (3, 5)), attrs={"axis0": 2, "axis1": 2, "normalize": normalize})
            yield Case(self, 2, ((3, 6), (6, 2)), attrs={"axis0": 2, "axis1": 1, "normalize": normalize})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Numbers away from 0, so that no norm is."""
        arrays = {}
        for name, shape in zip(case.input_names, case.shapes, strict=True):
            x = rng.uniform(0.3, 2.0, (case.batch, *shape))
            arrays[name] = x * rng.choice([-1.0, 1.0], x.shape)
        return {**arrays, "dy": rng.standard_normal((case.batch, *case.output_shape))}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # A sum of K products errs by K u of the sum of sizes (Higham, section 3.1); a normalized factor by (K + 4) u of
        # itself, and its gradient has two such sums, whose sizes the norms bound.
        axes = attrs_axes = case.attrs["axis0"], case.attrs["axis1"]
        a, b = (self._last(np.abs(arrays[name]), axis) for name, axis in zip(("x", "x1"), axes, strict=True))
        dy = np.abs(arrays["dy"]).reshape(case.batch, a.shape[1], b.shape[1])
        k, normalize = a.shape[2], case.attrs["normalize"]
        norms = [self._norms(x)[0] if normalize else np.ones(1) for x in (a, b)]
        unit_a, unit_b = a / norms[0], b / norms[1]
        factor = (k + 3) * eps * (4 if normalize else 1)
        flows = np.matmul(dy, unit_b), np.matmul(dy.transpose(0, 2, 1), unit_a)
        bounds = {"y": (factor * np.matmul(unit_a, unit_b.transpose(0, 2, 1))).reshape(want["y"].shape)}
        for name, unit, flow, norm, axis in zip(("x", "x1"), (unit_a, unit_b), flows, norms, attrs_axes, strict=True):
            size = flow
            if normalize:
                size = (flow + np.add.reduce(unit * flow, axis=2, keepdims=True) * unit) / norm
            terms = max(dy.shape[1:]) + 1
            moved = np.moveaxis(want[f"d{name}"], axis, -1)
            bounds[f"d{name}"] = np.moveaxis((terms * factor * size).reshape(moved.shape), -1, axis)
        return bounds
