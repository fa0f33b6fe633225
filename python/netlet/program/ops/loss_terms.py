"""What the losses that have no kernel of their own share: a row's loss is a sum of terms, each with its slope.

A :class:`TermLoss` says what the terms of a row are and how each bends; sums, weights and the scale of the gradient are
here. So is the move of classes that do not lie on the last axis, which the cross-entropies use as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.losses import clip_bounds, loss_bound, loss_shapes, row_means, row_scale
from netlet.program.spec import Array, Attr, Attrs, LossSpec, elements

__all__ = ["AXIS", "TermLoss", "loss_cases", "moved", "scale_of", "weighted"]

#: The axis that holds the classes, as Keras counts it: 0 is the batch.
AXIS = Attr("axis", "int", -1, optional=True)


def moved(
    spec: LossSpec,
    attrs: Attrs,
    x: Array,
    y: Array,
    weight: Array | None,
    losses: Array,
    dx: Array | None,
    output: Array | None,
    clip: tuple[float, float] | None,
) -> bool:
    """Computes a loss whose ``axis`` is not the last one, on copies where it is; False if it is the last anyway."""
    axis = attrs.get("axis", -1)
    if axis in (-1, x.ndim - 1):
        return False

    def last(array: Array) -> Array:
        return np.ascontiguousarray(np.moveaxis(array, axis, -1))

    prediction = last(x)
    labels = y if spec.integer_labels else last(y)
    gradient = None if dx is None else np.empty_like(prediction)
    probabilities = None if output is None else np.empty_like(prediction)
    rest = {name: value for name, value in attrs.items() if name != "axis"}
    spec.value_and_gradient(rest, prediction, labels, weight, losses, gradient, probabilities, clip)
    for whole, part in ((dx, gradient), (output, probabilities)):
        if whole is not None and part is not None:
            np.copyto(whole, np.moveaxis(part, -1, axis))
    return True


def loss_cases(spec: LossSpec, variants: list[Mapping[str, object]], special: tuple[str, ...] = ()) -> Iterator[Case]:
    """Every shape with the first of ``variants`` (attributes), a few with the others, and the ``special`` data."""
    for v, attrs in enumerate(variants):
        for n, (batch, shape) in enumerate(loss_shapes()):
            if v == 0 or n % 4 == 1:
                yield Case(spec, batch, (shape,), attrs=attrs, weighted=n % 3 == 1)
        for data in special:
            yield Case(spec, 5, ((6,),), attrs=attrs, data=data, weighted=v > 0)


def weighted(case: Case, rng: np.random.Generator, arrays: dict[str, Array]) -> dict[str, Array]:
    """``arrays``, with sample weights where the case has them."""
    return {**arrays, "weight": rng.uniform(0, 2, case.batch)} if case.weighted else arrays


def scale_of(case: Case, arrays: dict[str, Array], share: int) -> Array:
    """What a row's gradient is multiplied by, shaped to broadcast over x."""
    weight = arrays.get("weight", np.ones(case.batch))
    return np.abs(weight).reshape(-1, *(1,) * len(case.shapes[0])) / (case.batch * share)


class TermLoss(LossSpec):
    """A loss whose rows are sums of terms, divided by a number that the shape alone tells.

    A subclass has :meth:`terms` and :meth:`term_error`.

    Attributes:
        averaged: whether it is the mean over the last axis too, and not over the other axes of a row alone.
    """

    signature = "x[B,...,L] y[B,...,L] -> loss[B]"
    averaged: bool = True

    def share(self, attrs: Attrs, row: tuple[int, ...]) -> int:
        """What a row's sum is divided by, for a prediction of shape ``row``."""
        return elements(row if self.averaged else row[:-1])

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        """Returns the terms, ``[B, ...]``, and overwrites ``dx`` with the gradient of their sum unless it is None."""
        raise NotImplementedError

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        """How far the terms may be off, their size, and how far the gradient of their sum may be off."""
        raise NotImplementedError

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
        if isinstance(attrs.get("axis", -1), int) and moved(self, attrs, x, y, weight, losses, dx, output, clip):
            return
        share = self.share(attrs, x.shape[1:])
        row_means(self.terms(attrs, x, y, dx, clip or clip_bounds(x.dtype)), losses, share)
        if dx is not None:
            dx *= row_scale(x, weight, share)

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        axis = case.attrs.get("axis", -1)
        if isinstance(axis, int) and axis not in (-1, len(case.shapes[0])):
            return moved_bound(self, case, arrays, want, eps)
        share = self.share(case.attrs, case.shapes[0])
        error, size, slope_error = self.term_error(case, arrays, eps)
        # the scale weight / (B share) has three roundings with the product
        dx = scale_of(case, arrays, share) * slope_error + 2 * eps * np.abs(want["dx"])
        return {**loss_bound(case, arrays, error, size, share, eps), "dx": dx}


def moved_bound(
    spec: LossSpec, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float
) -> dict[str, Array]:
    """The bound of a case whose ``axis`` is not the last: that of the case with the axis moved there."""
    axis = case.attrs["axis"]
    shape = (case.batch, *case.shapes[0])
    place = axis % len(shape)
    last = (*shape[1:place], *shape[place + 1 :], shape[place])
    rest = {name: value for name, value in case.attrs.items() if name != "axis"}
    inner = Case(spec, case.batch, (last,), attrs=rest, weighted=case.weighted, dtype=case.dtype)
    labels = {} if spec.integer_labels else {"y": np.moveaxis(arrays["y"], axis, -1)}
    bounds = spec.bound(
        inner,
        {**arrays, **labels, "x": np.moveaxis(arrays["x"], axis, -1)},
        {**want, "dx": np.moveaxis(want["dx"], axis, -1)},
        eps,
    )
    return {**bounds, "dx": np.moveaxis(bounds["dx"], -1, axis)}
