"""Normalizations: a batch's or a row's numbers brought to mean 0 and variance 1, then scaled and shifted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.spec import Array, Attr, Attrs, Context, OpSpec, Shape, elements

__all__ = ["BatchNormalization", "LayerNormalization", "UnitNormalization"]


def _columns(x: Array) -> Array:
    """All axes but the last as rows."""
    return x.reshape(-1, x.shape[-1])


def _moments(x: Array, axis: int) -> tuple[Array, Array]:
    """Mean and (biased) variance along an axis, which stays; two passes, so that nothing cancels."""
    count = x.dtype.type(x.shape[axis])
    mean = np.add.reduce(x, axis=axis, keepdims=True) / count
    centred = x - mean
    return mean, np.add.reduce(centred * centred, axis=axis, keepdims=True) / count


def _row_bounds(
    x: Array, d: Array, mean: Any, scale: Array, g: Array, shift: Array, eps: float, n: int
) -> tuple[Array, Array, Array, Array]:
    """How far y and dx of normalized rows may be off, with |unit| and how far that may be.

    A sum of n terms is within (n + 2) u of the sum of their sizes (Higham, section 3.1): so the mean, n u of the mean
    size, which x - mean inherits; and the variance, whose root and quotient make scale. From unit on, errors add up to
    first order through ``dx = scale (d - mean(d) - unit mean(d unit))``.

    Args:
        x: rows [R, n]; d: |dy gamma|. mean, scale: of the rows, [R, 1]. g, shift: |gamma|, |beta|.
        n: terms of the sums behind mean and scale; 0 if these are given.
    """
    u = eps / 2
    unit = np.abs(x - mean) * scale
    size = np.abs(x).mean(axis=1, keepdims=True)
    e_unit = u * ((n + 2 if n else 0) * size * scale + (n + 7) * unit)
    y = g * (e_unit + 2 * u * unit) + 2 * u * (shift + g * unit)
    if not n:
        return y, 6 * u * d * scale, unit, e_unit
    flat = d.mean(axis=1, keepdims=True)
    along = (d * unit).mean(axis=1, keepdims=True)
    e_along = (n + 3) * u * along + (d * e_unit).mean(axis=1, keepdims=True)
    terms = d + flat + unit * along
    dx = scale * ((n + 2) * u * flat + e_unit * along + unit * e_along + (n + 12) * u * terms)
    return y, dx, unit, e_unit


class BatchNormalization(OpSpec):
    """Each channel of the last axis, over all rows and positions of the batch.

    In training by the batch's own mean and variance, which also move the state:
    ``state <- momentum * state + (1 - momentum) * batch's``. Otherwise by the state. ``frozen``: never in training.
    """

    name = "batch_normalization"
    signature = "x[B,...,C] gamma[C]? beta[C]? state mean[C] variance[C] -> y[B,...,C]"
    formula = "y = gamma * (x - mean) / sqrt(variance + epsilon) + beta"
    source = "Ioffe & Szegedy (2015); keras.layers.BatchNormalization"
    param_names = ("gamma", "beta")
    state_names = ("mean", "variance")
    contextual = True

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("momentum", "float", 0.99, 0.0, 1.0),
            Attr("epsilon", "float", 1e-3, 0.0, 1e30),
            Attr("scale", "bool", True),
            Attr("center", "bool", True),
            Attr("frozen", "bool", False),
        )

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if not inputs[0]:
            raise ValueError("expected an input of at least one axis, got shape ()")
        wanted = attrs["scale"] + attrs["center"]
        if len(params) != wanted or any(p != inputs[0][-1:] for p in params):
            raise ValueError(f"expected {wanted} parameters of shape {inputs[0][-1:]}, got {list(params)}")
        return inputs[0]

    def state_shapes(self, inputs: Sequence[Shape], attrs: Attrs) -> tuple[Shape, ...]:
        return inputs[0][-1:], inputs[0][-1:]

    def _split(self, attrs: Attrs, params: Sequence[Array | None]) -> tuple[Array | None, Array | None]:
        """gamma and beta, None for one that is not there."""
        gamma = params[0] if attrs["scale"] else None
        beta = params[-1] if attrs["center"] else None
        return gamma, beta

    def forward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
    ) -> None:
        x, out = _columns(xs[0]), _columns(y)
        mean, variance = state
        kind = x.dtype.type
        if context.training and not attrs["frozen"]:
            batch_mean, batch_variance = (m[0] for m in _moments(x, 0))
            for moving, now in ((mean, batch_mean), (variance, batch_variance)):
                moving *= kind(attrs["momentum"])
                moving += kind(1.0 - attrs["momentum"]) * now
            mean, variance = batch_mean, batch_variance
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
        x, d = _columns(xs[0]), _columns(dy)
        mean, variance = state
        training = context.training and not attrs["frozen"]
        if training:
            mean, variance = (m[0] for m in _moments(x, 0))
        kind = x.dtype.type
        scale = kind(1) / np.sqrt(variance + kind(attrs["epsilon"]))
        unit = (x - mean) * scale
        dbeta = np.add.reduce(d, axis=0)
        dgamma = np.add.reduce(d * unit, axis=0)
        gamma, _ = self._split(attrs, params)
        to_gamma, to_beta = self._split(attrs, dparams) if dparams else (None, None)
        if to_gamma is not None:
            np.copyto(to_gamma, dgamma)
        if to_beta is not None:
            np.copyto(to_beta, dbeta)
        if dxs[0] is None:
            return
        dx = _columns(dxs[0])
        if training:  # the mean and the variance depend on x as well
            np.subtract(d, (dbeta + unit * dgamma) / kind(len(x)), out=dx)
        else:
            np.copyto(dx, d)
        dx *= scale if gamma is None else scale * gamma

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 6 * elements(inputs[0])

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            for training in (False, True):
                batch = (1, 3, 7)[n % 3] if not training else (4, 3, 7)[n % 3]
                both = {"scale": n % 4 != 1, "center": n % 4 != 2}
                params = ((size,),) * sum(both.values())
                yield Case(self, batch, ((size,),), params, both, training=training)
        yield Case(self, 3, ((4, 5),), ((5,), (5,)), training=True)
        yield Case(self, 3, ((2, 3, 5),), ((5,), (5,)), {"momentum": 0.5, "epsilon": 1e-5}, training=True)
        yield Case(self, 3, ((4, 5),), ((5,), (5,)), {"frozen": True}, training=True)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape, channels = (case.batch, *case.shapes[0]), case.shapes[0][-1:]
        arrays = {"x": rng.standard_normal(shape) * 2 + 1, "dy": rng.standard_normal(shape)}
        arrays |= {"mean": rng.standard_normal(channels), "variance": rng.uniform(0.5, 2.0, channels)}
        names = [n for n, there in (("gamma", case.attrs["scale"]), ("beta", case.attrs["center"])) if there]
        # the case names its parameters in order, so that a lone beta is called gamma there
        values = {"gamma": rng.uniform(0.5, 1.5, channels), "beta": rng.standard_normal(channels)}
        return {**arrays, **{slot: values[name] for slot, name in zip(self.param_names, names, strict=False)}}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # As of _row_bounds, along columns. Without training, mean and variance come without an error; with it, what
        # moves is a sum of two products more.
        width = case.shapes[0][-1]
        x, dy = arrays["x"].reshape(-1, width).T, np.abs(arrays["dy"]).reshape(-1, width).T
        params = [arrays[name] for name in self.param_names[: len(case.params)]]
        gamma, beta = self._split(case.attrs, params)
        trains = case.training and not case.attrs["frozen"]
        mean, variance = _moments(x, 1) if trains else (arrays["mean"][:, None], arrays["variance"][:, None])
        scale = 1 / np.sqrt(variance + case.attrs["epsilon"])
        ones = np.ones((width, 1))
        g = ones if gamma is None else np.abs(gamma)[:, None]
        shift = 0 * ones if beta is None else np.abs(beta)[:, None]
        y, dx, unit, e_unit = _row_bounds(x, dy * g, mean, scale, g, shift, eps, x.shape[1] if trains else 0)
        u, n = eps / 2, x.shape[1]
        size = np.abs(x).mean(axis=1)
        e_variance = (n + 9) * u * (variance[:, 0] + arrays["variance"]) + ((n + 2) * u * size) ** 2
        bounds = {
            "y": y.T.reshape(want["y"].shape),
            "dx": dx.T.reshape(want["dx"].shape),
            "mean": (n + 6) * u * (size + np.abs(arrays["mean"])) if trains else np.zeros(width),
            "variance": e_variance if trains else np.zeros(width),
        }
        dgamma = (dy * e_unit + (n + 2) * u * dy * unit).sum(axis=1)
        dbeta = (n + 2) * u * dy.sum(axis=1)
        found = [b for b, there in ((dgamma, case.attrs["scale"]), (dbeta, case.attrs["center"])) if there]
        for name, b in zip(self.param_names, found, strict=False):
            bounds[f"d{name}"] = b.reshape(want[f"d{name}"].shape)
        return bounds


class LayerNormalization(OpSpec):
    """Each row, over its last ``axes`` axes, by their own mean and variance.

    With ``rms`` by the root of their mean square, and no mean is taken away.
    """

    name = "layer_normalization"
    signature = "x[B,...,*N] gamma[*N]? beta[*N]? -> y[B,...,*N]"
    formula = "y = gamma * (x - mean) / sqrt(variance + epsilon) + beta"
    source = "Ba, Kiros, Hinton (2016); Zhang & Sennrich (2019) for rms; keras.layers.LayerNormalization"
    param_names = ("gamma", "beta")

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("epsilon", "float", 1e-3, 0.0, 1e30),
            Attr("scale", "bool", True),
            Attr("center", "bool", True),
            Attr("rms", "bool", False),
            Attr("axes", "int", 1, 1, 16),
        )

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if len(inputs[0]) < attrs["axes"]:
            raise ValueError(f"expected an input of at least {attrs['axes']} axes, got shape {inputs[0]}")
        shape = inputs[0][len(inputs[0]) - attrs["axes"] :]
        wanted = attrs["scale"] + attrs["center"]
        if len(params) != wanted or any(p != shape for p in params):
            raise ValueError(f"expected {wanted} parameters of shape {shape}, got {list(params)}")
        return inputs[0]

    @staticmethod
    def _rows(x: Array, attrs: Attrs) -> Array:
        return x.reshape(-1, elements(x.shape[x.ndim - attrs["axes"] :]))

    @staticmethod
    def _split(attrs: Attrs, params: Sequence[Array | None]) -> tuple[Array | None, Array | None]:
        gamma = params[0] if attrs["scale"] else None
        beta = params[-1] if attrs["center"] else None
        return None if gamma is None else gamma.reshape(-1), None if beta is None else beta.reshape(-1)

    @staticmethod
    def _unit(attrs: Attrs, x: Array) -> tuple[Array, Array]:
        """The normalized rows, and what they were multiplied by."""
        kind = x.dtype.type
        if attrs["rms"]:
            mean = kind(0)
            variance = np.add.reduce(x * x, axis=1, keepdims=True) / kind(x.shape[1])
        else:
            mean, variance = _moments(x, 1)
        scale = kind(1) / np.sqrt(variance + kind(attrs["epsilon"]))
        return (x - mean) * scale, scale

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        out = self._rows(y, attrs)
        unit, _ = self._unit(attrs, self._rows(xs[0], attrs))
        gamma, beta = self._split(attrs, params)
        np.multiply(unit, 1 if gamma is None else gamma, out=out)
        if beta is not None:
            out += beta

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
        d = self._rows(dy, attrs)
        unit, scale = self._unit(attrs, self._rows(xs[0], attrs))
        gamma, _ = self._split(attrs, params)
        to_gamma, to_beta = self._split(attrs, dparams) if dparams else (None, None)
        if to_gamma is not None:
            np.add.reduce(d * unit, axis=0, out=to_gamma)
        if to_beta is not None:
            np.add.reduce(d, axis=0, out=to_beta)
        if dxs[0] is None:
            return
        if gamma is not None:
            d *= gamma
        width = d.dtype.type(d.shape[1])
        along = np.add.reduce(d * unit, axis=1, keepdims=True) / width
        flat = d.dtype.type(0) if attrs["rms"] else np.add.reduce(d, axis=1, keepdims=True) / width
        np.multiply(d - flat - unit * along, scale, out=self._rows(dxs[0], attrs))

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 8 * elements(inputs[0])

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            both = {"scale": n % 4 != 1, "center": n % 4 != 2, "rms": n % 3 == 2}
            yield Case(self, (1, 3, 7)[n % 3], ((size,),), ((size,),) * (both["scale"] + both["center"]), both)
        yield Case(self, 3, ((4, 5),), ((5,), (5,)), {"epsilon": 1e-5})
        yield Case(self, 3, ((4, 5),), ((4, 5), (4, 5)), {"axes": 2})
        yield Case(self, 2, ((2, 3, 5),), ((3, 5),), {"axes": 2, "center": False, "rms": True})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape = (case.batch, *case.shapes[0])
        arrays = {"x": rng.standard_normal(shape) * 2 + 1, "dy": rng.standard_normal(shape)}
        names = [n for n, there in (("gamma", case.attrs["scale"]), ("beta", case.attrs["center"])) if there]
        inner = case.shapes[0][len(case.shapes[0]) - case.attrs["axes"] :]
        values = {"gamma": rng.uniform(0.5, 1.5, inner), "beta": rng.standard_normal(inner)}
        return {**arrays, **{slot: values[name] for slot, name in zip(self.param_names, names, strict=False)}}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        x, dy = self._rows(arrays["x"], case.attrs), np.abs(self._rows(arrays["dy"], case.attrs))
        params = [arrays[name] for name in self.param_names[: len(case.params)]]
        gamma, beta = self._split(case.attrs, params)
        g = np.ones(1) if gamma is None else np.abs(gamma)
        shift = np.zeros(1) if beta is None else np.abs(beta)
        _, scale = self._unit(case.attrs, x)
        mean = 0.0 if case.attrs["rms"] else _moments(x, 1)[0]
        y, dx, unit, e_unit = _row_bounds(x, dy * g, mean, scale, g, shift, eps, x.shape[1])
        rows, u = len(x), eps / 2
        bounds = {"y": y.reshape(want["y"].shape), "dx": dx.reshape(want["dx"].shape)}
        dgamma = (dy * e_unit + (rows + 2) * u * dy * unit).sum(axis=0)
        dbeta = (rows + 2) * u * dy.sum(axis=0)
        found = [b for b, there in ((dgamma, case.attrs["scale"]), (dbeta, case.attrs["center"])) if there]
        for name, b in zip(self.param_names, found, strict=False):
            bounds[f"d{name}"] = b.reshape(want[f"d{name}"].shape)
        return bounds


class UnitNormalization(OpSpec):
    """Each row divided by its Euclidean norm along the last ``axes`` axes: by ``sqrt(max(sum of squares, 1e-12))``."""

    name = "unit_normalization"
    signature = "x[B,...,*N] -> y[B,...,*N]"
    formula = "y = x / sqrt(max(sum(x^2), 1e-12))"
    source = "keras.layers.UnitNormalization"
    native = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("axes", "int", 1, 1, 16),)

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if len(inputs[0]) < attrs["axes"]:
            raise ValueError(f"expected an input of at least {attrs['axes']} axes, got shape {inputs[0]}")
        return inputs[0]

    @staticmethod
    def _rows(x: Array, attrs: Attrs) -> Array:
        return x.reshape(-1, elements(x.shape[x.ndim - attrs["axes"] :]))

    @staticmethod
    def _norms(x: Array) -> tuple[Array, Array]:
        squares = np.add.reduce(x * x, axis=1, keepdims=True)
        least = x.dtype.type(1e-12)
        return np.sqrt(np.maximum(squares, least)), squares > least

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        x = self._rows(xs[0], attrs)
        np.divide(x, self._norms(x)[0], out=self._rows(y, attrs))

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
        if dxs[0] is None:
            return
        x, d, unit = self._rows(xs[0], attrs), self._rows(dy, attrs), self._rows(y, attrs)
        norm, free = self._norms(x)
        along = np.where(free, np.add.reduce(unit * d, axis=1, keepdims=True), x.dtype.type(0))
        np.divide(d - along * unit, norm, out=self._rows(dxs[0], attrs))

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        return 3 * elements(inputs[0])

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            yield Case(self, (1, 3, 7)[n % 3], ((size,),))
        yield Case(self, 3, ((4, 5),))
        yield Case(self, 3, ((4, 5),), attrs={"axes": 2})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape = (case.batch, *case.shapes[0])
        x = rng.uniform(0.3, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
        return {"x": x, "dy": rng.standard_normal(shape)}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # a sum of n squares, a root, a quotient: within (n + 4) u; the gradient has one more such sum
        x, dy = self._rows(np.abs(arrays["x"]), case.attrs), self._rows(np.abs(arrays["dy"]), case.attrs)
        n = x.shape[1]
        norm, _ = self._norms(x)
        unit = x / norm
        flow = (dy + np.add.reduce(unit * dy, axis=1, keepdims=True) * unit) / norm
        return {
            "y": (n + 4) * eps * np.abs(want["y"]),
            "dx": (4 * (n + 4) * eps * flow).reshape(want["dx"].shape),
        }
