"""The native backend: C++ with OpenMP, one set of kernels for each instruction set, picked when the executor is made.

The extension gets the Program as the JSON text that saved files hold and checks it itself; arrays are handed over as
they are. Long calls release the GIL, and Ctrl-C is heard within about a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from netlet import _native, _predictor
from netlet.backends.extras import NO_EXTRAS, Extras
from netlet.backends.host import Host, needs_host
from netlet.backends.predictor import Adapter, Predictor, PythonPredictor
from netlet.program.passes import drop_unread
from netlet.program.program import Program
from netlet.program.spec import INFERENCE, Array, Context, Vjp

if TYPE_CHECKING:
    from netlet.backends.measured import Measured

__all__ = ["NativeExecutor", "make", "variant_reason"]


def variant_reason(variant: str) -> str | None:
    """Returns None if this build has kernels for the instruction set and this CPU runs it, else why not."""
    available = _native.isas_available()
    if variant in available:
        return None
    return f"this build on this CPU has {', '.join(available)}, not {variant}"


class NativeExecutor:
    """An executor (see :class:`netlet.backends.Executor`) in C++.

    Args:
        isa: baseline, avx2, avx512 or neon; None takes ``NETLET_ISA`` or the best that this CPU runs.
        num_threads: None takes ``NETLET_NUM_THREADS`` or the cores this process may use. Results do not depend on it.
        extras: what the Program names and is a Python object.

    What the engine has no kernel for, it calls back for; such a Program runs op by op.
    """

    def __init__(
        self,
        program: Program,
        params: Array,
        state: Array,
        slots: Array,
        *,
        isa: str | None = None,
        num_threads: int | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> None:
        self.program = program
        self.params = params
        self.state = state
        self.slots = slots
        made = _native.ExecutorF32 if program.dtype == "float32" else _native.ExecutorF64
        self._isa, self._num_threads = isa, num_threads
        self._layers = extras.layers
        self._host = Host(program, params, state, extras) if needs_host(program, extras) else None
        text = program.to_json().encode()
        self._executor = made(text, params, state, slots, isa=isa, num_threads=num_threads, host=self._host)
        self._dtype = np.dtype(program.dtype)
        self._output_shapes = [program.values[i].shape for i in program.outputs]
        self.train = self._executor.train
        self.train_epochs = self._executor.train_epochs
        self.evaluate = self._executor.evaluate
        self.apply = self._executor.apply

    def predict(self, xs: Sequence[Array], outs: Sequence[Array] | None, batch_size: int) -> list[Array]:
        """See :meth:`netlet.backends.Executor.predict`."""
        if outs is None:
            outs = [np.empty((len(xs[0]), *shape), self._dtype) for shape in self._output_shapes]
        self._executor.predict(xs, outs, batch_size)
        return cast("list[Array]", outs)

    def predictor(self, adapter: Adapter) -> Predictor:
        """See :meth:`netlet.backends.Executor.predictor`."""
        if self._host is None:
            return _predictor.Predictor(self._executor.predictor(), adapter)
        program = drop_unread(self.program.without_training())
        arenas = (self._executor.frozen(), self.state.copy(), np.zeros((0, 0), self._dtype))
        extras = Extras(layers=self._layers)
        copy = NativeExecutor(program, *arenas, isa=self._isa, num_threads=self._num_threads, extras=extras)
        if copy._host is None:  # the host was there for the loss, or for penalties and constraints
            return _predictor.Predictor(copy._executor.predictor(), adapter)
        return PythonPredictor(copy, adapter)

    def gradients(self, xs: Sequence[Array], y: Array, sample_weight: Array | None) -> tuple[float, Array, list[Array]]:
        """See :meth:`netlet.backends.Executor.gradients`."""
        return self._executor.gradients(xs, y, sample_weight)

    def vjp(
        self, xs: Sequence[Array], dys: Sequence[Array], context: Context = INFERENCE, outs: Vjp | None = None
    ) -> Vjp:
        """See :meth:`netlet.backends.Executor.vjp`."""
        return self._executor.vjp(xs, dys, context.training, context.iteration, outs)

    def profile(
        self,
        xs: Sequence[Array],
        y: Array | None,
        sample_weight: Array | None,
        *,
        batch_size: int,
        learning_rate: float,
        seconds: float,
    ) -> Measured:
        """See :meth:`netlet.backends.Executor.profile`. Measured in C++ by a steady clock, without the GIL."""
        from netlet.backends.measured import Measured, Part

        if self._host is not None:
            self._host.muted = True
        try:
            found = self._executor.profile(
                xs, y, sample_weight, batch_size=batch_size, learning_rate=learning_rate, seconds=seconds
            )
        finally:
            if self._host is not None:
                self._host.muted = False
        ops = range(len(self.program.ops))
        places: list[tuple[str, int | None, float | None]] = [
            *((phase, None, found[phase]) for phase in ("shuffle", "gather", "prepare")),
            *(("forward", op, found["forward"][op]) for op in ops),
            *((phase, None, found[phase]) for phase in ("loss", "metrics")),
            *(("backward", op, found["backward"][op]) for op in reversed(ops)),
            ("update", None, found["update"]),
        ]
        parts = tuple(Part(phase, op, took) for phase, op, took in places if took is not None)
        return Measured(f"native:{found['isa']}", found["step"], parts, found["steps"], found["threads"])


def make(
    program: Program,
    params: Array,
    state: Array,
    slots: Array,
    variant: str | None = None,
    num_threads: int | None = None,
    extras: Extras = NO_EXTRAS,
) -> NativeExecutor:
    """Makes an executor for the registry."""
    return NativeExecutor(program, params, state, slots, isa=variant, num_threads=num_threads, extras=extras)
