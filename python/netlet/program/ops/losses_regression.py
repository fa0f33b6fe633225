"""Losses of numbers: percentages, logarithms, Huber, log cosh, and the cosine of an angle."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from netlet.config import EPSILON
from netlet.program.case import Case
from netlet.program.ops.loss_terms import AXIS, TermLoss, loss_cases, weighted
from netlet.program.spec import Array, Attr, Attrs

__all__ = ["CosineSimilarity", "Huber", "LogCosh", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError"]

_LOG_2 = math.log(2.0)


class MeanAbsolutePercentageError(TermLoss):
    """The mean of absolute differences, in per cent of the label, which counts as at least 1e-7."""

    name = "mean_absolute_percentage_error"
    formula = "100 mean(|x - y| / max(|y|, 1e-7))"
    source = "keras.losses.MeanAbsolutePercentageError"
    native = True

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        size = np.maximum(np.abs(y), EPSILON)
        difference = np.subtract(x, y, out=dx)
        value = np.abs(difference) / size
        value *= 100
        if dx is not None:
            np.sign(dx, out=dx)
            dx *= 100
            dx /= size
        return value

    def cases(self) -> Iterator[Case]:
        return loss_cases(self, [{}], ("equal", "extreme"))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``equal``: some predictions hit their label. ``extreme``: labels of 0 and down to 1e-15."""
        shape = (case.batch, *case.shapes[0])
        y = rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 3, shape)
        x = y + rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 3, shape)
        if case.data == "equal":
            np.copyto(x, y, where=rng.random(shape) < 0.5)
        if case.data == "extreme":
            y *= 10.0 ** rng.integers(-15, 3, shape)
            y[0] = 0.0
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        # four roundings, of the difference, of 1e-7, of the quotient and of the product; the slope has three
        size = np.maximum(np.abs(arrays["y"]), EPSILON)
        value = 100 * np.abs(arrays["x"] - arrays["y"]) / size
        return 2 * eps * value, value, 2 * eps * 100 / size


