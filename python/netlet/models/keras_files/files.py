"""Save and load ``.keras`` and ``.weights.h5`` files: what ``save``, ``load_model`` and their like call."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from netlet._version import __version__
from netlet.errors import ModelFormatError, NotBuiltError
from netlet.models.keras_files import archive, hdf5, weights
from netlet.models.keras_files.compilation import check_optimizer, decode_compilation, encode_compilation
from netlet.models.keras_files.graph import decode_model, encode_model
from netlet.models.keras_files.optimizer_state import encode_state, restore_state
from netlet.models.layered import LayeredModel
from netlet.models.safetensors import parse_json

KERAS_VERSION = "3.15.1"  # whose format is written

_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


def model_to_bytes(model: LayeredModel) -> bytes:
    """Return a ``.keras`` file of a built model; the same model gives the same bytes.

    How it was compiled is written where Keras knows all of it, and then with the optimizer's state.

    Raises: NotBuiltError; ValueError if Keras has no place for something in the model; ImportError without h5py.
    """
    if not model.built:
        raise NotBuiltError(f"{model.name}: the model is not built, so it has no weights to save")
    with model._guard("save"):
        config = encode_model(model)
        state = None
        if (compiled := encode_compilation(model)) is not None:
            config["compile_config"] = compiled
            state = encode_state(model)
        data = weights.to_bytes(model, state)
    versions = {"keras_version": KERAS_VERSION, "netlet_version": __version__}
    return archive.write({archive.METADATA: _dumps(versions), archive.CONFIG: _dumps(config), archive.WEIGHTS: data})


def load_model_file(path: str, custom_objects: Mapping[str, Any] | None, compile: bool) -> LayeredModel:
    """Return the model that a ``.keras`` file holds.

    Args:
        path: of the file.
        custom_objects: classes and functions by the names that the file has for them.
        compile: whether to compile it as it was, where Netlet has all that this needs; otherwise a warning says what it
            lacks, and the model is not compiled. The optimizer gets its state, so that training goes on; where the file
            has the state of another one, a warning says so.

    Raises: ModelFormatError if the file is truncated, foreign or broken, holds something that Netlet does not have, or
        was compiled with an optimizer that neither Keras nor ``custom_objects`` has; ImportError without h5py; OSError.
    """
    text, data = archive.read(path, (archive.CONFIG, archive.WEIGHTS))
    config = parse_json(text, archive.CONFIG)
    custom = dict(custom_objects or {})
    presets = weights.Presets(hdf5.read(data), archive.read_vocabularies(path))
    try:
        model = decode_model(config, custom, presets.visit)
        presets.finish()
    except ModelFormatError:
        raise
    except _FAULTS as error:
        raise ModelFormatError(f"config: {type(error).__name__}: {error}") from None
    if compile and config.get("compile_config"):
        check_optimizer(config["compile_config"], custom)
        try:
            model.compile(**decode_compilation(config["compile_config"], custom))
        except _FAULTS as error:
            warnings.warn(f"load_model: {path!r} is loaded without compile(): {error}", stacklevel=3)
        else:
            if (why := restore_state(model, hdf5.read_optimizer(data))) is not None:
                warnings.warn(f"load_model: {path!r} is loaded without the optimizer's state: {why}", stacklevel=3)
    return model


def read_weights(model: LayeredModel, path: str) -> dict[str, NDArray[Any]]:
    """Return the weights in a ``.weights.h5`` or ``.keras`` file, by the paths that they have in ``model``.

    Raises: ModelFormatError if the file is broken; ImportError without h5py; OSError.
    """
    if path.lower().endswith(".keras"):
        (data,) = archive.read(path, (archive.WEIGHTS,))
    else:
        with open(path, "rb") as file:
            data = file.read()
    return weights.by_path(model, hdf5.read(data))


def _dumps(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
