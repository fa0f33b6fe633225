"""``model.summary()``: the table of layers and the parameter totals, in the form that Keras prints."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from netlet.models.terminal import BLUE, BOLD, CYAN, EMERALD, Segments, can_encode, coloured, columns, length, render
from netlet.utils.model_graph import GraphNode, is_graph, model_graph

MIN_LINE_LENGTH = 30  # the narrowest table whose cells still hold a few characters
MAX_DEFAULT_LENGTH = 88
MAX_DEFAULT_CONNECTED_LENGTH = 108

TRAINABLE_LENGTH = 12  # what the column of that name makes it wider

_TRAINABLE = "Trainable"
_COUNTS = 2  # the column of parameter counts

_Strokes = tuple[str, str, str, str]  # left, between and right of the cells of a line, and what fills it
_Box = dict[str, _Strokes]
_BOX: _Box = {
    "top": ("┏", "┳", "┓", "━"),
    "head": ("┃", "┃", "┃", " "),
    "below": ("┡", "╇", "┩", "━"),
    "row": ("│", "│", "│", " "),
    "between": ("├", "┼", "┤", "─"),
    "bottom": ("└", "┴", "┘", "─"),
}
_ASCII: _Box = {
    "top": ("+", "+", "+", "-"),
    "head": ("|", "|", "|", " "),
    "below": ("+", "+", "+", "="),
    "row": ("|", "|", "|", " "),
    "between": ("+", "+", "+", "-"),
    "bottom": ("+", "+", "+", "-"),
}


def summary(
    model: Any,
    line_length: int | None = None,
    print_fn: Callable[[str], object] | None = None,
    show_trainable: bool = False,
) -> None:
    """Prints the layers of ``model`` with their output shapes and parameter counts, then the totals.

    Once the model has trained, what its optimizer keeps is counted, too.

    A graph in which some layer has several inputs, or is called several times, or stands beside another has a column
    more: what each layer is called on, as ``name[call][output]``.

    Args:
        model: has ``name``, ``dtype`` and ``layers``; a layer has ``name``, ``count_params()`` and, where known,
            ``output_shape`` (with None for the batch). A layer that is not built shows ``?`` and ``0 (unbuilt)``.
        line_length: the width of the table in characters, at least 30. By default that of the terminal less 4, at
            most 88, or 108 where it says what layers are called on, and 12 more with ``show_trainable``.
        print_fn: called once with the whole text, without colours. By default the text goes to ``sys.stdout``, in
            colour where that is a terminal.
        show_trainable: whether a column says of layers with weights if training changes them.

    Raises: ValueError if ``line_length`` is less than 30, or 42 with ``show_trainable``.
    """
    stream = sys.stdout
    rows = _table(model, show_trainable)
    least = MIN_LINE_LENGTH + (TRAINABLE_LENGTH if show_trainable else 0)
    if line_length is None:
        longest = MAX_DEFAULT_LENGTH if len(rows[0]) - show_trainable == 3 else MAX_DEFAULT_CONNECTED_LENGTH
        longest += TRAINABLE_LENGTH if show_trainable else 0
        line_length = max(least, min(longest, columns(stream) - 4))
    if line_length < least:
        raise ValueError(f"line_length: expected at least {least} characters, got {line_length}")
    if print_fn is not None:
        print_fn(_text(model, rows, line_length, _BOX, colour=False))
    elif stream is not None:
        box = _BOX if can_encode(stream, "".join(map("".join, _BOX.values()))) else _ASCII
        stream.write(_text(model, rows, line_length, box, colour=coloured(stream)))


def format_bytes(count: float) -> str:
    """A size in units of 1024 with two decimals: ``0.00 B``, ``795.04 KB``."""
    units = ["B", "KB", "MB", "GB", "TB", "PB"]
    power = 0
    while count >= 1024 and power < len(units) - 1:
        count /= 1024
        power += 1
    return f"{count:.2f} {units[power]}"


def _table(model: Any, show_trainable: bool) -> list[list[Segments]]:
    """The header and a row for each layer; of a graph that is no chain with what the layers are called on."""
    header: list[Segments] = [[(BOLD, "Layer (type)")], [(BOLD, "Output Shape")], [(BOLD, "Param #")]]
    nodes = model_graph(model) if is_graph(model) else []
    layers = [node.layer for node in nodes] or list(model.layers)
    rows = [_cells(layer) for layer in layers]
    if not _is_chain(nodes):
        header.append([(BOLD, "Connected to")])
        for row, node in zip(rows, nodes, strict=True):
            row.append(_connections(node, nodes))
    if show_trainable:
        header.append([(BOLD, _TRAINABLE)])
        for row, layer in zip(rows, layers, strict=True):
            mark = ("Y" if layer.trainable else "N") if getattr(layer, "weights", None) else "-"
            row.append([(BOLD, mark)])
    return [header, *rows]


def _is_chain(nodes: list[GraphNode]) -> bool:
    """Whether each layer is called once, on what the one before it returns."""
    return all(node.sources == (((i - 1, 0),) if i else ()) for i, node in enumerate(nodes))


def _connections(node: GraphNode, nodes: list[GraphNode]) -> Segments:
    """``dense[0][0], dense_1[0][0]``: of each value its layer, which call of it and which output of that, always 0."""
    cell: Segments = []
    for source, call in node.sources:
        cell += [("", ", " if cell else ""), ("", f"{nodes[source].layer.name}[")]
        cell += [(EMERALD, str(call)), ("", "]["), (EMERALD, "0"), ("", "]")]
    return cell or [("", "-")]


def _text(model: Any, rows: list[list[Segments]], line_length: int, box: _Box, *, colour: bool) -> str:
    trainable_shown = rows[0][-1] == [(BOLD, _TRAINABLE)]
    widths = _cell_widths(line_length, max(length(row[2]) for row in rows), len(rows[0]), trainable_shown)
    lines: list[Segments] = [[(BOLD, f'Model: "{model.name}"')]]
    lines.append(_rule(widths, box["top"]))
    for index, row in enumerate(rows):
        if index:
            lines.append(_rule(widths, box["below" if index == 1 else "between"]))
        lines += _row(row, widths, box["row" if index else "head"], trainable_shown)
    if len(rows) == 1:
        lines.append(_rule(widths, box["below"]))
    lines.append(_rule(widths, box["bottom"]))
    trainable, frozen = _totals(model.layers, trainable=getattr(model, "trainable", True))
    item_bytes = np.dtype(getattr(model, "dtype", "float32")).itemsize
    optimizer = getattr(model, "optimizer", None)
    kept = None
    if optimizer is not None and optimizer.built:
        kept = sum(math.prod(np.shape(variable)) for variable in optimizer.variables)
    counts = [("Total", trainable + frozen + (kept or 0)), ("Trainable", trainable), ("Non-trainable", frozen)]
    for title, count in [*counts, *([] if kept is None else [("Optimizer", kept)])]:
        size = f" ({format_bytes(count * item_bytes)})"
        lines.append([(BOLD, f" {title} params: "), (EMERALD, f"{count:,}"), ("", size)])
    return "".join(render(line, colour=colour) + "\n" for line in lines)


def _cell_widths(line_length: int, longest_count: int, cells: int, trainable_shown: bool) -> tuple[int, ...]:
    """Three columns end at 45 %, 80 % and 100 % of the line, four at 30 %, 56 %, 74 % and 100 %, unless a parameter
    count would not fit into its share; a last one that says what is trainable takes a tenth of the line from them."""
    shares: tuple[float, ...] = (0.45, 0.8, 1.0) if cells - trainable_shown == 3 else (0.3, 0.56, 0.74, 1.0)
    if trainable_shown:
        shares = (*(0.9 * share for share in shares), 1.0)
    ends = [int(share * line_length) for share in shares]
    # Each column gives one for the stroke on its right; the last but one also for the stroke at the very left.
    widths = [end - start - 1 for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    widths[cells - 2] -= 1
    missing = min(max(0, longest_count + 2 - widths[2]), widths[0] - 8)
    widths[0] -= missing
    widths[2] += missing
    return tuple(widths)


def _cells(layer: Any) -> list[Segments]:
    name: Segments = [("", f"{layer.name} ("), (BLUE, type(layer).__name__), ("", ")")]
    built = getattr(layer, "built", True)
    params: Segments = [(EMERALD, f"{layer.count_params():,}")] if built else [(EMERALD, "0"), ("", " (unbuilt)")]
    return [name, _shape_cell(getattr(layer, "output_shape", None)), params]


def _shape_cell(shape: Iterable[int | None] | None) -> Segments:
    if shape is None:
        return [("", "?")]
    cell: Segments = [("", "(")]
    for index, size in enumerate(shape):
        if index:
            cell.append(("", ", "))
        cell.append((CYAN if size is None else EMERALD, str(size)))
    return [*cell, ("", ")")]


def _totals(layers: Iterable[Any], *, trainable: bool) -> tuple[int, int]:
    """Trainable and non-trainable parameters of the built layers of a model that is ``trainable`` or not."""
    changing = total = 0
    for layer in layers:
        if not getattr(layer, "built", True):
            continue
        total += layer.count_params()
        weights = getattr(layer, "trainable_weights", None)
        if weights is None:
            changing += layer.count_params() if getattr(layer, "trainable", True) else 0
        else:
            changing += sum(math.prod(weight.shape) for weight in weights)
    if not trainable:
        changing = 0
    return changing, total - changing


def _rule(widths: Iterable[int], strokes: _Strokes) -> Segments:
    left, middle, right, line = strokes
    return [("", left + middle.join(line * width for width in widths) + right)]


def _row(
    cells: list[Segments], widths: tuple[int, ...], strokes: _Strokes, last_centered: bool = False
) -> list[Segments]:
    """The lines of one table row: a cell that is too long goes on below; counts are flush right."""
    left, middle, right, _ = strokes
    wrapped = [_wrap(cell, width - 2) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for index in range(max(len(parts) for parts in wrapped)):
        line: Segments = [("", left)]
        for column, (parts, width) in enumerate(zip(wrapped, widths, strict=True)):
            part = parts[index] if index < len(parts) else []
            space = " " * (width - 2 - length(part))
            last = column == len(widths) - 1
            before = space if column == _COUNTS else space[: len(space) // 2] if last and last_centered else ""
            line += [("", " " + before), *part, ("", space[len(before) :])]
            line.append(("", " " + (right if last else middle)))
        lines.append(line)
    return lines


def _wrap(cell: Segments, width: int) -> list[Segments]:
    """``cell`` in lines of at most ``width`` characters, broken at spaces where there are any."""
    rest = [(code, char) for code, text in cell for char in text]
    lines: list[Segments] = []
    while len(rest) > width:
        spaces = [index for index in range(1, width + 1) if rest[index][1] == " "]
        end = spaces[-1] if spaces else width
        lines.append(_joined(rest[:end]))
        rest = rest[end + 1 :] if spaces else rest[end:]
    return [*lines, _joined(rest)]


def _joined(chars: Segments) -> Segments:
    """Neighbours of one colour as one segment."""
    joined: Segments = []
    for code, char in chars:
        if joined and joined[-1][0] == code:
            joined[-1] = (code, joined[-1][1] + char)
        else:
            joined.append((code, char))
    return joined
