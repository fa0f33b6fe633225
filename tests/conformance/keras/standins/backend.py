"""``keras.backend`` as tests use it: a tensor is a NumPy array, the backend's name is "netlet"."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from standins.missing import Missing, NotInNetlet

SUPPORTS_SPARSE_TENSORS = False
SUPPORTS_RAGGED_TENSORS = False
DTYPES = {
    *("float16", "float32", "float64", "bfloat16", "bool", "string", "complex64", "complex128"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}
PYTHON_TYPES = {bool: "bool", int: "int64", float: "float32", str: "string", "int": "int64", "float": "float32"}

_settings: dict[str, Any] = {"floatx": "float32"}
_scopes: list[str] = []


def _of_netlet(name: str) -> Any:
    """Return a public setting of Netlet's if it has one of this name."""
    import netlet

    for place in (getattr(netlet, "backend", None), netlet.config, netlet):
        found = getattr(place, name, None)
        if callable(found):
            return found
    return None


def backend() -> str:
    return "netlet"


def floatx() -> str:
    found = _of_netlet("floatx")
    return str(found()) if found else str(_settings["floatx"])


def set_floatx(value: str) -> None:
    found = _of_netlet("set_floatx")
    if found:
        found(value)
    elif value != floatx():
        raise NotInNetlet("netlet has no backend.set_floatx")


def epsilon() -> float:
    found = _of_netlet("epsilon")
    return float(found()) if found else 1e-7


def image_data_format() -> str:
    return "channels_last"


def standardize_dtype(dtype: Any) -> str:
    """Return the name of a type; of None, the default float's."""
    if dtype is None:
        return floatx()
    if isinstance(dtype, (type, str)) and dtype in PYTHON_TYPES:
        return PYTHON_TYPES[dtype]
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", str(dtype))
    if name not in DTYPES:
        raise ValueError(f"Invalid dtype: {name}")
    return str(name)


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> np.ndarray:
    """Return an array: of Python's numbers, float32 or int32; what has a type keeps it unless told otherwise."""
    if dtype is not None:
        return np.array(x, dtype=standardize_dtype(dtype))
    values = np.array(x)
    if hasattr(x, "dtype") or values.dtype.kind not in "fi":
        return values
    return values.astype(floatx() if values.dtype.kind == "f" else "int32")


def convert_to_numpy(x: Any) -> np.ndarray:
    return np.array(x)


def cast(x: Any, dtype: Any) -> np.ndarray:
    return np.asarray(x).astype(standardize_dtype(dtype))


def is_tensor(x: Any) -> bool:
    return isinstance(x, (np.ndarray, np.generic))


def is_float_dtype(dtype: Any) -> bool:
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def shape(x: Any) -> tuple[int, ...]:
    return tuple(np.shape(x))


def set_keras_mask(x: Any, mask: Any) -> None:
    """Attach a mask to a tensor, which an array cannot carry."""
    raise NotInNetlet("netlet has no masks that are attached to arrays")


@contextlib.contextmanager
def name_scope(name: str, **kwargs: Any) -> Iterator[None]:
    """Let the paths of variables that are made meanwhile begin with ``name``."""
    _scopes.append(name)
    try:
        yield
    finally:
        _scopes.pop()


def _netlet_variable() -> type:
    import netlet
    from netlet.layers.variable import Variable

    found: type = getattr(netlet, "Variable", Variable)
    return found


class Variable(_netlet_variable(), np.lib.mixins.NDArrayOperatorsMixin):  # type: ignore[misc]
    """Netlet's variable behind the constructor of Keras', with arithmetic, which tests do on it for expectations."""

    __hash__ = object.__hash__

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(initializer, str):
            import netlet

            initializer = netlet.initializers.get(initializer)
        value = initializer(shape, dtype=standardize_dtype(dtype)) if callable(initializer) else initializer
        array = np.ascontiguousarray(np.array(convert_to_tensor(value, dtype)))
        if dtype is None and array.dtype.kind in "biuf":
            array = array.astype(floatx())
        array = array.reshape(np.shape(value))
        super().__init__(array, name or "variable", "/".join([*_scopes, name or "variable"]), trainable)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        arrays = [np.asarray(x) if isinstance(x, _netlet_variable()) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **kwargs)

    def __int__(self) -> int:
        return int(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())


KerasTensor = Missing("KerasTensor (symbolic tensors)")
compute_output_spec = Missing("backend.compute_output_spec (symbolic tensors)")


def __getattr__(name: str) -> Any:
    if name == "random":
        return importlib.import_module("standins.random")
    if name == "numpy":
        return importlib.import_module("standins.ops")
    raise AttributeError(name)
