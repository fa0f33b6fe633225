"""Read and write the safetensors file format, with every rule of it checked.

Layout: 8 bytes little-endian N, then N bytes of JSON (an object, padded with spaces), then the tensors' bytes. The
JSON maps each tensor's name to ``{"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}`` and, optionally,
``"__metadata__"`` to a map of strings. Source: https://github.com/huggingface/safetensors#format

Nothing is allocated for tensors before the whole header has been checked against the size of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlet.errors import ModelFormatError

MAX_HEADER = 100_000_000  # bytes, the format's own limit
DATA_ALIGNMENT = 64  # bytes, where the tensors of a file that we write begin

DTYPES = {
    "BOOL": "?",
    "U8": "<u1",
    "I8": "<i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
}
_NAMES = {np.dtype(code): name for name, code in DTYPES.items()}


class TensorInfo(NamedTuple):
    """Where one tensor lies: its element type, its shape, its bytes ``[begin, end)`` after the header."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def write(file: BinaryIO, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Write ``tensors`` in the order given, with ``metadata``, to a binary file.

    Raises: ValueError if a tensor's dtype has no place in the format.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    arrays = []
    begin = 0
    for name, tensor in tensors.items():
        array = np.ascontiguousarray(tensor).reshape(tensor.shape)
        dtype = array.dtype.newbyteorder("<")
        if dtype not in _NAMES:
            raise ValueError(f"{name}: dtype {array.dtype} cannot be saved; known: {', '.join(DTYPES)}")
        arrays.append(array.astype(dtype, copy=False))
        end = begin + array.nbytes
        header[name] = {"dtype": _NAMES[dtype], "shape": list(array.shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(8 + len(text)) % DATA_ALIGNMENT)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for array in arrays:
        file.write(array.tobytes())


def read(file: BinaryIO, size: int) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the tensors and the metadata of a file of ``size`` bytes, read from its beginning.

    The arrays are read-only views of one buffer.

    Raises: ModelFormatError if the file breaks any rule of the format.
    """
    infos, metadata, data_size = read_header(file, size)
    data = file.read(data_size)
    if len(data) != data_size:
        raise ModelFormatError(f"file ends after {len(data)} of {data_size} bytes of tensors")
    tensors = {}
    for name, info in infos.items():
        count = (info.end - info.begin) // info.dtype.itemsize
        flat = np.frombuffer(data, info.dtype, count, info.begin) if count else np.zeros(0, info.dtype)
        try:
            tensors[name] = flat.reshape(info.shape)
        except ValueError as error:  # no elements, yet axes that NumPy cannot hold: [0, 2**62, 2**62]
            raise ModelFormatError(f"tensor {name!r}: shape {list(info.shape)}: {error}") from None
    return tensors, metadata


def read_header(file: BinaryIO, size: int) -> tuple[dict[str, TensorInfo], dict[str, str], int]:
    """Return the checked header of a file of ``size`` bytes: the tensors, the metadata, the bytes of data.

    Raises: ModelFormatError as `read` does.
    """
    prefix = file.read(8)
    if len(prefix) < 8:
        raise ModelFormatError(f"file has {len(prefix)} bytes, expected at least 8")
    length = int.from_bytes(prefix, "little")
    if length > MAX_HEADER:
        raise ModelFormatError(f"header length {length} exceeds the limit of {MAX_HEADER}: not a safetensors file")
    if length > size - 8:
        raise ModelFormatError(f"header length {length} exceeds the {size - 8} bytes that follow it")
    text = file.read(length)
    if len(text) != length:
        raise ModelFormatError(f"file ends after {len(text)} of {length} bytes of header")
    entries = _parse(text)
    metadata = _check_metadata(entries.pop("__metadata__", {}))
    infos = {name: _check_entry(name, entry) for name, entry in entries.items()}
    data_size = size - 8 - length
    _check_offsets(infos.items(), data_size)
    return infos, metadata, data_size


def parse_json(text: str | bytes, what: str) -> Any:
    """Return the value of JSON ``text``; ModelFormatError naming ``what`` if it is not JSON or repeats a key."""

    def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            names = [name for name, _ in pairs]
            repeated = next(name for name in names if names.count(name) > 1)
            raise ModelFormatError(f"{what}: key {repeated!r} is repeated")
        return result

    def reject(constant: str) -> Any:
        raise ModelFormatError(f"{what}: {constant} is not JSON")

    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(decoded, object_pairs_hook=without_repeats, parse_constant=reject)
    except ModelFormatError:
        raise
    except (ValueError, RecursionError) as error:  # ValueError covers bad UTF-8, bad JSON and overlong integers
        raise ModelFormatError(f"{what}: not valid JSON: {error}") from None


def _parse(text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        raise ModelFormatError("header does not begin with '{': not a safetensors file")
    entries = parse_json(text, "header")
    if not isinstance(entries, dict):
        raise ModelFormatError(f"header: expected an object, got {type(entries).__name__}")
    for name in entries:
        _check_text(name, "header: a tensor's name")
    return entries


def _check_text(text: str, what: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ModelFormatError(f"{what} holds a lone surrogate") from None


def _check_metadata(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ModelFormatError("header: __metadata__ must map strings to strings")
    for key, value in metadata.items():
        _check_text(key, "header: a key of __metadata__")
        _check_text(value, f"header: __metadata__[{key!r}]")
    return metadata


def _check_entry(name: str, entry: Any) -> TensorInfo:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ModelFormatError(f"tensor {name!r}: expected an object with dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ModelFormatError(f"tensor {name!r}: unknown dtype {dtype!r}; known: {', '.join(DTYPES)}")
    if not isinstance(shape, list) or not all(_is_size(n) for n in shape) or len(shape) > 32:
        raise ModelFormatError(f"tensor {name!r}: shape must be a list of at most 32 sizes, got {shape!r}")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(_is_size(n) for n in offsets):
        raise ModelFormatError(f"tensor {name!r}: data_offsets must be two sizes, got {offsets!r}")
    begin, end = offsets
    kind = np.dtype(DTYPES[dtype])
    count = 1
    for n in shape:
        count *= n  # Python integers do not overflow
    if end - begin != count * kind.itemsize:
        raise ModelFormatError(
            f"tensor {name!r}: {dtype} of shape {shape} takes {count * kind.itemsize} bytes, data_offsets are {offsets}"
        )
    return TensorInfo(kind, tuple(shape), begin, end)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _check_offsets(infos: Iterable[tuple[str, TensorInfo]], data_size: int) -> None:
    """Check that the tensors cover the data without a hole and without overlap."""
    position = 0
    for name, info in sorted(infos, key=lambda item: (item[1].begin, item[1].end)):
        if info.begin != position:
            fault = "a hole before it" if info.begin > position else "an overlap"
            raise ModelFormatError(f"tensor {name!r}: data begin at {info.begin}, expected {position} ({fault})")
        position = info.end
    if position != data_size:
        raise ModelFormatError(f"tensors take {position} bytes, the file holds {data_size}")
