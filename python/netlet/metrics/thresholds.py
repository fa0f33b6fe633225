"""True and false positives and negatives at many thresholds, in one pass over the predictions.

A prediction is positive at every threshold below it. So it is enough to count, per prediction, how many thresholds lie
below it: the histogram of those counts, summed from the top, is the number of positives at each threshold. Memory is
proportional to the predictions, not to predictions times thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.config import EPSILON
from netlet.losses.functions import as_floats, match_ranks
from netlet.metrics.weights import Floats, broadcast_weight

#: The threshold that all of the k likeliest exceed, and none that `top_k` filters out.
LOWEST = -1e10


class Counts(NamedTuple):
    """Weighted counts of true and false positives and negatives, one per threshold ``[T]`` or per label ``[T, L]``."""

    tp: Floats
    fp: Floats
    tn: Floats
    fn: Floats


def check_thresholds(thresholds: Any, owner: str, default: float = 0.5) -> list[float]:
    """Return ``thresholds`` as a list: None is ``default``, a number is a list of one.

    Raises: ValueError naming ``owner`` if one of them is not a number in [0, 1].
    """
    if thresholds is None:
        return [default]
    given = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    numbers = (int, float, np.integer, np.floating)
    bad = [t for t in given if not isinstance(t, numbers) or isinstance(t, bool) or not 0 <= t <= 1]
    if bad or not given:
        raise ValueError(f"{owner}: Threshold values must be in [0, 1]. Received: {bad or given}")
    return [float(t) for t in given]


def evenly_spaced(thresholds: Sequence[float]) -> bool:
    """Whether ``thresholds`` are 0, 1/(T-1), ..., 1, at least three of them."""
    count = len(thresholds)
    return count >= 3 and bool(np.allclose(thresholds, np.arange(count) / (count - 1), atol=EPSILON))


def keep_top_k(pred: NDArray[Any], k: int) -> NDArray[Any]:
    """Return predictions ``[..., C]`` with all but the k largest of the last axis at `LOWEST`; of equals, the first."""
    if k >= pred.shape[-1]:
        return pred
    kept = np.argsort(-pred, axis=-1, kind="stable")[..., :k]
    found = np.full_like(pred, LOWEST)
    np.put_along_axis(found, kept, np.take_along_axis(pred, kept, axis=-1), axis=-1)
    return found


def labels_and_predictions(y_true: ArrayLike, y_pred: ArrayLike, name: str) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return which labels are positive, and the predictions, both of one shape.

    Labels of the prediction's shape are positive unless 0; class numbers ``[B, ...]`` for predictions ``[B, ..., C]``
    become one-hot, where one that no class has is all negative.

    Raises: ValueError naming ``name`` if the shapes do not fit, TypeError if the values are not real numbers.
    """
    pred = np.atleast_1d(as_floats(y_pred, f"{name}: y_pred"))
    true = as_floats(y_true, f"{name}: y_true")
    if true.ndim == pred.ndim - 1 and pred.shape[-1] > 1:
        if true.shape != pred.shape[:-1]:
            raise ValueError(f"{name}: y_true has shape {true.shape}, expected {pred.shape[:-1]} or {pred.shape}")
        return np.asarray(true[..., None] == np.arange(pred.shape[-1])), pred
    true, pred = match_ranks(true, pred)
    if true.shape != pred.shape:
        raise ValueError(f"{name}: y_true has shape {true.shape}, expected {pred.shape} as y_pred has")
    return true != 0, pred


