"""A conformance case: one op with attributes, sizes and data, what it must compute, and how exactly.

Each spec lists its own (:meth:`~netlet.program.spec.Spec.cases`). A case draws its arrays from a seed that is its own
name, runs the reference on them in float64, and knows an error bound for each element of each result. The kit in
:mod:`netlet.testing` runs cases on targets; the gradient check in ``tests/program`` differentiates the references.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from netlet.program.spec import Array, Context, LossSpec, MetricSpec, OpSpec, OptimizerSpec, Shape, Spec

__all__ = ["HOSTILE_SIZES", "Case"]

#: Sizes that break kernels: 1 and 3, those around one and two vectors of 4, 8 and 16 lanes, and a prime.
HOSTILE_SIZES = (1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33)

Results = dict[str, Array]


@dataclass(repr=False, eq=False)
class Case:
    """One op, loss, metric or optimizer, with everything that a run of it needs.

    Attributes:
        spec: what is run.
        batch: B, the number of rows.
        shapes: per row: of the op's inputs, of the prediction; or of the parameters in the optimizer's arena.
        params: shapes of parameters.
        attrs: attributes; those left out are filled in.
        data: the kind of numbers drawn; each spec says which kinds it has.
        weighted: whether a loss gets sample weights.
        output: the declared shape of a reshape's output.
        dtype: element type that the target runs in.
        training, iteration: the context that a contextual op runs in.
    """

    spec: Spec
    batch: int
    shapes: tuple[Shape, ...]
    params: tuple[Shape, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)
    data: str = "normal"
    weighted: bool = False
    output: Shape | None = None
    dtype: str = "float32"
    training: bool = False
    iteration: int = 0

    def __post_init__(self) -> None:
        self.attrs = self.spec.normalize(self.attrs)

    def __str__(self) -> str:
        """E.g. ``dense[B=7,x=13,kernel=13x1,bias=1,activation=relu,float32]``; names the case uniquely."""

        def dims(shape: Shape) -> str:
            return "x".join(map(str, shape)) or "scalar"

        parts = [f"B={self.batch}"]
        parts += [f"x={dims(shape)}" for shape in self.shapes]
        names = getattr(self.spec, "param_names", ())
        parts += [f"{name}={dims(shape)}" for name, shape in zip(names, self.params, strict=False)]
        if self.output is not None:
            parts.append(f"y={dims(self.output)}")
        for name, value in self.attrs.items():
            parts.append(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}")
        if self.data != "normal":
            parts.append(self.data)
        if self.weighted:
            parts.append("weighted")
        if self.training:
            parts.append(f"training {self.iteration}")
        prefix = "" if self.spec.family in ("op", "optimizer") else f"{self.spec.family}:"
        return f"{prefix}{self.spec.name}[{','.join(parts)},{self.dtype}]"

    @property
    def op(self) -> str:
        """The name of the op, loss, metric or optimizer."""
        return self.spec.name

    @property
    def family(self) -> str:
        """op, loss, metric or optimizer."""
        return self.spec.family

    @property
    def eps(self) -> float:
        """The gap between 1 and the next number of the case's element type: twice the unit roundoff."""
        return float(np.finfo(self.dtype).eps)

    @property
    def output_shape(self) -> Shape:
        """Of an op: the shape of its output, per row."""
        assert isinstance(self.spec, OpSpec)
        declared = self.shapes[0] if self.output is None else self.output
        return self.spec.output_shape(self.shapes, self.params, self.attrs, declared)

    @property
    def input_names(self) -> list[str]:
        """Of an op: the names of its inputs among the arrays: x, x1, x2, ..."""
        return ["x", *(f"x{i}" for i in range(1, len(self.shapes)))]

    @property
    def state_shapes(self) -> tuple[Shape, ...]:
        """Of an op: the shapes of its state."""
        assert isinstance(self.spec, OpSpec)
        return self.spec.state_shapes(self.shapes, self.attrs)

    @cached_property
    def arrays(self) -> Results:
        """What goes in, by name, in the case's element type. Equal in every run."""
        rng = np.random.default_rng(zlib.crc32(str(self).encode()))
        drawn = self.spec.sample(self, rng)
        return {
            name: np.ascontiguousarray(a, np.int32 if np.issubdtype(a.dtype, np.integer) else self.dtype)
            for name, a in drawn.items()
        }

    @cached_property
    def exact_arrays(self) -> Results:
        """:attr:`arrays`, as float64 (class numbers stay integers)."""
        return {name: a if a.dtype == np.int32 else a.astype(np.float64) for name, a in self.arrays.items()}

    def reference(self) -> Results:
        """What must come out, by name: the reference functions in float64, on the numbers as the type rounded them."""
        return dict(self._reference)

    @cached_property
    def _reference(self) -> Results:
        with np.errstate(all="ignore"):
            return run_reference(self, self.exact_arrays)

    @property
    def tolerance(self) -> Results:
        """How far each element of each result may be from the reference, absolutely.

        The spec's bound for one rounded computation; twice that in float64, where the reference rounds as well.
        Numbers below the type's smallest normal one may become 0 anywhere.
        """
        tiny = 4 * float(np.finfo(self.dtype).tiny)
        factor = 2.0 if self.dtype == "float64" else 1.0
        with np.errstate(all="ignore"):
            bounds = self.spec.bound(self, self.exact_arrays, self._reference, self.eps)
        if isinstance(self.spec, LossSpec) and not self.spec.per_row_for(self.attrs):
            del bounds["losses"]  # a target cannot be asked for a row alone
        return {name: factor * np.asarray(b, np.float64) + tiny for name, b in bounds.items()}


