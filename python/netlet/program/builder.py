"""ProgramBuilder: how layers lower themselves to a Program, one call per op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from netlet.config import DEFAULT_DTYPE, dtype_name
from netlet.errors import unknown_name
from netlet.program.ops import ACTIVATIONS, EPILOGUES, OPS
from netlet.program.program import Op, Param, Program, Value
from netlet.program.spec import Shape, elements

__all__ = ["Node", "ProgramBuilder"]


class Node(NamedTuple):
    """A value of a Program that is being built: its id, its name and its shape per row."""

    id: int
    name: str
    shape: Shape


def _shape(shape: int | Sequence[int]) -> Shape:
    return (shape,) if isinstance(shape, int) else tuple(int(d) for d in shape)


class ProgramBuilder:
    """Builds a Program op by op, in the order of execution.

    ::

        b = ProgramBuilder("float32")
        x = b.input((64,))
        h = b.dense(x, b.param("dense/kernel", (64, 32)), b.param("dense/bias", (32,)), activation="relu")
        program = b.finish(h)

    Every method raises ValueError, naming the op and the shapes, as soon as something does not fit.

    Args:
        dtype: element type of the Program.
    """

    def __init__(self, dtype: Any = DEFAULT_DTYPE) -> None:
        self.dtype = dtype_name(dtype)
        self._values: list[Value] = []
        self._params: list[Param] = []
        self._state: list[Param] = []
        self._inputs: list[int] = []
        self._ops: list[Op] = []
        self._names: set[str] = set()

    def _unique(self, name: str) -> str:
        unique, number = name, 0
        while unique in self._names:
            number += 1
            unique = f"{name}_{number}"
        self._names.add(unique)
        return unique

    def _value(self, name: str, shape: Shape) -> Node:
        value = Value(self._unique(name), shape)
        self._values.append(value)
        return Node(len(self._values) - 1, value.name, shape)

    def input(self, shape: int | Sequence[int], name: str = "input") -> Node:
        """Adds an input with ``shape`` per row (without the batch axis) and returns it."""
        node = self._value(name, _shape(shape))
        self._inputs.append(node.id)
        return node

    def param(self, name: str, shape: int | Sequence[int], shared: bool = False) -> Param:
        """Adds a parameter at the end of the arena and returns its handle, to be passed to the ops that read it.

        Args:
            shared: return the parameter of that name and shape that is there already, if there is one.

        Raises:
            ValueError: if the name is taken.
        """
        return self._entry(self._params, "param", name, _shape(shape), shared)

    def state(self, name: str, shape: int | Sequence[int], shared: bool = False) -> Param:
        """Adds an entry at the end of the state arena, which is not trained, and returns its handle; as ``param``."""
        return self._entry(self._state, "state", name, _shape(shape), shared)

    @staticmethod
    def _entry(entries: list[Param], what: str, name: str, shape: Shape, shared: bool) -> Param:
        for entry in entries:
            if entry.name == name:
                if shared and entry.shape == shape:
                    return entry
                raise ValueError(f"{what}: the name {name!r} is taken")
        entry = Param(name, shape, entries[-1].offset + entries[-1].size if entries else 0)
        entries.append(entry)
        return entry

    def op(
        self,
        op: str,
        xs: Node | Sequence[Node],
        params: Sequence[Param] = (),
        state: Sequence[Param] = (),
        name: str | None = None,
        shape: int | Sequence[int] | None = None,
        **attrs: Any,
    ) -> Node:
        """Adds a call of any op by its name.

        Args:
            op: a key of ``netlet.program.OPS``.
            xs: what it reads.
            params, state: handles of :meth:`param` and :meth:`state`.
            name: what its output is called; None is ``op``.
            shape: of the output per row, for an op that leaves it to its caller.
            attrs: its attributes.
        """
        if op not in OPS:
            raise unknown_name("op", op, OPS)
        return self._call(op, xs, params, attrs, None if shape is None else _shape(shape), name, state)

    def _call(
        self,
        op: str,
        xs: Node | Sequence[Node],
        params: Sequence[Param] = (),
        attrs: dict[str, Any] | None = None,
        declared: Shape | None = None,
        name: str | None = None,
        state: Sequence[Param] = (),
    ) -> Node:
        """Appends a call of ``op`` and returns its output."""
        nodes = [xs] if isinstance(xs, Node) else list(xs)
        for x in nodes:
            if not (isinstance(x, Node) and x.id < len(self._values) and self._values[x.id].name == x.name):
                raise ValueError(f"{op}: expected a node of this builder, got {x!r}")
        spec = OPS[op]
        label = name or op
        try:
            complete = spec.normalize(attrs or {})
            indexes = tuple(self._params.index(p) for p in params)
            shapes = [x.shape for x in nodes]
            shape = spec.output_shape(
                shapes, [p.shape for p in params], complete, shapes[0] if declared is None else declared
            )
        except ValueError as error:
            raise ValueError(f"{label}: {error}") from None
        node = self._value(label, shape)
        places = tuple(self._state.index(s) for s in state)
        self._ops.append(Op(op, tuple(x.id for x in nodes), node.id, indexes, complete, places))
        return node

    def dense(
        self,
        x: Node,
        kernel: Param,
        bias: Param | None = None,
        activation: str = "linear",
        alpha: float | None = None,
        name: str | None = None,
        **attrs: Any,
    ) -> Node:
        """Adds ``activation(x @ kernel + bias)`` over the last axis.

        Args:
            x: ``[B, ..., I]``.
            kernel: ``[I, O]``.
            bias: ``[O]``, or None for none.
            activation: any elementwise activation, ``softmax`` or ``log_softmax``. Those that a dense op cannot take
                as its epilogue become an op of their own.
            alpha: of leaky_relu and elu; None is the activation's default.
            attrs: other attributes of the activation.
        """
        given = dict(attrs) if alpha is None else {"alpha": alpha, **attrs}
        params = (kernel,) if bias is None else (kernel, bias)
        if activation in EPILOGUES:
            return self._call("dense", x, params, {"activation": activation, **given}, name=name)
        if activation not in ACTIVATIONS and activation not in ("softmax", "log_softmax"):
            raise unknown_name("activation", activation, [*ACTIVATIONS, "softmax", "log_softmax"])
        return self.activation(self._call("dense", x, params, {}, name=name), activation, **given)

    def activation(self, x: Node, activation: str, name: str | None = None, **attrs: Any) -> Node:
        """Adds an elementwise activation (with its attributes), ``softmax`` or ``log_softmax``."""
        if activation in ("softmax", "log_softmax"):
            return self._call(activation, x, (), attrs, name=name)
        if activation not in ACTIVATIONS:
            raise unknown_name("activation", activation, [*ACTIVATIONS, "softmax", "log_softmax"])
        return self._call("activation", x, (), {"activation": activation, **attrs}, name=name or activation)

    def softmax(self, x: Node, name: str | None = None) -> Node:
        """Adds softmax along the last axis."""
        return self._call("softmax", x, name=name)

    def log_softmax(self, x: Node, name: str | None = None) -> Node:
        """Adds log_softmax along the last axis."""
        return self._call("log_softmax", x, name=name)

    def reshape(self, x: Node, shape: int | Sequence[int], name: str | None = None) -> Node:
        """Gives the elements of a row another shape; one of its axes may be -1, which takes what is left."""
        dims = _shape(shape)
        if dims.count(-1) == 1:
            rest = elements([d for d in dims if d != -1])
            size = elements(x.shape)
            dims = tuple((size // rest if rest else 0) if d == -1 else d for d in dims)
        spec_shape: Shape = dims
        if any(d <= 0 for d in spec_shape):
            raise ValueError(f"{name or 'reshape'}: expected a shape of positive integers, got {tuple(_shape(shape))}")
        if elements(spec_shape) != elements(x.shape):
            raise ValueError(
                f"{name or 'reshape'}: input of shape {x.shape} has {elements(x.shape)} elements, "
                f"{_shape(shape)} does not fit"
            )
        if spec_shape == ():
            node = self._value(name or "reshape", ())
            self._ops.append(Op("reshape", (x.id,), node.id))
            return node
        return self._call("reshape", x, declared=spec_shape, name=name)

    def finish(self, outputs: Node | Sequence[Node]) -> Program:
        """Returns the Program with the given output or outputs.

        Raises:
            ValueError: if there is none, or the Program is not valid.
        """
        nodes = [outputs] if isinstance(outputs, Node) else list(outputs)
        return Program(
            dtype=self.dtype,
            values=tuple(self._values),
            params=tuple(self._params),
            state=tuple(self._state),
            inputs=tuple(self._inputs),
            outputs=tuple(node.id for node in nodes),
            ops=tuple(self._ops),
        )
