"""Run a layer by itself, outside of a model: ``Dense(3)(x)``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends import make_executor
from netlet.layers.input_layer import SymbolicTensor
from netlet.layers.layer import Layer
from netlet.layers.shapes import batch_shape, check_input
from netlet.program import ProgramBuilder, optimize


def call_layer(layer: Layer, x: Any) -> NDArray[Any]:
    """Return the output of ``layer`` for a batch ``x`` ``[B, ...]``, building it for x's shape if it is not built.

    A program is made for this one call: good for trying a layer out; put it into a `Sequential` to use it in earnest.

    Raises: ValueError if ``x`` does not fit the layer, TypeError if it does not hold real numbers.
    """
    if isinstance(x, SymbolicTensor):
        raise ValueError(f"{layer.name}: calling a layer on an Input is not supported yet; put both into a Sequential")
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{layer.name}: expected real numbers, got an array of {array.dtype}")
    if array.ndim == 0 or len(array) == 0:
        raise ValueError(f"{layer.name}: expected at least one row, got shape {array.shape}")
    if layer.built and layer.input_shape is not None and layer.weights:
        check_input(layer.name, array.shape, layer.input_shape)
    layer.build_for(batch_shape(array.shape[1:], f"{layer.name}: input shape"), layer.dtype)
    builder = ProgramBuilder(layer.dtype)
    program = optimize(builder.finish(layer.lower(builder, builder.input(array.shape[1:]))))
    by_path = {variable.path: variable.value.reshape(-1) for variable in layer.weights}
    parts = [by_path[param.name] for param in program.params]
    dtype = np.dtype(layer.dtype)
    params = np.concatenate(parts) if parts else np.zeros(0, dtype)
    executor = make_executor(program, params, np.zeros(0, dtype), np.zeros((0, params.size), dtype))
    return executor.predict([np.ascontiguousarray(array, dtype)], None, len(array))[0]
