"""The one door to Numba: typed decorators with the settings that every kernel shares, and the cache on disk.

- ``nogil``: kernels run beside other Python threads. No ``parallel=True``: Numba's thread pool aborts the process when
  two threads enter it at once.
- No ``fastmath``: the order of every summation is the one that is written. ``error_model="numpy"``: 1 / 0 is inf.

Three decorators, because LLVM optimizes a function again in each one that calls it, and compile time is waiting time:

- :func:`entry`: what Python calls. Its machine code is kept beside the source, or in the user's cache folder where that
  is read-only. Where neither can be written, it is compiled anew in each process and :func:`cache_trouble` says why.
- :func:`kernel`: what other kernels call; compiled by itself and linked into the entries, never called by Python.
- :func:`inlined`: structure that is called in one or two places; copied there before any types are inferred.

Numba's cache looks only at the file of the function that was called, not at those of the kernels inside it. Cached
code is therefore stamped with the contents of this whole package, else an upgrade that changes one kernel would go on
running the old one.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import NullCache

__all__ = ["CACHE_ERRORS", "cache_folder", "cache_trouble", "entry", "inlined", "kernel", "without_cache"]

F = TypeVar("F", bound=Callable[..., Any])

#: What reading or writing the cache may raise: a full disk, a folder that went away, a file that a crash cut short.
CACHE_ERRORS: tuple[type[Exception], ...] = (OSError, EOFError, pickle.PickleError)

_SETTINGS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_entries: list[Any] = []
_trouble: str | None = None


def cache_trouble() -> str | None:
    """Returns why compiled kernels are not kept on disk, or None if they are."""
    return _trouble


def cache_folder() -> str | None:
    """Returns the folder that keeps the compiled kernels, or None if nothing is kept."""
    paths = [dispatcher._cache.cache_path for dispatcher in _entries]
    return next((str(path) for path in paths if path is not None), None)


@functools.lru_cache(maxsize=1)
def _package_stamp() -> str:
    """A digest of every source file of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _cached(function: Callable[..., Any]) -> Any:
    """A dispatcher with a cache stamped by the whole package; RuntimeError or OSError if there can be none."""
    dispatcher = numba.njit(function, cache=True, no_cfunc_wrapper=True, **_SETTINGS)
    cache_file: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if not hasattr(cache_file, "_source_stamp"):
        raise RuntimeError(f"Numba {numba.__version__} keeps the stamps of its cache elsewhere than known here")
    cache_file._source_stamp = _package_stamp()
    return dispatcher


def entry(function: F) -> F:
    """Compiles ``function`` at its first call, for the types it is called with, and keeps the machine code on disk."""
    global _trouble
    if numba.config.DISABLE_JIT:
        _trouble = "NUMBA_DISABLE_JIT is set: kernels run as plain Python"
        return function
    dispatcher: Any = None
    if _trouble is None:
        try:
            dispatcher = _cached(function)
        except (RuntimeError, OSError) as error:
            _trouble = str(error)
    if dispatcher is None:
        dispatcher = numba.njit(function, no_cfunc_wrapper=True, **_SETTINGS)
    _entries.append(dispatcher)
    compiled: F = dispatcher
    return compiled


def kernel(function: F) -> F:
    """Compiles ``function`` for other kernels to call; it gets no wrapper by which Python could."""
    if numba.config.DISABLE_JIT:
        return function
    compiled: F = numba.njit(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **_SETTINGS)
    return compiled


def inlined(function: F) -> F:
    """Copies ``function`` into each kernel that calls it."""
    if numba.config.DISABLE_JIT:
        return function
    compiled: F = numba.njit(function, inline="always", **_SETTINGS)
    return compiled


def without_cache(error: Exception) -> None:
    """Goes on without the cache, after one of CACHE_ERRORS."""
    global _trouble
    _trouble = f"{type(error).__name__}: {error}"
    for dispatcher in _entries:
        dispatcher._cache = NullCache()
