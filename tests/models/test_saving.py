"""Saving and loading: the same bits, the same training; a broken file is a ModelFormatError and nothing else."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Sequential, load_model, optimizers
from netlet.errors import ModelFormatError, NotBuiltError
from netlet.layers import Dense
from netlet.metrics import F1Score, Precision
from netlet.models import safetensors
from netlet.models.saving import from_bytes, to_bytes
from netlet.optimizers import SGD
from netlet.program import Program


def bits(model: Sequential) -> list[bytes]:
    return [weight.tobytes() for weight in model.get_weights()]


@pytest.fixture
def trained(rows: Any, make_classifier: Any) -> Sequential:
    """A classifier in the middle of its training, with momentum."""
    x, y = rows
    model: Sequential = make_classifier(
        optimizer=SGD(0.1, momentum=0.9, nesterov=True),
        metrics=["accuracy", Precision(name="precision"), F1Score("macro")],
    )
    model.fit(x, y, epochs=3, batch_size=16, verbose=0)
    model.optimizer.learning_rate = 0.05
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_model_predicts_and_trains_the_same_bits(
    backend: str, rows: Any, make_classifier: Any, tmp_path: Path, dtype: str
) -> None:
    x, y = rows
    model = make_classifier(dtype, optimizer=SGD(0.1, momentum=0.9), metrics=["accuracy"])
    model.fit(x, y, epochs=2, batch_size=16, verbose=0)
    model.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert bits(loaded) == bits(model)
    assert loaded.predict(x).tobytes() == model.predict(x).tobytes()
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert loaded.dtype == dtype
    a = model.fit(x, y, epochs=3, batch_size=16, verbose=0).history
    b = loaded.fit(x, y, epochs=3, batch_size=16, verbose=0).history
    assert a == b
    assert bits(loaded) == bits(model)
    assert loaded.optimizer.iterations == model.optimizer.iterations == 20


def test_everything_comes_back(rows: Any, trained: Sequential, tmp_path: Path) -> None:
    trained.save(str(tmp_path / "model"))
    loaded = load_model(tmp_path / "model")
    assert loaded.get_config() == trained.get_config()
    assert loaded.get_compile_config() == trained.get_compile_config()
    assert loaded.metrics_names == ["loss", "accuracy", "precision", "f1_score"]
    assert loaded.optimizer.learning_rate == 0.05
    assert loaded.optimizer.iterations == 12
    before = netlet.random.global_generator().count
    bare = load_model(tmp_path / "model", compile=False)
    assert not bare.compiled
    assert bare.predict(rows[0]).tobytes() == trained.predict(rows[0]).tobytes()
    assert netlet.random.global_generator().count == before  # loading draws no random number


def test_a_model_that_was_never_compiled_is_saved(rows: Any, tmp_path: Path) -> None:
    model = Sequential([Dense(3, kernel_initializer=lambda shape, dtype: np.ones(shape, dtype), input_shape=(6,))])
    model.save(tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert not loaded.compiled
    assert bits(loaded) == bits(model)
    model.compile(SGD(momentum=0.5))  # without a loss: nothing to train, no slots
    model.save(tmp_path / "m")
    assert load_model(tmp_path / "m").optimizer.momentum == 0.5


def test_the_file_is_safetensors_with_the_program_in_it(rows: Any, trained: Sequential, tmp_path: Path) -> None:
    from safetensors import safe_open

    trained.save(tmp_path / "m.safetensors")
    with safe_open(tmp_path / "m.safetensors", "np") as file:
        metadata = file.metadata()
        names = list(file.keys())
        kernel = file.get_tensor("dense/kernel" if "dense/kernel" in names else names[-1])
    assert kernel.dtype == np.float32
    paths = [w.path for w in trained.weights]
    assert set(names) == {*paths, *(f"optimizer/momentum/{path}" for path in paths)}
    assert set(metadata) == {"format", "version", "config", "program", "compile", "training"}
    program = Program.from_json(metadata["program"])
    assert [p.name for p in program.params] == paths
    assert program.loss is not None
    assert program.loss.attrs["from_logits"] is True  # the optimized program: what a C program runs
    with (tmp_path / "m.safetensors").open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    assert (8 + length) % 64 == 0  # tensors are aligned where the file is mapped


def test_our_reader_opens_what_the_safetensors_package_writes() -> None:
    from safetensors.numpy import save

    rng = np.random.default_rng(0)
    tensors = {
        "a": rng.random((3, 2)).astype(np.float32),
        "b": np.arange(5),
        "c": np.full((), 3.5),
        "empty": np.zeros((0, 4), np.int8),
        "flags": np.array([True, False]),
        "half": np.ones(3, np.float16),
    }
    data = save(tensors, {"key": "välue"})
    found, metadata = safetensors.read(io.BytesIO(data), len(data))
    assert metadata == {"key": "välue"}
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        assert (found[name] == tensor).all()


def test_a_file_truncated_anywhere_is_a_format_error(trained: Sequential) -> None:
    data = to_bytes(trained)
    for size in [*range(200), *range(200, len(data), 97), len(data) - 1]:
        with pytest.raises(ModelFormatError):
            from_bytes(data[:size])
    with pytest.raises(ModelFormatError):
        from_bytes(data + b"\0")


def test_every_flipped_header_bit_loads_or_is_a_format_error(numpy_backend: None) -> None:
    model = Sequential([Dense(2, "relu", name="d", input_shape=(3,))], name="m")
    model.compile(SGD(momentum=0.5), "mse", metrics=["mae"])
    model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    data = to_bytes(model)
    length = int.from_bytes(data[:8], "little")
    refused = 0
    for bit in range(8 * (8 + length)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        try:
            loaded = from_bytes(bytes(broken))
        except ModelFormatError:
            refused += 1
        else:
            assert loaded.predict(np.ones((1, 3))).shape == (1, 2)
    assert refused > 0.8 * 8 * (8 + length)


def with_header(change: Callable[[dict[str, Any]], Any], model: Sequential) -> bytes:
    """The bytes of ``model`` with its header changed."""
    data = to_bytes(model)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    text = change(header)
    encoded = text if isinstance(text, bytes) else json.dumps(header if text is None else text).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data[8 + length :]


def in_metadata(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(header: dict[str, Any]) -> None:
        if value is None:
            del header["__metadata__"][key]
        else:
            header["__metadata__"][key] = value

    return change


def in_config(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], None]:
    def apply(header: dict[str, Any]) -> None:
        config = json.loads(header["__metadata__"]["config"])
        change(config)
        header["__metadata__"]["config"] = json.dumps(config)

    return apply


def in_tensor(**entries: Any) -> Callable[[dict[str, Any]], None]:
    return lambda header: header["d/kernel"].update(entries)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: b"[]", r"does not begin with '\{'"),
        (lambda h: b"{" * 100_000, "not valid JSON"),
        (lambda h: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not valid JSON"),
        (lambda h: b'{"a": 1, "a": 2}', "key 'a' is repeated"),
        (lambda h: b'{"a": NaN}', "NaN is not JSON"),
        (lambda h: b'{"\xff": 1}', "not valid JSON"),
        (lambda h: b'{"\\ud800": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}', "lone surrogate"),
        (lambda h: b'{"a": ' + b"9" * 10_000 + b"}", "not valid JSON|expected an object"),
        (lambda h: h.update(__metadata__=3), "__metadata__ must map"),
        (lambda h: h.update(__metadata__={"a": 1}), "__metadata__ must map"),
        (lambda h: h.update(extra=3), "tensor 'extra': expected an object"),
        (in_tensor(more=1), "expected an object with dtype, shape and data_offsets"),
        (in_tensor(dtype="F31"), "unknown dtype 'F31'"),
        (in_tensor(dtype="BF16"), "unknown dtype 'BF16'"),
        (in_tensor(dtype=["F32"]), "unknown dtype"),
        (in_tensor(shape=[3, -2]), "shape must be a list"),
        (in_tensor(shape=[3, 2.0]), "shape must be a list"),
        (in_tensor(shape=[True, 6]), "shape must be a list"),
        (in_tensor(shape=[2**62, 2**62]), "takes"),
        (in_tensor(shape=[0, 2**62, 2**62], data_offsets=[0, 0]), "maximum|too big|array|hole"),
        (in_tensor(shape=[2, 2]), "takes 16 bytes"),
        (in_tensor(data_offsets=[0, 24, 30]), "must be two sizes"),
        (in_tensor(data_offsets=[24, 0]), "takes 24 bytes"),
        (in_tensor(data_offsets=[4, 28]), "hole"),
        (lambda h: h["d/bias"].update(data_offsets=[20, 28]), "overlap"),
        (lambda h: {k: v for k, v in h.items() if k != "d/bias"}, "hole|tensors take"),
        (in_metadata("format", None), "format is None, expected 'netlet-model'"),
        (in_metadata("format", "pt"), "format is 'pt'"),
        (in_metadata("version", "2"), "saved by a newer Netlet"),
        (in_metadata("program", None), "metadata lacks program"),
        (in_metadata("program", "{}"), "program"),
        (in_metadata("config", "{"), "config: not valid JSON"),
        (in_metadata("config", "3"), "Sequential config"),
        (in_metadata("compile", "[]"), "compile: expected an object or null"),
        (in_metadata("compile", '{"optimizer": "sdg"}'), "unknown optimizer"),
        (in_metadata("compile", '{"danger": 1}'), "unexpected keyword"),
        (in_metadata("training", "{}"), "training: expected an object"),
        (
            in_metadata("training", '{"iterations": -1, "shuffle_seed": null, "shuffle_count": 0}'),
            "iterations must be an integer",
        ),
        (
            in_metadata("training", '{"iterations": 0, "shuffle_seed": 1.5, "shuffle_count": 0}'),
            "shuffle_seed must be an integer",
        ),
        (in_config(lambda c: c["layers"][1]["config"].update(units=10**9)), "weight has shape"),
        (in_config(lambda c: c["layers"][1]["config"].update(units=10**30)), "units must be a positive integer"),
        (in_config(lambda c: c["layers"][1]["config"].update(name="e")), "the file has no such weight"),
        (in_config(lambda c: c["layers"][1]["config"].update(danger=1)), "unexpected arguments danger"),
        (in_config(lambda c: c["layers"][1].update(class_name="os.system")), "unknown layer"),
        (in_config(lambda c: c["layers"][1].update(class_name=["Dense"])), "layer config"),
        (in_config(lambda c: c["layers"].pop()), "no input shape"),
        (in_config(lambda c: c["layers"].append(c["layers"][1] | {"config": {"units": 2}})), "no such weight"),
        (
            in_config(lambda c: c["layers"].append({"class_name": "Reshape", "config": {"target_shape": [1, 2]}})),
            "its output|program",
        ),
        (in_config(lambda c: c["layers"].pop(0)), "no input shape"),
        (in_config(lambda c: c.update(dtype="float64")), "dtype"),
    ],
)
def test_a_broken_file_is_a_format_error(numpy_backend: None, change: Any, message: str) -> None:
    model = Sequential([Dense(2, "relu", name="d", input_shape=(3,))], name="m")
    model.compile(SGD(momentum=0.5), "mse")
    with pytest.raises(ModelFormatError, match=message):
        from_bytes(with_header(change, model))
    assert from_bytes(with_header(lambda h: None, model)).built  # the change is what broke it


def test_missing_optimizer_slots_are_a_format_error(numpy_backend: None) -> None:
    model = Sequential([Dense(2, name="d", input_shape=(3,))])
    model.compile("sgd", "mse")
    settings = model.get_compile_config()
    assert settings is not None
    settings["optimizer"]["config"]["momentum"] = 0.5
    with pytest.raises(ModelFormatError, match="the file holds slots"):
        from_bytes(with_header(in_metadata("compile", json.dumps(settings)), model))


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 7, b"\0" * 8, b"\xff" * 8, b"\x93NUMPY\x01\x00v\x00{'descr'", b"PK\3\4" * 10]
)
def test_foreign_files_are_format_errors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ModelFormatError):
        load_model(tmp_path / "m")


def test_files_that_cannot_be_read_are_os_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "absent")
    with pytest.raises(IsADirectoryError):
        load_model(tmp_path)
    with pytest.raises(TypeError, match="filepath must be a path"):
        load_model(3.5)


def test_save_refuses(tmp_path: Path, trained: Sequential) -> None:
    with pytest.raises(NotBuiltError, match="not built"):
        Sequential([Dense(2)]).save(tmp_path / "m")
    for name in ("m.h5", "m.onnx"):
        with pytest.raises(ValueError, match="another format"):
            trained.save(tmp_path / name)
    with pytest.raises(TypeError, match="filepath must be a path"):
        trained.save(None)
    trained.save(tmp_path / "m")
    with pytest.raises(FileExistsError):
        trained.save(tmp_path / "m", overwrite=False)
    with pytest.raises(FileNotFoundError):
        trained.save(tmp_path / "absent" / "m")
    assert os.listdir(tmp_path) == ["m"]


def test_save_replaces_in_one_step(tmp_path: Path, trained: Sequential, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"old")
    synced = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(stat.S_ISDIR(os.fstat(fd).st_mode)), fsync(fd))[1])

    def failing(source: Any, target: Any) -> None:
        assert synced == [False]  # the data are on disk before the name changes
        raise OSError("no")

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="no"):
        trained.save(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m"]
    synced.clear()
    monkeypatch.setattr(os, "replace", replace)
    trained.save(path)
    assert synced == [False, True]  # the file, then the directory
    assert load_model(path).built


def test_save_follows_links_and_the_umask(tmp_path: Path, trained: Sequential) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    before = os.umask(0o027)
    try:
        trained.save(tmp_path / "link")
        trained.save(tmp_path / "new")
    finally:
        os.umask(before)
    assert (tmp_path / "link").is_symlink()
    assert load_model(tmp_path / "real").built
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


AUDIT = """
import sys
import numpy as np
import netlet
from netlet.models import saving
path = sys.argv[1]
netlet.load_model(path, compile=False).predict(np.zeros((1, 6), np.float32))  # what is lazy is loaded now
events = []
sys.addaudithook(lambda event, args: events.append((event, args)) if listening else None)
listening = True
model = netlet.load_model(path)
listening = False
for event, args in events:
    if event == "open":
        assert args[0] == path, args
    for forbidden in ("import", "exec", "compile", "subprocess", "os.", "socket", "ctypes", "pickle", "marshal"):
        assert not event.startswith(forbidden), (event, args)
