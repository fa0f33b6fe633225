"""Which backends there are, which of them can run here, and which one serves when nobody asks for another.

A *target* is a backend's name, for some with a variant: ``numpy``, ``numba``, ``native``, ``native:avx2``. Asking what
is available imports nothing heavy; a backend's module is imported when its first executor is made.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from netlet.backends.extras import NO_EXTRAS, Extras
from netlet.config import env_backend, numpy_dtype
from netlet.errors import BackendUnavailableError, unknown_name
from netlet.program.program import Program
from netlet.program.spec import Array, Attrs, Spec

if TYPE_CHECKING:
    from netlet.backends.executor import Executor

__all__ = [
    "BACKENDS",
    "Backend",
    "all_targets",
    "available_backends",
    "backend_reasons",
    "default_target",
    "make_executor",
    "target_reason",
]


class Backend(NamedTuple):
    """A backend as the registry knows it.

    Attributes:
        name: the first part of a target.
        reason: returns None if it can run here, else why not; imports nothing heavy.
        factory: ``"module:attribute"`` of what makes an executor, called as
            ``factory(program, params, state, slots, variant=None or str, num_threads=None or int, extras=Extras)``.
        variants: the second parts that a target may have. The module then has
            ``variant_reason(variant) -> str | None``, which says why one cannot run here.
        missing: names of ops, losses, metrics and optimizers that it does not have (yet).
    """

    name: str
    reason: Callable[[], str | None]
    factory: str
    variants: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()

    def supports(self, spec: Spec, attrs: Attrs | None = None) -> bool:
        """Returns whether it has an op, loss, metric or optimizer, with these attributes (or any, if None).

        What it has no kernel for it computes by calling the spec's reference.
        """
        return spec.name not in self.missing

    @property
    def module(self) -> str:
        """The module that holds the factory."""
        return self.factory.partition(":")[0]


def _native_reason() -> str | None:
    if importlib.util.find_spec("netlet._native") is not None:
        return None
    from pathlib import Path  # only now: it would be a tenth of what importing netlet takes

    note = Path(__file__).parents[1] / "_native_missing.txt"  # left by an installation that could not build it
    why = "NETLET_PURE=1 left it out, or this is a source tree where it is not built yet"
    if note.exists():
        why = note.read_text(encoding="utf-8").strip()
    return f"the compiled extension netlet._native is not installed: {why}"


def _numba_reason() -> str | None:
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed; pip install 'netlet[numba]'"
    return None


def _numpy_reason() -> str | None:
    return None


#: Every backend, the preferred first.
BACKENDS: dict[str, Backend] = {
    backend.name: backend
    for backend in (
        Backend("native", _native_reason, "netlet.backends.native:make", ("baseline", "avx2", "avx512", "neon")),
        Backend("numba", _numba_reason, "netlet.backends.numba_:make"),
        Backend("numpy", _numpy_reason, "netlet.backends.numpy_:make"),
    )
}


def all_targets() -> list[str]:
    """Every target by name, whether it can run here or not: numpy, numba, native and each native variant."""
    names = []
    for backend in BACKENDS.values():
        names.append(backend.name)
        names += [f"{backend.name}:{variant}" for variant in backend.variants]
    return names


def _parse(target: Any) -> tuple[Backend, str | None]:
    """The backend and variant that ``target`` names; ValueError if there is none."""
    if not isinstance(target, str):
        raise TypeError(f"backend: expected a name such as 'native' or 'native:avx2', got {target!r}")
    name, colon, variant = target.partition(":")
    backend = BACKENDS.get(name)
    if backend is None or (colon and variant not in backend.variants):
        raise unknown_name("backend", target, all_targets())
    return backend, variant or None


def target_reason(target: str) -> str | None:
    """Returns None if ``target`` can run here, else why not.

    Naming a variant loads the backend's module, which knows the processor.

    Raises:
        ValueError: if there is no such target; the nearest known name is suggested.
    """
    backend, variant = _parse(target)
    reason = backend.reason()
    if reason is None and variant is not None:
        reason = importlib.import_module(backend.module).variant_reason(variant)
    return reason


def backend_reasons() -> dict[str, str | None]:
    """Returns for each backend None if it can run here, or why not; the preferred first."""
    return {name: backend.reason() for name, backend in BACKENDS.items()}


def available_backends() -> list[str]:
    """Returns the names of the backends that can run here, the preferred first. ``numpy`` is always there."""
    return [name for name, reason in backend_reasons().items() if reason is None]


def default_target() -> str:
    """Returns the target that serves when none is named: ``NETLET_BACKEND``, or the first available backend.

    Raises:
        ValueError: if ``NETLET_BACKEND`` names no target. BackendUnavailableError: if that target cannot run here.
    """
    wanted = env_backend()
    if wanted is None:
        return available_backends()[0]
    try:
        reason = target_reason(wanted)
    except ValueError as error:
        raise ValueError(f"NETLET_BACKEND: {error}") from None
    if reason is not None:
        raise BackendUnavailableError(f"NETLET_BACKEND={wanted}: {reason}")
    return wanted


def _check_arena(name: str, array: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(array).__name__}")
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name}: expected {dtype} of shape {shape}, got {array.dtype} of shape {array.shape}")
    if not array.flags.c_contiguous or not array.flags.writeable:
        raise ValueError(f"{name}: expected a C-contiguous, writeable array")


def _check_extras(program: Program, extras: Extras) -> None:
    custom = program.loss is not None and program.loss.op.startswith("custom")
    if custom != (extras.loss is not None):
        raise ValueError("extras: expected a loss if and only if the Program's loss is custom")
    custom = program.optimizer is not None and program.optimizer.op == "custom"
    if custom != (extras.step is not None):
        raise ValueError("extras: expected a step if and only if the Program's optimizer is custom")
    named = {op.attrs["layer"] for op in program.ops if op.op == "custom"}
    if named != set(extras.layers):
        raise ValueError(f"extras: expected the layers {sorted(named)}, got {sorted(extras.layers)}")
    places = {i for i, metric in enumerate(program.metrics) if metric.op == "custom"}
    if places != set(extras.metrics):
        raise ValueError(f"extras: expected metrics for the places {sorted(places)}, got {sorted(extras.metrics)}")


def make_executor(
    program: Program,
    params: Array,
    state: Array,
    slots: Array,
    *,
    target: str | None = None,
    num_threads: int | None = None,
    extras: Extras = NO_EXTRAS,
) -> Executor:
    """Returns an executor of ``program`` that reads and writes the given arrays in place.

    The Program is executed as it is: run :func:`netlet.program.optimize` on it before.

    Args:
        params: the parameter arena, ``[param_size]`` of the Program's element type.
        state: the state arena, ``[state_size]``.
        slots: the optimizer's arrays, ``[num_slots, param_size]``.
        target: what runs it; None takes :func:`default_target`.
        num_threads: the most threads that it may use; None means as many as the process has cores.
        extras: the Python objects behind what the Program names ``custom``.

    Raises:
        ValueError, TypeError: for an unknown target, or arrays of another shape, type or layout.
        BackendUnavailableError: if the target cannot run here, or does not have the Program's loss.
    """
    name = default_target() if target is None else target
    backend, variant = _parse(name)
    reason = target_reason(name)
    if reason is not None:
        raise BackendUnavailableError(f"{name}: {reason}")
    if num_threads is not None and (
        isinstance(num_threads, bool) or not isinstance(num_threads, int) or num_threads < 1
    ):
        raise ValueError(f"num_threads: expected a positive integer or None, got {num_threads!r}")
    dtype = numpy_dtype(program.dtype)
    _check_arena("params", params, (program.param_size,), dtype)
    _check_arena("state", state, (program.state_size,), dtype)
    _check_arena("slots", slots, (program.num_slots, program.param_size), dtype)
    module, _, attribute = backend.factory.partition(":")
    factory = getattr(importlib.import_module(module), attribute)
    _check_extras(program, extras)
    executor: Executor = factory(program, params, state, slots, variant=variant, num_threads=num_threads, extras=extras)
    return executor
