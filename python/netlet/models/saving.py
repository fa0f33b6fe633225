"""Save a model to one file and load it: safetensors, with everything but the arrays as JSON in its metadata.

Tensors, in the order of the arena: each weight by its path (``dense/kernel``), then each optimizer slot as
``optimizer/<slot>/<path>``, and of an optimizer that keeps more than these, ``optimizer/number/<i>``. Metadata, all
strings:

- ``format``: ``netlet-model``; ``version``: ``1``
- ``config``: the layers and settings (``get_config``); of a `Model`, with its ``calls``
- ``program``: the Program, optimized, that a C program can run
- ``compile``: the settings of ``compile``, or ``null``
- ``columns``, if the model was fitted on a data frame: the names of its columns
- ``training``: the optimizer's iterations and the state of the shuffles

Loading reads this file and nothing else. Names in it are looked up in Netlet's own tables, and among the classes and
functions that `load_model` is handed: nothing is imported, evaluated or unpickled. A file that breaks any rule is a
`ModelFormatError`.

The suffix ``.keras`` names Keras' format instead, which `netlet.models.keras_files` has.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from netlet import random
from netlet.errors import ModelFormatError, NotBuiltError
from netlet.models import safetensors
from netlet.models.columns import check_columns
from netlet.models.custom_objects import compile_arguments
from netlet.models.files import write_atomically
from netlet.models.functional import Model
from netlet.models.layered import LayeredModel
from netlet.models.sequential import Sequential
from netlet.program import Program

FORMAT, VERSION = "netlet-model", "1"
SLOT_PREFIX = "optimizer"
NUMBER = "optimizer/number/{}"
KERAS, KERAS_WEIGHTS = ".keras", ".weights.h5"
_OTHER_FORMATS = (".h5", ".hdf5", ".onnx", ".pb", ".pkl")


def save_model(model: LayeredModel, filepath: Any, overwrite: bool = True) -> None:
    """Write ``model`` to the file ``filepath``; see `Sequential.save`."""
    path = path_of(filepath)
    check_suffix(path, "save")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save: {path!r} exists and overwrite is False")
    if path.lower().endswith(KERAS):
        from netlet.models.keras_files.files import model_to_bytes

        write_atomically(path, model_to_bytes(model))
    else:
        write_atomically(path, to_bytes(model))


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> LayeredModel:
    """Return the model that ``filepath`` holds. It predicts the same bits and continues training with the same bits.

    Args:
        filepath: path of a file that `Sequential.save` wrote; with the suffix ``.keras``, also of one of Keras 3.
        compile: whether to compile it as it was, with the optimizer's state. With a warning, a ``.keras`` file is not
            compiled if Netlet lacks something of Keras' that this needs.
        custom_objects: layers, optimizers, losses, metrics and the like that are your own: classes and functions by the
            names that they had when the model was saved.
        safe_mode: accepted for Keras' sake: loading never runs code from the file.

    Raises: ModelFormatError if the file is truncated, foreign or broken, or names what neither Netlet nor
        ``custom_objects`` has; OSError if it cannot be read; ImportError if h5py is missing, which ``.keras`` files
        need.
    """
    path = path_of(filepath)
    if path.lower().endswith(KERAS):
        from netlet.models.keras_files.files import load_model_file

        return load_model_file(path, custom_objects, compile)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        return _load(file, size, compile, custom_objects or {})


def to_bytes(model: LayeredModel) -> bytes:
    """Return what a file of ``model`` holds; NotBuiltError before the model is built."""
    if not model.built:
        raise NotBuiltError(f"{model.name}: the model is not built, so it has no weights to save")
    with model._guard("save"):
        engine = model._engine_for(model.input_shape)
        arena, state = model._arena, model._state_arena
        assert arena is not None and state is not None
        tensors = {**arena.views(arena.data), **state.views(state.data)}
        slots = _slot_names(model)
        for slot, flat in zip(slots, engine.slots, strict=True):
            tensors.update({f"{SLOT_PREFIX}/{slot}/{path}": view for path, view in arena.views(flat).items()})
        if model.optimizer is not None:
            tensors.update({NUMBER.format(i): v.value for i, v in enumerate(model.optimizer._numbers())})
        metadata = {
            "format": FORMAT,
            "version": VERSION,
            "config": _dumps(model.get_config()),
            "program": engine.program.to_json(),
            "compile": _dumps(model.get_compile_config()),
            "training": _dumps(
                {
                    "iterations": 0 if model.optimizer is None else model.optimizer._iterations,
                    "shuffle_seed": model._shuffle_seed,
                    "shuffle_count": model._shuffle_count,
                }
            ),
        }
        if model._columns is not None:
            metadata["columns"] = _dumps(model._columns)
        file = io.BytesIO()
        safetensors.write(file, tensors, metadata)
    return file.getvalue()


def from_bytes(data: bytes) -> LayeredModel:
    """Return the model that `to_bytes` wrote."""
    return _load(io.BytesIO(data), len(data), True)


def check_suffix(path: str, action: str, *, weights: bool = False) -> None:
    """Raise a ValueError if the suffix of ``path`` names a format that ``action`` does not know.

    Args:
        weights: whether the file is to hold weights alone.
    """
    if weights and path.lower().endswith(KERAS_WEIGHTS):
        return
    if weights and path.lower().endswith(KERAS):
        raise ValueError(f"{action}: {path!r} names a whole model; weights are written as in 'model{KERAS_WEIGHTS}'")
    if path.lower().endswith(_OTHER_FORMATS):
        examples = (
            ("model.weights.safetensors", f"model{KERAS_WEIGHTS}") if weights else ("model.safetensors", "model.keras")
        )
        raise ValueError(
            f"{action}: {path!r} names another format; Netlet writes safetensors, as in {examples[0]!r}, "
            f"and Keras' format, as in {examples[1]!r}"
        )


def path_of(filepath: Any) -> str:
    """Return a path as text; TypeError if it is none."""
    try:
        return os.fsdecode(filepath)
    except TypeError:
        raise TypeError(f"filepath must be a path, got {filepath!r}") from None


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _load(file: BinaryIO, size: int, compile: bool, custom: Mapping[str, Any] = MappingProxyType({})) -> LayeredModel:
    tensors, metadata = safetensors.read(file, size)
    if metadata.get("format") != FORMAT:
        raise ModelFormatError(f"format is {metadata.get('format')!r}, expected {FORMAT!r}: not a model of Netlet's")
    if metadata.get("version") != VERSION:
        raise ModelFormatError(f"version is {metadata.get('version')!r}, expected {VERSION!r}: saved by a newer Netlet")
    missing = {"config", "program", "compile", "training"} - set(metadata)
    if missing:
        raise ModelFormatError(f"metadata lacks {', '.join(sorted(missing))}")
    program = Program.from_json(metadata["program"])
    config = safetensors.parse_json(metadata["config"], "config")
    weights = {path: array for path, array in tensors.items() if not path.startswith(f"{SLOT_PREFIX}/")}
    _check_params(program, weights)
    try:
        kind = Model if isinstance(config, dict) and "calls" in config else Sequential
        model: LayeredModel = kind.from_config(config, _by_layer(weights), custom)
        _check_model(model, program)
        settings = safetensors.parse_json(metadata["compile"], "compile")
        if settings is not None and not isinstance(settings, dict):
            raise ModelFormatError(f"compile: expected an object or null, got {settings!r}")
        if compile and settings is not None:
            model.compile_from_config(compile_arguments(settings, custom))
        model._columns = check_columns(safetensors.parse_json(metadata.get("columns", "null"), "columns"))
        training = safetensors.parse_json(metadata["training"], "training")
        _restore_training(model, program, training, tensors)
    except ModelFormatError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelFormatError(f"config: {type(error).__name__}: {error}") from None
    return model


def _slot_names(model: LayeredModel) -> tuple[str, ...]:
    """The optimizer's slots; none without a loss, for then nothing can be trained."""
    return () if model.optimizer is None or model.loss is None else model.optimizer.slot_names()


