"""Reshape: the same elements of a row under another shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import Case
from netlet.program.spec import Array, Attrs, OpSpec, Shape, elements

__all__ = ["Reshape"]


class Reshape(OpSpec):
    """Gives a row's elements, in their order, the shape that the Program declares for the output."""

    name = "reshape"
    signature = "x[B,...] -> y[B,...]"
    formula = "y = x with another shape; the elements keep their order"

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        have, want = elements(inputs[0]), elements(declared)
        if have != want:
            raise ValueError(f"input of shape {inputs[0]} has {have} elements, {declared} has {want}")
        return declared

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.copyto(y.reshape(xs[0].shape), xs[0])

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
            np.copyto(dxs[0].reshape(dy.shape), dy)

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 0

    def cases(self) -> Iterator[Case]:
        for before, after in (
            ((6,), (2, 3)),
            ((2, 3), (6,)),
            ((3, 5), (5, 3)),
            ((1,), ()),
            ((), (1, 1)),
            ((31,), (31,)),
        ):
            for batch in (1, 5):
                yield Case(self, batch, (before,), output=after)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        return {
            "x": rng.standard_normal((case.batch, *case.shapes[0])),
            "dy": rng.standard_normal((case.batch, *case.output_shape)),
        }

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        return {name: np.zeros_like(w) for name, w in want.items()}  # it moves numbers, it computes none
