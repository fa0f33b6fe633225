"""Plots of a run: a panel a case, a line a contestant, on log axes. The only module that needs Matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.contestants import CONTESTANTS
from benchmarks.figures import groups, number


def plot(run: dict[str, Any], kind: str, path: Path) -> bool:
    """Draws the cases of ``kind``, one panel each, on log axes; False if the run has none."""
    found = [group for group in groups(run) if group.kind == kind]
    if not found:
        return False
    present = {figure.contestant for group in found for figure in group.figures}
    names = [name for name in CONTESTANTS if name in present]
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    canvas = Canvas(figsize=(1.6 + 4.2 * columns, rows * (1.1 + 0.24 * len(names))), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.subplots(rows, columns, sharey=True, squeeze=False).flatten()
    for axis, group in zip(axes, found, strict=False):
        for figure in group.figures:
            low, high = figure.quartiles
            place, colour = names.index(figure.contestant), "#c0392b" if figure.is_netlet else "#34495e"
            axis.plot([low, high], [place, place], color=colour, linewidth=3, alpha=0.4, solid_capstyle="butt")
            axis.plot(figure.median, place, "o", color=colour, markersize=5)
            axis.annotate(number(figure.median), (high, place), textcoords="offset points", xytext=(7, -3),
                          fontsize=7, color=colour)  # fmt: skip
        medians = [figure.median for figure in group.figures]
        axis.set_xscale("log")
        axis.set_xlim(min(medians) / 2, max(medians) * 5)
        axis.set_title(group.case, fontsize=10)
        axis.set_xlabel(f"microseconds a {group.unit}", fontsize=8)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.tick_params(labelsize=8)
        axis.grid(True, axis="x", alpha=0.3)
        axis.grid(True, axis="y", alpha=0.1)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    for axis in axes[len(found) :]:
        axis.set_visible(False)
    machine = run["machine_info"]
    canvas.suptitle(f"{kind}: medians and quartiles, left is faster ({machine['cpu']}, {machine['cores']} cores)")
    canvas.savefig(path, dpi=120)
    return True