def confusion_at_thresholds(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    thresholds: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    multi_label: bool = False,
    label_weights: ArrayLike | None = None,
    top_k: int | None = None,
    class_id: int | None = None,
    evenly: bool = False,
    name: str = "confusion_at_thresholds",
) -> Counts:
    """Return the weighted counts of true and false positives and negatives at every threshold.

    Args:
        y_true: labels of the prediction's shape, positive unless 0, or class numbers.
        y_pred: predictions ``[...]``; positive at the thresholds below them.
        thresholds: ``[T]``.
        sample_weight: None, a number, or an array that broadcasts to the predictions from the first axis on.
        multi_label: whether the columns of ``[B, L]`` are counted separately.
        label_weights: ``[L]``, a factor per column of the weights.
        top_k: only the k largest of the last axis can be positive.
        class_id: only this column of the last axis counts.
        evenly: whether the thresholds are 0, 1/(T-1), ..., 1, the outer ones maybe a little further out. Then
            predictions are clipped to [0, 1], and their place is computed instead of searched, as Keras does.
        name: what errors call the caller.

    Returns: counts ``[T]``, with ``multi_label`` ``[T, L]``.

    Raises: ValueError if shapes do not fit or class_id is out of range, TypeError for what is not real numbers.
    """
    true, pred = labels_and_predictions(y_true, y_pred, name)
    if multi_label and pred.ndim != 2:
        raise ValueError(f"{name}: `y_pred` must have rank 2 when `multi_label=True`, got shape {pred.shape}")
    weight = None if sample_weight is None else broadcast_weight(sample_weight, pred.shape, name)
    if top_k is not None:
        pred = keep_top_k(pred, top_k)
    if class_id is not None:
        true, pred, weight = _column(true, pred, weight, class_id, name)
    if label_weights is not None:
        per_label = np.asarray(label_weights, np.float64)
        if pred.ndim == 0 or per_label.shape != pred.shape[-1:]:
            raise ValueError(f"{name}: label_weights has shape {per_label.shape}, expected {pred.shape[-1:]}")
        weight = per_label if weight is None else weight * per_label
    limits = np.asarray(thresholds, np.float64)
    order = np.argsort(limits, kind="stable")
    below = _evenly_below(pred, limits) if evenly else _below(pred, limits[order])
    ascending = _counts(below, true, weight, len(limits), multi_label)
    given = np.argsort(order)
    return Counts(*(count[given] for count in ascending))


def _column(
    true: NDArray[np.bool_], pred: NDArray[Any], weight: Floats | None, class_id: int, name: str
) -> tuple[NDArray[np.bool_], NDArray[Any], Floats | None]:
    if pred.ndim < 2:
        raise ValueError(
            f"{name}: When class_id is provided, y_pred must be a 2D array with shape (num_samples, num_classes), "
            f"found shape: {pred.shape}"
        )
    if class_id >= pred.shape[-1]:
        raise ValueError(f"{name}: class_id {class_id} is not below the number of classes, {pred.shape[-1]}")
    if weight is not None:
        weight = weight[..., class_id] if weight.shape[-1] > 1 else weight[..., 0]
    return true[..., class_id], pred[..., class_id], weight


def _below(pred: NDArray[Any], ascending: Floats) -> NDArray[np.intp]:
    """How many of the thresholds, in ascending order, lie below each prediction; none below NaN."""
    limits = ascending.astype(pred.dtype)
    if len(limits) == 1:
        return np.asarray(pred > limits[0]).astype(np.intp)
    found = np.searchsorted(limits, pred, side="left")
    found[np.isnan(pred)] = 0
    return found


def _evenly_below(pred: NDArray[Any], thresholds: Floats) -> NDArray[np.intp]:
    """`_below` for evenly spaced thresholds: arithmetic in the prediction's type, after clipping to [0, 1]."""
    steps = pred.dtype.type(len(thresholds) - 1)
    place = np.ceil(np.clip(pred, 0, 1) * steps)
    if thresholds[0] < 0 or thresholds[-1] > 1:
        place = np.maximum(place, 1)  # the first threshold lies below 0, so 0 exceeds it
    return np.where(np.isnan(place), 0, place).astype(np.intp)


def _counts(
    below: NDArray[np.intp], true: NDArray[np.bool_], weight: Floats | None, thresholds: int, multi_label: bool
) -> Counts:
    labels = below.shape[1] if multi_label else 1
    places = thresholds + 1
    if multi_label:
        below = below + np.arange(labels) * places
    cell = (below * 2 + true).reshape(-1)
    weights = None if weight is None else np.broadcast_to(weight, below.shape).reshape(-1)
    cells = np.bincount(cell, weights, minlength=labels * places * 2).reshape(labels, places, 2).astype(np.float64)
    above = cells[:, ::-1].cumsum(axis=1)[:, ::-1]  # [L, T + 1, 2]: how many have at least so many thresholds below
    fp, tp = np.moveaxis(above[:, 1:], 2, 0)
    tn, fn = np.moveaxis(cells[:, :-1].cumsum(axis=1), 2, 0)  # at most so many; no difference of sums loses digits
    return Counts(*(count.T if multi_label else count[0] for count in (tp, fp, tn, fn)))
