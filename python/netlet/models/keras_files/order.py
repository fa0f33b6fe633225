"""In which order Keras keeps the layers of a model, which is how its files of weights name them.

The weights of a layer lie under its class' name in snake case, numbered: ``dense``, ``dense_1``. So the order decides
which is which. That of a stack is its own. In a graph, layers that are further from the outputs come first, by the
longest way; layers as far as one another come in the order in which a search from the outputs meets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from netlet.layers import InputLayer, Layer, SymbolicTensor
from netlet.models.functional import Model
from netlet.models.layered import LayeredModel
from netlet.utils.naming import to_snake_case


def ordered_layers(model: LayeredModel) -> list[Layer]:
    """Return the layers of ``model`` in Keras' order: of a graph with its inputs, of a stack without."""
    if isinstance(model, Model):
        return _graph_order(model)
    return [layer for layer in model._stack if not isinstance(layer, InputLayer)]


def group_names(classes: Iterable[str]) -> list[str]:
    """Return the names of the layers' groups, for the names of their classes in Keras' order."""
    counts: dict[str, int] = {}
    names = []
    for cls in classes:
        name = to_snake_case(cls)
        number = counts.get(name, 0)
        counts[name] = number + 1
        names.append(f"{name}_{number}" if number else name)
    return names


def flat(structure: Any) -> list[Any]:
    """Return the values of a structure in Keras' order: those of a dict by their sorted keys."""
    if isinstance(structure, Mapping):
        return [structure[key] for key in sorted(structure)]
    return list(structure) if isinstance(structure, (list, tuple)) else [structure]


def _graph_order(model: Model) -> list[Layer]:
    values = model._outputs.values
    outputs = flat(values if model._outputs.keys is None else dict(zip(model._outputs.keys, values, strict=True)))
    finished, met = _search(outputs)
    depths: dict[int, int] = {}  # of values, by id
    layer_depths: dict[int, int] = {}
    layers: dict[int, Layer] = {}
    for value in reversed(finished):
        depth = max(depths.get(id(value), 0), layer_depths.get(id(value.layer), 0))
        depths[id(value)] = layer_depths[id(value.layer)] = depth
        layers[id(value.layer)] = value.layer
        for entry in _sources(value):
            depths[id(entry)] = max(depth + 1, depths.get(id(entry), 0))
    for value in model._inputs.values:  # an input that no output needs
        if id(value.layer) not in layers:
            layers[id(value.layer)] = value.layer
            layer_depths[id(value.layer)], met[id(value.layer)] = 0, -1
    return sorted(layers.values(), key=lambda layer: (-layer_depths[id(layer)], met[id(layer)]))


def _search(outputs: list[SymbolicTensor]) -> tuple[list[SymbolicTensor], dict[int, int]]:
    """The values in the order in which a depth-first search finishes them, and the layers' places as it meets them."""
    finished: list[SymbolicTensor] = []
    seen: set[int] = set()
    met: dict[int, int] = {}
    for output in outputs:
        waiting = [(output, False)]
        while waiting:
            value, done = waiting.pop()
            if done:
                finished.append(value)
            elif id(value) not in seen:
                seen.add(id(value))
                met.setdefault(id(value.layer), len(met))
                waiting.append((value, True))
                waiting += [(entry, False) for entry in reversed(_sources(value))]
    return finished, met


def _sources(value: SymbolicTensor) -> tuple[SymbolicTensor, ...]:
    return () if value.call is None else value.call.inputs
