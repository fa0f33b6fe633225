"""Ops that make numbers ready for a model: rescaled, put into bins, looked up in a table, encoded as classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.spec import Array, Attr, Attrs, OpSpec, Shape, elements

__all__ = ["Discretize", "EncodeCategory", "Lookup", "Rescale"]


def _numbers(value: float | tuple[float, ...], dtype: np.dtype[np.generic]) -> Array:
    return np.asarray(value, dtype)


class Rescale(OpSpec):
    """``x * scale + offset``; a list of numbers runs along the last axis."""

    name = "rescale"
    signature = "x[B,...,N] -> y[B,...,N]"
    formula = "y = x * scale + offset"
    source = "keras.layers.Rescaling"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return Attr("scale", "float or list", 1.0), Attr("offset", "float or list", 0.0)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        for name in ("scale", "offset"):
            value = attrs[name]
            if isinstance(value, tuple) and len(value) not in (1, *inputs[0][-1:]):
                raise ValueError(f"{name} has {len(value)} numbers, expected one, or as many as x {inputs[0]} has last")
        return inputs[0]

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.multiply(xs[0], _numbers(attrs["scale"], y.dtype), out=y)
        y += _numbers(attrs["offset"], y.dtype)

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
            np.multiply(dy, _numbers(attrs["scale"], dy.dtype), out=dxs[0])

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 2 * elements(inputs[0])

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,),), attrs={"scale": 1 / 127.5, "offset": (-1.0, 0.3)[n % 2]})
        yield Case(self, 3, ((2, 3),), attrs={"scale": (0.5, 2.0, -1.0), "offset": (0.1, 0.2, 0.3)})
        yield Case(self, 3, ((2, 3),), attrs={"scale": (0.3,), "offset": (0.1, 0.2, 0.3)})
        yield Case(self, 4, ((),), attrs={"scale": 3.0})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape = (case.batch, *case.shapes[0])
        return {"x": rng.standard_normal(shape), "dy": rng.standard_normal(shape)}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # the attributes are rounded to the type, then the product, then the sum
        scale, offset = (np.abs(_numbers(case.attrs[name], np.dtype(float))) for name in ("scale", "offset"))
        product = np.abs(arrays["x"]) * scale
        return {"y": 2 * eps * (product + offset), "dx": 2 * eps * np.abs(want["dx"])}


class _Discrete(OpSpec):
    """What ops share whose results are whole numbers: nothing has a slope, and every backend has the same bits."""

    native = False
    discrete = ("x",)

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
            dxs[0][...] = 0

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 0

    def _draw(self, case: Case, rng: np.random.Generator, shape: Shape) -> Array:
        """x of a case."""
        raise NotImplementedError

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        x = self._draw(case, rng, (case.batch, *case.shapes[0]))
        if case.data == "special":
            x.reshape(-1)[:4] = [np.nan, np.inf, -np.inf, -0.0]
        return {"x": x, "dy": rng.standard_normal((case.batch, *case.output_shape))}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        return {name: np.zeros_like(w) for name, w in want.items()}  # whole numbers below 2**24 are exact


class Discretize(_Discrete):
    """The number of the bin that x lies in. Bins hold their lower end; NaN is in the last one.

    The boundaries are rounded to x's type, so that a number equal to one as it is written is in the bin above.
    """

    name = "discretize"
    signature = "x[B,...] -> y[B,...]"
    formula = "y = number of boundaries <= x"
    source = "keras.layers.Discretization"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("boundaries", "float or list", (0.0,)),)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        boundaries = np.atleast_1d(attrs["boundaries"])
        if (np.diff(boundaries) < 0).any():
            raise ValueError(f"boundaries {attrs['boundaries']} are not in ascending order")
        return inputs[0]

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        boundaries = np.atleast_1d(_numbers(attrs["boundaries"], xs[0].dtype))
        y[...] = np.searchsorted(boundaries, xs[0], side="right")

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            boundaries = ((-1.0, 0.0, 0.5), (0.25,))[n % 2]
            yield Case(self, (1, 3, 7)[n % 3], ((size,),), attrs={"boundaries": boundaries})
        yield Case(self, 3, ((2, 3),), attrs={"boundaries": (0.0, 1.0)}, data="special")
        yield Case(self, 4, ((),), attrs={"boundaries": (0.0, 1.0)})

    def _draw(self, case: Case, rng: np.random.Generator, shape: Shape) -> Array:
        return rng.integers(-12, 12, shape) / 8.0  # boundaries are among them


class Lookup(_Discrete):
    """The value at x's place among the keys; for an x that is none of them, the default.

    With ``buckets`` of at least 2, the default is only the first of as many values: it is ``default + x mod buckets``.
    """

    name = "lookup"
    signature = "x[B,...] -> y[B,...]"
    formula = "y = values[i] where keys[i] = x, else default + x mod buckets"
    source = "keras.layers.IntegerLookup"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("keys", "float or list", (0.0,)),
            Attr("values", "float or list", (0.0,)),
            Attr("default", "float", 0.0),
            Attr("buckets", "int", 1, 1, 2**24),
        )

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        keys, values = np.atleast_1d(attrs["keys"]), np.atleast_1d(attrs["values"])
        if len(keys) != len(values):
            raise ValueError(f"has {len(keys)} keys and {len(values)} values, expected as many of each")
        if (np.diff(keys) <= 0).any():
            raise ValueError("keys are not in ascending order, or one is there twice")
        return inputs[0]

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        x = xs[0]
        keys, values = (np.atleast_1d(_numbers(attrs[name], x.dtype)) for name in ("keys", "values"))
        place = np.minimum(np.searchsorted(keys, x), len(keys) - 1)
        other: Array | float = attrs["default"]
        if attrs["buckets"] > 1:
            other = attrs["default"] + np.nan_to_num(np.mod(x, attrs["buckets"]), nan=0.0)
        y[...] = np.where(keys[place] == x, values[place], other)

    def cases(self) -> Iterator[Case]:
        tables: tuple[Attrs, ...] = (
            {"keys": (-3.0, 0.0, 5.0, 7.0), "values": (4.0, 1.0, 3.0, 2.0)},
            {"keys": 4.0, "values": 9.0, "default": -1.0},
            {"keys": (1.0, 2.0, 3.0), "values": (5.0, 0.0, 7.0), "default": 1.0, "buckets": 3},
        )
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,),), attrs=tables[n % 3])
        yield Case(self, 3, ((2, 3),), attrs=tables[0], data="special")
        yield Case(self, 3, ((2, 3),), attrs=tables[2], data="special")
        yield Case(self, 4, ((),), attrs=tables[2])

    def _draw(self, case: Case, rng: np.random.Generator, shape: Shape) -> Array:
        return rng.integers(-4, 9, shape) * 1.0


class EncodeCategory(_Discrete):
    """Numbers 0 .. depth-1 as vectors of length depth; any other number as none of them (zeros).

    ``one_hot`` makes a vector of each number (a last axis of length 1 is replaced), ``multi_hot`` and ``count`` one of
    all numbers along the last axis: whether, and how often, each is there.
    """

    name = "encode_category"
    signature = "x[B,...,N] -> y[B,...,depth]"
    formula = "y[..., d] = x = d; or any, or sum, over the last axis"
    source = "keras.layers.CategoryEncoding"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("mode", "name", "multi_hot", names=("one_hot", "multi_hot", "count")),
            Attr("depth", "int", 1, 1, 2**24),
        )

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        (x,) = inputs
        keeps = attrs["mode"] == "one_hot" and x[-1:] != (1,)
        return (*(x if keeps else x[:-1]), attrs["depth"])

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        x, depth = xs[0], attrs["depth"]
        vectors = y.reshape(-1, depth)
        classes = np.nan_to_num(x, nan=-1.0, posinf=depth, neginf=-1.0).clip(-1, depth).astype(np.intp)
        classes = classes.reshape(len(vectors), -1)
        vectors[...] = 0
        row, column = np.nonzero((classes >= 0) & (classes < depth))
        if attrs["mode"] == "count":
            np.add.at(vectors, (row, classes[row, column]), 1)
        else:
            vectors[row, classes[row, column]] = 1

    def cases(self) -> Iterator[Case]:
        modes = ("one_hot", "multi_hot", "count")
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(
                self, (1, 3, 7)[n % 3], ((size,),), attrs={"mode": modes[n % 3], "depth": (5, 1, 17)[n // 3 % 3]}
            )
        for mode in modes:
            yield Case(self, 3, ((2, 3),), attrs={"mode": mode, "depth": 4})
            yield Case(self, 3, ((2, 1),), attrs={"mode": mode, "depth": 4})
            yield Case(self, 5, ((),), attrs={"mode": mode, "depth": 4})
            yield Case(self, 5, ((4,),), attrs={"mode": mode, "depth": 3}, data="special")

    def _draw(self, case: Case, rng: np.random.Generator, shape: Shape) -> Array:
        return rng.integers(-1, case.attrs["depth"] + 1, shape) * 1.0
