"""New matplotlib Axes, and what the plots of this package share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXES_WIDTH, AXES_HEIGHT = 5.2, 3.6  # inches
AXES_PER_ROW = 3


def square_axes(side: float = 4.4) -> Axes:
    """Axes of a new square pyplot figure of ``side`` inches.

    Raises: ImportError if matplotlib is missing.
    """
    axes: Axes = pyplot().subplots(figsize=(side, side), layout="constrained")[1]
    return axes


def new_axes(count: int) -> list[Axes]:
    """``count`` Axes side by side, three in a row, in a new pyplot figure.

    The figure has 5.2 by 3.6 inches for each.

    Raises: ImportError if matplotlib is missing.
    """
    across = min(count, AXES_PER_ROW)
    down = -(-count // across)
    size = (AXES_WIDTH * across, AXES_HEIGHT * down)
    grid = pyplot().subplots(down, across, figsize=size, squeeze=False, layout="constrained")[1].ravel()
    for unused in grid[count:]:
        unused.remove()
    return list(grid[:count])


def pyplot() -> Any:
    """Return ``matplotlib.pyplot``; ImportError that names the extra if matplotlib is missing."""
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError("plotting needs matplotlib: pip install 'netlet[plot]'") from error
    return matplotlib.pyplot
