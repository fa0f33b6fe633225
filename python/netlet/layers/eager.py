"""Run a layer by itself, outside of a model: ``Dense(3)(x)``."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends import make_executor
from netlet.layers.layer import Layer
from netlet.layers.masks import Mask
from netlet.layers.shapes import batch_shape, check_input
from netlet.program import Node, Param, ProgramBuilder, optimize
from netlet.program.spec import Context


def call_layer(layer: Layer, x: Any, training: bool = False, mask: Any = None) -> NDArray[Any]:
    """Return the output of ``layer`` for a batch ``x`` ``[B, ...]``, building it for x's shape if it is not built.

    A program is made for this one call: good for trying a layer out; put it into a model to use it in earnest.

    Args:
        layer: any layer.
        x: a batch; a list of them for a layer of several inputs.
        training: whether it acts as in training. Random numbers then are new at each call.
        mask: truth values ``[B, ...]`` for a layer that uses a mask; None for none.

    Raises: ValueError if ``x`` does not fit the layer, TypeError if it does not hold real numbers.
    """
    arrays = [_batch(layer, entry) for entry in (x if layer.takes_list else [x])]
    if len({len(array) for array in arrays}) != 1:
        raise ValueError(f"{layer.name}: inputs have {[len(array) for array in arrays]} rows, expected as many of each")
    shapes = [batch_shape(array.shape[1:], f"{layer.name}: input shape") for array in arrays]
    if layer.built and layer.input_shape is not None and layer.weights and not layer.takes_list:
        check_input(layer.name, arrays[0].shape, layer.input_shape)
    layer.build_for(shapes if layer.takes_list else shapes[0], layer.dtype)
    if layer.is_custom:
        from netlet.layers.custom import call_custom

        return call_custom(layer, arrays, training)
    builder = ProgramBuilder(layer.dtype)
    nodes = [builder.input(array.shape[1:], name=f"input_{i}") for i, array in enumerate(arrays)]
    entering: Any = nodes if layer.takes_list else nodes[0]
    if mask is None:
        made = layer.lower(builder, entering)
    else:
        arrays.append(_mask(layer, mask, len(arrays[0])))
        flags = builder.input(arrays[-1].shape[1:], name="mask")
        made = layer.lower_masked(builder, entering, Mask(lambda: flags))
    program = optimize(builder.finish(made))
    by_path = {variable.path: variable for variable in layer.weights}
    dtype = np.dtype(layer.dtype)

    def arena(entries: Sequence[Param]) -> NDArray[Any]:
        return np.concatenate([np.zeros(0, dtype), *(by_path[e.name].value.reshape(-1) for e in entries)])

    params, state = arena(program.params), arena(program.state)
    executor = make_executor(program, params, state, np.zeros((0, params.size), dtype))
    rows = [np.ascontiguousarray(array, dtype) for array in arrays]
    if not training:
        return executor.predict(rows, None, len(rows[0]))[0]
    nothing = [np.zeros((len(rows[0]), *program.values[v].shape), dtype) for v in program.outputs]
    y = executor.vjp(rows, nothing, Context(True, next(_draws)))[0][0]
    for entry in program.state:
        moved = state[entry.offset : entry.offset + entry.size].reshape(entry.shape)
        by_path[entry.name].assign(moved)
    return y


def mask_of(layer: Layer, x: Any, mask: Any) -> NDArray[np.bool_] | None:
    """Return the mask of ``layer``'s output, ``[B, ...]``; arguments and errors as of `Layer.compute_mask`."""
    masks = mask if layer.takes_list else [mask]
    if masks is None:
        return None
    batches = x if layer.takes_list else [x]
    if not isinstance(masks, (list, tuple)) or len(masks) != len(batches):
        raise ValueError(f"{layer.name}: expected a list of {len(batches)} masks, one for each input, got {masks!r}")
    arrays = [_batch(layer, entry) for entry in batches]
    builder = ProgramBuilder(layer.dtype)
    nodes = [builder.input(array.shape[1:], name=f"input_{i}") for i, array in enumerate(arrays)]
    entering: list[Mask | None] = []
    for one in masks:
        if one is None:
            entering.append(None)
            continue
        arrays.append(_mask(layer, one, len(arrays[0])))
        entering.append(_given(builder.input(arrays[-1].shape[1:], name="mask")))
    listed = layer.takes_list
    made = layer.lower_mask(builder, nodes if listed else nodes[0], entering if listed else entering[0])
    if made is None:
        return None
    program = builder.finish(made.node)
    empty = np.zeros(0, layer.dtype)
    executor = make_executor(program, empty, empty, np.zeros((0, 0), layer.dtype))
    rows = [np.ascontiguousarray(array, layer.dtype) for array in arrays]
    return executor.predict(rows, None, len(rows[0]))[0] > 0.5


def _given(node: Node) -> Mask:
    return Mask(lambda: node)


def _mask(layer: Layer, mask: Any, rows: int) -> NDArray[Any]:
    array = np.asarray(mask)
    if array.dtype.kind not in "biuf" or array.ndim == 0 or len(array) != rows:
        raise ValueError(
            f"{layer.name}: mask must hold truth values for {rows} rows, got {array.dtype} of shape {array.shape}"
        )
    return array > 0.5 if array.dtype.kind == "f" else array.astype(bool)


_draws = itertools.count()  # of random numbers: one for each call in training


def _batch(layer: Layer, x: Any) -> NDArray[Any]:
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{layer.name}: expected real numbers, got an array of {array.dtype}")
    if array.ndim == 0 or len(array) == 0:
        raise ValueError(f"{layer.name}: expected at least one row, got shape {array.shape}")
    return array
