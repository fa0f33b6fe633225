"""Plots of a run, on log axes. The only module that needs Matplotlib.

``training``, ``inference`` and ``product`` have a panel a case and a row a library, its fastest entry; ``isa`` has
products against their size, ``growth`` the cost against width, batch and depth, ``threads`` the speed against threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from benchmarks.cases import SWEEPS
from benchmarks.compare import LIBRARIES, thread_counts
from benchmarks.contestants import CONTESTANTS, ISAS
from benchmarks.figures import Figure, Group, groups, number

# Colour, marker and name of each line.
STYLES = {
    "netlet": ("#c0392b", "o", "Netlet"),
    "netlet-predictor": ("#e67e22", "D", "Netlet predictor"),
    "numpy": ("#2980b9", "s", "NumPy"),
    "torch": ("#8e44ad", "^", "PyTorch"),
    "sklearn": ("#7f8c3a", "P", "scikit-learn"),
    "jax": ("#27ae60", "v", "JAX"),
    "keras": ("#795548", "X", "Keras"),
    "onnxruntime": ("#2c3e50", "d", "ONNX Runtime"),
}


def plots(run: dict[str, Any], path: Path) -> list[Path]:
    """Draws what the run has figures for, as ``RUN-<plot>.png`` beside the run at ``path``; returns what was drawn."""
    found, machine = groups(run), run["machine_info"]
    where = f"{machine['cpu']}, {machine['cores']} {'core' if machine['cores'] == 1 else 'cores'}"
    drawn = {kind: _panels(found, kind, where) for kind in ("training", "inference", "product")}
    drawn.update(isa=_isa(found, where), growth=_growth(found, where), threads=_threads(found, where))
    written = []
    for name, canvas in drawn.items():
        if canvas is not None:
            written.append(path.with_name(f"{path.stem}-{name}.png"))
            canvas.savefig(written[-1], dpi=120)
    return written


def canvas_of(
    rows: int, columns: int, width: float, height: float, title: str, **more: Any
) -> tuple[Canvas, list[Axes]]:
    """Axes in rows and columns, each about ``width`` x ``height`` inches; ``more`` is for ``subplots``."""
    canvas = Canvas(figsize=(1.5 + columns * width, 0.8 + rows * height), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = list(canvas.subplots(rows, columns, squeeze=False, **more).flatten())
    for axis in axes:
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    canvas.suptitle(title, fontsize=10)
    return canvas, axes


def _whole(axis: Any, ticks: Iterable[float]) -> None:
    """A log axis with these ticks and no others, written out."""
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(_written))


def _decades(axis: Any, spread: float) -> None:
    """A log axis with a tick a decade, or three where it spans but few."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if spread < 50 else (1.0,)))
    axis.set_minor_locator(LogLocator(subs=range(1, 10)))
    axis.set_major_formatter(FuncFormatter(_written))
    axis.set_minor_formatter(NullFormatter())


