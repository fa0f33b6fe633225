"""Values without numbers: how layers are called before there are any, and the graph that this leaves behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary, ref

from netlet.layers.shapes import Shape

if TYPE_CHECKING:
    from netlet.layers.layer import Layer

__all__ = [
    "Call",
    "SymbolicTensor",
    "call_symbolically",
    "first_output",
    "holds_symbols",
    "record_call",
    "sorted_calls",
]


# By layer; neither holds the other, so that models are freed with the last reference to them.
_FIRST: WeakKeyDictionary[Layer, ref[SymbolicTensor]] = WeakKeyDictionary()


class SymbolicTensor:
    """A value without numbers: what `Input` and a layer that is called on such a value return.

    Attributes:
        shape: begins with the batch, None where it may vary.
        dtype: "float32" or "float64".
        name: of the layer it comes from.
        layer: what it comes out of.
        call: the call of that layer that made it; None for an input.
    """

    def __init__(self, shape: Shape, dtype: str, name: str, layer: Layer, call: Call | None = None) -> None:
        self.shape = shape
        self.dtype = dtype
        self.name = name
        self.layer = layer
        self.call = call

    @property
    def ndim(self) -> int:
        """The number of axes, the batch included."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class Call(NamedTuple):
    """One call of a layer on symbolic values.

    Attributes:
        layer: what was called.
        inputs: on which values.
        listed: whether they were given as a list, which a layer of several inputs gets.
    """

    layer: Layer
    inputs: tuple[SymbolicTensor, ...]
    listed: bool


def holds_symbols(x: Any) -> bool:
    """Return whether ``x`` is a symbolic value or a list of them."""
    if isinstance(x, (list, tuple)):
        return any(isinstance(entry, SymbolicTensor) for entry in x)
    return isinstance(x, SymbolicTensor)


def call_symbolically(layer: Layer, x: Any) -> SymbolicTensor:
    """Return the symbolic output of ``layer`` for a symbolic value or a list of them; builds the layer.

    Raises: ValueError if the values do not fit the layer, TypeError if some of a list are no symbolic values.
    """
    listed = isinstance(x, (list, tuple))
    inputs = tuple(x) if listed else (x,)
    for entry in inputs:
        if not isinstance(entry, SymbolicTensor):
            raise TypeError(f"{layer.name}: expected symbolic values alone, got {entry!r}")
    dtypes = {entry.dtype for entry in inputs}
    if len(dtypes) != 1:
        raise ValueError(f"{layer.name}: inputs are of different element types: {', '.join(sorted(dtypes))}")
    if listed != layer.takes_list:
        wanted = "a list of values" if layer.takes_list else "one value"
        raise ValueError(f"{layer.name}: expected {wanted}, got {'a list of ' + str(len(inputs)) if listed else x!r}")
    shape = layer.build_for([i.shape for i in inputs] if listed else inputs[0].shape, inputs[0].dtype)
    return record_call(Call(layer, inputs, listed), shape)


def record_call(call: Call, shape: Shape) -> SymbolicTensor:
    """Return what a layer that is built makes in ``call``; `first_output` finds it as long as someone holds it."""
    layer = call.layer
    made = SymbolicTensor(shape, call.inputs[0].dtype, layer.name, layer, call)
    if layer not in _FIRST or _FIRST[layer]() is None:
        _FIRST[layer] = ref(made)
    return made


def first_output(layer: Layer) -> SymbolicTensor:
    """Return what the first symbolic call of ``layer`` made, of those whose results someone holds.

    Raises: AttributeError if there is none.
    """
    made = _FIRST[layer]() if layer in _FIRST else None
    if made is None:
        raise AttributeError(f"{layer.name}: the layer is in no model yet, so it has no input and no output")
    return made


def sorted_calls(outputs: Sequence[SymbolicTensor], inputs: Sequence[SymbolicTensor]) -> Iterator[SymbolicTensor]:
    """Yield every value from ``inputs`` to ``outputs`` that a layer makes, each after those it is made of.

    Raises: ValueError naming the value if one is neither among the inputs nor made from them.
    """
    known = {id(value) for value in inputs}
    for output in outputs:
        waiting = [output]
        while waiting:
            value = waiting[-1]
            if id(value) in known:
                waiting.pop()
                continue
            if value.call is None:
                raise ValueError(
                    f"the graph is not connected: {value.name!r} is an input that the outputs need, "
                    "and it is not among the model's inputs"
                )
            missing = [entry for entry in value.call.inputs if id(entry) not in known]
            if missing:
                waiting += reversed(missing)
                continue
            known.add(id(value))
            waiting.pop()
            yield value
