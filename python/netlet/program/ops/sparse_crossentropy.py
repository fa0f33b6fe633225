"""The cross-entropy of class numbers, on probabilities and on logits, with the softmax fused into the latter.

Clipping is as in :mod:`netlet.program.ops.crossentropy`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.activation import shifted
from netlet.program.ops.crossentropy import FROM_LOGITS, crossentropy_cases, logits_bound, sample_classes
from netlet.program.ops.loss_terms import AXIS, moved, moved_bound, scale_of, weighted
from netlet.program.ops.losses import clip_bounds, loss_bound, row_means, row_scale
from netlet.program.spec import Array, Attr, Attrs, LossSpec, elements

__all__ = ["SparseCategoricalCrossentropy"]


class SparseCategoricalCrossentropy(LossSpec):
    """Cross-entropy over the classes of the last axis; y holds class numbers (int32).

    Probabilities are first divided by their sum, as Keras does. Positions with the label ``ignore_class`` have neither
    loss nor gradient; the mean is then over the other positions of the whole batch (with ``over_valid``, the default),
    so rows are no longer on their own.
    """

    name = "sparse_categorical_crossentropy"
    signature = "x[B,...,C] y[B,...] int32 -> loss[B]"
    formula = "mean over positions of -log(x[y] / sum x);  from logits: of log sum exp(x) - x[y]"
    source = "keras.losses.SparseCategoricalCrossentropy"
    integer_labels = True
    native = True
    fuses = "softmax"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        low, high = -(2.0**31), 2.0**31 - 1
        ignore = Attr("ignore_class", "int or null", None, low=low, high=high, optional=True)
        return (FROM_LOGITS, ignore, Attr("over_valid", "bool", True, optional=True), AXIS)

    def is_native(self, attrs: Attrs) -> bool:
        # the kernels do not divide probabilities by their sum
        return super().is_native(attrs) and bool(attrs["from_logits"])

    def per_row_for(self, attrs: Attrs) -> bool:
        return "ignore_class" not in attrs or not attrs.get("over_valid", True)

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
        classes = x.shape[-1]
        labels = y.reshape(-1)
        ignored = labels == attrs["ignore_class"] if "ignore_class" in attrs else None
        if ignored is not None:
            labels = np.where(ignored, 0, labels)
        unknown: Array | None = None  # which labels no class has; negative ones are large when taken as unsigned
        if np.maximum.reduce(labels.view(np.uint32), initial=0) >= classes:
            unknown = (labels < 0) | (labels >= classes)
            labels = np.where(unknown, 0, labels)
        chosen = np.arange(labels.size) * classes  # each label's place in the flattened x
        chosen += labels
        gradient = None if dx is None else dx.reshape(-1)
        if attrs["from_logits"]:
            shift = np.empty_like(x)
            shifted(x, shift)
            value = -shift.reshape(-1)[chosen]
            out = output if output is not None else dx
            exponentials = np.exp(shift, out=shift if out is None else out)
            total = np.add.reduce(exponentials, axis=-1, keepdims=True)
            value += np.log(total).reshape(-1)
            if output is not None or dx is not None:
                exponentials /= total
            if dx is not None and gradient is not None:
                scale = row_scale(x, weight, positions)
                np.multiply(exponentials, scale, out=dx)
                gradient[chosen] -= self._per_position(scale, labels.size)
        else:
            low, high = clip or clip_bounds(x.dtype)
            total = np.add.reduce(x, axis=-1, keepdims=True)
            q = x.reshape(-1)[chosen]
            q /= total.reshape(-1)
            p = np.clip(q, low, high)
            value = np.log(p)
            np.negative(value, out=value)
            if dx is not None and gradient is not None:
                slope = ((q >= low) & (q <= high)) / p
                slope /= total.reshape(-1)
                slope *= self._per_position(row_scale(x, weight, positions), labels.size)
                dx[...] = (slope * q).reshape(total.shape)
                gradient[chosen] -= slope
        if unknown is not None:
            value[unknown] = np.nan
            if dx is not None:
                dx.reshape(-1, classes)[unknown] = np.nan
        if ignored is not None:
            value[ignored] = 0
            if dx is not None:
                dx.reshape(-1, classes)[ignored] = 0
        row_means(value, losses, positions)
        if ignored is not None and attrs.get("over_valid", True):
            factor = self._valid_factor(ignored)
            losses *= factor
            if dx is not None:
                dx *= factor

    @staticmethod
    def _valid_factor(ignored: Array) -> float:
        """What makes a mean over all positions one over those that are not ignored; 0 if there are none."""
        valid = ignored.size - int(np.count_nonzero(ignored))
        return ignored.size / valid if valid else 0.0

    @staticmethod
    def _per_position(scale: Array | float, count: int) -> Array | float:
        """The scale of each row, repeated for each of its positions."""
        if isinstance(scale, float):
            return scale
        rows = scale.reshape(-1)
        return np.repeat(rows, count // rows.size)

    def cases(self) -> Iterator[Case]:
        yield from crossentropy_cases(self, 2)
        for from_logits in (False, True):
            for over_valid in (False, True):
                attrs = {"from_logits": from_logits, "ignore_class": -1, "over_valid": over_valid}
                yield Case(self, 9, ((4,),), attrs=attrs, data="ignored", weighted=from_logits)
                yield Case(self, 3, ((3, 5),), attrs=attrs, data="ignored", weighted=not from_logits)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """See :func:`~netlet.program.ops.crossentropy.sample_classes`. ``ignored``: every third label is ignored."""
        x, labels = sample_classes(case, rng)
        if case.data == "ignored":
            labels.reshape(-1)[::3] = case.attrs["ignore_class"]
        axis = case.attrs.get("axis", -1)
        if axis != -1:  # labels for the classes of that axis
            shape = (case.batch, *case.shapes[0])
            labels = rng.integers(0, shape[axis], tuple(np.delete(shape, axis)))
        return weighted(case, rng, {"x": x, "y": labels})

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        if case.attrs.get("axis", -1) not in (-1, len(case.shapes[0])):
            return moved_bound(self, case, arrays, want, eps)
        x, labels = arrays["x"], arrays["y"]
        classes, positions = x.shape[-1], elements(case.shapes[0][:-1])
        chosen = labels[..., None] == np.arange(classes)  # one-hot; all False for a bad or ignored label
        scale = scale_of(case, arrays, positions)
        if case.attrs["from_logits"]:
            bounds, p, p_error = logits_bound(case, arrays, chosen * 1.0, positions, eps)
            # dx = (p - one-hot) scale
            bounds["dx"] = scale * (p_error + 2 * eps * (p + chosen))
        else:
            # q = x / sum x has C/2 + 1 eps, which the logarithm makes absolute, and errs by 2 eps of itself
            low, high = clip_bounds(np.dtype(case.dtype))
            total = x.sum(axis=-1, keepdims=True)
            q = x / total
            p = np.clip(q, low, high)
            relative = (classes / 2 + 1) * eps
            size = chosen * np.abs(np.log(p))
            bounds = loss_bound(case, arrays, chosen * relative + 2 * eps * size, size, positions, eps)
            # dx = (g q - g) / total scale, g = 1 / p where q was not clipped, as the categorical form
            g = np.where(chosen & (q >= low) & (q <= high), 1 / p, 0)
            inner = (g * q).sum(axis=-1, keepdims=True)
            bounds["dx"] = scale / total * (3 * relative + 4 * eps) * (g + inner)
        if "ignore_class" in case.attrs and case.attrs.get("over_valid", True):
            factor = self._valid_factor(labels == case.attrs["ignore_class"])
            rounded = {name: eps * np.abs(want[name]) for name in bounds}
            return {name: factor * bound + rounded[name] for name, bound in bounds.items()}
        return bounds
