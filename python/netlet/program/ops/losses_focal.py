"""Focal cross-entropies: what is predicted well already counts less, by the power gamma of what it lacks.

Source: Lin et al., "Focal loss for dense object detection", 2018. Clipping is as in
:mod:`netlet.program.ops.crossentropy`, from logits too, as Keras does it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.activation import softmax, spread
from netlet.program.ops.crossentropy import FROM_LOGITS, LABEL_SMOOTHING, crossentropy_cases, sample_classes, smoothed
from netlet.program.ops.elementwise import sigmoid
from netlet.program.ops.loss_terms import AXIS, TermLoss, weighted
from netlet.program.ops.losses import clip_bounds
from netlet.program.spec import Array, Attr, Attrs

__all__ = ["BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"]

_GAMMA = Attr("gamma", "float", 2.0, low=0.0)


def _power_error(base: Array, error: Array, exponent: float, eps: float) -> Array:
    """How far base^exponent may be off, for a base off by ``error``; the power itself errs by 2 eps."""
    ends = np.stack([np.maximum(base - error, 0) ** exponent, (base + error) ** exponent])
    largest = ends.max(axis=0)
    total: Array = largest - ends.min(axis=0) + 2 * eps * largest
    return total


class BinaryFocalCrossentropy(TermLoss):
    """Focal cross-entropy of independent yes-or-no labels; y in [0, 1].

    With ``apply_class_balancing``, a yes weighs alpha and a no 1 - alpha.
    """

    name = "binary_focal_crossentropy"
    formula = (
        "mean(f^gamma b), f = y (1 - p) + (1 - y) p, b = -y log p - (1 - y) log(1 - p);  from logits: p = sigmoid(x)"
    )
    source = "keras.losses.BinaryFocalCrossentropy"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        alpha = Attr("alpha", "float", 0.25)
        return (FROM_LOGITS, Attr("apply_class_balancing", "bool", False), alpha, _GAMMA, LABEL_SMOOTHING)

    @staticmethod
    def _probabilities(attrs: Attrs, x: Array) -> tuple[Array, Array]:
        """p and 1 - p."""
        if not attrs["from_logits"]:
            return x, 1 - x
        p, q = np.empty_like(x), np.empty_like(x)
        sigmoid(x, p)
        sigmoid(-x, q)  # 1 - p would cancel
        return p, q

    @staticmethod
    def _balance(attrs: Attrs, y: Array) -> Array | float:
        if not attrs["apply_class_balancing"]:
            return 1.0
        balance: Array = y * attrs["alpha"] + (1 - y) * (1 - attrs["alpha"])
        return balance

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        gamma, (low, high) = attrs["gamma"], clip
        y = smoothed(attrs, y, 2)
        p, q = self._probabilities(attrs, x)
        clipped_p, clipped_q = np.clip(p, low, high), np.clip(q, 1 - high, 1 - low)
        entropy: Array = -(y * np.log(clipped_p) + (1 - y) * np.log(clipped_q))
        lack = y * q + (1 - y) * p
        balance = self._balance(attrs, y)
        if dx is not None:
            np.subtract(p, y, out=dx)
            dx /= clipped_p * clipped_q
            np.multiply(dx, (p >= low) & (p <= high), out=dx)
            dx *= np.power(lack, gamma)
            if gamma:
                dx += (1 - 2 * y) * entropy * np.power(lack, gamma - 1) * gamma
            dx *= balance
            if attrs["from_logits"]:
                dx *= p
                dx *= q
        entropy *= np.power(lack, gamma)
        entropy *= balance
        return entropy

    def cases(self) -> Iterator[Case]:
        yield from crossentropy_cases(self, 1)
        for from_logits in (False, True):
            for more in ({"apply_class_balancing": True, "alpha": 0.3}, {"gamma": 0.0}, {"gamma": 1.5}):
                yield Case(self, 7, ((5,),), attrs={"from_logits": from_logits, **more}, data="soft", weighted=True)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``soft``: labels between 0 and 1. ``extreme``: logits up to 1e4; probabilities 0, 1 and below the clip."""
        shape = (case.batch, *case.shapes[0])
        y = rng.random(shape) if case.data == "soft" else rng.integers(0, 2, shape) * 1.0
        x = 2 * rng.standard_normal(shape) if case.attrs["from_logits"] else rng.uniform(0.05, 0.95, shape)
        if case.data == "extreme" and case.attrs["from_logits"]:
            x[0, :], x[1, :], x[2, :], x[3, :] = 1e4, -1e4, 0.0, 100.0
        elif case.data == "extreme":
            x[0, :], x[1, :], x[2, :] = 0.0, 1.0, 1e-9
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        attrs = case.attrs
        gamma, (low, high) = attrs["gamma"], clip_bounds(np.dtype(case.dtype))
        y = smoothed(attrs, arrays["y"], 2)
        y_error = 2 * eps * y if "label_smoothing" in attrs else np.zeros_like(y)
        p, q = self._probabilities(attrs, arrays["x"])
        # sigmoid errs by 4 eps of itself on either side; of probabilities, 1 - p is rounded
        own = 4 * eps if attrs["from_logits"] else eps / 2
        clipped_p, clipped_q = np.clip(p, low, high), np.clip(q, 1 - high, 1 - low)
        logs = np.abs(np.log(clipped_p)), np.abs(np.log(clipped_q))
        entropy = y * logs[0] + (1 - y) * logs[1]
        entropy_error = own * (y + np.abs(1 - y)) + 4 * eps * entropy + (y_error + eps * (1 - y)) * (logs[0] + logs[1])
        lack = y * q + (1 - y) * p
        lack_error = (own + 1.5 * eps) * lack + y_error * (p + q)
        power, power_error = lack**gamma, _power_error(lack, lack_error, gamma, eps)
        balance = np.abs(self._balance(attrs, y))
        size = balance * entropy * power
        error = balance * (entropy_error * (power + power_error) + entropy * power_error) + 4 * eps * size
        # the slope: of the entropy, and of the power
        inside = (p >= low) & (p <= high)
        bend = inside * np.abs(p - y) / (clipped_p * clipped_q)
        bend_error = (
            inside * (own * p + y_error + eps * np.abs(p - y)) / (clipped_p * clipped_q) + (2 * own + eps) * bend
        )
        slope = bend * power
        slope_error = bend_error * (power + power_error) + bend * power_error + eps * slope
        if gamma:
            steep, steep_error = lack ** (gamma - 1), _power_error(lack, lack_error, gamma - 1, eps)
            turn = np.abs(1 - 2 * y)
            other = gamma * turn * entropy * steep
            slope = slope + other
            slope_error = slope_error + 4 * eps * other + gamma * (2 * y_error + eps) * entropy * steep
            slope_error = slope_error + gamma * turn * (entropy_error * (steep + steep_error) + entropy * steep_error)
        outer = balance * p * q if attrs["from_logits"] else balance
        return error, size, outer * (slope_error + (2 * own + 5 * eps) * slope)