def _by_layer(weights: dict[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    """Weights by layer, then by name: the paths' two parts."""
    layers: dict[str, dict[str, NDArray[Any]]] = {}
    for path, array in weights.items():
        layer, _, name = path.partition("/")
        layers.setdefault(layer, {})[name] = array
    return layers


def _check_params(program: Program, weights: dict[str, NDArray[Any]]) -> None:
    """Check that the tensors are the program's parameters."""
    expected = {param.name: (param.shape, program.dtype) for param in (*program.params, *program.state)}
    found = {path: (array.shape, array.dtype.name) for path, array in weights.items()}
    for path in expected.keys() | found.keys():
        if expected.get(path) != found.get(path):
            raise ModelFormatError(f"weight {path!r}: file holds {found.get(path)}, its program {expected.get(path)}")


def _check_model(model: LayeredModel, program: Program) -> None:
    """Check that the layers make the parameters, input and output that the program has."""
    if not model.built:
        raise ModelFormatError("config: the layers have no input shape")
    made = model.lower()
    ends = [(p.dtype, [p.values[v].shape for v in (*p.inputs, *p.outputs)], p.params, p.state) for p in (made, program)]
    if ends[0] != ends[1]:
        raise ModelFormatError("program: its input, output or parameters are not those of the layers in config")


def _restore_training(model: LayeredModel, program: Program, training: Any, tensors: dict[str, NDArray[Any]]) -> None:
    if not isinstance(training, dict) or set(training) != {"iterations", "shuffle_seed", "shuffle_count"}:
        raise ModelFormatError("training: expected an object with iterations, shuffle_seed and shuffle_count")
    iterations, seed, count = training["iterations"], training["shuffle_seed"], training["shuffle_count"]
    for name, value in (("iterations", iterations), ("shuffle_seed", seed), ("shuffle_count", count)):
        if name == "shuffle_seed" and value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
            raise ModelFormatError(f"training: {name} must be an integer in [0, 2^64), got {value!r}")
    model._shuffle_seed, model._shuffle_count, model._seed_source = seed, count, random.global_generator()
    paths = [param.name for param in program.params]
    found = {name: array for name, array in tensors.items() if name.startswith(f"{SLOT_PREFIX}/")}
    if model.optimizer is None:
        return
    model.optimizer._iterations = iterations
    names = _slot_names(model)
    numbers = {name: found.pop(name) for name in [*found] if name.startswith(NUMBER.format(""))}
    expected = [f"{SLOT_PREFIX}/{slot}/{path}" for slot in names for path in paths]
    if set(expected) != set(found):
        raise ModelFormatError(f"optimizer: the file holds slots {sorted(found)}, expected {sorted(expected)}")
    for param in program.params:
        for slot in names:
            array = found[f"{SLOT_PREFIX}/{slot}/{param.name}"]
            if array.shape != param.shape or array.dtype.name != program.dtype:
                raise ModelFormatError(f"optimizer/{slot}/{param.name}: shape or dtype is not that of the weight")
    if names or numbers:
        flat = [np.concatenate([found[f"{SLOT_PREFIX}/{slot}/{p}"].reshape(-1) for p in paths]) for slot in names]
        model._make_engine(np.stack(flat) if flat else None)
    variables = {NUMBER.format(i): variable for i, variable in enumerate(model.optimizer._numbers())}
    for name in variables.keys() | numbers.keys():
        if name not in variables or name not in numbers or variables[name].shape != numbers[name].shape:
            raise ModelFormatError(f"{name}: the file holds {numbers.get(name)}, expected {variables.get(name)}")
        variables[name].assign(numbers[name])
