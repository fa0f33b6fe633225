"""Element types, environment variables, and the words of error messages."""

from __future__ import annotations

import numpy as np
import pytest

from netlet import config, errors


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("f4"), np.dtype(np.float32)])
def test_dtypes_have_one_name(dtype: object) -> None:
    assert config.dtype_name(dtype) == "float32"
    assert config.numpy_dtype(dtype) == np.float32


@pytest.mark.parametrize("dtype", ["float16", "int32", "flaot32", None, 3, object(), np.int8, "", bool])
def test_another_dtype_is_named(dtype: object) -> None:
    with pytest.raises(ValueError, match="dtype: expected one of float32, float64, got"):
        config.dtype_name(dtype)


def test_a_misspelt_dtype_gets_a_suggestion() -> None:
    with pytest.raises(ValueError, match=r"Did you mean 'float32'\?"):
        config.dtype_name("flaot32")


@pytest.mark.parametrize("value", [None, "", "  "], ids=["unset", "empty", "blank"])
def test_unset_and_empty_variables_are_none(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NETLET_BACKEND", "NETLET_ISA", "NETLET_NUM_THREADS", "NETLET_REQUIRE"):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    assert config.env_backend() is None and config.env_isa() is None
    assert config.env_num_threads() is None and config.env_require() == frozenset()


def test_variables_are_read_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLET_BACKEND", " native:avx2 ")
    monkeypatch.setenv("NETLET_ISA", "avx2")
    monkeypatch.setenv("NETLET_NUM_THREADS", "3")
    monkeypatch.setenv("NETLET_REQUIRE", "numpy, native:avx2,")
    assert (config.env_backend(), config.env_isa(), config.env_num_threads()) == ("native:avx2", "avx2", 3)
    assert config.env_require() == {"numpy", "native:avx2"}


@pytest.mark.parametrize("value", ["0", "-1", "2.5", "many", "1e3", "٣", "+2"])
def test_a_bad_number_of_threads_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLET_NUM_THREADS", value)
    with pytest.raises(ValueError, match="NETLET_NUM_THREADS: expected a positive integer, got"):
        config.env_num_threads()


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("rleu", " Did you mean 'relu'?"),
        ("RELU", " Did you mean 'relu'?"),
        ("leaky-relu", " Did you mean 'leaky_relu'?"),
        ("LeakyReLU", " Did you mean 'leaky_relu'?"),
        ("zzzz", ""),
        (3, ""),
        (None, ""),
    ],
)
def test_the_nearest_name_is_suggested(name: object, suggestion: str) -> None:
    assert errors.did_you_mean(name, ["relu", "leaky_relu", "tanh"]) == suggestion


def test_an_unknown_name_lists_the_known_ones() -> None:
    error = errors.unknown_name("activation", "tahn", ["tanh", "relu"])
    assert isinstance(error, ValueError)
    assert str(error) == "unknown activation 'tahn'. Did you mean 'tanh'? Known: relu, tanh"


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name.endswith("Error")])
def test_every_error_is_a_netlet_error_and_a_builtin_one(name: str) -> None:
    error = getattr(errors, name)
    assert issubclass(error, errors.NetletError)
    assert name == "NetletError" or issubclass(error, (ValueError, RuntimeError))
