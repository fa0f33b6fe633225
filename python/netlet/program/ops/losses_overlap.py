"""Losses of overlap, for segmentation: Dice and Tversky.

With ``axis`` None, the whole batch is one sum: every row then has the batch's loss. With axes of a row (Keras counts
the batch as axis 0), each row has the mean over what remains of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netlet.config import EPSILON
from netlet.program.case import Case
from netlet.program.ops.loss_terms import scale_of, weighted
from netlet.program.ops.losses import loss_shapes
from netlet.program.spec import Array, Attr, Attrs, LossSpec, elements

__all__ = ["Dice", "Overlap", "Tversky"]

_AXIS = Attr("axis", "axes", None)


class Overlap(LossSpec):
    """1 - I / D along the axes: a subclass says what I and D are, and how they depend on an element of x."""

    signature = "x[B,...,L] y[B,...,L] -> loss[B]"
    per_row = False

    def per_row_for(self, attrs: Attrs) -> bool:
        axes = self.axes(attrs, None)
        return axes is not None and 0 not in axes

    @staticmethod
    def axes(attrs: Attrs, rank: int | None) -> tuple[int, ...] | None:
        """The axes as a tuple, counted from the front if the rank is given; None for all."""
        axis = attrs["axis"]
        if axis is None:
            return None
        axes = axis if isinstance(axis, tuple) else (axis,)
        return axes if rank is None else tuple(each % rank for each in axes)

    def parts(self, attrs: Attrs, x: Array, y: Array, axes: tuple[int, ...] | None) -> tuple[Array, Array, Array]:
        """I and D, with the axes kept, and dD/dx, which broadcasts against x; dI/dx is ``factor * y``."""
        raise NotImplementedError

    #: I is this many times sum(x y).
    factor: float = 1.0

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
        axes = self.axes(attrs, x.ndim)
        over, under, slope = self.parts(attrs, x, y, axes)
        value = 1 - over / under
        whole = axes is None or 0 in axes
        if whole:
            losses.fill(value.mean())
        else:
            np.divide(np.add.reduce(value.reshape(len(x), -1), axis=1), value[0].size, out=losses)
        if dx is None:
            return
        # d(1 - I/D) = (I dD - D dI) / D^2
        np.multiply(over, slope, out=dx)
        dx -= under * y * self.factor
        dx /= under * under
        if whole:
            dx *= (1.0 if weight is None else weight.mean()) / value.size
        elif weight is None:
            dx *= 1.0 / value.size
        else:
            dx *= (weight * (1.0 / value.size)).reshape(-1, *(1,) * (x.ndim - 1))

    def cases(self) -> Iterator[Case]:
        for n, (batch, shape) in enumerate(loss_shapes()):
            whole = batch * elements(shape) < 500  # an error bound grows with the number of terms
            yield Case(self, batch, (shape,), attrs={"axis": None if whole else -1}, weighted=n % 3 == 1)
        for axis in (-1, (1,), (-1, 0)):
            yield Case(self, 5, ((6,),), attrs={"axis": axis}, weighted=axis != -1)
        for axes in ((1, 2), (2, -1), (0, 1, 2, 3), 2, (1, 2, 3)):
            yield Case(self, 3, ((2, 4, 5),), attrs={"axis": axes}, weighted=axes != 2)

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Masks of 0 and 1, and probabilities."""
        shape = (case.batch, *case.shapes[0])
        return weighted(case, rng, {"x": rng.uniform(0.1, 0.9, shape), "y": rng.integers(0, 2, shape) * 1.0})

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        x, y = arrays["x"], arrays["y"]
        axes = self.axes(case.attrs, x.ndim)
        over, under, slope = self.parts(case.attrs, x, y, axes)
        # sums of up to n positive terms err by n/2 eps, their terms by 2 eps; then the quotient, and the mean of m
        terms = x.size / over.size
        relative = (terms + 8) * eps
        ratio = over / under * relative + eps
        mean = (over.size / 2 + 2) * eps
        whole = axes is None or 0 in axes
        scale: Array | float
        weight = arrays.get("weight", np.ones(case.batch))
        if whole:
            losses = np.full(case.batch, ratio.mean()) + mean * np.abs(want["losses"])
            scale = float(np.mean(weight)) / over.size
        else:
            losses = ratio.reshape(case.batch, -1).mean(axis=1) + mean * np.abs(want["losses"])
            scale = scale_of(case, arrays, over[0].size)
        size = (np.abs(over * slope) + np.abs(under * y * self.factor)) / under**2
        dx = scale * size * 3 * relative + (case.batch + 4) * eps * np.abs(want["dx"])
        loss = np.mean(weight * (losses + (case.batch + 4) * eps * np.abs(want["losses"])))
        return {"losses": losses, "loss": loss, "dx": dx}


class Dice(Overlap):
    """1 - the Dice coefficient: twice the overlap over the sum of both."""

    name = "dice"
    formula = "1 - 2 sum(x y) / (sum x + sum y + 1e-7)"
    source = "keras.losses.Dice"
    factor = 2.0

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (_AXIS,)

    def parts(self, attrs: Attrs, x: Array, y: Array, axes: tuple[int, ...] | None) -> tuple[Array, Array, Array]:
        over = np.add.reduce(x * y, axis=axes, keepdims=True) * 2
        under = np.add.reduce(x, axis=axes, keepdims=True) + np.add.reduce(y, axis=axes, keepdims=True)
        under += EPSILON
        return over, under, np.ones_like(under)


class Tversky(Overlap):
    """1 - the Tversky index, which weighs misses by alpha and false alarms by beta.

    Source: Salehi et al., "Tversky loss function for image segmentation using 3D fully convolutional deep networks",
    2017.
    """

    name = "tversky"
    formula = "1 - I / (I + alpha sum((1 - x) y) + beta sum(x (1 - y)) + 1e-7), I = sum(x y)"
    source = "keras.losses.Tversky"

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        return (Attr("alpha", "float", 0.5), Attr("beta", "float", 0.5), _AXIS)

    def parts(self, attrs: Attrs, x: Array, y: Array, axes: tuple[int, ...] | None) -> tuple[Array, Array, Array]:
        alpha, beta = attrs["alpha"], attrs["beta"]
        over = np.add.reduce(x * y, axis=axes, keepdims=True)
        under = over + np.add.reduce((1 - x) * y, axis=axes, keepdims=True) * alpha
        under += np.add.reduce(x * (1 - y), axis=axes, keepdims=True) * beta
        under += EPSILON
        return over, under, y * (1 - alpha) + (1 - y) * beta

    def cases(self) -> Iterator[Case]:
        yield from super().cases()
        yield Case(self, 5, ((6,),), attrs={"alpha": 0.2, "beta": 0.8})
        yield Case(self, 3, ((2, 4),), attrs={"alpha": 0.75, "beta": 0.25, "axis": (1, 2)}, weighted=True)
