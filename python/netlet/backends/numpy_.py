"""The NumPy backend: the reference functions of the op specs, run by the interpreter.

The last on the list of backends: it works wherever Python does. Its matrix products are NumPy's (OpenBLAS), which
choose their order of summation by shape: unlike the native backend it promises no equal bits across batch sizes.
"""

from __future__ import annotations

from netlet.backends.extras import NO_EXTRAS, Extras
from netlet.backends.interpreter import Interpreter
from netlet.program.program import Program
from netlet.program.spec import Array

__all__ = ["NumpyExecutor", "make"]


class NumpyExecutor(Interpreter):
    """Executes a Program with NumPy; see :class:`netlet.backends.Executor`."""


def make(
    program: Program,
    params: Array,
    state: Array,
    slots: Array,
    *,
    variant: str | None = None,
    num_threads: int | None = None,
    extras: Extras = NO_EXTRAS,
) -> NumpyExecutor:
    """Returns a NumpyExecutor; there are no variants, and the threads are those of NumPy's BLAS."""
    return NumpyExecutor(program, params, state, slots, variant=variant, num_threads=num_threads, extras=extras)
