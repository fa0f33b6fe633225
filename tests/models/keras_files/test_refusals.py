"""A file that is broken, foreign or made to harm is a ModelFormatError: no code runs, and no memory goes."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import load_model
from netlet.errors import ModelFormatError
from netlet.models.keras_files import archive, hdf5

h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install 'netlet[keras]'")
pytestmark = pytest.mark.usefixtures("numpy_backend")


def stored(make: Callable[[Any], object]) -> bytes:
    """The bytes of an HDF5 file whose group ``layers/dense/vars`` is made by ``make``."""
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        make(root.create_group("layers/dense/vars"))
    return file.getvalue()


def refused(data: bytes, why: str) -> None:
    with pytest.raises(ModelFormatError, match=why):
        hdf5.read(data)


# The archive


def test_every_shorter_file_is_refused(small: Path) -> None:
    data = small.read_bytes()
    for end in [*range(0, len(data), 211), len(data) - 1]:
        small.write_bytes(data[:end])
        with pytest.raises(ModelFormatError):
            load_model(small)


def test_a_changed_byte_is_found_or_does_no_harm(small: Path) -> None:
    data = small.read_bytes()
    rng = np.random.default_rng(3)
    for place in rng.integers(0, len(data), 150):
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        small.write_bytes(bytes(changed))
        try:
            load_model(small, compile=False).get_weights()
        except ModelFormatError:
            continue


def test_changed_bytes_of_weights_are_found_or_do_no_harm(small: Path) -> None:
    """As before, below the archive's checksums."""
    (data,) = archive.read(str(small), (archive.WEIGHTS,))
    rng = np.random.default_rng(4)
    for place in rng.integers(0, len(data), 300):
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        try:
            hdf5.read(bytes(changed))
        except ModelFormatError:
            continue


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ModelFormatError, match=r"not a \.keras file"):
        load_model(path)
    path.write_bytes(archive.write({"word/document.xml": b"<a/>"}))
    with pytest.raises(ModelFormatError, match=r"config\.json"):
        load_model(path)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "absent.keras")


@pytest.mark.parametrize("member", [archive.CONFIG, archive.WEIGHTS])
def test_a_zip_bomb_is_refused(tmp_path: Path, member: str) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in (archive.METADATA, archive.CONFIG, archive.WEIGHTS):
            file.writestr(name, bytes(1 << 25) if name == member else b"{}")
    with pytest.raises(ModelFormatError, match="claims"):
        load_model(path)


def test_a_config_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.keras"
    path.write_bytes(archive.write({archive.CONFIG: b" " * (archive.MAX_JSON + 1), archive.WEIGHTS: b""}))
    with pytest.raises(ModelFormatError, match="limit"):
        load_model(path)


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(archive.CONFIG, b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr(archive.CONFIG, b"{}")
    with pytest.raises(ModelFormatError, match="2 members"):
        load_model(path)


# Weights


def test_data_that_are_elsewhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(64))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.ones(4, np.float32)

    def virtual(group: Any) -> None:
        layout = h5py.VirtualLayout((4,), "<f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (4,))
        group.create_virtual_dataset("0", layout)

    makers: list[Callable[[Any], object]] = [
        lambda group: group.__setitem__("0", h5py.ExternalLink(str(tmp_path / "other.h5"), "x")),
        lambda group: group.__setitem__("0", h5py.SoftLink("/layers")),
        lambda group: group.create_dataset("0", (4,), "<f4", external=[(str(tmp_path / "raw"), 0, 16)]),
        virtual,
    ]
    for make in makers:
        refused(stored(make), "elsewhere|other files")


def test_arrays_without_bytes_are_refused() -> None:
    huge = (1 << 20, 1 << 20)
    refused(stored(lambda group: group.create_dataset("0", huge, "<f4", chunks=(1024, 1024))), "claims")
    refused(stored(lambda group: group.create_dataset("0", huge, "<f4")), "claims")
    zeros = np.zeros(1 << 23, np.float32)
    refused(stored(lambda group: group.create_dataset("0", data=zeros, compression="gzip")), "claims")


def test_compressed_arrays_are_read() -> None:
    values = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    data = stored(lambda group: group.create_dataset("0", data=values, compression="gzip", shuffle=True))
    np.testing.assert_array_equal(hdf5.read(data)["dense"][0], values)


@pytest.mark.parametrize("value", [np.ones(3, np.int32), np.array([b"text"]), np.ones(2, [("a", "<f4")])], ids=str)
def test_arrays_of_other_things_are_refused(value: Any) -> None:
    refused(stored(lambda group: group.__setitem__("0", value)), "expected floats")


def test_a_filter_that_hdf5_would_load_is_refused() -> None:
    values = np.ones(1000, np.float32)
    refused(stored(lambda group: group.create_dataset("0", data=values, compression="lzf")), "filter 32000")


def test_groups_that_are_not_numbered_are_refused() -> None:
    refused(stored(lambda group: group.__setitem__("1", np.ones(2, np.float32))), "expected arrays")
    refused(stored(lambda group: group.create_group("0")), "is a Group")


def test_files_of_keras_2_and_others_are_told_apart() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root.create_group("model_weights")
    refused(file.getvalue(), "Keras 2")
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root.create_group("other")
    refused(file.getvalue(), "not Keras' weights")


def test_weights_must_be_those_of_the_layers(remake: Callable[..., Path]) -> None:
    kernel, bias = np.ones((4, 3), np.float32), np.ones(3, np.float32)
    second = ("b", [np.ones((3, 2), np.float32), np.ones(2, np.float32)])
    for first, more, why in [
        ([kernel], {}, "no such weight"),
        ([kernel, bias, bias], {}, "has 3 weights for it, it takes 2"),
        ([kernel.T, bias], {}, "expected"),
        ([kernel, bias], {"dense_2": ("c", [bias])}, "dense_2"),
    ]:
        data = hdf5.write("m", {"dense": ("a", first), "dense_1": second, **more})
        with pytest.raises(ModelFormatError, match=why):
            load_model(remake(weights=data))


# The config


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"class_name": "Lambda"}, "Python code"),
        ({"class_name": "Desne"}, "Did you mean 'Dense'"),
        ({"class_name": "Functional"}, "within a model"),
        ({"module": "os", "class_name": "system"}, "'system' of module 'os'"),
        ({"module": "keras.src.ops.numpy", "class_name": "Add"}, "none of Keras' layers"),
        ({"config": None}, "must be an object"),
        ({"class_name": 3}, "class_name"),
    ],
)
def test_unknown_layers_are_refused(loads: Callable[..., Any], change: dict[str, Any], why: str) -> None:
    with pytest.raises(ModelFormatError, match=why):
        loads(lambda layer: layer.update(change))


