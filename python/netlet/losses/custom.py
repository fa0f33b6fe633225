"""Losses that people write: how they train, and how their gradient is checked.

A loss of one's own is a `Loss` with ``call``, or a function of ``(y_true, y_pred)``. It can be evaluated as it is. To
train with it, it needs the gradient of ``call(y_true, y_pred).sum()`` with respect to y_pred: a method ``gradient`` or,
for a function, an attribute of that name. NumPy has no automatic differentiation; central differences, two evaluations
for every element of a prediction, serve to check it, once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from netlet.losses.arrays import squeeze_or_expand_to_same_rank
from netlet.losses.loss import Loss
from netlet.program.spec import Array, Attrs, LossSpec
from netlet.utils.registry import serialize

__all__ = ["CustomSpec", "LossFunctionWrapper", "check_gradient"]

# Four points are off by STEP^4 / 30 of the fifth derivative, which for a logarithm at 0.2 is 15,000 times the first,
# and by some roundings over STEP: 1e-14 and 1e-11 in float64, 5e-6 and 1e-4 where a loss is written in float32.
_STEP = {"float64": 1e-4, "float32": 1e-2}
_TOLERANCE = {"float64": 1e-6, "float32": 1e-3}


class LossFunctionWrapper(Loss):
    """A loss that a function computes.

    Args:
        fn: called as ``fn(y_true, y_pred, **kwargs)``; returns the losses. Its attribute ``gradient``, a function of
            the same arguments, is needed for training; see `Loss`.
        reduction, name, dtype: as of `Loss`.
        kwargs: further arguments of fn.

    Shapes: as of `Loss`; fn gets labels and predictions of as many axes, a last axis of length 1 given or taken.

    Raises: TypeError if fn cannot be called; ValueError as `Loss`.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise TypeError(f"LossFunctionWrapper: fn must be a function, got {fn!r}")
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        own = getattr(fn, "gradient", None)
        if own is not None:
            self.gradient = partial(own, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        true, pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(true, pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fn": serialize(self.fn), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        if not callable(config.get("fn")):
            from netlet.losses import get

            config = {**config, "fn": get(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper {self.name}: {self.fn!r}>"


def _owner(loss: Loss) -> str:
    return f"loss {loss.name!r}"


def _call(loss: Loss, y: Array, x: Array) -> Array:
    """``loss.call``, checked: one number, or an array with a number or more for each row."""
    value = np.asarray(loss.call(y, x))
    if value.dtype.kind not in "fiub" or (value.ndim and value.shape[0] != len(x)):
        raise ValueError(
            f"{_owner(loss)}: call() must return one real number or an array of {len(x)} rows as y_pred, "
            f"got {value.dtype} of shape {value.shape}"
        )
    return value


def _gradient_of(loss: Loss) -> Callable[[Any, Any], Any]:
    """``loss.gradient``; a ValueError that says how to give one if there is none."""
    if loss.gradient is None:
        where = "the function, as its attribute," if isinstance(loss, LossFunctionWrapper) else "its class"
        raise ValueError(
            f"{_owner(loss)}: no gradient to train with. Define gradient(y_true, y_pred) on {where} that returns the "
            "gradient of the sum of the losses with respect to y_pred, in the shape of y_pred"
        )
    return loss.gradient


def _gradient(loss: Loss, y: Array, x: Array) -> Array:
    """What ``loss.gradient`` returns, checked."""
    slope = np.asarray(_gradient_of(loss)(y, x))
    if slope.shape != x.shape or slope.dtype.kind not in "fiub":
        raise ValueError(
            f"{_owner(loss)}: gradient() must return real numbers in the shape of y_pred, {x.shape}, "
            f"got {slope.dtype} of shape {slope.shape}"
        )
    return slope


class CustomSpec(LossSpec):
    """A person's loss as what executors call: value and gradient of a batch, from ``call`` and ``gradient``.

    Attributes:
        loss: the object.
        per_row: the loss's own attribute of that name, or True; `check_gradient` finds out.
    """

    signature = "x[B,...] y -> loss[B]"
    formula = "call(y, x)"
    source = "custom"

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.name = loss.name
        self.integer_labels = loss.integer_labels
        self.per_row = bool(getattr(loss, "per_row", True))

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
        value = _call(self.loss, y, x)
        if value.ndim == 0:
            losses.fill(value)
        else:
            np.mean(value.reshape(len(x), -1), axis=1, out=losses, dtype=losses.dtype)
        if dx is None:
            return
        np.copyto(dx, _gradient(self.loss, y, x), casting="unsafe")
        if value.ndim == 0:  # one number for the batch, which every row is given
            dx *= 1.0 if weight is None else weight.mean()
            return
        dx *= 1.0 / value.size
        if weight is not None:
            if not self.per_row:
                raise ValueError(
                    f"{_owner(self.loss)}: its rows depend on each other, so its gradient cannot take sample weights"
                )
            dx *= weight.reshape(-1, *(1,) * (x.ndim - 1))


def check_gradient(loss: Loss, shape: tuple[int, ...] = (3,), seed: int = 0) -> CustomSpec:
    """Return the spec of a custom loss after comparing its gradient with central differences on a small random batch.

    A gradient is refused if it is off in each of two batches, so that a kink that one of them hits does no harm.

    Args:
        loss: the object.
        shape: of a row of the prediction.
        seed: of the batches: five rows, predictions and labels between 0.2 and 0.8, or class numbers.

    Raises: ValueError if there is no gradient, or it is off, or ``call`` or ``gradient`` return other shapes.
    """
    _gradient_of(loss)
    spec = CustomSpec(loss)
    problem = None
    for attempt in range(2):
        rng = np.random.default_rng((seed, attempt))
        x = rng.uniform(0.2, 0.8, (5, *shape))
        labels = spec.label_shape(shape)
        y = rng.uniform(0.2, 0.8, (5, *labels))
        if spec.integer_labels:
            y = rng.integers(0, shape[-1], (5, *labels)).astype(np.int32)
        with np.errstate(all="ignore"):
            value = _call(loss, y, x)
            if spec.per_row:
                spec.per_row = value.ndim > 0 and np.allclose(_call(loss, y[:2], x[:2]), value[:2], rtol=1e-4)
            problem = _difference(loss, y, x)
        if problem is None:
            return spec
    assert problem is not None
    raise ValueError(problem)


def _difference(loss: Loss, y: Array, x: Array) -> str | None:
    """What is wrong with the gradient; None if nothing."""
    kind = "float32" if _call(loss, y, x).dtype.itemsize < 8 else "float64"
    step, slope = _STEP[kind], _gradient(loss, y, x)
    numeric, noise = np.empty_like(x), np.empty_like(x)

    def moved(place: Any, by: float) -> Array:
        near = x.copy()
        near[place] += by
        return _call(loss, y, near).astype(np.float64)

    for place in np.ndindex(x.shape):
        near, far = (moved(place, h) - moved(place, -h) for h in (step, 2 * step))
        numeric[place] = np.sum(8 * near - far) / (12 * step)
        noise[place] = np.sum(np.abs(near)) / (2 * step)
    excess = np.abs(slope - numeric) - _TOLERANCE[kind] * (noise + np.abs(numeric).max() + 1e-3)
    if np.isfinite(numeric).all() and not (excess > 0).any() and np.isfinite(slope).all():
        return None
    worst = np.unravel_index(int(np.argmax(np.where(np.isfinite(excess), excess, np.inf))), x.shape)
    where = ", ".join(str(int(i)) for i in worst)
    return (
        f"{_owner(loss)}: gradient() is off at y_pred[{where}] of a random batch of shape {x.shape}: it gives "
        f"{float(slope[worst]):.6g}, central differences give {float(numeric[worst]):.6g}. It must return the gradient "
        "of the sum of the losses with respect to y_pred"
    )
