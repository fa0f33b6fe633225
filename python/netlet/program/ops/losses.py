"""Losses: value and gradient side by side, in one call.

Each row's loss l_b is the mean over the row's positions (all axes but the last) and, where the last axis is not one of
classes, over that too; the loss of a batch is the mean over its rows. Labels that no class has (NaN, a class number
out of range) give a loss and a gradient of NaN for their row and never touch memory outside it.

Here are the two that came first and what all share; each family has a file of its own, as
:mod:`netlet.program.ops.crossentropy`, and those without kernels build on :mod:`netlet.program.ops.loss_terms`.
Formulas and conventions are Keras 3's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from netlet.config import EPSILON
from netlet.program.case import Case
from netlet.program.spec import Array, Attrs, LossSpec, Shape, elements

__all__ = [
    "MeanAbsoluteError",
    "MeanSquaredError",
    "clip_bounds",
    "loss_bound",
    "loss_shapes",
    "row_means",
    "row_scale",
]


def clip_bounds(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The bounds that probabilities are clipped to, as the element type rounds them: about (1e-7, 1 - 1e-7)."""
    return float(dtype.type(EPSILON)), float(dtype.type(1.0 - EPSILON))


def row_scale(x: Array, weight: Array | None, share: int) -> Array | float:
    """weight_b / (B * share): what a row's gradient is multiplied by, shaped to broadcast over ``x``."""
    factor = 1.0 / (len(x) * share)
    if weight is None:
        return factor
    return np.multiply(weight, factor).reshape(len(x), *(1,) * (x.ndim - 1))


def row_means(per_element: Array, losses: Array, share: int) -> None:
    """losses[b] = sum of row b / share."""
    np.add.reduce(per_element.reshape(len(losses), -1), axis=1, out=losses)
    if share != 1:
        losses *= 1.0 / share


def loss_shapes() -> Iterator[tuple[int, Shape]]:
    """Batch sizes and prediction shapes that every loss is tested with."""
    yield from ((1, (1,)), (3, (1,)), (10, (1,)), (1, (3,)), (7, (4,)), (5, (7,)), (17, (8,)), (3, (9,)), (33, (10,)))
    yield from ((2, (15,)), (16, (16,)), (4, (17,)), (61, (33,)), (1, (67,)), (4, (3, 5)), (2, (2, 3, 7)))


def loss_bound(
    case: Case, arrays: dict[str, Array], element_error: Array, element_size: Array, share: int, eps: float
) -> dict[str, Array]:
    """Bounds of the batch's and the rows' losses.

    Args:
        element_error: how far the terms that a row sums up may be off, ``[B, ...]``.
        element_size: their absolute values.
        share: what the sum is divided by.
    """
    # Beside its terms' errors, a sum of k terms errs by k eps/2 of their size; then come a division and the weight.
    error, size = element_error.reshape(case.batch, -1), element_size.reshape(case.batch, -1)
    rows = (error.sum(axis=1) + (size.shape[1] + 4) * eps / 2 * size.sum(axis=1)) / share
    weight = np.abs(arrays.get("weight", np.ones(case.batch)))
    return {"losses": rows, "loss": np.mean(weight * rows)}


def _regression_cases(spec: LossSpec) -> Iterator[Case]:
    for n, (batch, shape) in enumerate(loss_shapes()):
        yield Case(spec, batch, (shape,), weighted=n % 3 == 1)
    for data in ("equal", "extreme"):
        yield Case(spec, 5, ((6,),), data=data)


def _regression_sample(case: Case, rng: np.random.Generator) -> dict[str, Array]:
    """``equal``: some predictions hit their label. ``extreme``: magnitudes from 1e-15 to 1e15."""
    shape = (case.batch, *case.shapes[0])
    x, y = rng.standard_normal(shape), rng.standard_normal(shape)
    x += np.where(np.abs(x - y) < 0.01, 0.1, 0.0)  # away from the kink of |x - y|
    if case.data == "equal":
        np.copyto(y, x, where=rng.random(shape) < 0.5)
    if case.data == "extreme":
        x *= 10.0 ** rng.integers(-15, 16, shape)
        y *= 10.0 ** rng.integers(-15, 16, shape)
    arrays = {"x": x, "y": y}
    return {**arrays, "weight": rng.uniform(0, 2, case.batch)} if case.weighted else arrays


class MeanSquaredError(LossSpec):
    """The mean of squared differences."""

    name = "mean_squared_error"
    signature = "x[B,...,L] y[B,...,L] -> loss[B]"
    formula = "mean((x - y)^2)"
    source = "keras.losses.MeanSquaredError"
    native = True

    def value_and_gradient(
        self,
        attrs: Attrs,
        x: Array,
        y: Array,
        weight: Array | None,
        losses: Array,
        dx: Array | None,
        output: Array | None,
        clip: tuple[float, float] | None = None,
    ) -> None:
        share = elements(x.shape[1:])
        difference = np.subtract(x, y, out=dx)
        row_means(difference * difference, losses, share)
        if dx is not None:
            dx *= 2.0 * row_scale(x, weight, share)

    def cases(self) -> Iterator[Case]:
        return _regression_cases(self)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        return _regression_sample(case, rng)

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # the difference's rounding counts twice in its square, and the square is rounded; dx has at most five roundings
        size = (arrays["x"] - arrays["y"]) ** 2
        bounds = loss_bound(case, arrays, 2 * eps * size, size, elements(case.shapes[0]), eps)
        return {**bounds, "dx": 4 * eps * np.abs(want["dx"])}


class MeanAbsoluteError(LossSpec):
    """The mean of absolute differences; its gradient at a difference of 0 is 0."""

    name = "mean_absolute_error"
    signature = "x[B,...,L] y[B,...,L] -> loss[B]"
    formula = "mean(|x - y|)"
    source = "keras.losses.MeanAbsoluteError"
    native = True

    def value_and_gradient(
        self,
        attrs: Attrs,
        x: Array,
        y: Array,
        weight: Array | None,
        losses: Array,
        dx: Array | None,
        output: Array | None,
        clip: tuple[float, float] | None = None,
    ) -> None:
        share = elements(x.shape[1:])
        difference = np.subtract(x, y, out=dx)
        row_means(np.abs(difference), losses, share)
        if dx is not None:
            np.sign(dx, out=dx)
            dx *= row_scale(x, weight, share)

    def cases(self) -> Iterator[Case]:
        return _regression_cases(self)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        return _regression_sample(case, rng)

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        # one rounding, of the difference; dx is a sign times the scale
        size = np.abs(arrays["x"] - arrays["y"])
        bounds = loss_bound(case, arrays, eps * size, size, elements(case.shapes[0]), eps)
        return {**bounds, "dx": 4 * eps * np.abs(want["dx"])}
