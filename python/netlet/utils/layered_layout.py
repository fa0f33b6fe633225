"""Where the boxes of a directed graph go: in layers, few lines crossing, lines led around boxes.

The method of Sugiyama, Tagawa and Toda (1981): a box stands one layer below the lowest box that feeds it; a line that
spans several layers gets a bend in each layer between; within a layer, boxes and bends are ordered by the mean place
of their neighbours, sweeping up and down; then they are moved towards these neighbours as far as the order allows.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Layout", "layered_layout"]

SWEEPS = 8
BEND = 0.25  # the width that a bend keeps free, in units of a gap


class Layout(NamedTuple):
    """Where things are.

    Attributes:
        across: of each box, its middle along its layer.
        layer: of each box, from 0.
        lines: of each edge, the points (across, layer) that it passes, its ends included.
    """

    across: list[float]
    layer: list[int]
    lines: list[list[tuple[float, float]]]


def layered_layout(widths: Sequence[float], edges: Sequence[tuple[int, int]], gap: float) -> Layout:
    """Return where boxes of ``widths`` go.

    Args:
        widths: of the boxes, across the layers; each box comes after those that feed it.
        edges: from which box to which.
        gap: the free space between neighbours in a layer.
    """
    boxes = len(widths)
    layer = [0] * boxes
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        layer[target] = max(layer[target], layer[source] + 1)
    for box in reversed(range(boxes)):  # a box that nothing feeds stands right above what it feeds
        fed = [layer[target] for source, target in edges if source == box]
        if fed and all(target != box for _, target in edges):
            layer[box] = min(fed) - 1
    at, sizes, paths = list(layer), list(widths), []
    for source, target in edges:
        path = [source]
        for between in range(layer[source] + 1, layer[target]):
            path.append(len(at))
            at.append(between)
            sizes.append(BEND * gap)
        paths.append([*path, target])
    above: list[list[int]] = [[] for _ in at]
    below: list[list[int]] = [[] for _ in at]
    for path in paths:
        for a, b in itertools.pairwise(path):
            below[a].append(b)
            above[b].append(a)
    rows: list[list[int]] = [[] for _ in range(max(at, default=-1) + 1)]
    for item, row in enumerate(at):
        rows[row].append(item)
    _order(rows, above, below)
    across = _places(rows, sizes, above, below, gap)
    lines = [[(across[item], float(at[item])) for item in path] for path in paths]
    return Layout(across[:boxes], layer, lines)


def _order(rows: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Order each row by the mean place of its neighbours; keep the order in which the fewest lines cross."""
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 0
        for row in rows if downward else rows[::-1]:
            place = {item: i / max(1, len(other) - 1) for other in rows for i, item in enumerate(other)}
            near = above if downward else below
            means = {
                item: sum(place[n] for n in near[item]) / len(near[item]) if near[item] else place[item] for item in row
            }
            row.sort(key=means.__getitem__)
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    for row, kept in zip(rows, best, strict=True):
        row[:] = kept


def _crossings(rows: list[list[int]], below: list[list[int]]) -> int:
    count = 0
    for upper, lower in itertools.pairwise(rows):
        place = {item: i for i, item in enumerate(lower)}
        ends = [(i, place[end]) for i, item in enumerate(upper) for end in below[item]]
        count += sum(a < c and b > d for a, b in ends for c, d in ends)
    return count


def _places(
    rows: list[list[int]], sizes: list[float], above: list[list[int]], below: list[list[int]], gap: float
) -> list[float]:
    """The middles of all items: each row centred, then moved towards its neighbours, order and gaps kept."""
    across = [0.0] * len(sizes)
    for row in rows:
        wanted = [0.0] * len(row)
        _settle(row, wanted, sizes, gap, across)
    for sweep in range(4 * SWEEPS):
        near = (above, below)[sweep % 2]
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = [
                sum(across[n] for n in near[item]) / len(near[item]) if near[item] else across[item] for item in row
            ]
            _settle(row, wanted, sizes, gap, across)
    return across


def _settle(row: list[int], wanted: list[float], sizes: list[float], gap: float, across: list[float]) -> None:
    """Put a row as near to ``wanted`` as its order and gaps allow, in least squares: pool those that would collide."""
    offsets = [0.0]
    for a, b in itertools.pairwise(row):
        offsets.append(offsets[-1] + (sizes[a] + sizes[b]) / 2 + gap)
    pools: list[tuple[float, int]] = []  # of each run of neighbours that touch: the sum of their wishes, and how many
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, many = pools.pop()
            total, count = total + before, count + many
        pools.append((total, count))
    starts = [total / count for total, count in pools for _ in range(count)]
    for item, start, offset in zip(row, starts, offsets, strict=True):
        across[item] = start + offset
