"""A model's stack of layers: how it grows, is built, and what weights it has."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.config import DEFAULT_DTYPE, dtype_name
from netlet.errors import NotBuiltError
from netlet.layers import InputLayer, Layer, SymbolicTensor
from netlet.layers.layer import assign_all
from netlet.layers.shapes import Shape, batch_shape, format_shape
from netlet.layers.variable import Variable
from netlet.models.data import to_array
from netlet.models.trainer import Trainer


class LayerStack(Trainer):
    """The part of a model that holds its layers.

    Args:
        name: the model's name.
        trainable: whether training changes the weights.
        dtype: "float32", "float64", or None for that of the layers.

    Attributes:
        built: whether the input's shape is known, and so the weights are there.
    """

    def __init__(self, name: str, trainable: bool, dtype: Any) -> None:
        self.name = name
        super().__init__()
        if not isinstance(trainable, (bool, np.bool_)):
            raise TypeError(f"{self.name}: trainable must be True or False, got {trainable!r}")
        self.trainable = bool(trainable)
        self.built = False
        self._dtype: str | None = None if dtype is None else dtype_name(dtype)
        self._stack: list[Layer] = []
        self._making = threading.RLock()  # held while weights, arena or engine are made

    # Layers

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the Input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def add(self, layer: Layer | SymbolicTensor) -> None:
        """Put ``layer`` on top of the stack.

        Raises: TypeError if it is no layer; ValueError if its name is taken, it is a second Input, or it does not fit
        the output below it. The model is then as it was.
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

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer called ``name``, or the one at ``index``.

        Raises: ValueError if there is none, or unless one of both is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"{self.name}: give one of name and index, got name={name!r}, index={index!r}")
        layers = self.layers
        if name is not None:
            for layer in layers:
                if layer.name == name:
                    return layer
            raise ValueError(f"{self.name}: no layer {name!r}; layers: {', '.join(layer.name for layer in layers)}")
        assert index is not None
        if not -len(layers) <= index < len(layers):
            raise ValueError(f"{self.name}: no layer at index {index}; the model has {len(layers)} layers")
        return layers[index]

    def _append(self, layer: Any) -> None:
        if isinstance(layer, SymbolicTensor):
            layer = layer.layer
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

    # Building

    @property
    def dtype(self) -> str:
        """Element type of weights and data: "float32" or "float64"."""
        if self._dtype is not None:
            return self._dtype
        named = next((layer._dtype for layer in self._stack if layer._dtype is not None), None)
        return named or DEFAULT_DTYPE

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
            if not self.layers or not isinstance(self._stack[0], InputLayer):
                return
            self._output_shape_for(self._stack[0].batch_shape)  # find what does not fit before any weight is made
            shape = self._stack[0].batch_shape
            for layer in self._stack:
                shape = layer.build_for(shape, self.dtype)
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
        layer = self._known_input()
        return [SymbolicTensor(layer.batch_shape, self.dtype, layer.name, layer)]

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The output, as a list of one symbolic tensor. AttributeError before the model is built."""
        return [SymbolicTensor(self.output_shape, self.dtype, self._stack[-1].name, self._stack[-1])]

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

    def _first_layer_name(self) -> str:
        layers = self.layers
        return layers[0].name if layers else self.name

    def _input_shape_for(self, x: Any) -> Shape:
        if self.built:
            return self.input_shape
        if not self.layers:
            raise NotBuiltError(f"{self.name}: the model has no layers, add some first")
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

    def _check_trainable(self) -> None:
        frozen = [
            layer.name for layer in self.layers if layer.weights and (layer.non_trainable_weights or not self.trainable)
        ]
        if frozen:
            raise ValueError(f"{self.name}: training with frozen layers is not supported yet: {', '.join(frozen)}")

    # Weights

    @property
    def weights(self) -> list[Variable]:
        """All weights, in the order of the layers."""
        return [variable for layer in self._stack for variable in layer.weights]

    @property
    def variables(self) -> list[Variable]:
        """The same as ``weights``."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for layer in self._stack for v in layer.trainable_weights] if self.trainable else []

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as ``trainable_weights``."""
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trainable = {id(variable) for variable in self.trainable_weights}
        return [variable for variable in self.weights if id(variable) not in trainable]

    def get_weights(self) -> list[NDArray[Any]]:
        """Return copies of the weights' values, in the order of ``weights``."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the weights' values: arrays in the order of ``weights``. Either all are set or none.

        Raises: ValueError if their number or a shape differs, TypeError if they are not real numbers; NotBuiltError
        before the model is built.
        """
        if not self.built:
            raise NotBuiltError(f"{self.name}: the model is not built, so it has no weights to set")
        assign_all(self.weights, weights, self.name)

    def count_params(self) -> int:
        """Return the number of elements of all weights; NotBuiltError before the model is built."""
        if not self.built:
            raise NotBuiltError(f"{self.name}: the model is not built, so its weights are not known yet")
        return sum(layer.count_params() for layer in self._stack)
