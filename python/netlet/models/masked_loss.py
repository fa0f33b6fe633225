"""A loss of positions, some of which a mask leaves out."""

from __future__ import annotations

import numpy as np

from netlet.losses import Loss
from netlet.program.spec import Array, Shape, elements

__all__ = ["MaskedLoss"]

_WHOLE = ("dice", "tversky")  # one number for all positions, so that none can be left out


class MaskedLoss:
    """A loss whose rows are positions: value and gradient of a batch, of which a mask says what counts.

    What a mask leaves out weighs 0. Where the reduction is a mean, it is the mean over what counts: the sum of the
    weighted losses divided by the number of positions that count. Source: keras.losses.Loss.

    Args:
        loss: the object.
        shape: of a row of the prediction, ``[..., C]``.
        mask: of a row of the mask, ``[...]``.

    Raises: ValueError if the loss has no number for each position.
    """

    def __init__(self, loss: Loss, shape: Shape, mask: Shape) -> None:
        self._spec = loss.spec
        self._attrs = dict(loss.spec.normalize(loss.attrs())) if loss.op else {}
        self._reduction = loss.reduction
        self._ignored = self._attrs.pop("ignore_class", None)
        self._positions, self._last = elements(mask), shape[len(mask) :]
        #: Whether the mask changes nothing, as the loss is one number for the whole batch.
        self.idle = loss.op in _WHOLE and self._attrs.get("axis") is None
        axis = self._attrs.get("axis", -1)
        last = axis in (-1, len(shape), (-1,), (len(shape),))
        if not self.idle and (mask != shape[:-1] or not last or loss.op in (*_WHOLE, "circle", "ctc")):
            raise ValueError(
                f"loss {loss.name!r} does not have one value for each position, so it cannot take the mask of shape "
                f"{(None, *mask)} that its prediction of shape {(None, *shape)} has"
            )

    def value_and_gradient(
        self,
        x: Array,
        y: Array,
        weight: Array,
        mask: Array,
        losses: Array,
        dx: Array | None,
        clip: tuple[float, float] | None = None,
    ) -> None:
        """Write each row's loss, and the gradient of the batch's, as `LossSpec.value_and_gradient` does.

        Args:
            weight: of the rows, ``[B]``. It enters ``dx`` and not ``losses``.
            mask: ``[B, *mask]``, 1 or 0.
        """
        rows, kind = len(x), x.dtype.type
        x = x.reshape(-1, *self._last)
        counts = mask.reshape(-1) > 0
        y = y.reshape(len(x), *self._spec.label_shape(self._last, self._attrs))
        if self._ignored is not None:
            known = y.reshape(-1) != self._ignored
            counts, y = counts & known, np.where(known, y.reshape(-1), 0).reshape(y.shape).astype(y.dtype)
        weights = np.repeat(weight, self._positions) * counts
        own = np.empty(len(x), x.dtype)
        gradient = None if dx is None else dx.reshape(x.shape)
        self._spec.value_and_gradient(self._attrs, x, y, weights.astype(x.dtype), own, gradient, None, clip)
        own *= counts
        if self._reduction == "sum":
            factor = float(len(x))
        else:
            by_weight = self._reduction == "mean_with_sample_weight"
            divisor = float(weights.sum(dtype=np.float64)) if by_weight else float(np.count_nonzero(counts))
            factor = len(x) / divisor if divisor else 0.0
        np.mean(own.reshape(rows, -1), axis=1, out=losses)
        losses *= kind(factor)
        if dx is not None:
            dx *= kind(factor)