def _written(value: float, _: int) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _panels(found: list[Group], kind: str, where: str) -> Canvas | None:
    """A panel a case, in it Netlet's entries and each library's fastest one, by name where it isn't the default."""
    cases = [group for group in found if group.kind == kind and group.ours and not group.is_sweep]
    if not cases:
        return None
    rows = ["netlet", *(["netlet-predictor"] if kind == "inference" else []), *LIBRARIES]
    shown = [(group, {row: _entry(group, row) for row in rows}) for group in cases]
    rows = [row for row in rows if any(figures[row] for _, figures in shown)]
    columns = min(3, len(cases))
    canvas, axes = canvas_of(
        -(-len(cases) // columns), columns, 4.0, 0.9 + 0.24 * len(rows),
        f"{kind}: each library's fastest entry, median and quartiles; left is faster\n{where}", sharey=True,
    )  # fmt: skip
    for axis, (group, figures) in zip(axes, shown, strict=False):
        for place, row in enumerate(rows):
            if (figure := figures[row]) is None:
                continue
            low, high = figure.quartiles
            colour = STYLES[row][0]
            axis.plot([low, high], [place, place], color=colour, linewidth=4, alpha=0.35, solid_capstyle="butt")
            axis.plot(figure.median, place, "o", color=colour, markersize=5)
            entry = "" if figure.contestant == row else f"  {figure.contestant}"
            axis.annotate(f"{number(figure.median)}{entry}", (high, place), textcoords="offset points", xytext=(7, -3),
                          fontsize=7, color=colour)  # fmt: skip
        medians = [figure.median for figure in figures.values() if figure]
        spread = max(medians) / min(medians)
        axis.set_xscale("log")
        # Room on the right for the words beside the slowest.
        left, right = min(medians) / spread**0.08 / 1.2, max(medians) * spread**0.75 * 2
        axis.set_xlim(left, right)
        axis.set_title(group.case, fontsize=9)
        axis.set_xlabel(f"microseconds a {group.unit}", fontsize=8)
        _decades(axis.xaxis, right / left)
        axis.grid(True, axis="x", alpha=0.3)
        axis.grid(True, axis="y", alpha=0.1)
    axes[0].set_yticks(range(len(rows)), [STYLES[row][2] for row in rows])
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    for axis in axes[len(cases) :]:
        axis.set_visible(False)
    return canvas


def _entry(group: Group, row: str) -> Figure | None:
    if row == "netlet":
        return group.ours
    return group.named(row) if row.startswith("netlet") else group.best(row)


def _isa(found: list[Group], where: str) -> Canvas | None:
    """GFLOP/s of square products: a column an instruction set, one thread above all threads."""
    squares = [group for group in found if group.known and group.known.kind == "product" and group.known.isas]
    isas = [isa for isa in ISAS if any(group.named(f"netlet-{isa}") for group in squares)]
    if len({group.known.m for group in squares if group.known}) < 2 or not isas:
        return None
    canvas, axes = canvas_of(
        2, len(isas), 3.6, 2.7, f"matrix products beside OpenBLAS on the same instruction set\n{where}",
        sharex=True, sharey="row",
    )  # fmt: skip
    for place, (end, isa) in enumerate((end, isa) for end in ("-1", "") for isa in isas):
        axis = axes[place]
        for library, colour in (("netlet", STYLES["netlet"][0]), ("numpy", STYLES["numpy"][0]), ("peak", "#7f8c8d")):
            for direction, line in (("forward", "-"), ("gradients", "--")):
                points = [
                    (group.known.m, rate)
                    for group in squares
                    if group.known and group.known.direction == direction
                    if (rate := _rate(group, library, isa, end)) is not None
                ]
                names = {"netlet": "Netlet", "numpy": "OpenBLAS", "peak": "FMA peak"}
                if not points or (library == "peak" and direction == "gradients"):
                    continue
                label = names[library] + ("" if library == "peak" else f" {direction}")
                style = ":" if library == "peak" else line
                axis.plot(*zip(*points, strict=True), style, marker="o", markersize=4, color=colour, label=label)
        threads = next(f.info["threads"] for g in squares if (f := g.named(f"netlet-{isa}{end}")))
        axis.set_title(f"{isa}, {threads} {'thread' if threads == '1' else 'threads'}", fontsize=9)
        axis.set_xscale("log", base=2)
        _whole(axis.xaxis, sorted({group.known.m for group in squares if group.known}))
        axis.grid(True, alpha=0.25)
        if place >= len(isas):
            axis.set_xlabel("M = N = K", fontsize=8)
        if place % len(isas) == 0:
            axis.set_ylabel("GFLOP/s", fontsize=8)
    for axis in axes:  # only now: a limit that is set ends the scaling to what is drawn
        axis.set_ylim(bottom=0)
    _legend(canvas, axes)
    return canvas


def _rate(group: Group, library: str, isa: str, end: str) -> float | None:
    """GFLOP/s of an entry; of the peak, with as many threads as Netlet's."""
    if library != "peak":
        figure = group.named(f"{library}-{isa}{end}")
        return None if figure is None else group.rate(figure)
    ours = group.named(f"netlet-{isa}{end}")
    return None if ours is None else group.peak(isa, int(ours.info["threads"]))


def _growth(found: list[Group], where: str) -> Canvas | None:
    """Cost against width, batch and depth: training above inference, a line an entry."""
    named = {group.case: group for group in found}
    sweeps = [
        (sweep, points)
        for sweep in SWEEPS
        if len(points := [(size, named[case]) for size, case in sweep.points if case in named]) > 1
    ]
    if not sweeps:
        return None
    columns = min(3, len(sweeps))
    canvas, axes = canvas_of(-(-len(sweeps) // columns), columns, 3.9, 3.1, f"how cost grows\n{where}")
    for axis, (sweep, points) in zip(axes, sweeps, strict=False):
        for name, contestant in CONTESTANTS.items():
            line = [(size, f.median) for size, group in points if contestant.sweep and (f := group.named(name))]
            if line:
                colour, marker, label = STYLES[name]
                axis.plot(*zip(*line, strict=True), marker=marker, markersize=4, color=colour, label=label)
        kind, _, _ = sweep.name.partition("_")
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        _whole(axis.xaxis, [size for size, _ in points])
        low, high = axis.get_ylim()
        _decades(axis.yaxis, high / low)
        axis.set_title(f"{kind}: {sweep.fixed}", fontsize=9)
        axis.set_xlabel({"width": "width of the layers", "batch": "rows", "depth": "layers"}[sweep.axis], fontsize=8)
        axis.set_ylabel(f"microseconds a {points[0][1].unit}", fontsize=8)
        axis.grid(True, alpha=0.25)
    for axis in axes[len(sweeps) :]:
        axis.set_visible(False)
    _legend(canvas, axes)
    return canvas


def _threads(found: list[Group], where: str) -> Canvas | None:
    """Speed against threads, in units of Netlet's on one thread: a panel a case, a line a library."""
    cases = []
    for group in found:
        if group.known is not None and group.known.scaling:
            lines = {library: thread_counts(group, library) for library in ("netlet", *LIBRARIES)}
            lines = {name: counts for name, counts in lines.items() if len(counts) > 1 and name != "sklearn"}
            if "netlet" in lines:
                cases.append((group, lines))
    if not cases:
        return None
    columns = min(3, len(cases))
    canvas, axes = canvas_of(
        -(-len(cases) // columns), columns, 3.6, 3.0, f"speed by threads, Netlet on one thread is 1\n{where}"
    )
    for axis, (group, lines) in zip(axes, cases, strict=False):
        one = lines["netlet"][0][1].median
        for library, counts in lines.items():
            colour, marker, label = STYLES[library]
            points = [(threads, one / figure.median) for threads, figure in counts]
            axis.plot(*zip(*points, strict=True), marker=marker, markersize=4, color=colour, label=label)
        ticks = sorted({threads for counts in lines.values() for threads, _ in counts})
        axis.plot(ticks, ticks, ":", color="#95a5a6", label="Netlet, if threads were all that counts")
        axis.set_xscale("log", base=2)
        axis.set_yscale("log", base=2)
        axis.set_xlim(ticks[0] / 1.15, ticks[-1] * 1.15)
        _whole(axis.xaxis, ticks)
        low, high = axis.get_ylim()
        _whole(axis.yaxis, 2.0 ** np.arange(np.floor(np.log2(low)), np.ceil(np.log2(high)) + 1))
        axis.set_ylim(low, high)
        axis.set_title(group.case, fontsize=9)
        axis.set_xlabel("threads", fontsize=8)
        axis.set_ylabel("times as fast", fontsize=8)
        axis.grid(True, alpha=0.25)
    for axis in axes[len(cases) :]:
        axis.set_visible(False)
    _legend(canvas, axes)
    return canvas


def _legend(canvas: Canvas, axes: list[Axes]) -> None:
    """One legend below all axes, off the data."""
    found = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    order = [label for _, _, label in STYLES.values()]
    labels = sorted(found, key=lambda label: order.index(label) if label in order else len(order))
    canvas.legend([found[label] for label in labels], labels, loc="outside lower center", ncols=min(7, len(found)),
                  fontsize=8, frameon=False)  # fmt: skip
