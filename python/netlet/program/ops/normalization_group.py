"""Group normalization: the channels of a row in groups, each by its own mean and variance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netlet.program.case import HOSTILE_SIZES, Case
from netlet.program.ops.normalization import LayerNormalization, _moments, _row_bounds
from netlet.program.spec import Array, Attr, Attrs, Shape

__all__ = ["GroupNormalization"]


class GroupNormalization(LayerNormalization):
    """Each row's channels, of the last axis, in ``groups`` groups side by side: over a group and all positions."""

    name = "group_normalization"
    signature = "x[B,...,C] gamma[C]? beta[C]? -> y[B,...,C]"
    formula = "y = gamma * (x - mean) / sqrt(variance + epsilon) + beta"
    source = "Wu & He (2018); keras.layers.GroupNormalization"
    native = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (
            Attr("groups", "int", 1, 1, 2**31),
            Attr("epsilon", "float", 1e-3, 0.0, 1e30),
            Attr("scale", "bool", True),
            Attr("center", "bool", True),
        )

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        if not inputs[0] or inputs[0][-1] % attrs["groups"]:
            raise ValueError(f"an input of shape {inputs[0]} has no last axis that falls into {attrs['groups']} groups")
        wanted = attrs["scale"] + attrs["center"]
        if len(params) != wanted or any(p != inputs[0][-1:] for p in params):
            raise ValueError(f"expected {wanted} parameters of shape {inputs[0][-1:]}, got {list(params)}")
        return inputs[0]

    @staticmethod
    def _groups(x: Array, groups: int) -> Array:
        """A row for each group of each row of the batch."""
        apart = x.reshape(len(x), -1, groups, x.shape[-1] // groups).transpose(0, 2, 1, 3)
        return np.ascontiguousarray(apart).reshape(len(x) * groups, -1)

    @staticmethod
    def _together(rows: Array, like: Array, groups: int) -> Array:
        """The inverse of `_groups`."""
        apart = rows.reshape(len(like), groups, -1, like.shape[-1] // groups).transpose(0, 2, 1, 3)
        return np.ascontiguousarray(apart).reshape(like.shape)

    def _normalized(self, attrs: Attrs, x: Array) -> tuple[Array, Array]:
        """The groups as normalized rows, and what they were multiplied by."""
        kind = x.dtype.type
        rows = self._groups(x, attrs["groups"])
        mean, variance = _moments(rows, 1)
        scale = kind(1) / np.sqrt(variance + kind(attrs["epsilon"]))
        return (rows - mean) * scale, scale

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        unit = self._together(self._normalized(attrs, xs[0])[0], y, attrs["groups"])
        gamma, beta = self._split(attrs, params)
        np.multiply(unit, 1 if gamma is None else gamma, out=y)
        if beta is not None:
            y += beta

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
        groups = attrs["groups"]
        unit, scale = self._normalized(attrs, xs[0])
        gamma, _ = self._split(attrs, params)
        to_gamma, to_beta = self._split(attrs, dparams) if dparams else (None, None)
        positions = tuple(range(dy.ndim - 1))
        if to_gamma is not None:
            np.add.reduce(dy * self._together(unit, dy, groups), axis=positions, out=to_gamma)
        if to_beta is not None:
            np.add.reduce(dy, axis=positions, out=to_beta)
        if dxs[0] is None:
            return
        d = self._groups(dy if gamma is None else dy * gamma, groups)
        width = d.dtype.type(d.shape[1])
        along = np.add.reduce(d * unit, axis=1, keepdims=True) / width
        flat = np.add.reduce(d, axis=1, keepdims=True) / width
        dxs[0][...] = self._together((d - flat - unit * along) * scale, dy, groups)

    def cases(self) -> Iterator[Case]:
        for n, size in enumerate(HOSTILE_SIZES):
            groups = 1 + n % 3
            both = {"scale": n % 4 != 1, "center": n % 4 != 2}
            params = ((groups * size,),) * sum(both.values())
            yield Case(self, (1, 3, 7)[n % 3], ((groups * size,),), params, {**both, "groups": groups})
            yield Case(self, (3, 7, 1)[n % 3], ((size,),), ((size,), (size,)), {"groups": 1})
        yield Case(self, 3, ((4, 6),), ((6,), (6,)), {"groups": 3, "epsilon": 1e-5})
        yield Case(self, 2, ((3, 2, 4),), ((4,), (4,)), {"groups": 4})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        shape, channels = (case.batch, *case.shapes[0]), case.shapes[0][-1:]
        arrays = {"x": rng.standard_normal(shape) * 2 + 1, "dy": rng.standard_normal(shape)}
        names = [n for n, there in (("gamma", case.attrs["scale"]), ("beta", case.attrs["center"])) if there]
        values = {"gamma": rng.uniform(0.5, 1.5, channels), "beta": rng.standard_normal(channels)}
        return {**arrays, **{slot: values[name] for slot, name in zip(self.param_names, names, strict=False)}}

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # as layer_normalization's, of rows that are groups
        groups, x, dy = case.attrs["groups"], arrays["x"], np.abs(arrays["dy"])
        gamma, beta = self._split(case.attrs, [arrays[name] for name in self.param_names[: len(case.params)]])
        g = np.ones(x.shape[-1]) if gamma is None else np.abs(gamma)
        shift = np.zeros(x.shape[-1]) if beta is None else np.abs(beta)
        rows = self._groups(x, groups)
        g_rows, shift_rows = (self._groups(np.broadcast_to(each, x.shape), groups) for each in (g, shift))
        _, scale = self._normalized(case.attrs, x)
        mean = _moments(rows, 1)[0]
        y, dx, unit, e_unit = _row_bounds(
            rows, self._groups(dy * g, groups), mean, scale, g_rows, shift_rows, eps, rows.shape[1]
        )
        bounds = {"y": self._together(y, x, groups), "dx": self._together(dx, x, groups)}
        positions = tuple(range(x.ndim - 1))
        count, u = x.size // x.shape[-1], eps / 2
        unit, e_unit = self._together(unit, x, groups), self._together(e_unit, x, groups)
        dgamma = (dy * e_unit + (count + 2) * u * dy * unit).sum(axis=positions)
        dbeta = (count + 2) * u * dy.sum(axis=positions)
        found = [b for b, there in ((dgamma, case.attrs["scale"]), (dbeta, case.attrs["center"])) if there]
        return {**bounds, **{f"d{name}": b for name, b in zip(self.param_names, found, strict=False)}}
