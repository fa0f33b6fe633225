"""PReLU: a rectifier whose slope below 0 is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.spec import Array, Attrs, OpSpec, Shape, elements

__all__ = ["PReLU"]


class PReLU(OpSpec):
    """``x`` above 0 and ``alpha * x`` below, alpha one number an element of a row; axes of length 1 are shared."""

    name = "prelu"
    signature = "x[B,*N] alpha[*N or 1s] -> y[B,*N]"
    formula = "y = max(x, 0) + alpha * min(x, 0)"
    source = "He, Zhang, Ren, Sun (2015); keras.layers.PReLU"
    param_names = ("alpha",)
    required_params = 1

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        x, alpha = inputs[0], params[0]
        if len(alpha) != len(x) or any(a not in (1, n) for a, n in zip(alpha, x, strict=True)):
            raise ValueError(f"alpha has shape {alpha}, expected the sizes of {x}, or 1, for each axis of a row")
        return x

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        np.multiply(xs[0], params[0], out=y)
        np.copyto(y, xs[0], where=xs[0] > 0)

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
        x, alpha = xs[0], params[0]
        if dparams and dparams[0] is not None:
            below = dy * np.minimum(x, x.dtype.type(0))
            axes = (0, *(i + 1 for i, n in enumerate(alpha.shape) if n != x.shape[i + 1]))
            dparams[0][...] = np.add.reduce(below, axis=axes, keepdims=True)[0]
        if dxs[0] is not None:
            np.copyto(dxs[0], np.where(x > 0, dy, dy * alpha))

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 2 * elements(inputs[0])

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,),), ((size if n % 4 else 1,),))
        yield Case(self, 3, ((4, 5),), ((4, 5),))
        yield Case(self, 3, ((4, 5),), ((1, 5),))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Numbers away from the kink at 0."""
        shape = (case.batch, *case.shapes[0])
        x = rng.uniform(0.1, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
        return {"x": x, "alpha": rng.uniform(0.0, 0.5, case.params[0]), "dy": rng.standard_normal(shape)}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # a product each; alpha's gradient is a sum of as many as share it
        below = np.abs(arrays["dy"] * np.minimum(arrays["x"], 0))
        axes = (0, *(i + 1 for i, n in enumerate(case.params[0]) if n != case.shapes[0][i]))
        total = np.add.reduce(below, axis=axes, keepdims=True)[0]
        terms = below.size // max(total.size, 1) + 1
        return {"y": eps * np.abs(want["y"]), "dx": eps * np.abs(want["dx"]), "dalpha": terms * eps * total}
