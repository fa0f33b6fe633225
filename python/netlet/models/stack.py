"""A model's stack of layers: how it grows and is built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netlet.errors import NotBuiltError
from netlet.layers import InputLayer, Layer, SymbolicTensor
from netlet.layers.shapes import Shape, batch_shape, format_shape
from netlet.layers.symbolic import Call, record_call
from netlet.models.data import to_array
from netlet.models.hosts import leading_hosts, on_host
from netlet.models.layered import LayeredModel


class LayerStack(LayeredModel):
    """The part of a `Sequential` that holds its layers: how the stack grows and is built."""

    _values: list[SymbolicTensor]  # from the input on what each layer makes, once the model is built

    # Layers

    def add(self, layer: Layer | SymbolicTensor | LayeredModel) -> None:
        """Put ``layer`` on top of the stack; of a model, its layers, which both models then share.

        Raises: TypeError if it is no layer; ValueError if its name is taken, it is a second Input, it does not fit the
        output below it, or it is a graph that branches. The model is then as it was.
        """
        with self._guard("add"):
            before = list(self._stack)
            try:
                self._append(layer)
                self._rebuild()
            except Exception:
                self._stack = before
                self._rebuild()
                raise

    def pop(self) -> Layer:
        """Take the top layer off the stack and return it. IndexError if there is none."""
        with self._guard("pop"):
            if not self.layers:
                raise IndexError(f"{self.name}: pop from a model without layers")
            layer = self._stack.pop()
            for variable in layer.weights:  # free to serve another model
                variable.home = None
            self._rebuild()
            return layer

    def _append(self, layer: Any) -> None:
        if isinstance(layer, SymbolicTensor):
            layer = layer.layer
        if isinstance(layer, LayeredModel):
            line = layer.in_line()
            if not self._stack and layer.built:
                self._stack.append(InputLayer.from_config(layer._stack[0].get_config()))
            for own in line:
                self._append(own)
            return
        if not isinstance(layer, Layer):
            raise TypeError(f"{self.name}: expected a layer, got {layer!r}")
        if any(other is layer for other in self._stack):
            raise ValueError(f"{self.name}: layer {layer.name!r} is already in the model")
        if any(other.name == layer.name for other in self._stack):
            raise ValueError(f"{self.name}: layer name {layer.name!r} is taken; give one of the two another name")
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(f"{self.name}: an Input must come first, the model has {len(self._stack)} layers already")
        if not self._stack and layer.input_shape_argument is not None:
            self._stack.append(InputLayer(shape=layer.input_shape_argument[1:]))
        self._stack.append(layer)

    def in_line(self) -> list[Layer]:
        return self.layers

    # Building

    def _call_symbolically(self, x: Any) -> Any:
        if not self.built and isinstance(x, SymbolicTensor):
            self.build(x.shape)
        for layer in self.layers:
            x = layer(x)
        return x

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights.

        Args:
            input_shape: with the batch in front, such as ``(None, 64)``; may be left out if the model has an Input.

        Raises: ValueError if it is not the shape the model has already, or the layers do not fit it; NotBuiltError if
        there are no layers or no shape is known.
        """
        if not self.layers:
            raise NotBuiltError(f"{self.name}: the model has no layers, add some first")
        if input_shape is None:
            if not self.built:
                raise NotBuiltError(f"{self.name}: the input's shape is not known; give build() one or add an Input")
            return
        if isinstance(input_shape, int) or not tuple(input_shape):
            raise ValueError(f"{self.name}: input_shape must begin with the batch, got {input_shape!r}")
        shape = batch_shape(tuple(input_shape)[1:], f"{self.name}: input_shape")
        with self._making:
            if self.built:
                if shape[1:] != self.input_shape[1:]:
                    raise ValueError(
                        f"{self.name}: the model is built for input shape {format_shape(self.input_shape)}, "
                        f"got {format_shape(tuple(input_shape))}"
                    )
                return
            before = list(self._stack)
            try:
                self._stack.insert(0, InputLayer(shape=shape[1:]))
                self._rebuild()
            except Exception:
                self._stack = before
                self._rebuild()
                raise

    def _rebuild(self) -> None:
        """Build what the stack allows, after it has changed; weights that exist are kept."""
        with self._making:
            self._forget_engine()
            self.built = False
            self._values = []
            if not self.layers or not isinstance(self._stack[0], InputLayer):
                return
            self._output_shape_for(self._stack[0].batch_shape)  # find what does not fit before any weight is made
            first, *rest = self._stack
            shape = first.build_for(self._stack[0].batch_shape, self.dtype)
            values = [SymbolicTensor(shape, self.dtype, first.name, first)]
            for layer in rest:
                shape = layer.build_for(shape, self.dtype)
                values.append(record_call(Call(layer, (values[-1],), False), shape))
            self._values = values
            self.built = True

    @property
    def input_shape(self) -> Shape:
        """The input's shape, the batch in front. AttributeError before the model is built."""
        return self._known_input().batch_shape

    @property
    def output_shape(self) -> Shape:
        """The output's shape, the batch in front. AttributeError before the model is built."""
        self._known_input()
        shape = self._stack[-1].output_shape
        assert shape is not None
        return shape

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The input, as a list of one symbolic tensor. AttributeError before the model is built."""
        self._known_input()
        return [self._values[0]]

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The output, as a list of one symbolic tensor. AttributeError before the model is built."""
        self._known_input()
        return [self._values[-1]]

    def _known_input(self) -> InputLayer:
        if not self.built:
            raise AttributeError(f"{self.name}: the model is not built, so its shapes are not known yet")
        layer = self._stack[0]
        assert isinstance(layer, InputLayer)
        return layer

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the output's shape for an input's, both with the batch in front; nothing is built."""
        return self._output_shape_for(tuple(input_shape))

    # What the training side asks for

    def _hosts(self) -> list[Layer]:
        return leading_hosts(self._stack)

    def _first_layer_name(self) -> str:
        layers = self.layers
        return layers[0].name if layers else self.name

    def _output_names(self) -> Sequence[str]:
        return [self._stack[-1].name] if self.layers else ()

    def _input_shape_for(self, x: Any) -> Shape:
        if self.built:
            return self.input_shape
        if not self.layers:
            raise NotBuiltError(f"{self.name}: the model has no layers, add some first")
        if on_host(self.layers[0]):
            raise NotBuiltError(
                f"{self.name}: a model that begins with {self._first_layer_name()} needs an Input first"
            )
        array = to_array(x, "x")
        if array.ndim == 0:
            raise ValueError(f"{self._first_layer_name()}: input is a single number, expected rows")
        if len(array) == 0:
            raise ValueError("x: has no rows")
        row = array.shape[1:] if array.ndim > 1 else (1,)
        return batch_shape(row, f"{self._first_layer_name()}: input shape")

    def _output_shape_for(self, input_shape: Shape) -> Shape:
        if self.built and input_shape == self.input_shape:
            return self.output_shape
        shape = input_shape
        for layer in self._stack:
            shape = layer.compute_output_shape(shape)
        return shape