class CategoricalFocalCrossentropy(TermLoss):
    """Focal cross-entropy over the classes of the last axis; y holds probabilities, one-hot or not.

    Probabilities are first divided by their sum, as Keras does. alpha is one weight, or one for each class.
    """

    name = "categorical_focal_crossentropy"
    signature = "x[B,...,C] y[B,...,C] -> loss[B]"
    formula = "mean over positions of -sum(alpha (1 - p)^gamma y log p), p = x / sum x;  from logits: p = softmax(x)"
    source = "keras.losses.CategoricalFocalCrossentropy"
    averaged = False

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (FROM_LOGITS, Attr("alpha", "float or list", 0.25), _GAMMA, LABEL_SMOOTHING, AXIS)

    @staticmethod
    def _alpha(attrs: Attrs, x: Array) -> Array:
        alpha: Array = np.asarray(attrs["alpha"], x.dtype)
        if alpha.ndim and len(alpha) != x.shape[-1]:
            raise ValueError(
                f"{CategoricalFocalCrossentropy.name}: alpha has {len(alpha)} weights, expected one for each of "
                f"{x.shape[-1]} classes"
            )
        return alpha

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        gamma, (low, high) = attrs["gamma"], clip
        alpha = self._alpha(attrs, x)
        y = smoothed(attrs, y, x.shape[-1])
        if attrs["from_logits"]:
            q, total = np.empty_like(x), None
            softmax(x, q)
        else:
            total = np.add.reduce(x, axis=-1, keepdims=True)
            q = x / total
        p = np.clip(q, low, high)
        lack = 1 - p
        logarithm = np.log(p)
        power: Array = np.power(lack, gamma)
        if dx is not None:
            np.divide(power, p, out=dx)
            np.negative(dx, out=dx)
            if gamma:
                dx += np.power(lack, gamma - 1) * logarithm * gamma
            dx *= y
            dx *= alpha
            np.multiply(dx, (q >= low) & (q <= high), out=dx)
            dx -= np.add.reduce(dx * q, axis=-1, keepdims=True)
            if total is None:
                dx *= q
            else:
                dx /= total
        power *= logarithm
        power *= y
        power *= -alpha
        return power

    def cases(self) -> Iterator[Case]:
        yield from crossentropy_cases(self, 2)
        for from_logits in (False, True):
            for more in ({"alpha": (0.1, 0.5, 0.9, 1.0, 0.2)}, {"gamma": 0.0}, {"gamma": 1.5}):
                yield Case(self, 7, ((5,),), attrs={"from_logits": from_logits, **more}, data="soft", weighted=True)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """As :class:`~netlet.program.ops.crossentropy.CategoricalCrossentropy`."""
        x, labels = sample_classes(case, rng)
        y = rng.random(x.shape) if case.data == "soft" else np.eye(x.shape[-1])[labels]
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        attrs, x = case.attrs, arrays["x"]
        gamma, (low, high) = attrs["gamma"], clip_bounds(np.dtype(case.dtype))
        alpha = np.abs(self._alpha(attrs, x))
        classes = x.shape[-1]
        y = smoothed(attrs, arrays["y"], classes)
        y_error = 2 * eps if "label_smoothing" in attrs else 0.0  # of itself
        if attrs["from_logits"]:
            # as the softmax of the cross-entropies
            distance, sums = spread(x, eps)
            q = np.exp(-distance)
            q /= q.sum(axis=-1, keepdims=True)
            relative = distance * eps / 2 + sums + 3 * eps
            outer = q
        else:
            total = x.sum(axis=-1, keepdims=True)
            q = x / total
            relative = np.full_like(x, (classes / 2 + 1) * eps)
            outer = 1 / total
        p = np.clip(q, low, high)
        logarithm = np.abs(np.log(p))
        log_error = relative + 2 * eps * logarithm
        lack, lack_error = 1 - p, p * relative + eps / 2
        power, power_error = lack**gamma, _power_error(lack, lack_error, gamma, eps)
        size = alpha * y * power * logarithm
        error = alpha * y * (power_error * (logarithm + log_error) + power * log_error) + (2 * eps + y_error) * size
        # g = alpha y (gamma lack^(gamma - 1) log p - lack^gamma / p), as large as the sum of its parts
        g = power / p
        g_error = (power_error + power * (relative + eps)) / p
        if gamma:
            steep, steep_error = lack ** (gamma - 1), _power_error(lack, lack_error, gamma - 1, eps)
            g = g + gamma * steep * logarithm
            g_error = g_error + gamma * (steep_error * (logarithm + log_error) + steep * (log_error + eps * logarithm))
        inside = (q >= low) & (q <= high)
        g_error = inside * alpha * y * (g_error + (3 * eps + y_error) * g)
        g = inside * alpha * y * g
        # dx = (g - sum(g q)) outer
        inner = (g * q).sum(axis=-1, keepdims=True)
        inner_error = (g_error * q + g * q * (relative + (classes / 2 + 1) * eps)).sum(axis=-1, keepdims=True)
        return error, size, outer * (g_error + inner_error + (relative + 2 * eps) * (g + inner))
