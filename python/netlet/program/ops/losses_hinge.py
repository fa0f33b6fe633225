"""Hinge losses: what a margin of 1 lacks.

Labels are -1 and 1. Where all labels of a batch are 0 or 1, they are taken as -1 and 1, as Keras does; a batch of
labels -1, 0 and 1 is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netlet.program.case import Case
from netlet.program.ops.loss_terms import TermLoss, loss_cases, weighted
from netlet.program.spec import Array, Attrs

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge"]


def _signs(y: Array) -> Array:
    """``2 y - 1`` where every label is 0 or 1, else y."""
    signs: Array = y + y - 1 if bool(((y == 0) | (y == 1)).all()) else y
    return signs


class Hinge(TermLoss):
    """The mean of what margins lack; the slope at a margin of exactly 1 is 0."""

    name = "hinge"
    formula = "mean(max(1 - x y, 0))"
    source = "keras.losses.Hinge"

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        signs = _signs(y)
        lack = 1 - x * signs
        if dx is not None:
            np.multiply(signs, lack > 0, out=dx)
            np.negative(dx, out=dx)
        value: Array = np.maximum(lack, 0)
        return value

    def cases(self) -> Iterator[Case]:
        return loss_cases(self, [{}], ("signs", "extreme"))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Labels 0 and 1; ``signs``: -1 and 1. ``extreme``: magnitudes from 1e-15 to 1e15."""
        shape = (case.batch, *case.shapes[0])
        x, y = rng.standard_normal(shape), rng.choice([-1.0, 1.0], shape)
        x += np.where(np.abs(1 - x * y) < 0.05, 0.2, 0.0)  # away from the kink
        if case.data == "extreme":
            x *= 10.0 ** rng.integers(-15, 16, shape)
        if case.data != "signs":
            y = (y + 1) / 2
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        # a product and a difference are rounded; labels are exact, and so is the slope
        signs = _signs(arrays["y"])
        lack = np.maximum(1 - arrays["x"] * signs, 0)
        return eps * (np.abs(arrays["x"] * signs) + 1), lack, np.zeros_like(lack)


class SquaredHinge(Hinge):
    """The mean of the squares of what margins lack."""

    name = "squared_hinge"
    formula = "mean(max(1 - x y, 0)^2)"
    source = "keras.losses.SquaredHinge"

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        signs = _signs(y)
        lack: Array = np.maximum(1 - x * signs, 0)
        if dx is not None:
            np.multiply(signs, lack, out=dx)
            dx *= -2
        lack *= lack
        return lack

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        error, lack, _ = super().term_error(case, arrays, eps)
        # what a margin lacks errs as above, and is squared
        return error * (2 * lack + error) + eps * lack * lack, lack * lack, 2 * error + 2 * eps * lack


class CategoricalHinge(TermLoss):
    """By how much the best wrong class comes within 1 of the right one; y holds one-hot rows.

    Where several classes are the best wrong one, the gradient takes the first.
    """

    name = "categorical_hinge"
    formula = "mean over positions of max(1 - sum(x y) + max(x (1 - y)), 0)"
    source = "keras.losses.CategoricalHinge"
    averaged = False

    def terms(self, attrs: Attrs, x: Array, y: Array, dx: Array | None, clip: tuple[float, float]) -> Array:
        others = 1 - y
        wrong = x * others
        best = wrong.argmax(axis=-1)[..., None]
        value = np.take_along_axis(wrong, best, axis=-1)
        value -= np.add.reduce(x * y, axis=-1, keepdims=True)
        value += 1
        if dx is not None:
            np.negative(y, out=dx)
            slope = np.take_along_axis(dx, best, axis=-1) + np.take_along_axis(others, best, axis=-1)
            np.put_along_axis(dx, best, slope, axis=-1)
            np.multiply(dx, value > 0, out=dx)
        column: Array = np.maximum(value, 0)[..., 0]
        return column

    def cases(self) -> Iterator[Case]:
        return loss_cases(self, [{}], ("extreme",))

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """One-hot labels; ``extreme``: predictions from 1e-15 to 1e15."""
        shape = (case.batch, *case.shapes[0])
        classes = shape[-1]
        # whole numbers, shuffled and shifted: no two classes come within 0.4 of each other, and no margin of 1
        x = rng.permuted(np.broadcast_to(np.arange(classes) - classes / 2, shape), axis=-1) + 0.3
        x = 0.9 * x + rng.uniform(-0.02, 0.02, shape)
        y = np.eye(classes)[rng.integers(0, classes, shape[:-1])]
        if case.data == "extreme":
            x *= 10.0 ** rng.integers(-15, 16, shape)
        return weighted(case, rng, {"x": x, "y": y})

    def term_error(self, case: Case, arrays: dict[str, Array], eps: float) -> tuple[Array, Array, Array]:
        x, y = arrays["x"], arrays["y"]
        right, wrong = (x * y).sum(axis=-1), (x * (1 - y)).max(axis=-1)
        # with one-hot labels products and sums are exact; two differences are rounded
        value = np.maximum(wrong - right + 1, 0)
        return eps * (np.abs(right) + np.abs(wrong) + 1), value, np.zeros_like(x)
