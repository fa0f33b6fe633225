"""Layers that people write in Python: how they enter a Program, and how an executor calls them.

A layer of one's own is a `Layer` with ``call``, which computes on NumPy arrays. A Program holds its name and its
weights; an executor is handed the object (see :class:`netlet.backends.extras.Extras`) and calls back for its op alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlet.layers.shapes import format_shape
from netlet.program.ops.custom import CustomLayer
from netlet.program.spec import Array, Attrs, Context

if TYPE_CHECKING:
    from netlet.layers.layer import Layer
    from netlet.layers.variable import Variable
    from netlet.program import Node, Program, ProgramBuilder

__all__ = ["CustomSpec", "call_custom", "custom_specs", "lower_custom", "split_variables"]


def lower_custom(layer: Layer, builder: ProgramBuilder, x: Any) -> Node:
    """Add the op that stands for a layer of one's own to a program; arguments and result as of `Layer.lower`."""
    shape: Any = [(None, *one.shape) for one in x] if layer.takes_list else (None, *x.shape)
    row = [n for n in layer.compute_output_shape(shape)[1:] if n is not None]
    trained, kept = split_variables(layer)
    params, state = [v.lower(builder) for v in trained], [v.lower_state(builder) for v in kept]
    return builder.op("custom", x, params, state, name=layer.name, shape=row, layer=layer.name)


def custom_specs(program: Program, layers: Iterable[Layer]) -> dict[str, CustomSpec]:
    """Return what computes the custom ops of a program that these layers were lowered to, by the layers' names."""
    wanted = {op.attrs["layer"] for op in program.ops if op.op == "custom"}
    if not wanted:
        return {}
    return {layer.name: CustomSpec(layer) for layer in layers if layer.name in wanted and layer.is_custom}


def call_custom(layer: Layer, arrays: Sequence[NDArray[Any]], training: bool) -> NDArray[Any]:
    """Return the output of a layer of one's own, which is built, for a batch; a list of them for several inputs.

    Raises: ValueError if ``call`` returns another shape than ``compute_output_shape`` says; TypeError if no numbers.
    """
    assert layer.output_shape is not None
    rows = [np.ascontiguousarray(array, layer.dtype) for array in arrays]
    y = np.empty((len(rows[0]), *(n for n in layer.output_shape[1:] if n is not None)), layer.dtype)
    CustomSpec(layer).forward_in(Context(training), {}, rows, [], [], y)
    return y


def split_variables(layer: Layer) -> tuple[list[Variable], list[Variable]]:
    """Return the weights that gradients change, and the others, in the order in which they were made."""
    trained = [variable for variable in layer._variables if variable.trainable]
    return trained, [variable for variable in layer._variables if not variable.trainable]


class CustomSpec(CustomLayer):
    """The op of one layer of somebody's own: its ``call``, and its ``gradient`` where it has one.

    Args:
        layer: the object.

    Without ``gradient``, a layer is trained through as long as ``call`` has returned the very array that it was given.

    Raises: ValueError if ``call`` or ``gradient`` returns other shapes than it should, or another number of arrays, or
    there is no ``gradient`` and one is needed; TypeError if they return no real numbers.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self._call: Callable[..., Any] = layer.call  # type: ignore[attr-defined]
        self._takes_training = _takes(self._call, "training")
        self._gradient: Callable[..., Any] | None = getattr(layer, "gradient", None)
        self._passes = True  # whether every call so far returned what it was given

    def forward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
    ) -> None:
        own = split_variables(self.layer)[1]
        elsewhere = [
            variable.numpy() for variable, array in zip(own, state, strict=False) if not _same(variable.value, array)
        ]
        given = self._given(xs)
        training = {"training": context.training} if self._takes_training else {}
        result = self._call(given, **training)
        if elsewhere:  # the state of this run is another one, so the layer's stays as it was
            for variable, value in zip(own, elsewhere, strict=True):
                variable.assign(value)
        self._passes = self._passes and result is given
        _write(self.layer, "call()", result, y)

    def backward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        name = self.layer.name
        if self._gradient is None:
            if not self._passes or dparams:
                raise ValueError(
                    f"{name}: {type(self.layer).__name__} has no gradient(x, dy), which training needs of a layer "
                    "with trainable weights, or above one, unless call() returns its input as it is"
                )
            for dx in dxs:
                if dx is not None:
                    np.copyto(dx, dy)
            return
        found = self._gradient(self._given(xs), dy)
        parts = list(found) if isinstance(found, (list, tuple)) else [found]
        targets = [*dxs, *dparams]
        if len(parts) != len(targets):
            raise ValueError(
                f"{name}: gradient() returned {len(parts)} arrays, expected {len(targets)}: one for each input, then "
                "one for each trainable weight"
            )
        for part, target in zip(parts, targets, strict=True):
            if target is not None:
                _write(self.layer, "gradient()", part, target)

    def _given(self, xs: Sequence[Array]) -> Any:
        """The inputs as the layer gets them: not to be written to."""
        views = [x.view() for x in xs]
        for view in views:
            view.flags.writeable = False
        return views if self.layer.takes_list else views[0]


def _takes(function: Callable[..., Any], name: str) -> bool:
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # something that does not tell
        return False


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and a.ctypes.data == b.ctypes.data


def _write(layer: Layer, what: str, result: Any, target: Array) -> None:
    """Copy what a layer returned to where it belongs, if it fits."""
    array = np.asarray(result)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{layer.name}: {what} returned an array of {array.dtype}, expected real numbers")
    if array.shape != target.shape:
        hint = ", as compute_output_shape() says" if what == "call()" else ""
        got, expected = format_shape(array.shape), format_shape(target.shape)
        raise ValueError(f"{layer.name}: {what} returned shape {got}, expected {expected}{hint}")
    np.copyto(target, array, casting="unsafe")
