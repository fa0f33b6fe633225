"""Save a model's weights to one safetensors file and load them: no layers, no settings, no optimizer.

Tensors: each weight by its path (``dense/kernel``), in the order of ``model.weights``. Metadata: ``format``:
``netlet-weights``, ``version``: ``1``.

The suffix ``.weights.h5`` names Keras' format instead, which `netlet.models.keras_files` has.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.errors import ModelFormatError, NotBuiltError
from netlet.layers.variable import Variable
from netlet.models import safetensors
from netlet.models.files import write_atomically
from netlet.models.layered import LayeredModel
from netlet.models.saving import KERAS, KERAS_WEIGHTS, SLOT_PREFIX, check_suffix, path_of

FORMAT, VERSION = "netlet-weights", "1"

Array = NDArray[Any]


def save_weights(model: LayeredModel, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights of ``model``; see `LayeredModel.save_weights`."""
    path = path_of(filepath)
    keras = path.lower().endswith(KERAS_WEIGHTS)
    if not keras:
        check_suffix(path, "save_weights", weights=True)
    if path.lower().endswith(KERAS):
        raise ValueError(
            f"save_weights: {path!r} names a whole model; weights are written as in 'model{KERAS_WEIGHTS}'"
        )
    if not model.built:
        raise NotBuiltError(f"{model.name}: the model is not built, so it has no weights to save")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save_weights: {path!r} exists and overwrite is False")
    if keras:
        from netlet.models.keras_files.weights import to_bytes

        write_atomically(path, to_bytes(model))
        return
    file = io.BytesIO()
    safetensors.write(file, tensors_of(model.weights), {"format": FORMAT, "version": VERSION})
    write_atomically(path, file.getvalue())


def load_weights(model: LayeredModel, filepath: Any, skip_mismatch: bool = False) -> None:
    """Set the weights of ``model``; see `LayeredModel.load_weights`."""
    path = path_of(filepath)
    keras = path.lower().endswith((KERAS, KERAS_WEIGHTS))
    if not keras:
        check_suffix(path, "load_weights", weights=True)
    if not model.built:
        raise NotBuiltError(f"{model.name}: the model is not built, so it has no weights to set")
    if keras:
        from netlet.models.keras_files.files import read_weights

        assign_matching(model.weights, read_weights(model, path), path, skip_mismatch)
        return
    with open(path, "rb") as file:
        tensors, _ = safetensors.read(file, os.fstat(file.fileno()).st_size)
    weights = {name: array for name, array in tensors.items() if not name.startswith(f"{SLOT_PREFIX}/")}
    assign_matching(model.weights, weights, path, skip_mismatch)


def tensors_of(variables: Sequence[Variable]) -> dict[str, Array]:
    """Return the live arrays of ``variables`` by their paths; ValueError if two have one path."""
    tensors: dict[str, Array] = {}
    for variable in variables:
        if variable.path in tensors:
            raise ValueError(f"two weights are called {variable.path!r}; give their layers different names")
        tensors[variable.path] = variable.value
    return tensors


def assign_matching(
    variables: Sequence[Variable], tensors: Mapping[str, Array], what: str, skip_mismatch: bool = False
) -> None:
    """Assign ``tensors`` to the variables of the same paths; or, where the layers have other names but everything else
    fits, to the variables in their order. All or none.

    Args:
        variables: in order.
        tensors: by path, in the order of the variables that they were.
        what: the file, for errors.
        skip_mismatch: assign what fits and warn of the rest.

    Raises: ModelFormatError naming the first weight that does not fit.
    """
    pairs: list[tuple[Variable, Array]] = []
    defects: list[str] = []
    known = {variable.path for variable in variables}
    if known != set(tensors) and _fit_in_order(variables, tensors):
        pairs = list(zip(variables, tensors.values(), strict=True))
    else:
        for variable in variables:
            array = tensors.get(variable.path)
            if array is None:
                defects.append(f"weight {variable.path!r} is not in the file")
            elif array.shape != variable.shape:
                defects.append(f"weight {variable.path!r} has shape {variable.shape}, the file's {array.shape}")
            elif array.dtype.kind != "f":
                defects.append(f"weight {variable.path!r} is {array.dtype} in the file, expected floats")
            else:
                pairs.append((variable, array))
        defects += [f"the file's weight {name!r} is not in the model" for name in tensors if name not in known]
    if defects and not skip_mismatch:
        more = f" (and {len(defects) - 1} more)" if len(defects) > 1 else ""
        raise ModelFormatError(f"{what}: {defects[0]}{more}")
    for defect in defects:
        warnings.warn(f"{what}: {defect}: left as it was", stacklevel=4)
    for variable, array in pairs:
        np.copyto(variable.value, array, casting="same_kind")


def _fit_in_order(variables: Sequence[Variable], tensors: Mapping[str, Array]) -> bool:
    """Whether the tensors are weights of the same names and shapes in the same order, whatever their layers' names, and
    those tell the weights apart in the same way."""
    if len(variables) != len(tensors):
        return False
    layers: dict[str, str] = {}
    for variable, (path, array) in zip(variables, tensors.items(), strict=True):
        own, _, name = variable.path.rpartition("/")
        other, _, saved = path.rpartition("/")
        if name != saved or variable.shape != array.shape or array.dtype.kind != "f":
            return False
        if layers.setdefault(own, other) != other:
            return False
    return len(set(layers.values())) == len(layers)
