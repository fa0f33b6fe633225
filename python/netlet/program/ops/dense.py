"""Dense: an affine map of the last axis, with an activation as its epilogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.ops.elementwise import ACTIVATIONS, EPILOGUES, activation_attributes
from netlet.program.spec import Array, Attr, Attrs, OpSpec, Shape, elements

__all__ = ["Dense"]

# B, I, O: the smallest, primes, around multiples of the vector and block sizes, and two that run op-parallel natively.
_SIZES = (
    (1, 1, 1),
    (1, 2, 3),
    (3, 1, 3),
    (10, 2, 1),
    (7, 13, 1),
    (3, 7, 8),
    (8, 8, 9),
    (2, 15, 15),
    (16, 16, 17),
    (17, 17, 16),
    (31, 33, 7),
    (33, 31, 33),
    (1, 65, 1),
    (1, 61, 67),
    (64, 64, 64),
    (65, 63, 65),
    (128, 100, 10),
    (127, 300, 131),
    (129, 257, 512),
)


def _rows(x: Array) -> Array:
    """``x`` as a matrix: all axes but the last are rows."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


class Dense(OpSpec):
    """``y = f(x @ kernel + bias)`` over the last axis; all axes before it are rows."""

    name = "dense"
    signature = "x[B,...,I] kernel[I,O] bias[O]? -> y[B,...,O]"
    formula = "y = activation(x @ kernel + bias)"
    param_names = ("kernel", "bias")
    required_params = 1

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return activation_attributes(given, EPILOGUES)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        x, kernel = inputs[0], params[0]
        if len(kernel) != 2:
            raise ValueError(f"kernel has shape {kernel}, expected two axes [I, O]")
        if not x or x[-1] != kernel[0]:
            raise ValueError(f"input has shape (None, {', '.join(map(str, x))}), expected a last axis of {kernel[0]}")
        if len(params) == 2 and params[1] != kernel[1:]:
            raise ValueError(f"bias has shape {params[1]}, expected {kernel[1:]}")
        return (*x[:-1], kernel[1])

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        kernel, activation = params[0], attrs["activation"]
        x2, y2 = _rows(xs[0]), _rows(y)
        np.matmul(x2, kernel, out=y2)
        if len(params) == 2:
            y2 += params[1]
        if activation != "linear":
            ACTIVATIONS[activation].forward(attrs, y2, y2)

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
        kernel, activation = params[0], attrs["activation"]
        x2, dz = _rows(xs[0]), _rows(dy)
        if activation != "linear":
            ACTIVATIONS[activation].backward(attrs, None, _rows(y), dz, dz)
        if dparams and dparams[0] is not None:
            np.matmul(x2.T, dz, out=dparams[0])
        if len(dparams) == 2 and dparams[1] is not None:
            np.add.reduce(dz, axis=0, out=dparams[1])
        dx = dxs[0]
        if dx is not None:
            np.matmul(dz, kernel.T, out=_rows(dx))

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        width, units = params[0]
        rows = elements(inputs[0]) // width
        return rows * units * (2 * width + (len(params) - 1) + ACTIVATIONS[attrs["activation"]].flops)

    def backward_flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, dx: bool) -> int:
        width, units = params[0]
        rows = elements(inputs[0]) // width
        return rows * units * (2 * width * (1 + dx) + (len(params) - 1) + ACTIVATIONS[attrs["activation"]].flops)

    def cases(self) -> Iterator[Case]:
        linear = {"activation": "linear"}
        for b, i, o in _SIZES:
            bias = ((o,),) if (b + i + o) % 3 else ()
            yield Case(self, b, ((i,),), ((i, o), *bias), linear)
        for n, size in enumerate(HOSTILE_SIZES):  # each kind of tail in each of B, I and O
            yield Case(self, 5, ((size,),), ((size, 6), (6,)), linear)
            yield Case(self, 2, ((6,),), ((6, size), (size,)), linear)
            yield Case(self, size, ((HOSTILE_SIZES[-n],),), ((HOSTILE_SIZES[-n], 3),), linear)
        for shape in ((2, 3), (4, 1), (3, 2, 5), (1, 1, 7)):
            yield Case(self, 3, (shape,), ((shape[-1], 9), (9,)), linear)
            yield Case(self, 3, (shape,), ((shape[-1], 9), (9,)), {"activation": "tanh"})
        for b, i, o in ((7, 13, 1), (33, 31, 33), (16, 64, 17), (130, 67, 129)):
            yield Case(self, b, ((i,),), ((i, o), (o,)), linear, "integer")  # sums of integers have no excuse
            yield Case(self, b, ((i,),), ((i, o), (o,)), {"activation": "relu"}, "integer")
        for name in EPILOGUES:
            data = "grid" if ACTIVATIONS[name].kinked else "normal"
            for b, i, o in ((1, 1, 1), (7, 13, 17), (33, 8, 9), (2, 3, 31)):
                yield Case(self, b, ((i,),), ((i, o), (o,)), {"activation": name}, data)
            yield Case(self, 6, ((5,),), ((5, 7),), {"activation": name}, data)
        for name, alpha in (("leaky_relu", 0.01), ("leaky_relu", 0.0), ("elu", 0.5), ("elu", 2.0), ("celu", 2.0)):
            yield Case(self, 4, ((6,),), ((6, 11), (11,)), {"activation": name, "alpha": alpha}, "grid")

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``normal``: numbers around 0. ``integer``: small integers, which every element type sums exactly.
        ``grid``: multiples of 1/16 so chosen that no pre-activation is 0, where kinked functions have their kink."""
        (width, units), shape = case.params[0], (case.batch, *case.shapes[0])
        x: Array
        kernel: Array
        bias: Array
        dy: Array = rng.standard_normal((case.batch, *case.output_shape))
        if case.data == "normal":
            x, kernel = rng.standard_normal(shape), rng.standard_normal((width, units)) / np.sqrt(width)
            bias = rng.standard_normal(units)
        elif case.data == "integer":
            x, kernel = rng.integers(-4, 5, shape) * 1.0, rng.integers(-4, 5, (width, units)) * 1.0
            bias, dy = rng.integers(-4, 5, units) + 0.5, rng.integers(-4, 5, dy.shape) * 1.0
        else:
            x, kernel = rng.integers(-2, 3, shape) * 1.0, rng.integers(-4, 5, (width, units)) / 8
            x[..., 0] = rng.choice([-1.0, 1.0], shape[:-1])
            kernel[0] = (2 * rng.integers(-16, 16, units) + 1) / 16  # the only odd sixteenth in the sum
            bias = rng.integers(-4, 5, units) / 8
        arrays = {"x": x, "kernel": kernel, "dy": dy}
        return {**arrays, "bias": bias} if len(case.params) == 2 else arrays

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # A sum of k products in any order, fused or not, errs by at most (k + 1) u sum|a||b| to first order (Higham,
        # Accuracy and Stability, 2002, section 3.1), u = eps/2; the bias is one more term. Errors of the operands pass
        # through: z's through the activation's slope into y, y's through the slope formula into dz, dz's into the rest.
        f = ACTIVATIONS[case.attrs["activation"]]
        width, units = case.params[0]
        u = eps / 2
        x, dy = arrays["x"].reshape(-1, width), arrays["dy"].reshape(-1, units)
        y, kernel = want["y"].reshape(-1, units), np.abs(arrays["kernel"])
        bias = arrays.get("bias", np.zeros(units))
        rows = len(x)
        z = x @ arrays["kernel"] + bias
        slope = np.empty_like(z)
        f.backward(case.attrs, None, y, np.ones_like(z), slope)
        if case.data == "integer":
            z_error = np.zeros_like(z)
            y_error, dz_error = z_error, z_error
            sums_error = 0.0
        else:
            z_error = (width + 2) * u * (np.abs(x) @ kernel + np.abs(bias))
            steepest = np.abs(y) if f.name == "exponential" else f.steepest * max(1.0, case.attrs.get("alpha", 1.0))
            y_error = 1.01 * steepest * z_error + f.forward_error(case.attrs, z, y, eps)
            slope_error = f.slope_error(case.attrs, z, y, y_error, eps)
            dz_error = np.abs(dy) * (slope_error + eps * np.abs(slope))
            sums_error = u
        dz = np.abs(dy * slope)
        bounds = {
            "y": y_error.reshape(want["y"].shape),
            "dx": (dz_error @ kernel.T + (units + 1) * sums_error * (dz @ kernel.T)).reshape(want["dx"].shape),
            "dkernel": np.abs(x).T @ dz_error + (rows + 1) * sums_error * (np.abs(x).T @ dz),
        }
        if "bias" in arrays:
            bounds["dbias"] = dz_error.sum(axis=0) + rows * sums_error * dz.sum(axis=0)
        return bounds
