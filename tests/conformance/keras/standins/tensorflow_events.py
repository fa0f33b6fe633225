"""What TensorBoard's tests read event files with: TensorFlow's ``tf_record_iterator`` and ``Event``, for reading alone.

A file is a row of records: length (uint64), its masked CRC-32C, the bytes, their masked CRC-32C; each record is an
``Event`` in protobuf's wire format. Field numbers are those of TensorBoard's event.proto and summary.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE = _crc_table()


def masked_crc32c(data: bytes) -> int:
    """Return the CRC-32C of ``data``, rotated and shifted as TFRecord stores it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def tf_record_iterator(path: str) -> Iterator[bytes]:
    """Yield the records of the file at ``path``; ValueError if one is cut short or its checksum is wrong."""
    data = Path(path).read_bytes()
    at = 0
    while at < len(data):
        if at + 12 > len(data):
            raise ValueError(f"{path}: the record at {at} is cut short")
        length, length_crc = struct.unpack_from("<QI", data, at)
        record = data[at + 12 : at + 12 + length]
        if masked_crc32c(data[at : at + 8]) != length_crc or at + 16 + length > len(data):
            raise ValueError(f"{path}: the record at {at} has a wrong length")
        if masked_crc32c(record) != struct.unpack_from("<I", data, at + 12 + length)[0]:
            raise ValueError(f"{path}: the record at {at} has a wrong checksum")
        yield record
        at += 16 + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value (an int, or the bytes) of each field of a protobuf message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(data):
            raise ValueError(f"field {number} is cut short")
        yield number, data[at : at + size]
        at += size


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError(f"expected bytes, got {value}")
    return value


@dataclass
class PluginData:
    plugin_name: str = ""


@dataclass
class SummaryMetadata:
    plugin_data: PluginData = field(default_factory=PluginData)


#: The alternatives of a summary's value, by field number.
KINDS = {2: "simple_value", 3: "obsolete_old_style_histogram", 4: "image", 5: "histo", 6: "audio", 8: "tensor"}


class Value:
    """One entry of a summary."""

    def __init__(self, data: bytes) -> None:
        self.tag, self._kind, self.metadata = "", None, SummaryMetadata()
        for number, value in fields(data):
            if number == 1:
                self.tag = _bytes(value).decode()
            elif number in KINDS:
                self._kind = KINDS[number]
            elif number == 9:
                plugin = next((_bytes(part) for at, part in fields(_bytes(value)) if at == 1), b"")
                name = next((_bytes(part) for at, part in fields(plugin) if at == 1), b"")
                self.metadata.plugin_data.plugin_name = name.decode()

    def WhichOneof(self, name: str) -> str | None:
        return self._kind


class Summary:
    def __init__(self, data: bytes) -> None:
        self.value = [Value(_bytes(value)) for number, value in fields(data) if number == 1]


class Event:
    """One record of an event file."""

    def __init__(self, data: bytes) -> None:
        parts = dict(fields(data))
        self.step = parts.get(2, 0)
        self.graph_def = parts.get(4, b"")
        self.summary = Summary(_bytes(parts.get(5, b"")))

    @classmethod
    def FromString(cls, data: bytes) -> Event:
        return cls(data)
