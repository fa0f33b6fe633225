"""``model.summary()``: the table of layers and the parameter totals, in the form that Keras prints."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from netlet.models.terminal import BLUE, BOLD, CYAN, EMERALD, Segments, can_encode, coloured, columns, length, render

MIN_LINE_LENGTH = 30  # the narrowest table whose cells still hold a few characters
MAX_DEFAULT_LENGTH = 88

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


def summary(model: Any, line_length: int | None = None, print_fn: Callable[[str], object] | None = None) -> None:
    """Prints the layers of ``model`` with their output shapes and parameter counts, then the totals.

    Args:
        model: has ``name``, ``dtype`` and ``layers``; a layer has ``name``, ``count_params()`` and, where known,
            ``output_shape`` (with None for the batch). A layer that is not built shows ``?`` and ``0 (unbuilt)``.
        line_length: the width of the table in characters, at least 30. By default that of the terminal less 4, at
            most 88.
        print_fn: called once with the whole text, without colours. By default the text goes to ``sys.stdout``, in
            colour where that is a terminal.

    Raises: ValueError if ``line_length`` is less than 30.
    """
    stream = sys.stdout
    if line_length is None:
        line_length = max(MIN_LINE_LENGTH, min(MAX_DEFAULT_LENGTH, columns(stream) - 4))
    if line_length < MIN_LINE_LENGTH:
        raise ValueError(f"line_length: expected at least {MIN_LINE_LENGTH} characters, got {line_length}")
    if print_fn is not None:
        print_fn(_text(model, line_length, _BOX, colour=False))
    elif stream is not None:
        box = _BOX if can_encode(stream, "".join(map("".join, _BOX.values()))) else _ASCII
        stream.write(_text(model, line_length, box, colour=coloured(stream)))


def format_bytes(count: float) -> str:
    """A size in units of 1024 with two decimals: ``0.00 B``, ``795.04 KB``."""
    units = ["B", "KB", "MB", "GB", "TB", "PB"]
    power = 0
    while count >= 1024 and power < len(units) - 1:
        count /= 1024
        power += 1
    return f"{count:.2f} {units[power]}"


def _text(model: Any, line_length: int, box: _Box, *, colour: bool) -> str:
    rows = [_cells(layer) for layer in model.layers]
    widths = _cell_widths(line_length, max([len("Param #"), *(length(row[-1]) for row in rows)]))
    lines: list[Segments] = [[(BOLD, f'Model: "{model.name}"')]]
    header: list[Segments] = [[(BOLD, "Layer (type)")], [(BOLD, "Output Shape")], [(BOLD, "Param #")]]
    lines.append(_rule(widths, box["top"]))
    lines += _row(header, widths, box["head"])
    lines.append(_rule(widths, box["below"]))
    for index, row in enumerate(rows):
        if index:
            lines.append(_rule(widths, box["between"]))
        lines += _row(row, widths, box["row"])
    lines.append(_rule(widths, box["bottom"]))
    trainable, frozen = _totals(model.layers, trainable=getattr(model, "trainable", True))
    item_bytes = np.dtype(getattr(model, "dtype", "float32")).itemsize
    for title, count in (("Total", trainable + frozen), ("Trainable", trainable), ("Non-trainable", frozen)):
        size = f" ({format_bytes(count * item_bytes)})"
        lines.append([(BOLD, f" {title} params: "), (EMERALD, f"{count:,}"), ("", size)])
    return "".join(render(line, colour=colour) + "\n" for line in lines)


def _cell_widths(line_length: int, longest_count: int) -> tuple[int, int, int]:
    """The columns end at 45 %, 80 % and 100 % of the line, unless a parameter count would not fit into its share."""
    first, second = int(0.45 * line_length), int(0.8 * line_length)
    name, shape, count = first - 1, second - first - 2, line_length - second - 1  # less four strokes
    missing = min(max(0, longest_count + 2 - count), name - 8)
    return name - missing, shape, count + missing


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


def _row(cells: list[Segments], widths: tuple[int, ...], strokes: _Strokes) -> list[Segments]:
    """The lines of one table row: a cell that is too long goes on below; the last column is flush right."""
    left, middle, right, _ = strokes
    wrapped = [_wrap(cell, width - 2) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for index in range(max(len(parts) for parts in wrapped)):
        line: Segments = [("", left)]
        for column, (parts, width) in enumerate(zip(wrapped, widths, strict=True)):
            part = parts[index] if index < len(parts) else []
            space = " " * (width - 2 - length(part))
            flush_right = column == len(widths) - 1
            line += [("", " " + space), *part] if flush_right else [("", " "), *part, ("", space)]
            line.append(("", " " + (right if flush_right else middle)))
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
