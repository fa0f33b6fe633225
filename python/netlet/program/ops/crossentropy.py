"""Cross-entropies, on probabilities and on logits, with the softmax or sigmoid fused into the latter.

Probabilities are clipped to [1e-7, 1 - 1e-7] before the logarithm, as Keras does; where one was clipped, the gradient
is 0. From logits nothing is clipped, and the loss is exact however far apart the logits are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.activation import shifted, spread
from netlet.program.ops.elementwise import sigmoid
from netlet.program.ops.loss_terms import AXIS, moved, moved_bound, scale_of, weighted
from netlet.program.ops.losses import clip_bounds, loss_bound, loss_shapes, row_means, row_scale
from netlet.program.spec import Array, Attr, Attrs, LossSpec, elements

__all__ = [
    "FROM_LOGITS",
    "LABEL_SMOOTHING",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "clip_bounds",
    "crossentropy_cases",
    "logits_bound",
    "sample_classes",
    "smoothed",
]

FROM_LOGITS = Attr("from_logits", "bool", False)
LABEL_SMOOTHING = Attr("label_smoothing", "float", 0.0, low=0.0, high=1.0, optional=True)


def smoothed(attrs: Attrs, y: Array, classes: int) -> Array:
    """The labels, drawn towards 1 / classes by the share ``label_smoothing``."""
    share = attrs.get("label_smoothing", 0.0)
    if share:
        y = y * (1.0 - share)
        y += share / classes
    return y


def crossentropy_cases(spec: LossSpec, least_classes: int) -> Iterator[Case]:
    for from_logits in (False, True):
        attrs = {"from_logits": from_logits}
        for n, (batch, shape) in enumerate(loss_shapes()):
            if shape[-1] >= least_classes:
                yield Case(spec, batch, (shape,), attrs=attrs, weighted=n % 3 == 1)
        yield Case(spec, 6, ((7,),), attrs=attrs, data="extreme")
        if "label_smoothing" in {attr.name for attr in spec.attributes(attrs)}:
            for batch, shape in ((7, (4,)), (5, (17,)), (4, (3, 5))):
                smooth = {**attrs, "label_smoothing": 0.1}
                yield Case(spec, batch, (shape,), attrs=smooth, weighted=batch == 5)
        if "axis" in {attr.name for attr in spec.attributes(attrs)}:
            yield Case(spec, 4, ((3, 5),), attrs={**attrs, "axis": 1}, weighted=True)
            yield Case(spec, 3, ((2, 4, 3),), attrs={**attrs, "axis": -2})
        if spec.integer_labels:
            yield Case(spec, 6, ((5,),), attrs=attrs, data="bad labels")
            yield Case(spec, 3, ((2, 5),), attrs=attrs, data="bad labels")
        else:
            yield Case(spec, 5, ((4,),), attrs=attrs, data="soft", weighted=True)


def sample_classes(case: Case, rng: np.random.Generator) -> tuple[Array, Array]:
    """A prediction over classes, and class numbers.

    ``extreme``: probabilities of exactly 0 and 1, and below the clip; logits 2e4 apart and huge offsets.
    ``bad labels``: a negative class number, one too large, and the largest integer.
    """
    shape = (case.batch, *case.shapes[0])
    x = 3 * rng.standard_normal(shape)
    labels = rng.integers(0, shape[-1], shape[:-1])
    if case.attrs["from_logits"]:
        if case.data == "extreme":
            x[0], x[1], x[2, 0], x[3, -1] = x[0] + 1e4, -1e4, 1e4, -1e4
    else:
        x = np.exp(x)
        x /= x.sum(axis=-1, keepdims=True)
        x *= rng.uniform(0.5, 1.5, (*shape[:-1], 1))  # that they sum to 1 is not taken for granted
        if case.data == "extreme":
            x[0], x[1] = 0.0, 0.0
            x[0, 2] = x[1, 3] = 1.0
            x[2, :] = 1e-9
            x[2, 0] = 1.0
            labels[0], labels[1], labels[2] = 2, 0, 1
    if case.data == "bad labels":
        labels.reshape(-1)[[0, 2, 4]] = -1, shape[-1], 2**31 - 1
    return x, labels


def _smoothing_error(case: Case, y: Array, eps: float) -> Array:
    """How far smoothed labels ``y`` may be off: four roundings, or none where nothing is smoothed."""
    return 2 * eps * y if "label_smoothing" in case.attrs else np.zeros_like(y)


class BinaryCrossentropy(LossSpec):
    """Cross-entropy of independent yes-or-no labels; y in [0, 1]."""

    name = "binary_crossentropy"
    signature = "x[B,...,L] y[B,...,L] -> loss[B]"
    formula = "mean(-y log x - (1 - y) log(1 - x));  from logits: mean(max(x, 0) - x y + log1p(exp(-|x|)))"
    source = "keras.losses.BinaryCrossentropy"
    native = True
    fuses = "sigmoid"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (FROM_LOGITS, LABEL_SMOOTHING)

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
        y = smoothed(attrs, y, 2)
        if attrs["from_logits"]:
            value = np.log1p(np.exp(-np.abs(x)))
            value += np.maximum(x, 0)
            value -= x * y
            row_means(value, losses, share)
            probabilities = output if output is not None else dx
            if probabilities is not None:
                sigmoid(x, probabilities)
            if dx is not None:
                np.subtract(probabilities, y, out=dx)  # type: ignore[arg-type]
                dx *= row_scale(x, weight, share)
            return
        low, high = clip or clip_bounds(x.dtype)
        p = np.clip(x, low, high)
        q = 1 - p
        value = y * np.log(p)
        value += (1 - y) * np.log(q)
        np.negative(value, out=value)
        row_means(value, losses, share)
        if dx is not None:
            inside = (x >= low) & (x <= high)
            np.subtract(p, y, out=dx)
            dx /= p
            dx /= q
            np.multiply(dx, inside, out=dx)
            dx *= row_scale(x, weight, share)

    def cases(self) -> Iterator[Case]:
        return crossentropy_cases(self, 1)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """``soft``: labels between 0 and 1. ``extreme``: logits up to 1e4; probabilities 0, 1 and below the clip."""
        shape = (case.batch, *case.shapes[0])
        y = rng.random(shape) if case.data == "soft" else rng.integers(0, 2, shape) * 1.0
        if case.attrs["from_logits"]:
            x = 3 * rng.standard_normal(shape)
            if case.data == "extreme":
                x[0, :], x[1, :], x[2, :], x[3, :] = 1e4, -1e4, 0.0, 100.0
        else:
            x = rng.uniform(0.01, 0.99, shape)
            if case.data == "extreme":
                x[0, :], x[1, :], x[2, :] = 0.0, 1.0, 1e-9
        return weighted(case, rng, {"x": x, "y": y})

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        x, y = arrays["x"], smoothed(case.attrs, arrays["y"], 2)
        share = elements(case.shapes[0])
        scale = scale_of(case, arrays, share)
        y_error = _smoothing_error(case, y, eps)
        if case.attrs["from_logits"]:
            # three terms with errors of 0, eps/2 and 4 eps of themselves, and the roundings of their sum
            size = np.maximum(x, 0) + np.abs(x * y) + np.log1p(np.exp(-np.abs(x)))
            p = np.empty_like(x)
            sigmoid(x, p)
            # dx: the sigmoid's 4 eps, the difference, the scale
            dx = scale * (4 * eps * p + y_error) + 2 * eps * np.abs(want["dx"])
            error = 4 * eps * size + y_error * np.abs(x)
            return {**loss_bound(case, arrays, error, size, share, eps), "dx": dx}
        low, high = clip_bounds(np.dtype(case.dtype))
        p = np.clip(x, low, high)
        q = 1 - p
        # logarithms err by 2 eps of themselves, and 1 - p by eps/2 of itself, which the logarithm makes absolute
        size = np.abs(y * np.log(p)) + np.abs((1 - y) * np.log(q))
        error = 4 * eps * size + eps * np.abs(1 - y) + y_error * (np.abs(np.log(p)) + np.abs(np.log(q)))
        # dx = (p - y) / (p q) scale: six roundings
        dx = 4 * eps * np.abs(want["dx"]) + scale * y_error / (p * q)
        return {**loss_bound(case, arrays, error, size, share, eps), "dx": dx}


class CategoricalCrossentropy(LossSpec):
    """Cross-entropy over the classes of the last axis; y holds probabilities, one-hot or not.

    Probabilities are first divided by their sum, as Keras does.
    """

    name = "categorical_crossentropy"
    signature = "x[B,...,C] y[B,...,C] -> loss[B]"
    formula = "mean over positions of -sum(y log(x / sum x));  from logits: of -sum(y log_softmax(x))"
    source = "keras.losses.CategoricalCrossentropy"
    native = True
    fuses = "softmax"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (FROM_LOGITS, LABEL_SMOOTHING, AXIS)

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
        if moved(self, attrs, x, y, weight, losses, dx, output, clip):
            return
        positions = elements(x.shape[1:-1])
        y = smoothed(attrs, y, x.shape[-1])
        if attrs["from_logits"]:
            shift = np.empty_like(x)
            shifted(x, shift)
            exponentials = np.exp(shift, out=output if output is not None else dx)
            total = np.add.reduce(exponentials, axis=-1, keepdims=True)
            shift -= np.log(total)
            shift *= y
            np.negative(shift, out=shift)
            row_means(shift, losses, positions)
            if output is not None or dx is not None:
                exponentials /= total
            if dx is not None:
                # y that do not sum to 1 are allowed, so the softmax counts sum(y) times
                np.multiply(exponentials, np.add.reduce(y, axis=-1, keepdims=True), out=dx)
                dx -= y
                dx *= row_scale(x, weight, positions)
            return
        low, high = clip or clip_bounds(x.dtype)
        total = np.add.reduce(x, axis=-1, keepdims=True)
        q = x / total
        p = np.clip(q, low, high)
        value = np.log(p)
        value *= y
        np.negative(value, out=value)
        row_means(value, losses, positions)
        if dx is not None:
            np.divide(y, p, out=dx)  # -dl/dq
            np.multiply(dx, (q >= low) & (q <= high), out=dx)
            inner = np.add.reduce(dx * q, axis=-1, keepdims=True)
            np.subtract(inner, dx, out=dx)
            dx /= total
            dx *= row_scale(x, weight, positions)

    def cases(self) -> Iterator[Case]:
        return crossentropy_cases(self, 1)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """As the sparse form; ``soft``: labels that are no one-hot rows and do not sum to 1."""
        x, labels = sample_classes(case, rng)
        y = np.eye(x.shape[-1])[labels]
        if case.data == "soft":
            y = rng.random(x.shape)
        return weighted(case, rng, {"x": x, "y": y})

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        if case.attrs.get("axis", -1) not in (-1, len(case.shapes[0])):
            return moved_bound(self, case, arrays, want, eps)
        x = arrays["x"]
        y = smoothed(case.attrs, arrays["y"], x.shape[-1])
        y_error = _smoothing_error(case, y, eps)
        classes, positions = x.shape[-1], elements(case.shapes[0][:-1])
        scale = scale_of(case, arrays, positions)
        if case.attrs["from_logits"]:
            bounds, p, p_error = logits_bound(case, arrays, y, positions, eps, y_error)
            # dx = (p sum(y) - y) scale: p's error, C roundings in the sum, three more
            total = y.sum(axis=-1, keepdims=True)
            dx = scale * (total * p_error + (classes / 2 + 2) * eps * (total * p + y))
            dx += scale * (y_error.sum(axis=-1, keepdims=True) * p + y_error)
            return {**bounds, "dx": dx}
        # q = x / sum x has C/2 + 1 eps, which the logarithm makes absolute, and errs by 2 eps of itself
        low, high = clip_bounds(np.dtype(case.dtype))
        total = x.sum(axis=-1, keepdims=True)
        q = x / total
        p = np.clip(q, low, high)
        relative = (classes / 2 + 1) * eps
        size = y * np.abs(np.log(p))
        error = y * (relative + eps) + 2 * eps * size + y_error * np.abs(np.log(p))
        bounds = loss_bound(case, arrays, error, size, positions, eps)
        # dx = (sum(g q) - g) / total scale, g = y / p where q was not clipped
        g = np.where((q >= low) & (q <= high), y / p, 0)
        inner = (g * q).sum(axis=-1, keepdims=True)
        smoothing = 2 * eps if "label_smoothing" in case.attrs else 0.0
        dx = scale / total * (3 * relative + 4 * eps + smoothing) * (g + inner)
        return {**bounds, "dx": dx}


def logits_bound(
    case: Case, arrays: dict[str, Array], y: Array, positions: int, eps: float, y_error: Array | float = 0.0
) -> tuple[dict[str, Array], Array, Array]:
    """Bounds of the loss -sum(y log_softmax(x)), for labels off by ``y_error``; the softmax, and its error."""
    # log_softmax = (x - max) - log(total): the distance is rounded, the total errs relatively, the logarithm by 2 eps
    distance, total = spread(arrays["x"], eps)
    exponentials = np.exp(-distance)
    sums = exponentials.sum(axis=-1, keepdims=True)
    size = y * (distance + np.log(sums))
    error = 3 * eps * size + y * total + y_error * (distance + np.log(sums))
    p = exponentials / sums
    p_error = p * (distance * eps / 2 + total + 3 * eps)
    return loss_bound(case, arrays, error, size, positions, eps), p, p_error
