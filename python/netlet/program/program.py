"""The Program: a network as data, the one thing that every backend executes and every model file carries.

A Program is an immutable list of op calls over values (SSA: each value is an input or is written by exactly one op,
before anyone reads it) and parameters (packed one after the other in one arena). It checks itself when it is made:
whoever holds one may rely on every index, shape, name and attribute in it. :meth:`Program.to_json` is its one text
encoding, and :meth:`Program.from_json` refuses whatever ``to_json`` could not have written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from netlet.config import dtype_name
from netlet.program.ops import METRICS, OPTIMIZERS
from netlet.program.spec import Shape, elements
from netlet.program.validate import check_program, normalized

__all__ = [
    "Loss",
    "Metric",
    "Op",
    "Optimizer",
    "Param",
    "Program",
    "Value",
    "metric_slices",
    "sums_size",
]


_NO_ATTRS: Mapping[str, Any] = MappingProxyType({})

# The parts of a Program are named tuples: Python makes such a class six times faster than a frozen data class, and
# importing Netlet makes all of them.


class Value(NamedTuple):
    """What flows between ops: a name for people and the shape per row (the batch axis is implicit)."""

    name: str
    shape: Shape


class Param(NamedTuple):
    """A parameter: its name, its shape and where it starts in the arena, in elements."""

    name: str
    shape: Shape
    offset: int

    @property
    def size(self) -> int:
        """Its number of elements."""
        return elements(self.shape)


class Op(NamedTuple):
    """A call of the forward op named ``op``: indexes of values, parameters and state in, one value out."""

    op: str
    inputs: tuple[int, ...]
    output: int
    params: tuple[int, ...] = ()
    attrs: Mapping[str, Any] = _NO_ATTRS
    state: tuple[int, ...] = ()


class Loss(NamedTuple):
    """What is minimized: the loss named ``op`` of the value ``input``.

    With ``output`` the loss takes logits, and ``output`` is the value that holds their softmax or sigmoid: the loss
    writes it while training and evaluating, and backward goes from ``input`` on, past the op that writes it otherwise.
    """

    op: str
    input: int
    output: int | None = None
    attrs: Mapping[str, Any] = _NO_ATTRS


class Optimizer(NamedTuple):
    """How parameters follow their gradient. The learning rate is not here: it is passed with each call."""

    op: str
    attrs: Mapping[str, Any] = _NO_ATTRS


class Metric(NamedTuple):
    """A metric of the value ``input`` against the labels that the loss gets."""

    op: str
    input: int
    attrs: Mapping[str, Any] = _NO_ATTRS


#: In ``with_training``, a loss, optimizer or metric may be a name, or a name with its attributes.
Named = str | tuple[str, Mapping[str, Any]]


def _split(named: Any, what: str) -> tuple[str, Mapping[str, Any]]:
    if isinstance(named, str):
        return named, {}
    if type(named) is tuple and len(named) == 2 and isinstance(named[1], Mapping):
        return named
    raise TypeError(f"{what}: expected a name, a pair (name, attributes) or a {what.capitalize()}, got {named!r}")


@dataclass(frozen=True)
class Program:
    """A network, and how it is trained if it is.

    Args:
        dtype: element type of values and parameters, ``"float32"`` or ``"float64"``.
        values: every value; an index into this tuple is a value's id.
        params: every parameter, tightly packed, in the order of the arena.
        state: what is neither computed from the inputs nor trained; same form as params, an arena of its own.
        inputs, outputs: ids of the values that callers give and get.
        ops: in an order in which each reads only what is there.
        loss, optimizer, metrics: None and () in a Program that is only for prediction.

    Attributes that are left out are filled with their defaults, so an executor always finds all of them.

    Raises:
        ValueError: if anything in it is inconsistent; the message names the place, what was expected and what came.
    """

    dtype: str
    values: tuple[Value, ...]
    params: tuple[Param, ...] = ()
    state: tuple[Param, ...] = ()
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    ops: tuple[Op, ...] = ()
    loss: Loss | None = None
    optimizer: Optimizer | None = None
    metrics: tuple[Metric, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", dtype_name(self.dtype))
        for name in ("values", "params", "state", "inputs", "outputs", "ops", "metrics"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, entries in normalized(self).items():
            object.__setattr__(self, name, entries)
        check_program(self)

    @property
    def param_size(self) -> int:
        """Elements of the parameter arena."""
        return sum(p.size for p in self.params)

    @property
    def state_size(self) -> int:
        """Elements of the state arena."""
        return sum(s.size for s in self.state)

    @property
    def num_slots(self) -> int:
        """Arrays of the arena's layout that the optimizer keeps; 0 without an optimizer."""
        return OPTIMIZERS[self.optimizer.op].slots(self.optimizer.attrs) if self.optimizer else 0

    @property
    def label_shape(self) -> Shape | None:
        """The shape (per row) of the labels ``y``; None without a loss."""
        from netlet.program.ops import LOSSES

        if self.loss is None:
            return None
        return LOSSES[self.loss.op].label_shape(self.values[self.loss.input].shape, self.loss.attrs)

    @property
    def label_dtype(self) -> str | None:
        """The element type of the labels: ``int32`` for class numbers, else the Program's; None without a loss."""
        from netlet.program.ops import LOSSES

        if self.loss is None:
            return None
        return "int32" if LOSSES[self.loss.op].integer_labels else self.dtype

    def with_training(
        self,
        *,
        loss: Loss | Named | None,
        optimizer: Optimizer | Named | None = None,
        metrics: Sequence[Metric | Named] = (),
    ) -> Program:
        """Returns this Program with another loss, optimizer and metrics.

        Args:
            loss, optimizer, metrics: as the classes, or as a name or pair (name, attributes); what is named by itself
                applies to the Program's only output.

        Raises:
            ValueError: for an unknown name, or shapes that do not fit; also for a bare name if there are several
                outputs. TypeError: for any other type.
        """

        def target() -> int:
            if len(self.outputs) != 1:
                raise ValueError(f"the Program has {len(self.outputs)} outputs: name the value that is meant")
            return self.outputs[0]

        if loss is not None and not isinstance(loss, Loss):
            name, attrs = _split(loss, "loss")
            loss = Loss(name, target(), None, attrs)
        if optimizer is not None and not isinstance(optimizer, Optimizer):
            name, attrs = _split(optimizer, "optimizer")
            optimizer = Optimizer(name, attrs)
        complete = []
        for metric in metrics:
            if not isinstance(metric, Metric):
                name, attrs = _split(metric, "metric")
                metric = Metric(name, target(), attrs)
            complete.append(metric)
        return dataclasses.replace(self, loss=loss, optimizer=optimizer, metrics=tuple(complete))

    def without_training(self) -> Program:
        """Returns this Program without loss, optimizer and metrics: what serving needs."""
        return dataclasses.replace(self, loss=None, optimizer=None, metrics=())

    def to_json(self) -> str:
        """Returns the Program's text encoding: one line of ASCII, always the same for equal Programs."""
        from netlet.program.encoding import encode

        return encode(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Program:
        """Returns the Program that ``text`` encodes.

        Raises:
            ModelFormatError: if the text is not JSON, has unknown, missing or doubled keys, values of wrong types, or
                encodes a Program that is not valid.
        """
        from netlet.program.encoding import decode

        return decode(text)


def metric_slices(program: Program) -> list[slice]:
    """Where each metric's sums lie in the ``sums`` of ``train`` and ``evaluate``.

    ``sums[0]`` is the sum of weighted row losses, ``sums[1]`` the number of rows; the metrics follow in their order.
    """
    slices = []
    start = 2
    for metric in program.metrics:
        size = METRICS[metric.op].size(program.values[metric.input].shape, metric.attrs)
        slices.append(slice(start, start + size))
        start += size
    return slices


def sums_size(program: Program) -> int:
    """How many elements the ``sums`` of ``train`` and ``evaluate`` have."""
    slices = metric_slices(program)
    return slices[-1].stop if slices else 2
