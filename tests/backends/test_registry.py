"""The registry: which target serves, what it says about the others, and what make_executor refuses."""

from __future__ import annotations

import numpy as np
import pytest

from netlet.backends import (
    Executor,
    all_targets,
    available_backends,
    backend_reasons,
    default_target,
    make_executor,
    registry,
    target_reason,
)
from netlet.backends.registry import BACKENDS, Backend
from netlet.errors import BackendUnavailableError
from netlet.program import LOSSES, Program
from netlet.testing.programs import initial_params, sample_programs


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETLET_BACKEND", raising=False)


def program() -> Program:
    return sample_programs()["classifier"]


def arrays(p: Program) -> list[np.ndarray]:
    return [initial_params(p), np.empty(0, np.float32), np.zeros((p.num_slots, p.param_size), np.float32)]


def test_numpy_is_always_there_and_last() -> None:
    assert available_backends()[-1] == "numpy"
    assert list(backend_reasons()) == ["native", "numba", "numpy"]
    assert backend_reasons()["numpy"] is None
    assert default_target() == available_backends()[0]
    assert {"numpy", "numba", "native", "native:baseline", "native:avx2", "native:avx512"} <= set(all_targets())


def test_reasons_name_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    reasons = backend_reasons()
    assert "netlet" in reasons["native"] and "pip install" in reasons["numba"]
    assert available_backends() == ["numpy"] and default_target() == "numpy"
    with pytest.raises(BackendUnavailableError, match="numba: numba is not installed"):
        make_executor(program(), *arrays(program()), target="numba")
    monkeypatch.setenv("NETLET_BACKEND", "numba")
    with pytest.raises(BackendUnavailableError, match="NETLET_BACKEND=numba: numba is not installed"):
        default_target()


def test_the_environment_picks_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLET_BACKEND", "numpy")
    assert default_target() == "numpy"
    assert type(make_executor(program(), *arrays(program()))).__name__ == "NumpyExecutor"
    monkeypatch.setenv("NETLET_BACKEND", "numpi")
    with pytest.raises(ValueError, match=r"NETLET_BACKEND: unknown backend 'numpi'. Did you mean 'numpy'\?"):
        default_target()


@pytest.mark.parametrize("name", ["nativ", "native:avx1024", "numpy:fast", ":", "", "numpy:"])
def test_an_unknown_target_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"unknown backend '{name}'.*Known: .*numpy"):
        target_reason(name)
    with pytest.raises(ValueError, match="unknown backend"):
        make_executor(program(), *arrays(program()), target=name)


def test_a_target_that_is_no_name_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="expected a name"):
        target_reason(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", available_backends())
def test_executors_keep_the_arrays_that_they_are_given(target: str) -> None:
    p = program()
    params, state, slots = arrays(p)
    executor = make_executor(p, params, state, slots, target=target)
    assert isinstance(executor, Executor)
    assert executor.params is params and executor.slots is slots and executor.program is p


WRONG = {
    "list": (lambda a: a.tolist(), TypeError, "params: expected a NumPy array, got list"),
    "type": (lambda a: a.astype(np.float64), ValueError, "params: expected float32 of shape .*, got float64"),
    "size": (lambda a: a[:-1], ValueError, r"params: expected float32 of shape \(.*\), got float32 of shape \(.*\)"),
    "axes": (lambda a: a[None], ValueError, "params: expected"),
    "layout": (lambda a: np.repeat(a, 2)[::2], ValueError, "params: expected a C-contiguous, writeable array"),
    "read-only": (lambda a: _frozen(a), ValueError, "writeable"),
}


def _frozen(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.flags.writeable = False
    return a


@pytest.mark.parametrize("defect", WRONG)
def test_a_wrong_arena_is_named(defect: str) -> None:
    p = program()
    params, state, slots = arrays(p)
    change, error, message = WRONG[defect]
    with pytest.raises(error, match=message):
        make_executor(p, change(params), state, slots, target="numpy")


def test_slots_must_be_those_of_the_optimizer() -> None:
    p = program()
    params, state, slots = arrays(p)
    with pytest.raises(ValueError, match="slots: expected"):
        make_executor(p, params, state, slots[:0], target="numpy")
    with pytest.raises(ValueError, match="state: expected"):
        make_executor(p, params, params, slots, target="numpy")


@pytest.mark.parametrize("threads", [0, -1, 1.0, True, "2"])
def test_num_threads_must_be_positive(threads: object) -> None:
    with pytest.raises(ValueError, match="num_threads: expected a positive integer or None"):
        make_executor(program(), *arrays(program()), target="numpy", num_threads=threads)  # type: ignore[arg-type]


def test_kernels_are_claimed_for_what_they_know() -> None:
    """What has no kernel is computed by the reference, so every backend has it."""
    assert all(backend.supports(spec) for backend in BACKENDS.values() for spec in LOSSES.values())
    for name, spec in LOSSES.items():
        assert spec.native == (name in NATIVE)
    assert LOSSES["binary_crossentropy"].is_native({"from_logits": False})
    assert not LOSSES["binary_crossentropy"].is_native({"from_logits": False, "label_smoothing": 0.1})
    sparse = LOSSES["sparse_categorical_crossentropy"]
    assert [sparse.is_native({"from_logits": logits}) for logits in (True, False)] == [True, False]
    lacking = Backend("a", lambda: None, "m:f", missing=frozenset({"dice"}))
    assert not lacking.supports(LOSSES["dice"])


NATIVE = {
    "mean_squared_error",
    "mean_absolute_error",
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "poisson",
}
