"""The zip archive that a ``.keras`` file is: three members, without compression.

Reading believes no number in the archive: JSON members have a limit, and a member may be at most `MAX_EXPANSION` times
as long as its bytes in the file, so a small file cannot ask for much memory.
"""

from __future__ import annotations

import io
import lzma
import os
import re
import struct
import zipfile
import zlib

from netlet.errors import ModelFormatError

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
MAX_JSON = 1 << 24  # bytes of config.json: some 20,000 layers
MAX_EXPANSION = 100  # Keras does not compress; a file that someone compressed again passes
SLACK = 1 << 16  # bytes that any member may have, whatever it takes in the file

_VOCABULARY = re.compile(r"assets/layers/[^/]+/vocabulary\.txt")

_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


def write(members: dict[str, bytes]) -> bytes:
    """Return an archive of ``members``. The same members give the same bytes: it holds no time."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


def read(path: str, names: tuple[str, ...]) -> list[bytes]:
    """Return what the archive at ``path`` holds under ``names``; members of other names are not touched.

    Raises: ModelFormatError if it is no archive, lacks a member, or one is broken, too long or a bomb; OSError.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            with zipfile.ZipFile(file) as archive:
                return [_member(archive, name, size) for name in names]
        except ModelFormatError:
            raise
        except _FAULTS as error:
            raise ModelFormatError(f"{path!r} is not a .keras file, or broken: {error}") from None


def read_vocabularies(path: str) -> dict[str, list[str]]:
    """Return the vocabularies that layers were adapted to: for each layer's group its tokens.

    Raises: ModelFormatError as of `read`; OSError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if _VOCABULARY.fullmatch(name)]
        return {
            name.split("/")[2]: data.decode().split("\n")
            for name, data in zip(names, read(path, tuple(names)), strict=True)
        }
    except ModelFormatError:
        raise
    except _FAULTS as error:
        raise ModelFormatError(f"{path!r} has a broken vocabulary: {error}") from None


def _member(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    found = [info for info in archive.infolist() if info.filename == name]
    if len(found) != 1:
        raise ModelFormatError(f"the archive has {len(found)} members {name!r}, expected one: not a .keras file")
    info = found[0]
    if info.compress_size > size or info.file_size > MAX_EXPANSION * info.compress_size + SLACK:
        raise ModelFormatError(
            f"member {name!r} claims {info.file_size} bytes and has {info.compress_size} in a file of {size}: refused"
        )
    if name != WEIGHTS and info.file_size > MAX_JSON:
        raise ModelFormatError(f"member {name!r} has {info.file_size} bytes, the limit is {MAX_JSON}")
    with archive.open(info) as member:
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise ModelFormatError(f"member {name!r} has {len(data)} bytes, the archive says {info.file_size}")
    return data
