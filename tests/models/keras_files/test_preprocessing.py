"""Layers of preprocessing in Keras' files: what was adapted comes back, and what would compute otherwise is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from netlet import Input, ModelFormatError, Sequential, load_model
from netlet.layers import Dense, Embedding, Flatten, Hashing, IntegerLookup, Normalization, Rescaling, StringLookup
from netlet.models.keras_files import archive

pytest.importorskip("h5py", reason="h5py is not installed: pip install 'netlet[keras]'")
pytestmark = pytest.mark.usefixtures("numpy_backend")

WORDS = np.array([["b"], ["a"], ["?"]])


def words(num_oov_indices: int = 1) -> Sequential:
    lookup = StringLookup(vocabulary=["a", "b", "c"], num_oov_indices=num_oov_indices)
    return Sequential([Input((1,), dtype="string"), lookup, Embedding(6, 2), Flatten(), Dense(1)])


def rewrite(path: Path, config: str, **members: bytes) -> None:
    metadata, weights = archive.read(str(path), (archive.METADATA, archive.WEIGHTS))
    kept = {archive.METADATA: metadata, archive.CONFIG: config.encode(), archive.WEIGHTS: weights}
    path.write_bytes(archive.write({**kept, **members}))


def test_a_new_process_knows_the_layers(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    Sequential([Input((2,)), Rescaling(2.0)]).save(path)
    code = f"import netlet; print(netlet.load_model({str(path)!r}).predict([[1.0, 2.0]], verbose=0).tolist())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[[2.0, 4.0]]"), done.stderr


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_an_adapted_normalization_comes_back(suffix: str, tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(3, 2, (20, 3)).astype(np.float32)
    adapted = Normalization()
    adapted.adapt(x)
    model, other = Sequential([Input((3,)), adapted]), Sequential([Input((3,)), Normalization()])
    path = tmp_path / f"m{suffix}"
    if suffix == ".keras":
        model.save(path)
        other = load_model(path)
    else:
        model.save_weights(path)
        other.load_weights(path)
    # mean and variance are kept, one over the deviation is computed: a root and a quotient, of half an ulp each.
    np.testing.assert_allclose(other.predict(x, verbose=0), model.predict(x, verbose=0), rtol=4e-7, atol=4e-7)


def test_strings_are_looked_up_as_before(tmp_path: Path) -> None:
    model = words()
    model.save(tmp_path / "m.keras")
    config = json.loads(zipfile.ZipFile(tmp_path / "m.keras").read("config.json"))["config"]["layers"]
    assert config[0]["config"]["dtype"] == "string"
    assert config[1]["config"]["vocabulary"] == ["a", "b", "c"]
    again = load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(WORDS, verbose=0), model.predict(WORDS, verbose=0))


def test_a_vocabulary_that_keras_adapted_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    Sequential([Input((1,), dtype="int32"), IntegerLookup(vocabulary=[7])]).save(path)
    config = archive.read(str(path), (archive.CONFIG,))[0].decode()
    rewrite(path, config.replace("[7]", "null"), **{"assets/layers/integer_lookup/vocabulary.txt": b"-1\n5\n9"})
    model = load_model(path)
    assert model.predict(np.array([[9], [5], [3]]), verbose=0).tolist() == [[2.0], [1.0], [0.0]]


@pytest.mark.parametrize("model", [words(2), Sequential([Input((1,)), Hashing(4)])], ids=["lookup", "hashing"])
def test_what_keras_hashes_otherwise_is_not_written(model: Sequential, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="other"):
        model.save(tmp_path / "m.keras")
    assert not (tmp_path / "m.keras").exists()


def test_what_keras_hashes_otherwise_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    words().save(path)
    config = archive.read(str(path), (archive.CONFIG,))[0].decode()
    rewrite(path, config.replace('"num_oov_indices": 1', '"num_oov_indices": 2'))
    with pytest.raises(ModelFormatError, match="hashed"):
        load_model(path)


@pytest.mark.parametrize("dtype", ["int32", "int64", np.uint8, "bool"])
def test_whole_numbers_enter_as_floats(dtype: object, tmp_path: Path) -> None:
    model = Sequential([Input((2,), dtype=dtype), Embedding(4, 3), Flatten(), Dense(1)])
    assert model.dtype == "float32"
    x = np.array([[0, 1], [1, 1]])
    for suffix in (".netlet", ".keras"):
        model.save(tmp_path / f"m{suffix}")
        again = load_model(tmp_path / f"m{suffix}")
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
