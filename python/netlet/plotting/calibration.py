"""Calibration: whether of all predictions of 80 % about 80 % come true."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.plotting.axes import square_axes
from netlet.plotting.binary import binary_labels, per_class

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Calibration", "calibration_curve", "expected_calibration_error", "plot_calibration"]

_Z = 1.959964  # the normal distribution's 97.5 % point


class Calibration(NamedTuple):
    """Predictions in bins; empty bins are left out.

    Attributes:
        predicted: the mean predicted probability of each bin.
        observed: the share of its samples for which it came true.
        counts: the number of its samples.
    """

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    counts: NDArray[np.int64]


def calibration_curve(y_true: ArrayLike, y_prob: ArrayLike, bins: int = 10, strategy: str = "uniform") -> Calibration:
    """Return how often what was predicted with each probability came true.

    Args:
        y_true: labels 0 and 1, ``[N]``; for C classes integers ``[N]`` or one-hot rows ``[N, C]``.
        y_prob: the probability of class 1, ``[N]`` or ``[N, 1]``. Of ``[N, C]`` the largest of each row counts, and
            whether its class is the right one (confidence calibration; Guo et al. 2017, "On calibration of modern
            neural networks").
        bins: how many, a positive int; default 10.
        strategy: "uniform", the default, for bins of the same width, "quantile" for bins of about as many samples.

    Returns: of each bin that is not empty, at most ``bins``, the mean prediction, the share that came true, both in
        [0, 1], and the number of samples.

    Raises: ValueError if shapes differ, labels are others, a probability is outside of [0, 1], ``bins`` is not
        positive or the strategy is unknown.
    """
    true, probability = _events(y_true, y_prob)
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)) or bins < 1:
        raise ValueError(f"bins: expected a positive int, got {bins!r}")
    if strategy == "uniform":
        number = np.minimum((probability * bins).astype(np.int64), bins - 1)
    elif strategy == "quantile":
        inner = np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1])
        number = np.searchsorted(inner, probability, side="right")
    else:
        raise ValueError(f"strategy: expected 'uniform' or 'quantile', got {strategy!r}")
    counts = np.bincount(number, minlength=bins)
    filled = counts > 0
    sums = np.bincount(number, weights=probability, minlength=bins)[filled]
    came = np.bincount(number, weights=true.astype(np.float64), minlength=bins)[filled]
    return Calibration(sums / counts[filled], came / counts[filled], counts[filled])


def expected_calibration_error(
    y_true: ArrayLike, y_prob: ArrayLike, bins: int = 10, strategy: str = "uniform"
) -> float:
    """Return the mean distance of prediction and outcome over the bins of `calibration_curve`, by their counts.

    In [0, 1]; smaller is better. Arguments and errors as of `calibration_curve`. Source: Naeini, Cooper and Hauskrecht
    2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    return _error(calibration_curve(y_true, y_prob, bins, strategy))


def plot_calibration(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    bins: int = 10,
    strategy: str = "uniform",
    label: str = "model",
    ax: Axes | None = None,
) -> Axes:
    """Draws a reliability diagram: observed against predicted frequencies, with 95 % intervals, over a histogram.

    Args:
        y_true, y_prob, bins, strategy: as of `calibration_curve`.
        label: the model's name in the legend, beside its expected calibration error.
        ax: the matplotlib Axes to draw into; by default those of a new figure. Several calls with the same Axes
            compare models; the histogram is that of the first.

    The intervals are Wilson's for a binomial share ("Probable inference, the law of succession, and statistical
    inference", 1927). The bars at the foot show how many predictions each tenth of the axis holds, the tallest a fifth
    of the height.

    Returns: the Axes.
    Raises: ValueError as `calibration_curve`; ImportError if matplotlib is missing.
    """
    found = calibration_curve(y_true, y_prob, bins, strategy)
    _, probability = _events(y_true, y_prob)
    if ax is None:
        ax = square_axes()
    if not ax.get_lines():
        ax.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1, zorder=1, label="perfectly calibrated")
        heights, borders = np.histogram(probability, bins=10, range=(0.0, 1.0))
        ax.bar(borders[:-1], 0.2 * heights / heights.max(), 0.1, align="edge", color="0.88", edgecolor="w", zorder=0)
    low, high = _wilson(found.observed, found.counts)
    ax.errorbar(
        found.predicted, found.observed, yerr=[found.observed - low, high - found.observed], marker="o", markersize=4,
        linewidth=1.5, elinewidth=0.8, capsize=2, label=f"{label} (ECE {_error(found):.3f})", zorder=3,
    )  # fmt: skip
    ax.set_aspect("equal")
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    several = per_class(y_true, y_prob) is not None
    ax.set_xlabel("confidence in the predicted class" if several else "predicted probability")
    ax.set_ylabel("share of right predictions" if several else "observed frequency")
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(
        frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small"
    )  # above the picture
    return ax


def _events(y_true: ArrayLike, y_prob: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """What was predicted with which probability, and whether it came true."""
    several = per_class(y_true, y_prob)
    if several is None:
        return binary_labels(y_true, y_prob, probabilities=True)
    labels, probabilities = several
    chosen = probabilities.argmax(axis=1)
    return binary_labels(chosen == labels, probabilities.max(axis=1), probabilities=True)


def _error(found: Calibration) -> float:
    return float(np.average(np.abs(found.observed - found.predicted), weights=found.counts))


def _wilson(share: NDArray[np.float64], count: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95 % interval of a binomial share; it holds ``share`` itself, up to rounding, which is taken off."""
    scale = 1 + _Z**2 / count
    middle = (share + _Z**2 / (2 * count)) / scale
    half = _Z / scale * np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return np.minimum(middle - half, share), np.maximum(middle + half, share)
