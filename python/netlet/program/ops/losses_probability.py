"""Losses of probabilities and counts: Kullback-Leibler, Poisson, and the generalized cross-entropy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netlet.config import EPSILON
from netlet.program.case import Case
from netlet.program.ops.loss_terms import TermLoss, loss_cases, weighted
from netlet.program.spec import Array, Attr, Attrs

__all__ = ["CategoricalGeneralizedCrossEntropy", "KLDivergence", "Poisson"]


class KLDivergence(TermLoss):
    """By how much the prediction's distribution differs from the label's. Both are clipped to [1e-7, 1]."""

    name = "kl_divergence"
    formula = "mean over positions of sum(y log(y / x))"
    source = "keras.losses.KLDivergence"
    native = True
    averaged = False

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        p, labels = np.clip(x, EPSILON, 1), np.clip(y, EPSILON, 1)
        ratio: Array = labels / p
        if dx is not None:
            np.multiply(ratio, (x >= EPSILON) & (x <= 1), out=dx)
            np.negative(dx, out=dx)
        np.log(ratio, out=ratio)
        ratio *= labels
        return ratio

    def cases(self) -> Iterator[Case]:
        return loss_cases(self, [{}], ("extreme",))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``extreme``: probabilities of exactly 0, below the clip, and above 1."""
        shape = (case.batch, *case.shapes[0])
        x, y = rng.uniform(0.02, 0.98, shape), rng.uniform(0, 1, shape)
        if case.data == "extreme":
            x[0], x[1], x[2] = 0.0, 1e-9, 3.0
            y[2], y[3] = 0.0, 2.0
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        p, labels = np.clip(arrays["x"], EPSILON, 1), np.clip(arrays["y"], EPSILON, 1)
        size = labels * np.abs(np.log(labels / p))
        # up to three roundings of the ratio (two of 1e-7), which the logarithm makes absolute; 2 eps of its own
        return 1.5 * eps * labels + 3 * eps * size, size, 2 * eps * labels / p


class Poisson(TermLoss):
    """Minus the logarithm of a Poisson distribution with mean x at y, but for what does not depend on x."""

    name = "poisson"
    formula = "mean(x - y log(x + 1e-7))"
    source = "keras.losses.Poisson"
    native = True

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        raised = x + EPSILON
        if dx is not None:
            np.divide(y, raised, out=dx)
            np.subtract(1, dx, out=dx)
        np.log(raised, out=raised)
        raised *= y
        return x - raised

    def cases(self) -> Iterator[Case]:
        return loss_cases(self, [{}], ("extreme",))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Counts; ``extreme``: means of exactly 0, and from 1e-9 to 1e9."""
        shape = (case.batch, *case.shapes[0])
        x, y = rng.uniform(0.2, 5, shape), rng.poisson(2.0, shape) * 1.0
        if case.data == "extreme":
            x *= 10.0 ** rng.integers(-9, 10, shape)
            x[0] = 0.0
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        x, y = arrays["x"], arrays["y"]
        logarithm = np.abs(np.log(x + EPSILON))
        # x + 1e-7 has two roundings, which the logarithm makes absolute; 2 eps of its own, a product and a difference
        size = np.abs(x) + y * logarithm
        quotient = y / (x + EPSILON)
        return eps * y + 3 * eps * size, size, 2 * eps * quotient + eps


class CategoricalGeneralizedCrossEntropy(TermLoss):
    """Between cross-entropy (q to 0) and absolute error (q to 1), for class numbers of which some may be wrong.

    A label that no class has gives a loss and a gradient of NaN for its row.
    Source: Zhang, Sabuncu, "Generalized cross entropy loss for training deep neural networks with noisy labels", 2018.
    """

    name = "categorical_generalized_cross_entropy"
    signature = "x[B,...,C] y[B,...] int32 -> loss[B]"
    formula = "mean over positions of (1 - x[y]^q) / q"
    source = "keras.losses.CategoricalGeneralizedCrossEntropy"
    integer_labels = True
    averaged = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("q", "float", 0.5, low=1e-6, high=1 - 1e-6),)

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        q = attrs["q"]
        unknown = (y < 0) | (y >= x.shape[-1])
        place = np.where(unknown, 0, y)[..., None]
        p = np.take_along_axis(x, place, axis=-1)
        value: Array = (1 - np.power(p, q)) / q
        value[unknown] = np.nan
        if dx is not None:
            dx.fill(0)
            np.put_along_axis(dx, place, -np.power(p, q - 1), axis=-1)
            dx[unknown] = np.nan
        column: Array = value[..., 0]
        return column

    def cases(self) -> Iterator[Case]:
        yield from loss_cases(self, [{}, {"q": 0.25}, {"q": 0.8}])
        yield Case(self, 6, ((5,),), data="bad labels")

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``bad labels``: a negative class number, one too large, and the largest integer."""
        shape = (case.batch, *case.shapes[0])
        x, y = rng.uniform(0.1, 1, shape), rng.integers(0, shape[-1], shape[:-1])
        if case.data == "bad labels":
            y.reshape(-1)[[0, 2, 4]] = -1, shape[-1], 2**31 - 1
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        q = case.attrs["q"]
        x, chosen = arrays["x"], arrays["y"][..., None] == np.arange(arrays["x"].shape[-1])
        p = np.where(chosen, x, 1).min(axis=-1)
        power = p**q
        # the power errs by 2 eps, and by its logarithm where q is rounded; a difference and two quotients follow
        relative = (2 + q * np.abs(np.log(p))) * eps
        value = np.abs(1 - power) / q
        slope = chosen * (relative + eps * (1 - q) * np.abs(np.log(p)))[..., None] * x ** (q - 1)
        return (relative * power + eps) / q + eps * value, value, slope
