"""The circle loss of embeddings, as a function of arrays and as an object. The formula lies with the program's ops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.losses.arrays import as_floats
from netlet.losses.loss import OpLoss
from netlet.program.ops.losses_circle import circle_pairs

Array = NDArray[Any]


def _labels(values: ArrayLike, rows: int, what: str) -> Array:
    labels = np.asarray(values)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (rows,):
        raise ValueError(f"circle: {what} has shape {labels.shape}, expected {(rows,)}, one a row of embeddings")
    return labels.astype(np.int32)


def circle(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    ref_labels: ArrayLike | None = None,
    ref_embeddings: ArrayLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80.0,
    margin: float = 0.4,
) -> Array:
    """Return the circle loss of each row, y_pred ``[B, L]`` to ``[B]``; 0 for a row that is alone in its class.

    Args:
        y_true: class numbers ``[B]``.
        y_pred: embeddings of length 1.
        ref_labels, ref_embeddings: what rows are compared with, ``[R]`` and ``[R, L]``; by default the rows themselves.
        remove_diagonal: whether row i is not compared with reference i.
        gamma, margin: see `Circle`.

    Also 0 for a row that has no other class to compare with. The rows' lengths are not checked.

    Raises: ValueError if the shapes do not fit, TypeError if the embeddings are not real numbers.
    """
    x = as_floats(y_pred, "circle: y_pred")
    references = x if ref_embeddings is None else as_floats(ref_embeddings, "circle: ref_embeddings").astype(x.dtype)
    if x.ndim != 2 or references.ndim != 2 or x.shape[1] != references.shape[1]:
        raise ValueError(f"circle: expected embeddings [B, L] and references [R, L], got {x.shape}, {references.shape}")
    y = _labels(y_true, len(x), "y_true")
    labels = y if ref_labels is None else _labels(ref_labels, len(references), "ref_labels")
    if len(labels) != len(references):
        raise ValueError(f"circle: {len(references)} ref_embeddings and {len(labels)} labels of them")
    attrs = {"gamma": float(gamma), "margin": float(margin), "remove_diagonal": remove_diagonal}
    with np.errstate(all="ignore"):
        return circle_pairs(attrs, x, y, references, labels).losses


class Circle(OpLoss):
    """Draws embeddings of one class together and pushes others apart. Means are over rows with a loss above 0.

    Args:
        gamma: how much more the worst pairs count; default 80.
        margin: by how much similarities are to surpass 1 and fall below 0, relaxed; default 0.4.
        remove_diagonal: whether a row is not compared with itself; default True.
        reduction, name, dtype: as of `Loss`.

    ``log(1 + sum(exp(-gamma (m + d) (m - d))) sum(exp(gamma max(1 + m - d, 0) (1 - m - d))))``, m the margin and d the
    larger of 1 - cosine and 0, the first sum over pairs of one class, the second over others. Shapes and errors of a
    call: `circle`. Source: Sun et al., "Circle loss: a unified perspective of pair similarity optimization", 2020.

    Raises: ValueError if gamma or margin is negative or not finite, or ``remove_diagonal`` is not a bool.
    """

    op = "circle"
    function = staticmethod(circle)

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)

    def attrs(self) -> dict[str, Any]:
        return {**super().attrs(), "over_valid": self.reduction in ("mean", "sum_over_batch_size")}

    def mask(self, y_true: Array, losses: Array) -> Array | None:
        return losses > 0
