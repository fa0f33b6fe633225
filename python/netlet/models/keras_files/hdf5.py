"""The HDF5 file in which Keras keeps weights: ``layers/<layer>/vars/<i>``, read strictly.

Only plain arrays of floats are read; of the optimizer, in ``optimizer/vars/<i>``, integers too. Links to elsewhere,
data in other files, virtual data and filters that HDF5 would load as plugins are refused; and the arrays' sizes must be
covered by bytes that the file has.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.errors import ModelFormatError
from netlet.models.keras_files.archive import MAX_EXPANSION, SLACK

LAYERS, VARS, OPTIMIZER = "layers", "vars", "optimizer"
# What h5py raises of broken files: HDF5 has no error of its own, and believes sizes that it reads.
_FAULTS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, OverflowError, MemoryError)
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}  # built into HDF5, by their numbers


def h5py() -> Any:
    """Return the package h5py. ImportError that says what to install if it is missing."""
    try:
        import h5py as package
    except ImportError as error:
        raise ImportError("Keras' files need h5py: pip install 'netlet[keras]'") from error
    return package


def write(
    model: str,
    layers: Mapping[str, tuple[str, Sequence[NDArray[Any]]]],
    optimizer: tuple[str, Sequence[NDArray[Any]]] | None = None,
) -> bytes:
    """Return a file of weights.

    Args:
        model: its name.
        layers: for each layer's group (``dense_1``) the layer's name and arrays.
        optimizer: its name and state, or None.
    """
    groups = {f"{LAYERS}/{group}": content for group, content in layers.items()}
    if optimizer is not None:
        groups[OPTIMIZER] = optimizer
    file = io.BytesIO()
    with h5py().File(file, "w") as root:
        root.create_group(VARS).attrs["name"] = model
        for group, (name, arrays) in groups.items():
            place = root.create_group(f"{group}/{VARS}")
            place.attrs["name"] = name
            for i, array in enumerate(arrays):
                place.create_dataset(str(i), data=array)
    return file.getvalue()


def read(data: bytes) -> dict[str, list[NDArray[Any]]]:
    """Return the weights in the bytes of a file: for each layer's group that has any, its arrays in order.

    Raises: ModelFormatError if the file is truncated, foreign, or breaks a rule of this module; ImportError.
    """
    found: dict[str, list[NDArray[Any]]] = _read(data, _Reader.layers)
    return found


def read_optimizer(data: bytes) -> list[NDArray[Any]]:
    """Return the state of the optimizer in the bytes of a file; an empty list if it has none. Raises: as `read`."""
    found: list[NDArray[Any]] = _read(data, _Reader.optimizer)
    return found


def _read(data: bytes, what: Callable[[_Reader, Any], Any]) -> Any:
    package = h5py()
    try:
        with package.File(io.BytesIO(data), "r") as root:
            return what(_Reader(package, len(data)), root)
    except ModelFormatError:
        raise
    except _FAULTS as error:
        raise ModelFormatError(f"weights: not a file of Keras' weights, or broken: {error}") from None


class _Reader:
    """Reads one file of ``size`` bytes; keeps account of the bytes that its arrays are said to take."""

    def __init__(self, package: Any, size: int) -> None:
        self.package = package
        self.size = size
        self.stored = 0

    def layers(self, root: Any) -> dict[str, list[NDArray[Any]]]:
        if not self.holds(root, LAYERS):
            if "layer_names" in root.attrs or self.holds(root, "model_weights"):
                raise ModelFormatError("weights: a file of Keras 2 (.h5); save it as .weights.h5 with Keras 3")
            if self.holds(root, VARS):
                return {}  # of a model without weights
            raise ModelFormatError(f"weights: the file has no group {LAYERS!r}: not Keras' weights")
        place = self.child(root, LAYERS, self.package.Group)
        found = {}
        for name in place:
            layer = self.child(place, name, self.package.Group)
            if self.holds(layer, VARS) and (arrays := self.arrays(self.child(layer, VARS, self.package.Group))):
                found[name] = arrays
        return found

    def optimizer(self, root: Any) -> list[NDArray[Any]]:
        if not self.holds(root, OPTIMIZER):
            return []
        place = self.child(root, OPTIMIZER, self.package.Group)
        return self.arrays(self.child(place, VARS, self.package.Group), "fiu") if self.holds(place, VARS) else []

    def arrays(self, group: Any, kinds: str = "f") -> list[NDArray[Any]]:
        names = [str(i) for i in range(len(group))]
        if set(group) != set(names):
            raise ModelFormatError(f"weights: {group.name} has {sorted(group)}, expected arrays {names}")
        return [self.array(group, name, kinds) for name in names]

    def array(self, group: Any, name: str, kinds: str) -> NDArray[Any]:
        dataset = self.child(group, name, self.package.Dataset)
        where = f"weights: {dataset.name}"
        kind = dataset.dtype
        counts = kind.kind == "i" and dataset.shape == ()  # such as how often a Normalization was adapted
        if not (kind.kind in kinds or counts) or kind.itemsize not in (2, 4, 8) or dataset.shape is None:
            raise ModelFormatError(f"{where} holds {kind}, expected floats of 16, 32 or 64 bits")
        if dataset.external or dataset.is_virtual:
            raise ModelFormatError(f"{where} keeps its data in other files: refused")
        settings = dataset.id.get_create_plist()
        filters = [settings.get_filter(i)[0] for i in range(settings.get_nfilters())]
        if unknown := [code for code in filters if code not in _FILTERS]:
            raise ModelFormatError(f"{where} needs filter {unknown[0]} of HDF5: refused, known: {_FILTERS}")
        claimed, stored = math.prod(dataset.shape) * kind.itemsize, dataset.id.get_storage_size()
        self.stored += stored
        most = MAX_EXPANSION * stored + SLACK if filters else stored
        if claimed > most or self.stored > self.size:
            raise ModelFormatError(
                f"{where} of shape {dataset.shape} claims {claimed} bytes and has {stored} in a file of {self.size}"
            )
        values: NDArray[Any] = np.asarray(dataset[()])
        return values.astype(kind.newbyteorder("="), copy=False)

    def holds(self, group: Any, name: str) -> bool:
        """Whether ``group`` has a link ``name``, wherever it leads; h5py's ``in`` would follow it."""
        return bool(group.id.links.exists(name.encode()))

    def child(self, group: Any, name: str, kind: type) -> Any:
        """What ``group`` itself holds under ``name``; links to elsewhere are refused before they are followed."""
        if not self.holds(group, name):
            raise ModelFormatError(f"weights: {group.name} has no {name!r}")
        if group.id.links.get_info(name.encode()).type != self.package.h5l.TYPE_HARD:
            raise ModelFormatError(f"weights: {name!r} in {group.name} is a link to elsewhere: refused")
        found = group[name]
        if not isinstance(found, kind):
            raise ModelFormatError(f"weights: {found.name} is a {type(found).__name__}, expected a {kind.__name__}")
        return found