print(sorted({event for event, _ in events}))
"""


def test_loading_is_only_a_read(tmp_path: Path, trained: Sequential) -> None:
    trained.save(tmp_path / "m")
    command = [
        sys.executable,
        "-c",
        AUDIT.replace("events = []", "events = []\nlistening = False"),
        str(tmp_path / "m"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "'open'" in done.stdout


@pytest.mark.parametrize("options", [{}, {"use_ema": True, "gradient_accumulation_steps": 3, "global_clipnorm": 0.5}])
@pytest.mark.parametrize("name", sorted({cls.__name__ for cls in optimizers.REGISTRY.objects.values() if cls.op}))
def test_training_resumes_bitwise_with_every_optimizer(
    backend: str, rows: Any, make_classifier: Any, tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    """Also in the midst of gradients that are gathered, and of a schedule."""
    x, y = rows
    schedule = optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)
    model = make_classifier(optimizer=getattr(optimizers, name)(learning_rate=schedule, **options))
    model.fit(x, y, batch_size=10, verbose=0)  # five steps
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for each in (model, loaded):
        each.fit(x, y, epochs=2, batch_size=16, verbose=0)
    assert bits(loaded) == bits(model)
    for a, b in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        assert a.path == b.path and a.numpy().tobytes() == b.numpy().tobytes()
