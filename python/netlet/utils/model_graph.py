"""Which layer of a model feeds which, in the order in which Keras lists them: what summaries and pictures show."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["GraphNode", "is_graph", "model_graph"]


class GraphNode(NamedTuple):
    """A layer and what it is called on.

    Attributes:
        layer: the layer.
        sources: of each value it is called on, in order: the place of the node it comes from and which of that
            node's calls made it, both from 0. Empty for an input.
        input_shapes: of those values, the batch in front.
        calls: how often the layer is called.
    """

    layer: Any
    sources: tuple[tuple[int, int], ...]
    input_shapes: tuple[Any, ...]
    calls: int


def is_graph(model: Any) -> bool:
    """Return whether ``model`` was made of symbolic inputs and outputs, as `Model` is and `Sequential` is not."""
    if hasattr(model, "add"):  # a stack, whatever its values know of how they were made
        return False
    return any(getattr(value, "call", None) is not None for value in _outputs(model))


def model_graph(model: Any) -> list[GraphNode]:
    """Return the layers of ``model`` and how they are joined.

    Args:
        model: with ``inputs`` and ``outputs`` that remember their calls, as `Model` has, or else with ``layers`` of
            which each is called on what the one before it returns.

    Returns: the layers, those farthest from the outputs first and, of those equally far, in the order in which a
        walk from the outputs meets them; the Input of a `Sequential` is left out. A layer's distance is that of the
        longest path, an input's as well.
    """
    if not is_graph(model):
        chain = list(model.layers)
        return [
            GraphNode(layer, ((i - 1, 0),) if i else (), (getattr(layer, "input_shape", None),), 1)
            for i, layer in enumerate(chain)
        ]
    layers: dict[int, Any] = {}  # by identity, in the order of the walk
    values = _in_order(model)
    for value in _walk(model):
        layers.setdefault(id(value.layer), value.layer)
    depth = dict.fromkeys(layers, 0)
    of_value: dict[int, int] = {}
    for value in reversed(values):  # what uses a value comes before it
        at = max(of_value.get(id(value), 0), depth[id(value.layer)])
        depth[id(value.layer)] = at
        for entry in value.call.inputs if value.call is not None else ():
            of_value[id(entry)] = max(of_value.get(id(entry), 0), at + 1)
    order = sorted(layers, key=lambda key: -depth[key])  # stable
    place = {key: i for i, key in enumerate(order)}
    made: dict[int, list[Any]] = {key: [] for key in order}
    for value in values:
        made[id(value.layer)].append(value)
    call_of = {id(value): i for calls in made.values() for i, value in enumerate(calls)}
    nodes = []
    for key in order:
        entries = [entry for value in made[key] if value.call is not None for entry in value.call.inputs]
        sources = tuple((place[id(entry.layer)], call_of[id(entry)]) for entry in entries)
        nodes.append(GraphNode(layers[key], sources, tuple(entry.shape for entry in entries), len(made[key])))
    return nodes


def _outputs(model: Any) -> list[Any]:
    try:
        return list(getattr(model, "outputs", ()))
    except AttributeError:  # a Sequential that is not built
        return []


def _walk(model: Any) -> list[Any]:
    """Every value that the outputs need, each before what it is made of, first inputs first."""
    inputs = {id(value) for value in model.inputs}
    seen: set[int] = set()
    found = []
    waiting = list(reversed(model.outputs))
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        found.append(value)
        if id(value) not in inputs and value.call is not None:
            waiting += reversed(value.call.inputs)
    found += [value for value in model.inputs if id(value) not in seen]
    return found


def _in_order(model: Any) -> list[Any]:
    """Every value that the outputs need, each after all that it is made of, the inputs first."""
    inputs = {id(value) for value in model.inputs}
    done: dict[int, Any] = {}
    waiting = [(value, False) for value in reversed([*model.inputs, *model.outputs])]
    while waiting:
        value, entered = waiting.pop()
        if id(value) in done:
            continue
        if entered:
            done[id(value)] = value
            continue
        waiting.append((value, True))
        if id(value) not in inputs and value.call is not None:
            waiting += [(entry, False) for entry in reversed(value.call.inputs) if id(entry) not in done]
    return list(done.values())