def run_reference(case: Case, arrays: Results) -> Results:
    """Runs the case's reference functions on ``arrays`` (any element type); returns new arrays, by name.

    An op gives ``y``, ``dx`` (``dx1``, ... of further inputs), ``d<param>`` and its state; a loss ``loss`` (of the
    batch), ``losses`` (of rows) and ``dx``; a metric ``sums``; an optimizer ``w`` and ``slots``.
    """
    spec = case.spec
    if isinstance(spec, OpSpec):
        return _run_op(case, spec, arrays)
    if isinstance(spec, LossSpec):
        return _run_loss(case, spec, arrays)
    if isinstance(spec, MetricSpec):
        sums = np.zeros(spec.size(case.shapes[0], case.attrs))
        spec.update(case.attrs, arrays["x"], arrays["y"], sums)
        return {"sums": sums}
    assert isinstance(spec, OptimizerSpec)
    from netlet.program.ops.optimizer_rule import run_updates

    return run_updates(case, arrays)


def _run_op(case: Case, spec: OpSpec, arrays: Results) -> Results:
    xs = [arrays[name] for name in case.input_names]
    params = [arrays[name] for name in spec.param_names[: len(case.params)]]
    state = [arrays[name].copy() for name in spec.state_names]
    context = Context(case.training, case.iteration)
    y = np.empty((case.batch, *case.output_shape), xs[0].dtype)
    if spec.contextual:
        spec.forward_in(context, case.attrs, xs, params, state, y)
    else:
        spec.forward(case.attrs, xs, params, y)
    results = {"y": y, **dict(zip(spec.state_names, state, strict=True))}
    if "dy" not in arrays:  # a case of the forward pass alone
        return results
    dxs: list[Array | None] = [np.empty_like(x) for x in xs]
    dparams: list[Array | None] = [np.empty_like(p) for p in params]
    dy = arrays["dy"].copy()
    if spec.contextual:
        spec.backward_in(context, case.attrs, xs, params, state, y, dy, dxs, dparams)
    else:
        spec.backward(case.attrs, xs, params, y, dy, dxs, dparams)
    for name, dx in zip(case.input_names, dxs, strict=True):
        assert dx is not None
        results[f"d{name}"] = dx
    for name, d in zip(spec.param_names, dparams, strict=False):
        assert d is not None
        results[f"d{name}"] = d
    return results


def _run_loss(case: Case, spec: LossSpec, arrays: Results) -> Results:
    from netlet.program.ops.crossentropy import clip_bounds

    x, weight = arrays["x"], arrays.get("weight")
    losses, dx = np.empty(case.batch, x.dtype), np.empty_like(x)
    # Bounds as the target's type rounds them: in float32, 1 - (1 - 1e-7) is off by a fifth.
    clip = clip_bounds(np.dtype(case.dtype))
    spec.value_and_gradient(case.attrs, x, arrays["y"], weight, losses, dx, None, clip)
    total = losses.mean() if weight is None else (losses * weight).mean()
    return {"loss": np.asarray(total), "losses": losses, "dx": dx}
