"""The Numba backend: a Program's steps in jitted code, for where there is no C++ compiler.

Small networks run whole steps in one jitted function that walks the encoded Program: shuffle, gather, forward, loss,
backward, update and metric sums, without the GIL. Where a layer is big, the interpreter calls NumPy's BLAS for the
matrix products and jitted kernels for the rest; so it does where something has no jitted kernel, whose reference it
then calls. Which of the two it is follows from the Program alone.

Numba is imported with this module and with nothing else. Kernels are compiled when they are first used, which takes
some seconds, and kept on disk for other processes: in :func:`cache_folder`, or nowhere, and :func:`cache_trouble` says
why.
"""

from __future__ import annotations

from netlet.backends.extras import NO_EXTRAS, Extras
from netlet.errors import BackendUnavailableError
from netlet.program import Program
from netlet.program.spec import Array, elements

try:
    import numba  # noqa: F401
except ImportError as error:  # not installed, or not for this NumPy
    raise BackendUnavailableError(f"numba: it cannot be imported ({error}); pip install 'netlet[numba]'") from error

from netlet.backends.numba_kernels.blas import BlasExecutor
from netlet.backends.numba_kernels.coverage import is_jitted
from netlet.backends.numba_kernels.executor import JittedExecutor
from netlet.backends.numba_kernels.jit import cache_folder, cache_trouble

__all__ = ["BIG_KERNEL", "BlasExecutor", "JittedExecutor", "cache_folder", "cache_trouble", "has_big_layer", "make"]

#: Kernels of more elements than this are left to BLAS. Measured on one core of a Zen 3, float32: jitted loops are
#: faster up to about 256 x 256 with batches of 32, and at 784 x 128 with batches of 128 they take 1.5 times as long.
BIG_KERNEL = 256 * 256


def has_big_layer(program: Program) -> bool:
    """Whether a dense op's kernel has more than BIG_KERNEL elements."""
    return any(elements(program.params[op.params[0]].shape) > BIG_KERNEL for op in program.ops if op.op == "dense")


def make(
    program: Program,
    params: Array,
    state: Array,
    slots: Array,
    *,
    variant: str | None = None,
    num_threads: int | None = None,
    extras: Extras = NO_EXTRAS,
) -> JittedExecutor | BlasExecutor:
    """Returns an executor for the registry. There are no variants; the only threads are those of NumPy's BLAS."""
    plain = not (extras.penalties or extras.constraints)
    if plain and is_jitted(program) and not has_big_layer(program):
        return JittedExecutor(program, params, state, slots, step=extras.step)
    return BlasExecutor(program, params, state, slots, extras=extras)
