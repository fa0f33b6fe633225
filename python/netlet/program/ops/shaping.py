"""Ops that move a row's elements: repeated, transposed, cut out; and the affine map of preprocessing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.spec import Array, Attr, Attrs, OpSpec, Shape, elements

__all__ = ["Permute", "RepeatVector", "Standardize"]


class _Moving(OpSpec):
    """What ops that only move numbers share."""

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 0

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        return {
            "x": rng.standard_normal((case.batch, *case.shapes[0])),
            "dy": rng.standard_normal((case.batch, *case.output_shape)),
        }


class RepeatVector(_Moving):
    """A vector ``n`` times, one below the other."""

    name = "repeat_vector"
    signature = "x[B,N] -> y[B,n,N]"
    formula = "y[b, i, :] = x[b, :]"
    source = "keras.layers.RepeatVector"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("n", "int", 1, 1, 2**31),)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if len(inputs[0]) != 1:
            raise ValueError(f"expected a vector, got shape {inputs[0]}")
        return (attrs["n"], *inputs[0])

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        y[...] = xs[0][:, None, :]

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
            np.add.reduce(dy, axis=1, out=dxs[0])

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,),), attrs={"n": 1 + n % 4})

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        total = np.abs(arrays["dy"]).sum(axis=1)
        return {"y": np.zeros_like(want["y"]), "dx": case.attrs["n"] * eps * total}


class Permute(_Moving):
    """A row's axes in another order; ``axes`` are numbered from 1, as 0 is the batch."""

    name = "permute"
    signature = "x[B,...] -> y[B,...]"
    formula = "y = transpose(x, (0, *axes))"
    source = "keras.layers.Permute"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("axes", "ints", (), 1, 16),)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if sorted(attrs["axes"]) != list(range(1, len(inputs[0]) + 1)):
            raise ValueError(f"axes {attrs['axes']} are no order of the {len(inputs[0])} axes of a row {inputs[0]}")
        return tuple(inputs[0][axis - 1] for axis in attrs["axes"])

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.copyto(y, xs[0].transpose(0, *attrs["axes"]))

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
            np.copyto(dxs[0].transpose(0, *attrs["axes"]), dy)

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((3, size),), attrs={"axes": (2, 1)})
        yield Case(self, 3, ((2, 3, 4),), attrs={"axes": (3, 1, 2)})
        yield Case(self, 3, ((5,),), attrs={"axes": (1,)})

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        return {name: np.zeros_like(w) for name, w in want.items()}  # it moves numbers, it computes none


class Standardize(_Moving):
    """What preprocessing does to numbers: the state's mean taken away, then times its factor. No gradient enters it."""

    name = "standardize"
    signature = "x[B,...,*N] state mean[*N] factor[*N] -> y[B,...,*N]"
    formula = "y = (x - mean) * factor"
    source = "keras.layers.Normalization, keras.layers.Rescaling"
    state_names = ("mean", "factor")
    contextual = True

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("axes", "int", 1, 0, 16),)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if len(inputs[0]) < attrs["axes"]:
            raise ValueError(f"expected an input of at least {attrs['axes']} axes, got shape {inputs[0]}")
        return inputs[0]

    def state_shapes(self, inputs: Sequence[Shape], attrs: Attrs) -> tuple[Shape, ...]:
        shape = inputs[0][len(inputs[0]) - attrs["axes"] :] or (1,)  # one number for all, where no axis has its own
        return shape, shape

    def forward_in(
        self,
        context: object,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
    ) -> None:
        np.subtract(xs[0], state[0], out=y)
        y *= state[1]

    def backward_in(
        self,
        context: object,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        if dxs[0] is not None:
            np.multiply(dy, state[1], out=dxs[0])

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 2 * elements(inputs[0])

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,),), attrs={"axes": (1, 0)[n % 4 == 3]})
        yield Case(self, 3, ((4, 5),))
        yield Case(self, 3, ((4, 5),), attrs={"axes": 2})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape = case.state_shapes[0]
        return {**super().sample(case, rng), "mean": rng.standard_normal(shape), "factor": rng.uniform(0.1, 3.0, shape)}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        size = (np.abs(arrays["x"]) + np.abs(arrays["mean"])) * np.abs(arrays["factor"])
        unchanged = {name: np.zeros_like(want[name]) for name in self.state_names}
        return {"y": 2 * eps * size, "dx": eps * np.abs(want["dx"]), **unchanged}
