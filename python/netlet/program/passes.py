"""Passes: small functions from Program to Program that make it cheaper and change nothing that it computes.

:func:`optimize` runs them all; every backend then profits. Each may be run alone, twice, or on a Program that has
nothing for it. A pass never removes an input or output, nor changes a parameter.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

from netlet.program.ops import EPILOGUES, LOSSES
from netlet.program.program import Op, Program, Value

__all__ = ["drop_noops", "drop_unread", "fuse_activation", "fuse_loss", "optimize"]


def optimize(program: Program) -> Program:
    """Returns the Program after :func:`drop_noops`, :func:`fuse_loss` and :func:`fuse_activation`."""
    return fuse_activation(fuse_loss(drop_noops(program)))


def _producers(program: Program) -> dict[int, int]:
    """Which op (its place in the list) writes each value."""
    return {op.output: i for i, op in enumerate(program.ops)}


def _readers(program: Program) -> Counter[int]:
    """How many ops read each value."""
    return Counter(v for op in program.ops for v in op.inputs)


def _observed(program: Program) -> set[int]:
    """Values that something other than an op reads: outputs, and what loss and metrics take."""
    seen = set(program.outputs) | {m.input for m in program.metrics}
    if program.loss is not None:
        seen.add(program.loss.input)
        if program.loss.output is not None:
            seen.add(program.loss.output)
    return seen


def _renumbered(program: Program, ops: list[Op], replaced: dict[int, int]) -> Program:
    """``program`` with other ops; ``replaced`` values are read from another one. Values that nobody has are dropped."""

    def final(value: int) -> int:
        while value in replaced:
            value = replaced[value]
        return value

    alive = sorted(set(program.inputs) | {op.output for op in ops})
    number = {old: new for new, old in enumerate(alive)}

    def at(value: int) -> int:
        return number[final(value)]

    loss = program.loss
    if loss is not None:
        output = None if loss.output is None else at(loss.output)
        loss = loss._replace(input=at(loss.input), output=output)
    return dataclasses.replace(
        program,
        values=tuple(program.values[old] for old in alive),
        inputs=tuple(at(v) for v in program.inputs),
        outputs=tuple(at(v) for v in program.outputs),
        ops=tuple(op._replace(inputs=tuple(at(v) for v in op.inputs), output=number[op.output]) for op in ops),
        loss=loss,
        metrics=tuple(m._replace(input=at(m.input)) for m in program.metrics),
    )


def fuse_loss(program: Program) -> Program:
    """Lets a cross-entropy of probabilities take the logits instead.

    Where the loss reads the softmax (categorical) or sigmoid (binary) of a value and no op reads those probabilities,
    the loss gets ``from_logits``, that value as its input and the probabilities as its ``output``. A sigmoid that is
    the epilogue of a dense op becomes an op of its own first. The loss is then exact where the probabilities would
    have been clipped, and its gradient costs one subtraction.
    """
    loss = program.loss
    if loss is None or LOSSES[loss.op].fuses is None or loss.attrs["from_logits"]:
        return program
    if _readers(program)[loss.input]:
        return program
    place = _producers(program).get(loss.input)
    if place is None:
        return program
    producer = program.ops[place]
    wanted = LOSSES[loss.op].fuses
    attrs = {**loss.attrs, "from_logits": True}
    if producer.op == wanted or (producer.op == "activation" and producer.attrs["activation"] == wanted):
        logits = producer.inputs[0]
        return dataclasses.replace(program, loss=loss._replace(input=logits, output=loss.input, attrs=attrs))
    if producer.op == "dense" and producer.attrs["activation"] == wanted:
        probabilities = program.values[loss.input]
        logits = len(program.values)
        values = (*program.values, Value(f"{probabilities.name}/logits", probabilities.shape))
        affine = producer._replace(output=logits, attrs={"activation": "linear"})
        activation = Op("activation", (logits,), loss.input, (), {"activation": wanted})
        ops = (*program.ops[:place], affine, activation, *program.ops[place + 1 :])
        fused = loss._replace(input=logits, output=loss.input, attrs=attrs)
        return dataclasses.replace(program, values=values, ops=ops, loss=fused)
    return program


def fuse_activation(program: Program) -> Program:
    """Makes an activation that follows a dense op its epilogue.

    It must be one whose gradient follows from its output, and the only reader of the dense op's output, which must
    not be an output of the Program nor read by the loss or a metric.
    """
    producers, readers, observed = _producers(program), _readers(program), _observed(program)
    ops: list[Op | None] = list(program.ops)
    for i, op in enumerate(program.ops):
        if op.op != "activation" or op.attrs["activation"] not in EPILOGUES:
            continue
        source = op.inputs[0]
        place = producers.get(source)
        if place is None or readers[source] != 1 or source in observed:
            continue
        dense = ops[place]
        if dense is None or dense.op != "dense" or dense.attrs["activation"] != "linear":
            continue
        # The fused op takes the activation's place in the list: nobody else reads the dense op's output.
        ops[place] = None
        ops[i] = dense._replace(output=op.output, attrs=dict(op.attrs))
    if None not in ops:
        return program
    return _renumbered(program, [op for op in ops if op is not None], {})


def drop_noops(program: Program) -> Program:
    """Removes linear activations and reshapes to the same shape; readers get the value before it.

    One stays where it makes an output of a value that is an input or another output already.
    """
    ops: list[Op] = []
    replaced: dict[int, int] = {}

    def final(value: int) -> int:
        while value in replaced:
            value = replaced[value]
        return value

    taken = set(program.outputs) | set(program.inputs)
    for op in program.ops:
        same_shape = program.values[op.inputs[0]].shape == program.values[op.output].shape
        noop = (op.op == "activation" and op.attrs["activation"] == "linear") or (op.op == "reshape" and same_shape)
        source = final(op.inputs[0])
        if noop and not (op.output in program.outputs and source in taken):
            replaced[op.output] = source
            if op.output in program.outputs:
                taken.add(source)
        else:
            ops.append(op)
    return _renumbered(program, ops, replaced) if replaced else program


def drop_unread(program: Program) -> Program:
    """Removes ops that nothing depends on: no output, loss or metric."""
    needed = _observed(program)
    ops: list[Op] = []
    for op in reversed(program.ops):
        if op.output in needed:
            needed.update(op.inputs)
            ops.append(op)
    return program if len(ops) == len(program.ops) else _renumbered(program, ops[::-1], {})
