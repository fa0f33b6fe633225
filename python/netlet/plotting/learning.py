"""Learning curves: a metric against epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netlet.plotting.axes import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"training": "tab:blue", "validation": "tab:orange"}


def plot_learning_curve(
    metric: str, curves: Mapping[str, tuple[Sequence[int], Sequence[float]]], ax: Axes | None = None
) -> Axes:
    """Draws one metric against epochs; ``History.plot`` calls it for each of its metrics.

    Args:
        metric: its name.
        curves: ``"training"`` and ``"validation"``, or other names, each with its epochs ``[E]`` and values ``[E]``.
        ax: the matplotlib Axes to draw into; by default those of a new figure.

    Returns: the Axes.
    Raises: ImportError if matplotlib is missing.
    """
    if ax is None:
        ax = new_axes(1)[0]
    from matplotlib.ticker import MaxNLocator

    for label, (epochs, values) in curves.items():
        marker = "o" if len(epochs) == 1 else None  # a line of one point would not be seen
        ax.plot(epochs, values, label=label, color=_COLOURS.get(label), marker=marker)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.set_xlabel("epoch")
    ax.set_ylabel(metric.replace("_", " "))
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        ax.legend(frameon=False)
    return ax
