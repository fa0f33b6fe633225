"""A model's config in Keras' form and in Netlet's: a stack of layers, or a graph of calls.

In a graph, each layer lists its calls, ``inbound_nodes``; what a call takes is named by the layer it comes from, which
call of that layer, and which of its outputs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from netlet.errors import ModelFormatError
from netlet.layers import InputLayer, Layer, SymbolicTensor
from netlet.models.functional import Model
from netlet.models.keras_files.layers import decode_layer, encode_layer
from netlet.models.keras_files.objects import Custom, decode_dtype, encode_dtype, keras_object
from netlet.models.keras_files.order import group_names, ordered_layers
from netlet.models.layered import LayeredModel
from netlet.models.sequential import Sequential

MAX_LAYERS = 10_000

#: Called with each layer that may get weights, its group's name in the file, before it is built.
Visitor = Callable[[Layer, str], None]
_Place = tuple[str, int]  # of a value: the layer's name, which of its calls


# To Keras


def encode_model(model: LayeredModel) -> dict[str, Any]:
    """Return Keras' form of a built model, without how it was compiled.

    Raises: ValueError if Keras has no place for something in it.
    """
    if isinstance(model, Model):
        return keras_object("keras.src.models.functional", "Functional", _graph_config(model), "Functional")
    config = {
        "name": model.name,
        "trainable": model.trainable,
        "dtype": encode_dtype(model.dtype),
        "layers": [encode_layer(layer, model.dtype) for layer in model._stack],
        "build_input_shape": list(model.input_shape),
    }
    return {**keras_object("keras", "Sequential", config), "build_config": {"input_shape": list(model.input_shape)}}


def _graph_config(model: Model) -> dict[str, Any]:
    places: dict[int, list[Any]] = {id(value): [value.name, 0, 0] for value in model._inputs.values}
    calls: dict[int, list[SymbolicTensor]] = {}
    for value in model._order:
        own = calls.setdefault(id(value.layer), [])
        places[id(value)] = [value.layer.name, len(own), 0]
        own.append(value)

    def tensor(value: SymbolicTensor) -> dict[str, Any]:
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": places[id(value)]}
        return {"class_name": "__keras_tensor__", "config": config}

    def node(value: SymbolicTensor) -> dict[str, Any]:
        assert value.call is not None
        arguments = [tensor(entry) for entry in value.call.inputs]
        return {"args": [arguments] if value.call.listed else arguments, "kwargs": {}}

    layers = [
        {
            **encode_layer(layer, model.dtype),
            "name": layer.name,
            "inbound_nodes": [node(v) for v in calls.get(id(layer), ())],
        }
        for layer in ordered_layers(model)
    ]
    ends = {
        key: structure.give([places[id(value)] for value in structure.values])
        for key, structure in (("input_layers", model._inputs), ("output_layers", model._outputs))
    }
    return {"name": model.name, "trainable": model.trainable, "layers": layers, **ends}


# From Keras


def decode_model(entry: Any, custom: Custom, visit: Visitor) -> LayeredModel:
    """Return the model that Keras' form describes.

    Args:
        entry: what config.json holds.
        custom: classes and functions of the user, by name.
        visit: see `Visitor`.

    Raises: ModelFormatError, or a ValueError or TypeError of a layer's, if it is none.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), Mapping):
        raise ModelFormatError("config: expected an object with class_name and config")
    config, kind = entry["config"], entry.get("class_name")
    layers = config.get("layers")
    if kind not in ("Sequential", "Functional", "Model"):
        raise ModelFormatError(f"config: model class {kind!r} is not known, expected Sequential or Functional")
    if not isinstance(layers, list) or len(layers) > MAX_LAYERS:
        raise ModelFormatError(f"config: layers must be a list of at most {MAX_LAYERS} layers")
    return _sequential(entry, config, custom, visit) if kind == "Sequential" else _graph(config, custom, visit)


def _sequential(entry: Mapping[str, Any], config: Mapping[str, Any], custom: Custom, visit: Visitor) -> Sequential:
    layers = [decode_layer(layer, custom) for layer in config["layers"]]
    _visit(visit, [layer for layer in layers if not isinstance(layer, InputLayer)])
    dtype = decode_dtype(config.get("dtype"), "model")
    model = Sequential(layers, _trainable(config), config.get("name"), dtype=dtype)
    shape = config.get("build_input_shape")
    if shape is None and isinstance(build := entry.get("build_config"), Mapping):
        shape = build.get("input_shape")
    if not model.built and shape is not None:
        model.build(shape)
    return model


