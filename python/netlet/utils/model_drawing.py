"""A model's boxes and arrows with matplotlib, for `plot_model` where Graphviz is not installed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from netlet.utils.layered_layout import layered_layout
from netlet.utils.model_dot import NodeLabel

__all__ = ["draw"]

DARK, LINE = "#1f3a5f", "#555555"
FONT = 9.0  # points
LINE_HEIGHT = 0.24  # inches, of a line of text with its margin
CHARACTER = 0.075  # inches, of a character on average
BETWEEN, BESIDE, MARGIN = 0.45, 0.35, 0.15  # inches, between layers, between neighbours, around all


def draw(
    labels: Sequence[NodeLabel], edges: Sequence[tuple[int, int]], path: Path, format: str, rankdir: str, dpi: float
) -> None:
    """Write a picture of boxes and arrows.

    Args:
        labels: of the boxes, each after those that feed it.
        edges: from which box to which.
        path: of the file.
        format: one that matplotlib writes.
        rankdir: "TB", "BT", "LR" or "RL".
        dpi: dots per inch.

    Raises: ValueError if matplotlib does not write the format.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    known = FigureCanvasAgg(Figure()).get_supported_filetypes()
    if format not in known:
        raise ValueError(f"to_file: without Graphviz, expected an ending out of {', '.join(known)}, got {format!r}")
    sizes = [_size(label) for label in labels]
    sideways = rankdir in ("LR", "RL")
    layout = layered_layout([size[sideways] for size in sizes], edges, BESIDE)
    deep = [
        max((size[not sideways] for size, row in zip(sizes, layout.layer, strict=True) if row == at), default=0.0)
        for at in range(max(layout.layer, default=-1) + 1)
    ]
    middles = [sum(deep[:at]) + at * BETWEEN + deep[at] / 2 for at in range(len(deep))]

    def turned(across: float, along: float) -> tuple[float, float]:
        along = along if rankdir in ("LR", "BT") else -along
        return (along, -across) if sideways else (across, along)

    places = [turned(x, middles[at]) for x, at in zip(layout.across, layout.layer, strict=True)]
    left = min((x - w / 2 for (x, _), (w, _) in zip(places, sizes, strict=True)), default=0.0)
    right = max((x + w / 2 for (x, _), (w, _) in zip(places, sizes, strict=True)), default=1.0)
    low = min((y - h / 2 for (_, y), (_, h) in zip(places, sizes, strict=True)), default=0.0)
    high = max((y + h / 2 for (_, y), (_, h) in zip(places, sizes, strict=True)), default=1.0)
    bends = [turned(x, middles[int(at)]) for line in layout.lines for x, at in line[1:-1]]
    left, right = min([left, *(x for x, _ in bends)]), max([right, *(x for x, _ in bends)])
    low, high = min([low, *(y for _, y in bends)]), max([high, *(y for _, y in bends)])
    width, height = right - left + 2 * MARGIN, high - low + 2 * MARGIN
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(left - MARGIN, right + MARGIN)
    axes.set_ylim(low - MARGIN, high + MARGIN)
    axes.axis("off")
    for line, (source, target) in zip(layout.lines, edges, strict=True):
        half = [deep[at] / 2 for at in (layout.layer[source], layout.layer[target])]
        own = [sizes[box][not sideways] / 2 for box in (source, target)]
        inner = [(x, middles[int(at)]) for x, at in line[1:-1]]
        start, end = (line[0][0], middles[layout.layer[source]]), (line[-1][0], middles[layout.layer[target]])
        points = [(start[0], start[1] + own[0]), (start[0], start[1] + half[0])]
        for x, along in inner:
            room = deep[middles.index(along)] / 2
            points += [(x, along - room), (x, along + room)]
        points += [(end[0], end[1] - half[1]), (end[0], end[1] - own[1])]
        _arrow(axes, [turned(*point) for point in points], sideways=sideways)
    for label, place, size in zip(labels, places, sizes, strict=True):
        _box(axes, label, place, size)
    figure.savefig(path, format=format, dpi=dpi, facecolor="white")


def _size(label: NodeLabel) -> tuple[float, float]:
    """Width and height of a box in inches; the head is bold, and so a little wider."""
    longest = max(1.12 * len(label.head), *(len(name) + 2 + 1.12 * len(value) for name, value in label.cells), 6)
    return CHARACTER * longest + 0.25, LINE_HEIGHT * (1 + len(label.cells)) + 0.06


def _box(axes: Any, label: NodeLabel, middle: tuple[float, float], size: tuple[float, float]) -> None:
    from matplotlib.patches import Rectangle

    (x, y), (width, height) = middle, size
    top = y + height / 2
    head = LINE_HEIGHT + 0.06
    axes.add_patch(Rectangle((x - width / 2, y - height / 2), width, height, fc="white", ec=DARK, lw=1, zorder=2))
    axes.add_patch(Rectangle((x - width / 2, top - head), width, head, fc=DARK, ec=DARK, lw=1, zorder=3))
    text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": FONT, "zorder": 4, "parse_math": False}
    axes.text(x, top - head / 2, label.head, color="white", weight="bold", **text)
    for i, (name, value) in enumerate(label.cells):
        axes.text(x, top - head - (i + 0.5) * LINE_HEIGHT, f"{name}: {value}", color="black", **text)


def _arrow(axes: Any, points: list[tuple[float, float]], *, sideways: bool) -> None:
    """A line through ``points``: straight along the layers' depth, curved between them."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Outline

    corners, codes = [points[0]], [Outline.MOVETO]
    for i, (a, b) in enumerate(itertools.pairwise(points)):
        if i % 2 == 0:  # past a box of the layer
            if a != b:
                corners.append(b)
                codes.append(Outline.LINETO)
            continue
        half = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        first, second = ((half[0], a[1]), (half[0], b[1])) if sideways else ((a[0], half[1]), (b[0], half[1]))
        corners += [first, second, b]
        codes += [Outline.CURVE4] * 3
    arrow = FancyArrowPatch(
        path=Outline(corners, codes), arrowstyle="-|>", mutation_scale=9, color=LINE, lw=1.2, zorder=1
    )
    arrow.set_capstyle("butt")
    axes.add_patch(arrow)
