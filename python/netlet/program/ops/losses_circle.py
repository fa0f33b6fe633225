"""The circle loss: embeddings of one class drawn together, those of others pushed apart, the worst ones hardest.

Source: Sun et al., "Circle loss: a unified perspective of pair similarity optimization", 2020.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.elementwise import sigmoid
from netlet.program.ops.loss_terms import weighted
from netlet.program.spec import Array, Attr, Attrs, LossSpec, Shape

__all__ = ["Circle", "Pairs", "circle_pairs"]


class Pairs(NamedTuple):
    """Every row against every reference.

    Attributes:
        losses: of each row.
        distances: 1 - cosine, at least 0, ``[B, R]``.
        slopes: d loss of row / d distance, ``[B, R]``; 0 where a distance was raised to 0.
        exponents: the logarithm of each row's sum over positives plus that over negatives.
    """

    losses: Array
    distances: Array
    slopes: Array
    exponents: Array


def _log_sum(exponents: Array, mask: Array) -> tuple[Array, Array]:
    """log sum exp over the masked entries of each row (-inf where there are none), and each entry's share in it."""
    masked = np.where(mask, exponents, -np.inf)
    largest = np.maximum.reduce(masked, axis=1, keepdims=True)
    shares = np.where(mask, np.exp(masked - np.where(np.isfinite(largest), largest, 0)), masked.dtype.type(0))
    total = np.add.reduce(shares, axis=1, keepdims=True)
    np.copyto(total, 1, where=total == 0)  # an empty sum; its logarithm is the largest, -inf
    shares /= total
    return (largest + np.log(total))[:, 0], shares


def circle_pairs(attrs: Attrs, x: Array, y: Array, references: Array, labels: Array) -> Pairs:
    """The losses of rows ``x`` ``[B, L]`` with class numbers ``y`` ``[B]``, against references ``[R, L]``."""
    gamma, margin = attrs["gamma"], attrs["margin"]
    raw = 1 - x @ references.T
    distances = np.maximum(raw, 0)
    positive = y[:, None] == labels[None, :]
    negative = ~positive
    if attrs["remove_diagonal"]:
        positive &= np.arange(len(y))[:, None] != np.arange(len(labels))
    # positives: -gamma (margin + d) (margin - d); negatives: gamma max(1 + margin - d, 0) (1 - margin - d)
    near, near_shares = _log_sum((margin + distances) * (distances - margin) * gamma, positive)
    gap = np.maximum(1 + margin - distances, 0)
    far, far_shares = _log_sum(gap * (1 - margin - distances) * gamma, negative)
    exponents = near + far
    losses = np.maximum(exponents, 0) + np.log1p(np.exp(-np.abs(exponents)))
    steepness = np.empty_like(exponents)
    sigmoid(exponents, steepness)
    slopes = near_shares * distances
    slopes += far_shares * np.where(gap > 0, distances - 1, x.dtype.type(0))
    slopes *= 2 * gamma
    slopes *= steepness[:, None]
    np.multiply(slopes, raw > 0, out=slopes)
    return Pairs(losses, distances, slopes, exponents)


