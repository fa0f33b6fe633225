"""Embedding: rows of a table, picked by number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import Case
from netlet.program.spec import Array, Attr, Attrs, OpSpec, Shape, elements

__all__ = ["Embedding"]


class Embedding(OpSpec):
    """Row ``x`` of the table for each number x.

    Numbers are held in the Program's element type, so a float32 Program tells 2**24 of them apart. One that is below 0
    or beyond the table is taken as the nearest row there is; Python checks them before.
    """

    name = "embedding"
    signature = "x[B,...] table[V,D] -> y[B,...,D]"
    formula = "y[b, ..., :] = table[x[b, ...], :]"
    source = "keras.layers.Embedding"
    param_names = ("table",)
    required_params = 1
    discrete = ("x",)

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return ()

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if len(params[0]) != 2:
            raise ValueError(f"table has shape {params[0]}, expected two axes [V, D]")
        return (*inputs[0], params[0][1])

    @staticmethod
    def _numbers(x: Array, table: Array) -> Array:
        last = len(table) - 1
        return np.nan_to_num(x, nan=0.0, posinf=last, neginf=0.0).clip(0, last).astype(np.intp)

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.take(params[0], self._numbers(xs[0], params[0]), axis=0, out=y, mode="clip")

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
        if dparams and dparams[0] is not None:
            dparams[0][...] = 0
            width = dy.shape[-1]
            np.add.at(dparams[0], self._numbers(xs[0], params[0]).reshape(-1), dy.reshape(-1, width))
        if dxs[0] is not None:
            dxs[0][...] = 0

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 0

    def bytes(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, itemsize: int) -> int:
        return itemsize * elements(inputs[0]) * (1 + 2 * params[0][1])

    def cases(self) -> Iterator[Case]:
        sizes = ((3, 3), (7, 7), (11, 8), (2, 9), (5, 15), (5, 16), (5, 17), (100, 4))
        for n, (rows, width) in enumerate(sizes):
            yield Case(self, (1, 3, 7)[n % 3], ((width,),), ((rows, width),))
        yield Case(self, 3, ((2, 4),), ((6, 5),))
        yield Case(self, 5, ((),), ((6, 5),))
        yield Case(self, 4, ((3,),), ((1, 1),))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        rows = case.params[0][0]
        x = rng.integers(0, rows, (case.batch, *case.shapes[0])) * 1.0
        dy = rng.standard_normal((case.batch, *case.output_shape))
        return {"x": x, "table": rng.standard_normal(case.params[0]), "dy": dy}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # rows are copied; a row's gradient is a sum of at most as many terms as there are numbers
        total = np.zeros_like(want["dtable"])
        numbers = self._numbers(arrays["x"], arrays["table"]).reshape(-1)
        np.add.at(total, numbers, np.abs(arrays["dy"]).reshape(numbers.size, -1))
        return {"y": np.zeros_like(want["y"]), "dx": np.zeros_like(want["dx"]), "dtable": numbers.size * eps * total}
