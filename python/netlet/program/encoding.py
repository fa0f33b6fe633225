"""The Program's text encoding: strict JSON in, one canonical line out.

Keys stand in a fixed order, none may be missing, unknown or doubled, integers are integers, and all that
:class:`~netlet.program.program.Program` checks is checked. ``csrc/program`` reads the same bytes.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from netlet.config import DTYPES
from netlet.errors import ModelFormatError, did_you_mean
from netlet.program.program import Loss, Metric, Op, Optimizer, Param, Program, Value

__all__ = ["FORMAT", "VERSION", "decode", "encode"]

FORMAT = "netlet-program"
VERSION = 1


def _params(params: tuple[Param, ...]) -> list[dict[str, Any]]:
    return [{"name": p.name, "shape": list(p.shape), "offset": p.offset} for p in params]


def encode(program: Program) -> str:
    """Returns the text of ``program``; equal Programs give equal texts."""
    loss, optimizer = program.loss, program.optimizer
    tree = {
        "format": FORMAT,
        "version": VERSION,
        "dtype": program.dtype,
        "values": [{"name": v.name, "shape": list(v.shape)} for v in program.values],
        "params": _params(program.params),
        "state": _params(program.state),
        "inputs": list(program.inputs),
        "outputs": list(program.outputs),
        "ops": [
            {
                "op": op.op,
                "inputs": list(op.inputs),
                "output": op.output,
                "params": list(op.params),
                "state": list(op.state),
                "attrs": dict(op.attrs),
            }
            for op in program.ops
        ],
        "loss": None
        if loss is None
        else {"op": loss.op, "input": loss.input, "output": loss.output, "attrs": dict(loss.attrs)},
        "optimizer": None if optimizer is None else {"op": optimizer.op, "attrs": dict(optimizer.attrs)},
        "metrics": [{"op": m.op, "input": m.input, "attrs": dict(m.attrs)} for m in program.metrics],
    }
    return json.dumps(tree, allow_nan=False, separators=(",", ":"))


def _fail(where: str, message: str) -> NoReturn:
    raise ModelFormatError(f"program: {where}: {message}" if where else f"program: {message}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _object(where: str, value: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    """``value`` as an object with exactly ``keys``."""
    if not isinstance(value, dict):
        _fail(where, f"expected an object, got {_short(value)}")
    for key in value:
        if key not in keys:
            _fail(where, f"unknown key {key!r}.{did_you_mean(key, keys)}")
    for key in keys:
        if key not in value:
            _fail(where, f"key {key!r} is missing")
    return value


def _array(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        _fail(where, f"expected an array, got {_short(value)}")
    return value


def _integer(where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 1 << 63:
        _fail(where, f"expected an integer below 2^63, got {_short(value)}")
    return value


def _string(where: str, value: Any) -> str:
    if not isinstance(value, str):
        _fail(where, f"expected a string, got {_short(value)}")
    return value


def _integers(where: str, value: Any) -> tuple[int, ...]:
    return tuple(_integer(f"{where}[{i}]", v) for i, v in enumerate(_array(where, value)))


def _attrs(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        _fail(where, f"expected an object, got {_short(value)}")
    for key, entry in value.items():
        for one in entry if isinstance(entry, list) else [entry]:
            if one is not None and not isinstance(one, (bool, int, float, str)):
                _fail(f"{where}.{key}", f"expected a number, string, true, false, null or a list, got {_short(one)}")
    return value


def _decode_params(where: str, value: Any) -> tuple[Param, ...]:
    params = []
    for i, entry in enumerate(_array(where, value)):
        place = f"{where}[{i}]"
        o = _object(place, entry, ("name", "shape", "offset"))
        params.append(
            Param(
                _string(f"{place}.name", o["name"]),
                _integers(f"{place}.shape", o["shape"]),
                _integer(f"{place}.offset", o["offset"]),
            )
        )
    return tuple(params)


def _decode_values(value: Any) -> tuple[Value, ...]:
    values = []
    for i, entry in enumerate(_array("values", value)):
        place = f"values[{i}]"
        o = _object(place, entry, ("name", "shape"))
        values.append(Value(_string(f"{place}.name", o["name"]), _integers(f"{place}.shape", o["shape"])))
    return tuple(values)


def _decode_ops(value: Any) -> tuple[Op, ...]:
    ops = []
    for i, entry in enumerate(_array("ops", value)):
        place = f"ops[{i}]"
        o = _object(place, entry, ("op", "inputs", "output", "params", "state", "attrs"))
        ops.append(
            Op(
                _string(f"{place}.op", o["op"]),
                _integers(f"{place}.inputs", o["inputs"]),
                _integer(f"{place}.output", o["output"]),
                _integers(f"{place}.params", o["params"]),
                _attrs(f"{place}.attrs", o["attrs"]),
                _integers(f"{place}.state", o["state"]),
            )
        )
    return tuple(ops)


def _decode_loss(value: Any) -> Loss | None:
    if value is None:
        return None
    o = _object("loss", value, ("op", "input", "output", "attrs"))
    return Loss(
        _string("loss.op", o["op"]),
        _integer("loss.input", o["input"]),
        None if o["output"] is None else _integer("loss.output", o["output"]),
        _attrs("loss.attrs", o["attrs"]),
    )


def _decode_optimizer(value: Any) -> Optimizer | None:
    if value is None:
        return None
    o = _object("optimizer", value, ("op", "attrs"))
    return Optimizer(_string("optimizer.op", o["op"]), _attrs("optimizer.attrs", o["attrs"]))


def _decode_metrics(value: Any) -> tuple[Metric, ...]:
    metrics = []
    for i, entry in enumerate(_array("metrics", value)):
        place = f"metrics[{i}]"
        o = _object(place, entry, ("op", "input", "attrs"))
        metrics.append(
            Metric(
                _string(f"{place}.op", o["op"]),
                _integer(f"{place}.input", o["input"]),
                _attrs(f"{place}.attrs", o["attrs"]),
            )
        )
    return tuple(metrics)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        _fail("", f"key {doubled!r} stands twice in one object")
    return tree


def _no_constant(name: str) -> NoReturn:
    _fail("", f"{name} is not JSON")


def decode(text: str | bytes) -> Program:
    """Returns the Program that ``text`` encodes; see :meth:`Program.from_json`."""
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"program: expected str or bytes, got {type(text).__name__}")
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        tree = json.loads(decoded, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except ModelFormatError:
        raise
    except (ValueError, RecursionError) as error:  # JSONDecodeError, UnicodeDecodeError, an integer of 5,000 digits
        raise ModelFormatError(f"program: not valid JSON: {error}") from None
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        _fail("", f"expected an object with format {FORMAT!r}, got {_short(tree)}")
    if type(tree.get("version")) is not int or tree["version"] != VERSION:
        _fail("version", f"expected {VERSION}, got {_short(tree.get('version'))}")
    keys = ("format", "version", "dtype", "values", "params", "state", "inputs", "outputs", "ops", "loss")
    o = _object("", tree, (*keys, "optimizer", "metrics"))
    if o["dtype"] not in DTYPES:
        _fail("dtype", f"expected one of {', '.join(DTYPES)}, got {_short(o['dtype'])}")
    parts: dict[str, Any] = {
        "dtype": o["dtype"],
        "values": _decode_values(o["values"]),
        "params": _decode_params("params", o["params"]),
        "state": _decode_params("state", o["state"]),
        "inputs": _integers("inputs", o["inputs"]),
        "outputs": _integers("outputs", o["outputs"]),
        "ops": _decode_ops(o["ops"]),
        "loss": _decode_loss(o["loss"]),
        "optimizer": _decode_optimizer(o["optimizer"]),
        "metrics": _decode_metrics(o["metrics"]),
    }
    try:
        return Program(**parts)
    except ValueError as error:
        raise ModelFormatError(f"program: {error}") from None