CODE = {"class_name": "__lambda__", "config": {"value": "4wEAAAA"}}


@pytest.mark.parametrize(
    ("argument", "value", "why"),
    [
        ("activation", CODE, "Python code"),
        ("kernel_initializer", CODE, "Python code"),
        ("activation", "system", "unknown activation"),
        ("activation", {"module": "os", "class_name": "function", "config": "system"}, "unknown activation"),
        ("kernel_initializer", {"module": "os", "class_name": "Popen", "config": {}}, "unknown initializer"),
        ("kernel_regularizer", {"module": "keras", "class_name": "L3", "config": {}}, "unknown regularizer"),
        ("kernel_constraint", 3, "expected a name"),
        ("dtype", "mixed_float16", "dtype 'mixed_float16'"),
        ("units", 1 << 30, "expected"),
        ("units", -3, "units"),
        ("units", "3", "units"),
        ("quantization_config", {"mode": "int8"}, "quantization_config"),
        ("surprise", 1, "surprise"),
        ("name", "b/c", "name"),
        ("name", "b", "taken"),
    ],
)
def test_wrong_arguments_are_refused(loads: Callable[..., Any], argument: str, value: Any, why: str) -> None:
    with pytest.raises(ModelFormatError, match=why):
        loads(lambda layer: layer["config"].__setitem__(argument, value))


def test_no_module_is_imported(loads: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "harmful_module.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    named = {"module": "harmful_module", "class_name": "Dense", "registered_name": "harmful_module>Dense"}
    with pytest.raises(ModelFormatError, match="harmful_module"):
        loads(lambda layer: layer.update(named))
    with pytest.raises(ModelFormatError, match="Nothing"):
        loads(lambda layer: layer["config"].update(bias_initializer={**named, "class_name": "Nothing", "config": {}}))
    assert "harmful_module" not in sys.modules


@pytest.mark.parametrize(
    "entry", [[], {}, {"class_name": "Sequential"}, {"class_name": "Other", "config": {}}, {"config": {"layers": {}}}]
)
def test_a_config_that_is_none_is_refused(small: Path, entry: Any) -> None:
    import json

    (data,) = archive.read(str(small), (archive.WEIGHTS,))
    small.write_bytes(archive.write({archive.CONFIG: json.dumps(entry).encode(), archive.WEIGHTS: data}))
    with pytest.raises(ModelFormatError, match="config"):
        load_model(small)


def test_json_that_is_none_is_refused(small: Path) -> None:
    (data,) = archive.read(str(small), (archive.WEIGHTS,))
    for text in (b"", b"{", b"[" * 100_000, b'{"a": NaN}', b"\xff", b'{"a": 1, "a": 2}'):
        small.write_bytes(archive.write({archive.CONFIG: text, archive.WEIGHTS: data}))
        with pytest.raises(ModelFormatError, match=r"config\.json"):
            load_model(small)
