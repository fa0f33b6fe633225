"""Batch normalization by the statistics of what a mask lets count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.ops.normalization import BatchNormalization, _columns
from netlet.program.spec import Array, Attrs, Context, Shape

__all__ = ["MaskedBatchNormalization"]

#: Added to the number of positions that count, as Keras adds its epsilon, so that there is a mean of none: 0.
_NONE = 1e-7


def _moments(x: Array, mask: Array) -> tuple[Array, Array, Array]:
    """How many rows of ``x`` [R, C] count (as a divisor), their mean and their variance [C]; mask is [R, 1]."""
    count = np.add.reduce(mask, axis=0) + x.dtype.type(_NONE)
    counted = mask > 0
    mean = np.add.reduce(np.where(counted, x, 0), axis=0) / count
    centred = np.where(counted, x - mean, 0)
    return count, mean, np.add.reduce(centred * centred, axis=0) / count


class MaskedBatchNormalization(BatchNormalization):
    """As batch_normalization; in training, mean and variance are those of the positions that count.

    What does not count is normalized as well. The mean is the sum divided by the number of positions + 1e-7, and the
    variance likewise.
    """

    name = "masked_batch_normalization"
    signature = "x[B,...,C] mask[B,...] gamma[C]? beta[C]? state mean[C] variance[C] -> y[B,...,C]"
    arity = 2
    discrete = ("x1",)
    native = False

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        shape = super().output_shape(inputs, params, attrs, declared)
        if inputs[1] != shape[:-1]:
            raise ValueError(f"expected a mask of shape {shape[:-1]} for an input of shape {shape}, got {inputs[1]}")
        return shape

    def forward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
    ) -> None:
        if not context.training or attrs["frozen"]:
            super().forward_in(context, attrs, xs[:1], params, state, y)
            return
        x, out, kind = _columns(xs[0]), _columns(y), xs[0].dtype.type
        _, mean, variance = _moments(x, xs[1].reshape(-1, 1))
        for moving, now in zip(state, (mean, variance), strict=True):
            moving *= kind(attrs["momentum"])
            moving += kind(1.0 - attrs["momentum"]) * now
        gamma, beta = self._split(attrs, params)
        scale = kind(1) / np.sqrt(variance + kind(attrs["epsilon"]))
        np.subtract(x, mean, out=out)
        out *= scale if gamma is None else scale * gamma
        if beta is not None:
            out += beta

    def backward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        if dxs[1] is not None:
            dxs[1][...] = 0
        if not context.training or attrs["frozen"]:
            super().backward_in(context, attrs, xs[:1], params, state, y, dy, dxs[:1], dparams)
            return
        x, d, kind = _columns(xs[0]), _columns(dy), xs[0].dtype.type
        mask = xs[1].reshape(-1, 1)
        count, mean, variance = _moments(x, mask)
        scale = kind(1) / np.sqrt(variance + kind(attrs["epsilon"]))
        unit = (x - mean) * scale
        dbeta, dgamma = np.add.reduce(d, axis=0), np.add.reduce(d * unit, axis=0)
        gamma, _ = self._split(attrs, params)
        to_gamma, to_beta = self._split(attrs, dparams) if dparams else (None, None)
        if to_gamma is not None:
            np.copyto(to_gamma, dgamma)
        if to_beta is not None:
            np.copyto(to_beta, dbeta)
        if dxs[0] is None:
            return
        dx = _columns(dxs[0])
        # Of what counts, mean and variance depend on x as well. The mean is 1e-7 off the one at which the variance is
        # least, hence the last term.
        slope = dbeta + (unit - scale * mean * kind(_NONE) / count) * dgamma
        np.subtract(d, mask * slope / count, out=dx)
        dx *= scale if gamma is None else scale * gamma

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            both = {"scale": n % 4 != 1, "center": n % 4 != 2}
            params = ((size,),) * sum(both.values())
            yield Case(self, (3, 5, 7)[n % 3], ((4, size), (4,)), params, both, training=n % 5 != 4)
        yield Case(self, 1, ((4, 5), (4,)), ((5,), (5,)))
        yield Case(self, 9, ((5,), ()), ((5,), (5,)), training=True)
        yield Case(self, 3, ((2, 3, 5), (2, 3)), ((5,), (5,)), {"momentum": 0.5, "epsilon": 1e-5}, training=True)
        yield Case(self, 3, ((4, 5), (4,)), ((5,), (5,)), {"frozen": True}, training=True)
        yield Case(self, 2, ((3, 4), (3,)), ((4,), (4,)), data="all masked", training=True)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        mask = rng.integers(0, 2, (case.batch, *case.shapes[1])) * 1.0
        if case.data == "all masked":
            mask[...] = 0
        return {**super().sample(case, rng), "x1": mask}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # As batch_normalization's, where sums behind mean and variance have those terms alone that count, while those
        # of gradients have all: they are divided by the same count.
        if not case.training or case.attrs["frozen"]:
            return {**super().bound(case, arrays, want, eps), "dx1": np.zeros_like(want["dx1"])}
        width, u = case.shapes[0][-1], eps / 2
        x, mask = arrays["x"].reshape(-1, width), arrays["x1"].reshape(-1, 1)
        dy, n = np.abs(arrays["dy"]).reshape(-1, width), len(x)
        gamma, beta = self._split(case.attrs, [arrays[name] for name in self.param_names[: len(case.params)]])
        count, mean, variance = _moments(x, mask)
        scale = 1 / np.sqrt(variance + case.attrs["epsilon"])
        g = np.ones(width) if gamma is None else np.abs(gamma)
        shift = np.zeros(width) if beta is None else np.abs(beta)
        unit, size = np.abs(x - mean) * scale, (mask * np.abs(x)).sum(axis=0) / count
        e_unit = u * ((n + 2) * size * scale + (n + 7) * unit)
        d = dy * g
        flat, along = d.sum(axis=0) / count, (d * unit).sum(axis=0) / count
        e_along = (n + 3) * u * along + (d * e_unit).sum(axis=0) / count
        terms = d + mask * (flat + unit * along)
        dx = scale * (mask * ((n + 2) * u * flat + e_unit * along + unit * e_along) + (n + 12) * u * terms)
        y = g * (e_unit + 2 * u * unit) + 2 * u * (shift + g * unit)
        bounds = {
            "y": y.reshape(want["y"].shape),
            "dx": dx.reshape(want["dx"].shape),
            "dx1": np.zeros_like(want["dx1"]),
            "mean": (n + 6) * u * (size + np.abs(arrays["mean"])),
            "variance": (n + 9) * u * (variance + arrays["variance"]) + ((n + 2) * u * size) ** 2,
        }
        dgamma = (dy * e_unit + (n + 2) * u * dy * unit).sum(axis=0)
        dbeta = (n + 2) * u * dy.sum(axis=0)
        found = [b for b, there in ((dgamma, case.attrs["scale"]), (dbeta, case.attrs["center"])) if there]
        return {**bounds, **{f"d{name}": b for name, b in zip(self.param_names, found, strict=False)}}
