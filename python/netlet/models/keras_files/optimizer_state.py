"""An optimizer's state in Keras' order, ``optimizer/vars/<i>``, and back.

Keras numbers what an optimizer keeps as it makes it: the count of steps; the learning rate, unless it is a schedule;
the moving averages of all weights; the sums of accumulated gradients; then the rule's own arrays, weight by weight. The
weights are those that train, in the order of Keras' layers. Three rules differ from Netlet's slots, which have their
weight's shape: Adafactor keeps rows and columns of a matrix, and for each weight an array of its shape besides; Muon
has a velocity only where Adam moves a weight; Nadam ends with a product that follows from the count. The variables that
an optimizer of somebody's own has added come last, in the order in which it did.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlet.errors import ModelFormatError
from netlet.layers.variable import Variable
from netlet.models.keras_files.order import ordered_layers
from netlet.models.layered import LayeredModel
from netlet.optimizers import Adafactor, Muon, Nadam, Optimizer

Array = NDArray[Any]


class Entry(NamedTuple):
    """One array of Keras' list.

    Attributes:
        slot: Netlet's slot that its values lie in, from the begin of the weight's part on; None if in none.
        weight: the weight's place in the arena.
        shape: the array's.
        filler: what it holds where no slot does.
    """

    slot: str | None
    weight: int
    shape: tuple[int, ...]
    filler: Any = None


def encode_state(model: LayeredModel) -> tuple[str, list[Array]] | None:
    """Return the optimizer's name and its state as Keras lists it; None for a model that can't be trained."""
    optimizer = model.optimizer
    if optimizer is None or model.loss is None:
        return None
    engine = model._engine_for(model.input_shape)
    arena = model._arena
    assert arena is not None
    names, starts = optimizer.slot_names(), _starts(arena.variables)
    found: list[Array] = _head(optimizer)
    for entry in _entries(model, optimizer, arena.variables):
        if entry.slot is None:
            found.append(np.asarray(entry.filler))
            continue
        start = starts[entry.weight]
        values = engine.slots[names.index(entry.slot), start : start + math.prod(entry.shape)]
        found.append(values.reshape(entry.shape))
    return optimizer.name, [*found, *(variable.numpy() for variable in optimizer._numbers())]


def restore_state(model: LayeredModel, state: Sequence[Array]) -> str | None:
    """Give a compiled model's optimizer the state that a file of Keras holds.

    An optimizer that had not been built when it was saved has but a count and a learning rate.

    Returns: None, or what is wrong if it has another number of arrays, and is left as it is.
    Raises: ModelFormatError if an array has another shape than it must, or the count is none.
    """
    optimizer = model.optimizer
    if optimizer is None or model.loss is None or not state:
        return None
    model._engine_for(model.input_shape)
    arena = model._arena
    assert arena is not None
    head = len(_head(optimizer))
    entries = list(_entries(model, optimizer, arena.variables))
    added = optimizer._numbers()
    entries += [Entry(None, 0, variable.shape) for variable in added]
    if len(state) not in (head, head + len(entries)):
        return f"{optimizer.name} has {head + len(entries)} arrays, the file {len(state)}"
    given = list(zip(entries, state[head:], strict=False))
    for i, (entry, array) in enumerate(given):
        if array.shape != entry.shape:
            raise ModelFormatError(f"optimizer/vars/{head + i}: has shape {array.shape}, expected {entry.shape}")
    if state[0].shape or not np.isfinite(state[0]) or not 0 <= int(state[0]) < 1 << 63:
        raise ModelFormatError(f"optimizer/vars/0: expected a count of steps, got {state[0]!r}")
    if head == 2:
        if state[1].shape or not np.isfinite(state[1]) or state[1] < 0:
            raise ModelFormatError(f"optimizer/vars/1: expected a learning rate, got {state[1]!r}")
        optimizer.learning_rate = float(state[1])
    optimizer._iterations = int(state[0])
    if given:
        names, starts = optimizer.slot_names(), _starts(arena.variables)
        assert model._engine is not None
        slots = model._engine.slots.copy()
        for entry, array in given:
            if entry.slot is not None:
                start = starts[entry.weight]
                slots[names.index(entry.slot), start : start + array.size] = array.reshape(-1)
        model._make_engine(slots)
        for variable, array in zip(added, state[len(state) - len(added) :], strict=True):
            variable.assign(array)
    return None


def _head(optimizer: Optimizer) -> list[Array]:
    """The count and, unless it follows from the count, the learning rate."""
    head: list[Array] = [np.asarray(optimizer._iterations, np.int64 if optimizer._iterations >> 31 else np.int32)]
    if not callable(optimizer._learning_rate):
        head.append(np.asarray(float(optimizer.learning_rate), np.float64))  # which Keras rounds to its variable's type
    return head


def _starts(variables: Sequence[Variable]) -> list[int]:
    return [0, *np.cumsum([variable.size for variable in variables]).tolist()]


def _entries(model: LayeredModel, optimizer: Optimizer, variables: Sequence[Variable]) -> Iterator[Entry]:
    """What Keras lists after the count and the learning rate."""
    place = {id(variable): i for i, variable in enumerate(variables)}
    trained = [weight for layer in ordered_layers(model) for weight in layer.trainable_weights if model.trainable]
    weights = [(place[id(weight)], weight) for weight in {id(w): w for w in trained}.values()]
    own = optimizer.own_slot_names()
    for name in optimizer.slot_names()[len(own) :]:
        for i, weight in weights:
            yield Entry(name, i, weight.shape)
    for group in optimizer.slot_groups():
        for i, weight in weights:
            yield from _own(optimizer, group, i, weight)
    if isinstance(optimizer, Nadam):
        yield Entry(None, 0, (), np.asarray(_product(optimizer), model.dtype))


def _own(optimizer: Optimizer, group: tuple[str, ...], i: int, weight: Variable) -> Iterator[Entry]:
    shape = weight.shape
    if isinstance(optimizer, Adafactor):
        if len(shape) < 2:
            none = np.zeros((), np.int32)
            yield from (Entry(None, i, (), none), Entry(None, i, (), none), Entry("row", i, shape))
        else:
            yield Entry("row", i, shape[:-1])
            yield Entry("column", i, shape[:-2] + shape[-1:])
            yield Entry(None, i, shape, np.zeros(shape, weight.dtype))
        return
    for name in group:
        if name == "velocity" and isinstance(optimizer, Muon) and not optimizer._should_use_adamw(weight):
            continue
        yield Entry(name, i, shape)


def _product(optimizer: Nadam) -> float:
    """The product of Nadam's momenta up to the present update."""
    steps = np.arange(1, min(optimizer.iterations, 1 << 16) + 1)  # it is 0 long before
    return float(np.prod(optimizer.beta_1 * (1 - 0.5 * 0.96**steps)))
