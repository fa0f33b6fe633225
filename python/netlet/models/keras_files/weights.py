"""Weights between the arrays of a file and a model's layers.

A layer's arrays are numbered in the order in which it made its weights, those that training changes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from netlet.errors import ModelFormatError
from netlet.layers import Layer
from netlet.layers.layer import assign_all
from netlet.layers.variable import Variable
from netlet.models.keras_files import hdf5
from netlet.models.keras_files.order import group_names, ordered_layers
from netlet.models.layered import LayeredModel

Arrays = dict[str, list[NDArray[Any]]]


def stored_order(layer: Layer) -> list[Variable]:
    """Return a layer's weights in the order of the file, whether or not it trains."""
    return sorted(layer._variables, key=lambda variable: not variable.trainable)


def to_bytes(model: LayeredModel, optimizer: tuple[str, Sequence[NDArray[Any]]] | None = None) -> bytes:
    """Return a ``.weights.h5`` file of the model's weights, with an optimizer's name and state if they are given."""
    groups = {}
    for group, layer in _groups(model):
        if values := _values(layer):
            groups[group] = (layer.name, values)
    return hdf5.write(model.name, groups, optimizer)


def by_path(model: LayeredModel, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return what `hdf5.read` returned by the paths of the model's weights; what has none by its place in the file."""
    left = dict(arrays)
    found = {}
    for group, layer in _groups(model):
        own, values = stored_order(layer), left.pop(group, [])
        if hasattr(layer, "restored"):
            values = _converted(layer, values)
        for i, value in enumerate(values):
            found[own[i].path if i < len(own) else f"{group}/{i}"] = value
    return {**found, **{f"{group}/{i}": value for group, values in left.items() for i, value in enumerate(values)}}


def check_used(left: Mapping[str, Any]) -> None:
    """Raise a ModelFormatError if ``left`` names layers whose weights nobody took."""
    if left:
        raise ModelFormatError(f"weights: the file has weights for {', '.join(sorted(left))}, the model no such layers")


class Presets:
    """Hands the arrays of a file to layers: to Netlet's before they are built, so that these initialize no weights.

    Other layers may make weights in any order, so they get their arrays when they have made them all.

    Args:
        arrays: what `hdf5.read` returned.
        vocabularies: of the layers that were adapted, by their groups.
    """

    def __init__(self, arrays: Arrays, vocabularies: Mapping[str, list[str]]) -> None:
        self._left = dict(arrays)
        self._given: list[tuple[Layer, _InOrder]] = []
        self._late: list[tuple[Any, list[NDArray[Any]]]] = []
        self._vocabularies = vocabularies

    def visit(self, layer: Layer, group: str) -> None:
        """Let ``layer`` take the arrays of ``group`` when it is built, or in `finish`."""
        if type(layer).__name__ in ("IntegerLookup", "StringLookup") and group in self._vocabularies:
            _adapt(layer, self._vocabularies[group])
        arrays = self._left.pop(group, [])
        if hasattr(layer, "restored") or type(layer).__module__.partition(".")[0] != "netlet":
            self._late.append((layer, arrays))
            return
        values = _InOrder(layer, arrays)
        self._given.append((layer, values))
        layer.preset(values)

    def finish(self) -> None:
        """Give arrays to the layers that take them once they are built, such as those that are not Netlet's.

        Raises: ModelFormatError if an array was not taken, ValueError if a layer does not want one.
        """
        for layer, arrays in self._late:
            if hasattr(layer, "restored"):
                layer.restored(arrays)
            else:
                assign_all(stored_order(layer), arrays, layer.name)
        for layer, values in self._given:
            if len(values):
                count = values.count
                raise ModelFormatError(
                    f"layer {layer.name!r}: the file has {count} weights for it, it takes {count - len(values)}"
                )
        check_used(self._left)


class _InOrder(Mapping[str, NDArray[Any]]):
    """Weights by any name, handed out in order: Keras numbers them, and layers make theirs in Keras' order."""

    def __init__(self, layer: Layer, arrays: list[NDArray[Any]]) -> None:
        self.layer = layer
        self.count = len(arrays)
        self._arrays = list(reversed(arrays))

    def __contains__(self, name: object) -> bool:
        return bool(self._arrays)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if not self._arrays:
            raise KeyError(name)
        value: NDArray[Any] = self._arrays.pop().astype(self.layer.dtype, copy=False)
        return value

    def __len__(self) -> int:
        return len(self._arrays)

    def __iter__(self) -> Iterator[str]:
        return iter(map(str, range(len(self._arrays))))


def _values(layer: Layer) -> list[NDArray[Any]]:
    """The arrays of a layer, as Keras has them."""
    if hasattr(layer, "stored"):
        values: list[NDArray[Any]] = layer.stored()
        return values
    return [variable.value for variable in stored_order(layer)]


def _converted(layer: Layer, arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Keras' arrays of a layer that has others in their place, as the layer has them; it keeps its own."""
    kept = [variable.numpy() for variable in layer._variables]
    try:
        layer.restored(arrays)  # type: ignore[attr-defined]
        return [variable.numpy() for variable in stored_order(layer)]
    except ValueError as error:
        raise ModelFormatError(f"weights: {error}") from None
    finally:
        for variable, value in zip(layer._variables, kept, strict=True):
            variable.assign(value)


def _adapt(layer: Any, tokens: list[str]) -> None:
    """Give a lookup the vocabulary that it was adapted to; it may be adapted again."""
    layer.set_vocabulary([int(token) for token in tokens] if type(layer).__name__ == "IntegerLookup" else tokens)
    layer._given = False


def _groups(model: LayeredModel) -> list[tuple[str, Layer]]:
    layers = ordered_layers(model)
    return list(zip(group_names(type(layer).__name__ for layer in layers), layers, strict=True))