def _graph(config: Mapping[str, Any], custom: Custom, visit: Visitor) -> Model:
    layers = {}
    calls: dict[str, list[Any]] = {}
    for entry in config["layers"]:
        layer = decode_layer(entry, custom)
        if layer.name in layers:
            raise ModelFormatError(f"config: two layers are called {layer.name!r}")
        layers[layer.name] = layer
        calls[layer.name] = [_arguments(node, layer.name) for node in entry.get("inbound_nodes", ())]
    floats = [layer._dtype for layer in layers.values() if layer._dtype is not None]
    for layer in layers.values():
        if isinstance(layer, InputLayer) and layer._dtype is None and floats:
            layer._dtype = floats[0]
    _visit(visit, list(layers.values()))
    values = _call_all(layers, calls)
    ends = [_structure(config.get(key), values, key) for key in ("input_layers", "output_layers")]
    return Model(ends[0], ends[1], name=config.get("name"), trainable=_trainable(config))


def _visit(visit: Visitor, layers: list[Layer]) -> None:
    for layer, group in zip(layers, group_names(type(layer).__name__ for layer in layers), strict=True):
        visit(layer, group)


def _trainable(config: Mapping[str, Any]) -> bool:
    trainable = config.get("trainable")
    return True if trainable is None else trainable


def _arguments(node: Any, owner: str) -> tuple[list[_Place], bool]:
    """What a call takes, and whether as a list."""
    if not isinstance(node, Mapping) or not isinstance(node.get("args"), list) or len(node["args"]) != 1:
        raise ModelFormatError(f"layer {owner!r}: a call of another form than layer(value) or layer([values])")
    for key, value in (node.get("kwargs") or {}).items():
        if not (value is None or (key == "training" and value is False)):
            raise ModelFormatError(f"layer {owner!r}: a call with {key}={value!r} is not supported")
    given = node["args"][0]
    listed = isinstance(given, list)
    places = []
    for tensor in given if listed else [given]:
        if not isinstance(tensor, Mapping) or tensor.get("class_name") != "__keras_tensor__":
            raise ModelFormatError(f"layer {owner!r}: a call with something else than what layers return")
        inner = tensor.get("config")
        places.append(_place(inner.get("keras_history") if isinstance(inner, Mapping) else None, owner))
    return places, listed


def _place(history: Any, owner: str) -> _Place:
    if isinstance(history, list) and len(history) == 3:
        name, call, output = history
        if isinstance(name, str) and isinstance(call, int) and output == 0:
            return name, call
    raise ModelFormatError(f"{owner}: expected [layer, call, 0], got {history!r}")


def _call_all(layers: Mapping[str, Layer], calls: Mapping[str, list[Any]]) -> dict[_Place, SymbolicTensor]:
    """Make all calls, each once what it takes is there, and return what they gave."""
    values: dict[_Place, SymbolicTensor] = {
        (name, 0): layer.output for name, layer in layers.items() if isinstance(layer, InputLayer)
    }
    made = dict.fromkeys(layers, 0)
    waiting: dict[_Place, list[str]] = {}
    ready = deque(layers)
    while ready:
        name = ready.popleft()
        while made[name] < len(calls[name]):
            places, listed = calls[name][made[name]]
            missing = next((place for place in places if place not in values), None)
            if missing is not None:
                waiting.setdefault(missing, []).append(name)
                break
            inputs = [values[place] for place in places]
            place = (name, made[name])
            values[place] = layers[name](inputs if listed else inputs[0])
            made[name] += 1
            ready.extend(waiting.pop(place, ()))
    for name, layer in layers.items():
        if made[name] < len(calls[name]):
            raise ModelFormatError(f"config: layer {name!r} is in a loop, or takes what no layer gives")
        if bool(calls[name]) is isinstance(layer, InputLayer):
            raise ModelFormatError(f"config: layer {name!r} is {'an input, yet' if calls[name] else 'never'} called")
    return values


def _structure(given: Any, values: Mapping[_Place, SymbolicTensor], what: str) -> Any:
    """The values that an end of the graph names: one, a list or a dict of them."""
    if isinstance(given, Mapping):
        return {key: _value(entry, values, what) for key, entry in given.items()}
    if isinstance(given, list) and given and isinstance(given[0], list):
        return [_value(entry, values, what) for entry in given]
    return _value(given, values, what)


def _value(history: Any, values: Mapping[_Place, SymbolicTensor], what: str) -> SymbolicTensor:
    place = _place(history, f"config: {what}")
    if place not in values:
        raise ModelFormatError(f"config: {what} names {history!r}, which no layer gives")
    return values[place]
