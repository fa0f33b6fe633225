"""ROC curves: the rate of true positives against that of false ones, at every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.plotting.axes import square_axes
from netlet.plotting.binary import binary_labels, per_class, weights_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_roc_curve", "roc_auc", "roc_curve"]

Floats = NDArray[np.float64]


def roc_curve(
    y_true: ArrayLike, y_score: ArrayLike, sample_weight: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return the exact ROC curve of a binary classifier.

    Args:
        y_true: labels 0 and 1, ``[N]``.
        y_score: the higher, the likelier is 1; ``[N]`` or ``[N, 1]``.
        sample_weight: ``[N]``; 1 by default.

    Returns: the rates of false and of true positives, and the threshold (a score of at least it is taken for 1), each
        ``[T]``, thresholds falling: infinity, where nothing is taken for 1, then every score that occurs.
    Raises: ValueError if shapes differ, the labels are others or all the same, a score is NaN, or a weight is negative.
    """
    labels, scores = binary_labels(y_true, y_score, probabilities=False)
    weights = weights_of(sample_weight, len(labels))
    order = np.argsort(-scores, kind="stable")
    labels, scores, weights = labels[order], scores[order], weights[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)  # of each run of equal scores
    tp = np.cumsum(weights * labels)[last]
    fp = np.cumsum(weights * ~labels)[last]
    if not (tp[-1] > 0 and fp[-1] > 0):
        raise ValueError("y_true: a ROC curve needs samples of both classes, with weights above 0")
    return (
        np.concatenate([[0.0], fp / fp[-1]]),
        np.concatenate([[0.0], tp / tp[-1]]),
        np.concatenate([[np.inf], scores[last]]),
    )


def roc_auc(y_true: ArrayLike, y_score: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the area under `roc_curve`: the chance that a sample of class 1 scores higher than one of class 0.

    Arguments and errors as of `roc_curve`.

    In [0, 1]; larger is better, 0.5 is chance. Equal scores count half. Source: Hanley, McNeil, "The meaning and use of
    the area under a receiver operating characteristic (ROC) curve", 1982.
    """
    fpr, tpr, _ = roc_curve(y_true, y_score, sample_weight)
    return _area(fpr, tpr)


def plot_roc_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    labels: Sequence[Any] | None = None,
    sample_weight: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draws the ROC curve of a classifier, with the area under it; of several classes one against the rest for each.

    Args:
        y_true: labels 0 and 1, ``[N]``; for C classes integers ``[N]`` or one-hot rows ``[N, C]``.
        y_score: the score of class 1, ``[N]`` or ``[N, 1]``; for C classes ``[N, C]``.
        labels: a name for the curve (one, in a list), or the C class names; by default "model" and ``0 .. C - 1``.
        sample_weight: ``[N]``; 1 by default.
        ax: the matplotlib Axes to draw into; by default those of a new figure. Several calls with the same Axes
            compare models.

    Returns: the Axes.
    Raises: ValueError as `roc_curve`, or if there are more or fewer names than curves; ImportError if matplotlib is
        missing.
    """
    several = per_class(y_true, y_score)
    if several is None:
        curves = [roc_curve(y_true, y_score, sample_weight)[:2]]
        names = ["model"] if labels is None else [str(label) for label in labels]
    else:
        true, scores = several
        classes = scores.shape[1]
        curves = [roc_curve(true == c, scores[:, c], sample_weight)[:2] for c in range(classes)]
        names = [str(label) for label in (range(classes) if labels is None else labels)]
    if len(names) != len(curves):
        raise ValueError(f"labels: expected {len(curves)} names, one per curve, got {len(names)}")
    if ax is None:
        ax = square_axes()
    if not ax.get_lines():
        ax.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1, zorder=1, label="_chance")
    for (fpr, tpr), name in zip(curves, names, strict=True):
        ax.plot(fpr, tpr, label=f"{name} (AUC {_area(fpr, tpr):.3f})", zorder=2, drawstyle="default")
    ax.set_aspect("equal")
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    ax.set_xlabel("false positive rate")
    ax.set_ylabel("true positive rate")
    if several is not None:
        mean = float(np.mean([_area(*curve) for curve in curves]))
        ax.set_title(f"each class against the rest, mean AUC {mean:.3f}", fontsize="medium")
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="lower right", fontsize="small")
    return ax


def _area(x: Floats, y: Floats) -> float:
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))
