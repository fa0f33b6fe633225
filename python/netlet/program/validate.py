"""What makes a Program valid: every index in range, every shape as the op's rule gives it, every name known.

The rules are those that ``csrc/program`` checks again before it executes; here they give their messages in Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from netlet.errors import unknown_name
from netlet.program.ops import LOSSES, METRICS, OPS, OPTIMIZERS
from netlet.program.spec import Spec, elements

if TYPE_CHECKING:
    from netlet.program.program import Loss, Metric, Op, Optimizer, Param, Program

__all__ = ["MAX_ELEMENTS", "check_program", "normalized"]

#: The most elements that a value (per row) or an arena may have: byte counts stay far below 2^63.
MAX_ELEMENTS = 1 << 48
#: The most values that one op may read.
MAX_INPUTS = 64


def _fail(where: str, message: object) -> NoReturn:
    raise ValueError(f"{where}: {message}")


def _lookup(where: str, kind: str, name: Any, table: Mapping[str, Any]) -> Any:
    if not isinstance(name, str) or name not in table:
        _fail(where, unknown_name(kind, name, table))
    return table[name]


def _normalize(where: str, spec: Spec, attrs: Any) -> dict[str, Any]:
    if not isinstance(attrs, Mapping):
        _fail(where, f"attrs: expected a mapping, got {attrs!r}")
    try:
        return spec.normalize(attrs)
    except ValueError as error:
        _fail(where, error)


def normalized(program: Program) -> dict[str, Any]:
    """Returns ops, loss, optimizer and metrics with all their attributes, checked and in canonical types.

    Raises:
        ValueError: for an unknown op or a bad attribute.
    """

    def complete(where: str, kind: str, entry: Any, table: Mapping[str, Spec]) -> Any:
        spec = _lookup(where, kind, entry.op, table)
        return entry._replace(attrs=_normalize(f"{where} {entry.op}", spec, entry.attrs))

    return {
        "ops": tuple(complete(f"ops[{i}]", "op", op, OPS) for i, op in enumerate(program.ops)),
        "loss": complete("loss", "loss", program.loss, LOSSES) if program.loss is not None else None,
        "optimizer": (
            complete("optimizer", "optimizer", program.optimizer, OPTIMIZERS) if program.optimizer is not None else None
        ),
        "metrics": tuple(complete(f"metrics[{i}]", "metric", m, METRICS) for i, m in enumerate(program.metrics)),
    }


def _is_index(index: Any) -> bool:
    return isinstance(index, int) and not isinstance(index, bool)


def _check_index(where: str, what: str, index: Any, count: int) -> None:
    if not _is_index(index) or not 0 <= index < count:
        _fail(where, f"{what}: expected an index from 0 to {count - 1}, got {index!r}")


def _check_shape(where: str, name: Any, shape: Any) -> None:
    if not isinstance(name, str) or not name:
        _fail(where, f"name: expected a string that is not empty, got {name!r}")
    if not isinstance(shape, tuple) or not all(_is_index(d) and d > 0 for d in shape):
        _fail(f"{where} {name!r}", f"shape: expected a tuple of positive integers, got {shape!r}")
    if elements(shape) > MAX_ELEMENTS:
        _fail(f"{where} {name!r}", f"shape: {shape} has more than 2^48 elements")


def _check_arena(where: str, params: Sequence[Param]) -> None:
    """Params have unique names and lie one after the other without gaps."""
    offset = 0
    seen: set[str] = set()
    for i, param in enumerate(params):
        place = f"{where}[{i}]"
        _check_shape(place, param.name, param.shape)
        if param.name in seen:
            _fail(place, f"name {param.name!r} is taken by an earlier entry")
        seen.add(param.name)
        if not _is_index(param.offset) or param.offset != offset:
            _fail(f"{place} {param.name!r}", f"offset: expected {offset}, got {param.offset!r}")
        offset += param.size
        if offset > MAX_ELEMENTS:
            _fail(where, "more than 2^48 elements")


def _check_op(where: str, op: Op, program: Program, defined: set[int]) -> None:
    spec = OPS[op.op]
    place = f"{where} {op.op}"
    if spec.arity is None:
        if not spec.least_inputs <= len(op.inputs) <= MAX_INPUTS:
            _fail(place, f"expected {spec.least_inputs} to {MAX_INPUTS} inputs, got {len(op.inputs)}")
    elif len(op.inputs) != spec.arity:
        _fail(place, f"expected {spec.arity} input(s), got {len(op.inputs)}")
    for index in op.inputs:
        _check_index(place, "inputs", index, len(program.values))
        if index not in defined:
            _fail(place, f"reads value {index} ({program.values[index].name!r}) before it is written")
    _check_index(place, "output", op.output, len(program.values))
    if op.output in defined:
        _fail(place, f"writes value {op.output} ({program.values[op.output].name!r}), which is already there")
    least, most = spec.required_params, len(spec.param_names)
    if not least <= len(op.params) <= most and not spec.any_weights:
        expected = str(most) if least == most else f"{least} to {most}"
        _fail(place, f"expected {expected} parameters, got {len(op.params)}")
    for index in op.params:
        _check_index(place, "params", index, len(program.params))
    if len(set(op.params)) != len(op.params):
        _fail(place, f"params: expected different parameters, got {list(op.params)}")
    if len(op.state) != len(spec.state_names) and not spec.any_weights:
        _fail(place, f"expected {len(spec.state_names)} entries of state, got {len(op.state)}")
    for index in op.state:
        _check_index(place, "state", index, len(program.state))
    if len(set(op.state)) != len(op.state):
        _fail(place, f"state: expected different entries, got {list(op.state)}")
    declared = program.values[op.output].shape
    try:
        shape = spec.output_shape(
            [program.values[i].shape for i in op.inputs],
            [program.params[i].shape for i in op.params],
            op.attrs,
            declared,
        )
    except ValueError as error:
        _fail(place, error)
    if op.state and not spec.any_weights:
        want = spec.state_shapes([program.values[i].shape for i in op.inputs], op.attrs)
        have = tuple(program.state[i].shape for i in op.state)
        if want != have:
            _fail(place, f"state has shapes {have}, expected {want}")
    if shape != declared:
        _fail(place, f"output {program.values[op.output].name!r} has shape {declared}, expected {shape}")
    defined.add(op.output)


def _check_loss(loss: Loss, program: Program) -> None:
    spec = LOSSES[loss.op]
    place = f"loss {loss.op}"
    _check_index(place, "input", loss.input, len(program.values))
    try:
        spec.label_shape(program.values[loss.input].shape, loss.attrs)
    except ValueError as error:
        _fail(place, error)
    if loss.output is None:
        return
    _check_index(place, "output", loss.output, len(program.values))
    if spec.fuses is None or not loss.attrs["from_logits"]:
        _fail(place, "output: expected null, for only a cross-entropy from logits writes probabilities")
    if any(loss.output in op.inputs for op in program.ops):
        _fail(place, f"output: value {loss.output} is read by an op, so its gradient cannot skip it")
    for op in program.ops:
        if op.output == loss.output:
            kind = op.attrs["activation"] if op.op == "activation" else op.op
            if kind == spec.fuses and op.inputs == (loss.input,):
                return
    _fail(place, f"output: expected the {spec.fuses} of value {loss.input}, got value {loss.output}")


def _check_metric(where: str, metric: Metric, program: Program) -> None:
    spec = METRICS[metric.op]
    place = f"{where} {metric.op}"
    _check_index(place, "input", metric.input, len(program.values))
    if program.loss is None:
        _fail(place, "a metric reads the labels of the loss, and the Program has no loss")
    prediction = program.values[metric.input].shape
    loss_input = program.values[program.loss.input].shape
    if prediction != loss_input:
        _fail(place, f"input has shape {prediction}, expected {loss_input} as the loss has")
    integer = LOSSES[program.loss.op].integer_labels
    if spec.labels != "either" and integer != (spec.labels == "integer"):
        need = "class numbers" if spec.labels == "integer" else "labels shaped as the prediction"
        _fail(place, f"needs {need}, which the loss {program.loss.op} does not take")


def _check_optimizer(optimizer: Optimizer, program: Program) -> None:
    for name in ("no_decay", "frozen", "adam_params"):
        indexes = optimizer.attrs.get(name, ())
        for index in indexes:
            _check_index(f"optimizer {optimizer.op}", name, index, len(program.params))
        if list(indexes) != sorted(set(indexes)):
            _fail(f"optimizer {optimizer.op}", f"{name}: expected rising indexes, got {list(indexes)}")


def check_program(program: Program) -> None:
    """Checks everything but attributes (see :func:`normalized`).

    Raises:
        ValueError: naming the place, what was expected and what came.
    """
    for i, value in enumerate(program.values):
        _check_shape(f"values[{i}]", value.name, value.shape)
    _check_arena("params", program.params)
    _check_arena("state", program.state)
    for name, indexes in (("inputs", program.inputs), ("outputs", program.outputs)):
        if not indexes:
            _fail(name, "expected at least one value")
        for index in indexes:
            _check_index(name, "value", index, len(program.values))
    if len(set(program.inputs)) != len(program.inputs):
        _fail("inputs", f"expected different values, got {list(program.inputs)}")
    defined = set(program.inputs)
    for i, op in enumerate(program.ops):
        _check_op(f"ops[{i}]", op, program, defined)
    for i, value in enumerate(program.values):
        if i not in defined:
            _fail(f"values[{i}] {value.name!r}", "is neither an input nor written by an op")
    if program.loss is not None:
        _check_loss(program.loss, program)
    if program.optimizer is not None:
        _check_optimizer(program.optimizer, program)
    for i, metric in enumerate(program.metrics):
        _check_metric(f"metrics[{i}]", metric, program)