class Circle(LossSpec):
    """The circle loss of a batch of embeddings of length 1, each row against all others.

    Rows without a partner have a loss of 0; the mean is over the others (with ``over_valid``, the default).
    """

    name = "circle"
    signature = "x[B,L] y[B] int32 -> loss[B]"
    formula = (
        "log(1 + sum(exp(-gamma (m + d) (m - d))) sum(exp(gamma max(1 + m - d, 0) (1 - m - d)))), "
        "d = max(1 - x x', 0); "
        "the first sum over rows of the same class, the second over others"
    )
    source = "keras.losses.Circle"
    integer_labels = True
    per_row = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        over_valid = Attr("over_valid", "bool", True, optional=True)
        gamma, margin = Attr("gamma", "float", 80.0, low=0.0), Attr("margin", "float", 0.4, low=0.0)
        return (gamma, margin, Attr("remove_diagonal", "bool", True), over_valid)

    def label_shape(self, prediction: Shape, attrs: Attrs = {}) -> Shape:  # noqa: B006 - read only
        super().label_shape(prediction)
        if len(prediction) != 1:
            raise ValueError(f"circle: expected a prediction of one axis, an embedding, got shape {prediction}")
        return ()

    def classes(self, prediction: Shape, attrs: Attrs = {}) -> int | None:  # noqa: B006 - read only
        return None  # an embedding's length says nothing about the number of classes

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
        pairs = circle_pairs(attrs, x, y, x, y)
        valid = np.count_nonzero(pairs.losses > 0) if attrs.get("over_valid", True) else len(x)
        factor = len(x) / valid if valid else 0.0
        np.multiply(pairs.losses, factor, out=losses)
        if dx is not None:
            slopes = pairs.slopes * (factor / len(x))
            if weight is not None:
                slopes *= weight[:, None]
            slopes += slopes.T.copy()  # a row is a reference of others as well
            np.matmul(slopes, x, out=dx)
            np.negative(dx, out=dx)

    def cases(self) -> Iterator[Case]:
        for n, (batch, width) in enumerate(
            ((1, 3), (2, 3), (3, 1), (7, 9), (9, 7), (17, 8), (16, 15), (5, 16), (33, 17))
        ):
            yield Case(self, batch, ((width,),), attrs={"gamma": 2.0}, weighted=n % 3 == 1)
            yield Case(self, batch, ((width,),), data="steep", weighted=n % 3 == 2)
        for attrs in ({"remove_diagonal": False}, {"margin": 0.25}, {"over_valid": False}):
            yield Case(self, 7, ((5,),), attrs=attrs, data="steep", weighted=True)
        yield Case(self, 5, ((4,),), data="alone")
        yield Case(self, 1, ((4,),), data="alone")

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Embeddings of length 0.95, of few classes.

        ``steep``: with the default gamma of 80, which multiplies the error of a distance. ``alone``: every row is of a
        class of its own.
        """
        x = rng.standard_normal((case.batch, *case.shapes[0]))
        x += np.copysign(0.1, x)
        x /= np.sqrt((x * x).sum(axis=-1, keepdims=True))
        x *= 0.95  # pairs keep away from a distance of 0, where there is a kink
        y = np.arange(case.batch) if case.data == "alone" else rng.integers(0, 3, case.batch)
        return weighted(case, rng, {"x": x, "y": y})

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        x, y, attrs = arrays["x"], arrays["y"], case.attrs
        gamma, margin = attrs["gamma"], attrs["margin"]
        weight = arrays.get("weight", np.ones(case.batch))
        pairs = circle_pairs(attrs, x, y, x, y)
        d = pairs.distances
        # a distance: a product of L terms and a difference
        d_error = (x.shape[-1] / 2 + 1) * eps * (np.abs(x) @ np.abs(x).T) + eps / 2 * d
        # an exponent: its slope in d, and five roundings of its factors
        near = 2 * gamma * d * d_error + 3 * eps * gamma * (margin + d) ** 2
        far = 2 * gamma * np.abs(1 - d) * d_error + 3 * eps * gamma * (1 + margin + d) ** 2
        exponent = np.maximum(near, far).max(axis=1)
        finite = np.where(np.isfinite(pairs.exponents), np.abs(pairs.exponents), 0)
        # both logarithms of sums of up to B terms; then log(1 + exp), whose slope is at most 1
        log_error = 2 * exponent + (case.batch + 8) * eps + 2 * eps * finite
        valid = np.count_nonzero(want["losses"] > 0) if attrs.get("over_valid", True) else case.batch
        factor = case.batch / valid if valid else 0.0
        losses = factor * np.where(pairs.losses > 0, log_error + 4 * eps * (pairs.losses + 1), 0)
        # a slope: shares of the sums and steepness err relatively as the exponents do; the distance absolutely
        scale = (factor / case.batch) * weight[:, None]
        steep = np.where(pairs.losses > 0, 1 - np.exp(-pairs.losses), 0)[:, None]
        relative = 3 * log_error[:, None] + 8 * eps
        slope = scale * (
            np.abs(pairs.slopes) * relative + 2 * gamma * steep * (d_error + eps * (1 + d)) * (1 + relative)
        )
        size = scale * np.abs(pairs.slopes)
        slope, size = slope + slope.T, size + size.T
        dx = (slope + (case.batch / 2 + 3) * eps * size) @ np.abs(x)
        loss = np.mean(weight * (losses + (case.batch / 2 + 2) * eps * np.abs(want["losses"])))
        return {"losses": losses, "loss": loss, "dx": dx}