class MeanSquaredLogarithmicError(TermLoss):
    """The mean of squared differences of log(1 + x), where x counts as at least 1e-7."""

    name = "mean_squared_logarithmic_error"
    formula = "mean((log1p(max(x, 1e-7)) - log1p(max(y, 1e-7)))^2)"
    source = "keras.losses.MeanSquaredLogarithmicError"
    native = True

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        floored = np.maximum(x, EPSILON)
        difference = np.log1p(floored)
        difference -= np.log1p(np.maximum(y, EPSILON))
        if dx is not None:
            floored += 1
            np.divide(difference, floored, out=dx)
            dx *= 2
            np.multiply(dx, x > EPSILON, out=dx)
        difference *= difference
        return difference

    def cases(self) -> Iterator[Case]:
        return loss_cases(self, [{}], ("extreme",))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``extreme``: magnitudes from 1e-15 to 1e15, and negative ones."""
        shape = (case.batch, *case.shapes[0])
        x, y = rng.uniform(0.01, 5, shape), rng.uniform(0.01, 5, shape)
        if case.data == "extreme":
            x *= 10.0 ** rng.integers(-15, 16, shape)
            y *= 10.0 ** rng.integers(-15, 16, shape)
            x[0], y[-1] = -1.0, -2.0
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        floored = np.maximum(arrays["x"], EPSILON)
        first, second = np.log1p(floored), np.log1p(np.maximum(arrays["y"], EPSILON))
        d = np.abs(first - second)
        # both logarithms err by 2 eps of themselves, 1e-7 is rounded, and so is the difference, which is then squared
        error = 2 * eps * (first + second) + EPSILON * eps + eps / 2 * d
        slope = 2 * (error + 2 * eps * d) / (1 + floored)
        return error * (2 * d + error) + eps / 2 * d * d, d * d, slope


def _differences(case: Case, rng: np.random.Generator) -> dict[str, Array]:
    """``extreme``: differences from 1e-15 to 1e15. ``equal``: some of 0."""
    shape = (case.batch, *case.shapes[0])
    x, y = 2 * rng.standard_normal(shape), 2 * rng.standard_normal(shape)
    if case.data == "extreme":
        x *= 10.0 ** rng.integers(-15, 16, shape)
    if case.data == "equal":
        np.copyto(x, y, where=rng.random(shape) < 0.5)
    return weighted(case, rng, {"x": x, "y": y})


class Huber(TermLoss):
    """Squared up to a difference of delta, straight from there on.

    Source: Huber, "Robust estimation of a location parameter", 1964.
    """

    name = "huber"
    formula = "mean(c (|x - y| - c / 2)), c = min(|x - y|, delta)"
    source = "keras.losses.Huber"
    native = True

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("delta", "float", 1.0, low=0.0),)

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        delta = attrs["delta"]
        difference = np.subtract(x, y, out=dx)
        value = np.abs(difference)
        capped = np.minimum(value, delta)
        if dx is not None:
            np.copysign(capped, dx, out=dx)
        value -= 0.5 * capped
        value *= capped
        return value

    def cases(self) -> Iterator[Case]:
        return loss_cases(self, [{}, {"delta": 0.3}, {"delta": 4.0}], ("equal", "extreme"))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """See :func:`_differences`."""
        arrays = _differences(case, rng)
        delta = case.attrs["delta"]
        near = np.abs(np.abs(arrays["x"] - arrays["y"]) - delta) < 0.01  # the slope's own kink
        arrays["x"] = np.where(near, arrays["y"] + 0.5 * delta, arrays["x"])
        return arrays

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        # the difference and delta are rounded, then a difference that leaves at least half, and a product
        d = np.abs(arrays["x"] - arrays["y"])
        capped = np.minimum(d, case.attrs["delta"])
        size = capped * (d - capped / 2)
        return 3 * eps * size, size, eps * capped


class LogCosh(TermLoss):
    """The mean of log(cosh(x - y)); its slope is tanh(x - y)."""

    name = "log_cosh"
    formula = "mean(|d| + log1p(exp(-2 |d|)) - log 2), d = x - y"
    source = "keras.losses.LogCosh"
    native = True

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        difference = np.subtract(x, y, out=dx)
        size = np.abs(difference)
        value: Array = np.exp(size * -2)
        np.log1p(value, out=value)
        value -= _LOG_2
        value += size
        if dx is not None:
            np.tanh(dx, out=dx)
        return value

    def cases(self) -> Iterator[Case]:
        return loss_cases(self, [{}], ("equal", "extreme"))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """See :func:`_differences`."""
        return _differences(case, rng)

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        # |d| is rounded, and up to log 2 is added and taken away again, with errors of 2 eps in exp and log1p each;
        # a rounding of d moves tanh(d) by d / cosh(d)^2, which is less than tanh(d)
        d = np.abs(arrays["x"] - arrays["y"])
        value = d + np.log1p(np.exp(-2 * d)) - _LOG_2
        return eps * (2 * d + 6), value, 3 * eps * np.tanh(d)


class CosineSimilarity(TermLoss):
    """Minus the cosine of the angle between label and prediction; a vector shorter than 1e-7 counts as that long."""

    name = "cosine_similarity"
    formula = "mean over positions of -sum(x y) / (|x| |y|)"
    source = "keras.losses.CosineSimilarity"
    averaged = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (AXIS,)

    @staticmethod
    def _unit(x: Array) -> tuple[Array, Array]:
        """x over its length, and that length, but at least 1e-7."""
        length = np.sqrt(np.add.reduce(x * x, axis=-1, keepdims=True))
        np.maximum(length, EPSILON, out=length)
        return x / length, length

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        own, length = self._unit(x)
        label, _ = self._unit(y)
        cosine = np.add.reduce(own * label, axis=-1, keepdims=True)
        if dx is not None:
            np.multiply(own, cosine * (length > EPSILON), out=dx)
            dx -= label
            dx /= length
        return -cosine[..., 0]

    def cases(self) -> Iterator[Case]:
        yield from loss_cases(self, [{}], ("zero",))
        yield Case(self, 3, ((2, 5),), attrs={"axis": 1}, weighted=True)
        yield Case(self, 4, ((3, 5, 2),), attrs={"axis": -2})

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``zero``: a prediction and a label of length 0."""
        shape = (case.batch, *case.shapes[0])
        x, y = rng.standard_normal(shape), rng.standard_normal(shape)
        x += np.copysign(0.1, x)
        if case.data == "zero":
            x[0], y[-1] = 0.0, 0.0
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        own, length = self._unit(arrays["x"])
        label, _ = self._unit(arrays["y"])
        # a square and a sum of L of them, whose root halves the error; a root and a quotient: of each unit vector
        relative = (arrays["x"].shape[-1] / 4 + 3) * eps
        size = np.abs(own * label)
        cosine = size.sum(axis=-1, keepdims=True)
        error = (2 * relative + (arrays["x"].shape[-1] / 2 + 1) * eps) * cosine
        slope = (
            np.abs(own) * (error + (2 * relative + 2 * eps) * cosine) + (2 * relative + eps) * np.abs(label)
        ) / length
        return error[..., 0], cosine[..., 0], slope
