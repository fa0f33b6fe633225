"""`Model`: layers joined to a graph, with any number of inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlet.layers import InputLayer, Layer, SymbolicTensor
from netlet.layers import deserialize as deserialize_layer
from netlet.layers import serialize as serialize_layer
from netlet.layers.symbolic import sorted_calls
from netlet.models.data import adapt_inputs, check_rows, to_array
from netlet.models.hosts import host_chain
from netlet.models.joined_labels import join_labels
from netlet.models.layered import LayeredModel
from netlet.models.lowering import Flow, Lowered, Lowering
from netlet.utils.naming import auto_name, check_name


class _Structure(NamedTuple):
    """How several values are given to a model or come out of it: alone, as a list or under names.

    Attributes:
        values: in order.
        keys: their names in a dict; None unless they came as one.
        alone: whether there is one, and not in a list.
    """

    values: tuple[SymbolicTensor, ...]
    keys: tuple[str, ...] | None
    alone: bool

    @staticmethod
    def of(given: Any, what: str) -> _Structure:
        keys = None
        alone = False
        if isinstance(given, Mapping):
            keys, values = tuple(given), tuple(given.values())
        elif isinstance(given, (list, tuple)):
            values = tuple(given)
        else:
            values, alone = (given,), True
        if not values:
            raise ValueError(f"Model: {what} is empty, expected at least one value")
        for value in values:
            if not isinstance(value, SymbolicTensor):
                raise TypeError(f"Model: {what} must be what Input() and layers return, got {value!r}")
        return _Structure(values, keys, alone)

    def give(self, arrays: Sequence[Any]) -> Any:
        """``arrays`` in this form."""
        if self.alone:
            return arrays[0]
        return list(arrays) if self.keys is None else dict(zip(self.keys, arrays, strict=True))


class Model(LayeredModel):
    """Layers joined to a graph: from its inputs, whatever its outputs need.

    Args:
        inputs: what `Input` returned; a list or a dict of such for several.
        outputs: what layers returned that were called on them; a list or a dict for several.
        name: the model's name; numbered automatically, such as "model_1", if None.
        trainable: whether training changes the weights.

    With several inputs, data are lists in the same order, or dicts by the inputs' names (the keys of the dict, or the
    names of the Inputs). With several outputs, ``compile`` takes a loss for each (a list, a dict by the names of the
    layers they come from, or one for all), ``loss_weights`` likewise, and metrics as lists of lists or dicts; the logs
    have ``<name>_loss`` and ``<name>_<metric>``.

    Raises: ValueError if the outputs need an input that is not among ``inputs``, or two layers have one name; TypeError
        for anything that is no symbolic value.

    Example::

        a, b = Input((8,), name="a"), Input((3,), name="b")
        h = Concatenate()([Dense(16, activation="relu")(a), b])
        model = Model([a, b], Dense(1)(h))
        model.compile(optimizer="sgd", loss="mse")
        model.fit({"a": x_a, "b": x_b}, y)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, *, trainable: bool = True) -> None:
        given, made = _Structure.of(inputs, "inputs"), _Structure.of(outputs, "outputs")
        super().__init__(auto_name("model") if name is None else check_name(name, "Model"), trainable, None)
        for value in given.values:
            if not isinstance(value.layer, InputLayer):
                raise ValueError(f"{self.name}: inputs must come from Input(), {value.name!r} comes from a layer")
        if len({id(value) for value in given.values}) != len(given.values):
            raise ValueError(f"{self.name}: an input is named twice: {[value.name for value in given.values]}")
        self._inputs, self._outputs = given, made
        self._order = list(sorted_calls(made.values, given.values))
        self._host_values = host_chain(given.values, self._order)
        self._stack = [value.layer for value in given.values]
        for value in self._order:
            if all(layer is not value.layer for layer in self._stack):
                self._stack.append(value.layer)
        names = [layer.name for layer in self._stack]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.name}: two layers are called {twice[0]!r}; give one of them another name")
        self._dtype = given.values[0].dtype
        self.built = True

    def in_line(self) -> list[Layer]:
        layers: list[Layer] = []
        below = self._inputs.values[0]
        for value in self._order:
            assert value.call is not None
            if value.call.inputs != (below,) or value.layer in layers:
                break
            layers.append(value.layer)
            below = value
        if len(self._inputs.values) != 1 or self.outputs != [below] or len(layers) != len(self._order):
            raise ValueError(
                f"{self.name}: its layers are not in one line, so it is no part of a stack; call it instead, and make "
                f"a Model of what it returns"
            )
        return layers

    # Shapes and names

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The inputs' symbolic values."""
        return list(self._inputs.values)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The outputs' symbolic values."""
        return list(self._outputs.values)

    @property
    def input_names(self) -> list[str]:
        """The inputs' names: keys of the dict they came in, or those of their layers."""
        return list(self._inputs.keys or [value.name for value in self._inputs.values])

    @property
    def output_names(self) -> list[str]:
        """The outputs' names: keys of the dict they came in, or those of their layers, numbered where one repeats."""
        if self._outputs.keys is not None:
            return list(self._outputs.keys)
        names: list[str] = []
        for value in self._outputs.values:
            name, number = value.name, 0
            while name in names:
                number += 1
                name = f"{value.name}_{number}"
            names.append(name)
        return names

    @property
    def input_shape(self) -> Any:
        return self._inputs.give([value.shape for value in self._inputs.values])

    @property
    def output_shape(self) -> Any:
        return self._outputs.give([value.shape for value in self._outputs.values])

    def build(self, input_shape: Any = None) -> None:
        """A graph is built as its layers are called; there is nothing left to do."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output's shape for an input's, both with the batch in front."""
        return self.output_shape

    def _call_symbolically(self, x: Any) -> Any:
        given = tuple(x) if isinstance(x, (list, tuple)) else (x,)
        if len(given) != len(self._inputs.values):
            raise ValueError(f"{self.name}: expected {len(self._inputs.values)} inputs, got {len(given)}")
        values: dict[int, Any] = {}
        for own, other in zip(self._inputs.values, given, strict=True):
            fits = len(own.shape) == len(other.shape)
            if not fits or any(n not in (None, m) for n, m in zip(own.shape, other.shape, strict=True)):
                raise ValueError(f"{self.name}: input {own.name!r} is of shape {own.shape}, got {other.shape}")
            values[id(own)] = other
        for value in self._order:
            assert value.call is not None
            arguments = [values[id(entry)] for entry in value.call.inputs]
            values[id(value)] = value.layer(arguments if value.call.listed else arguments[0])
        return self._outputs.give([values[id(value)] for value in self._outputs.values])

    def _lower(self, training: bool) -> Lowered:
        lowering = Lowering(self.dtype)
        flows: dict[int, Flow] = {}
        for value in self._host_values[-1:] or self._inputs.values:  # layers on the host run before
            flows[id(value)] = lowering.input([n for n in value.shape[1:] if n is not None], value.name)
        for value in self._order[len(self._host_values) :]:
            assert value.call is not None
            flows[id(value)] = lowering.call(value.layer, [flows[id(entry)] for entry in value.call.inputs])
        return lowering.finish([flows[id(value)] for value in self._outputs.values], training)

    def _joined(self) -> bool:
        return len(self._outputs.values) > 1 or super()._joined()

    # Data

    def _hosts(self) -> list[Layer]:
        return [value.layer for value in self._host_values]

    def _first_layer_name(self) -> str:
        return self.name

    def _input_shape_for(self, x: Any) -> Any:
        return self.input_shape

    def _output_shape_for(self, input_shape: Any) -> Any:
        shapes = [value.shape for value in self._outputs.values]
        return shapes[0] if len(shapes) == 1 else shapes

    def _output_shapes(self) -> list[Any]:
        return [value.shape for value in self._outputs.values]

    def _output_names(self) -> Sequence[str]:
        return self.output_names

    def _adapt_x(self, x: Any, input_shape: Any) -> tuple[NDArray[Any], ...]:
        finite = self._compilation is not None and self._compilation.check_finite
        names = self.input_names
        parts = _by_name(x, names, "x")
        adapted = []
        for name, value, part in zip(names, self._inputs.values, parts, strict=True):
            adapted.append(
                adapt_inputs(part, layer=name, expected=value.shape, dtype=np.dtype(self.dtype), finite=finite)
            )
            check_rows(len(adapted[0]), len(adapted[-1]), f"input {name!r}")
        return tuple(adapted)

    def _adapt_y(
        self, y: Any, sample_weight: Any, class_weight: Any, input_shape: Any, rows: int
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        if len(self._outputs.values) == 1:
            if isinstance(y, Mapping):
                y = _by_name(y, self.output_names, "y")[0]
            return super()._adapt_y(y, sample_weight, class_weight, input_shape, rows)
        if class_weight is not None:
            raise ValueError(
                f"{self.name}: class_weight needs one output, the model has {len(self._outputs.values)}; "
                "use sample_weight, a dict by their names"
            )
        compilation = self._compilation
        composite = self._engine_for(input_shape).composite
        assert compilation is not None and composite is not None
        trained = [name for name, loss in zip(self.output_names, compilation.losses, strict=True) if loss is not None]
        named = self._named(y, trained, "y")
        if missing := [name for name in trained if named.get(name) is None]:
            raise ValueError(f"y: expected labels for {', '.join(map(repr, trained))}, {missing[0]!r} has none")
        if sample_weight is None:
            given = {}
        elif isinstance(sample_weight, (Mapping, list, tuple)):
            given = self._named(sample_weight, trained, "sample_weight")
        else:
            given = dict.fromkeys(trained, sample_weight)
        labels, weights = [], []
        for part, loss, value in zip(composite.parts, compilation.losses, self._outputs.values, strict=True):
            own: NDArray[Any] = np.empty((rows, 0), self.dtype)
            weight = None
            if loss is not None:
                own, weight = self._adapt_output(named[part.name], given.get(part.name), None, loss, value.shape, rows)
            labels.append(own)
            weights.append(weight)
        return join_labels(labels, weights, self.dtype), None

    def _named(self, given: Any, trained: Sequence[str], what: str) -> dict[str, Any]:
        """A dict by the outputs' names from one, or from a list for all outputs or for those that are trained for."""
        if isinstance(given, Mapping):
            if unknown := [key for key in given if key not in self.output_names]:
                known = ", ".join(map(repr, self.output_names))
                raise ValueError(f"{what}: names {unknown[0]!r}, the model's outputs are {known}")
            return dict(given)
        if isinstance(given, (list, tuple)) and len(given) == len(self.output_names):
            return dict(zip(self.output_names, given, strict=True))
        return dict(zip(trained, _by_name(given, trained, what), strict=True))

    def _label_shapes(self, y: Any) -> list[Sequence[int] | None]:
        if len(self._outputs.values) == 1:
            return super()._label_shapes(_by_name(y, self.output_names, "y")[0] if isinstance(y, Mapping) else y)
        assert self._compilation is not None
        losses = self._compilation.losses
        trained = [
            n for i, n in enumerate(self.output_names) if losses[i] is not None or i in self._compilation.pending
        ]
        named = self._named(y, trained, "y")
        found = [named.get(name) for name in self.output_names]
        return [None if own is None else to_array(own, "y").shape for own in found]

    def _returned(self, outputs: list[NDArray[Any]]) -> Any:
        return self._outputs.give(outputs)

    # Description

    def get_config(self) -> dict[str, Any]:
        """Return the layers and how they are joined, as JSON can hold them."""
        place = {id(value): i for i, value in enumerate((*self._inputs.values, *self._order))}
        number = {id(layer): i for i, layer in enumerate(self._stack)}
        calls = []
        for value in self._order:
            assert value.call is not None
            inputs = [place[id(entry)] for entry in value.call.inputs]
            calls.append({"layer": number[id(value.layer)], "inputs": inputs, "listed": value.call.listed})
        ends = {}
        for what, structure in (("inputs", self._inputs), ("outputs", self._outputs)):
            ends[what] = {
                "values": [place[id(value)] for value in structure.values],
                "keys": None if structure.keys is None else list(structure.keys),
                "alone": structure.alone,
            }
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [serialize_layer(layer) for layer in self._stack],
            "calls": calls,
            **ends,
        }

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        presets: dict[str, dict[str, NDArray[Any]]] | None = None,
        custom_objects: Mapping[str, Any] | None = None,
    ) -> Model:
        """Return a new model made from what `get_config` returned.

        Args:
            config: the layers and their calls.
            presets: values of weights by layer and weight; without them they are initialized.
            custom_objects: classes and functions of one's own by name.

        Raises: ValueError, TypeError if the config is not one of a Model.
        """
        if not isinstance(config, dict) or not {"layers", "calls", "inputs", "outputs"} <= set(config):
            raise ValueError(f"Model config: expected layers, calls, inputs and outputs, got {config!r}")
        layers = [deserialize_layer(entry, custom_objects) for entry in config["layers"]]
        values: list[SymbolicTensor] = []
        for layer in layers:
            if isinstance(layer, InputLayer):
                values.append(layer.output)
            elif presets is not None:
                layer.preset(presets.get(layer.name, {}))
        for call in config["calls"]:
            layer = _entry(layers, call["layer"])
            arguments = [_entry(values, place) for place in call["inputs"]]
            values.append(layer(arguments if call["listed"] else arguments[0]))

        def structure(end: dict[str, Any]) -> Any:
            found = [_entry(values, place) for place in end["values"]]
            return _Structure(tuple(found), None if end["keys"] is None else tuple(end["keys"]), end["alone"]).give(
                found
            )

        ends = structure(config["inputs"]), structure(config["outputs"])
        return cls(*ends, name=config.get("name"), trainable=config.get("trainable", True))

    def __reduce__(self) -> tuple[Any, ...]:
        from netlet.models.saving import from_bytes, to_bytes

        return from_bytes, (to_bytes(self),)

    def __repr__(self) -> str:
        return f"<Model name={self.name}>"


def _entry(entries: Sequence[Any], place: Any) -> Any:
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(entries):
        raise ValueError(f"Model config: expected a number from 0 to {len(entries) - 1}, got {place!r}")
    return entries[place]


def _by_name(given: Any, names: Sequence[str], what: str) -> list[Any]:
    """``given``, for each of ``names``: from a dict, from a list of as many, or itself where there is one."""
    if isinstance(given, Mapping):
        unknown = [key for key in given if key not in names]
        missing = [name for name in names if name not in given]
        if unknown or missing:
            raise ValueError(f"{what}: expected a dict with {', '.join(map(repr, names))}, got {list(given)}")
        return [given[name] for name in names]
    if len(names) == 1:
        single = isinstance(given, (list, tuple)) and len(given) == 1 and hasattr(given[0], "shape")
        return [given[0]] if single else [given]
    if not isinstance(given, (list, tuple)) or len(given) != len(names):
        got = f"{len(given)} of them" if isinstance(given, (list, tuple)) else type(given).__name__
        raise ValueError(f"{what}: expected {len(names)} arrays, for {', '.join(map(repr, names))}, got {got}")
    return list(given)
