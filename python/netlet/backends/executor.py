"""The Executor: what a backend provides. Nobody else writes a training loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from netlet.backends.predictor import Adapter, Predictor
from netlet.program.program import Program
from netlet.program.spec import INFERENCE, Array, Context, Vjp

if TYPE_CHECKING:
    from netlet.backends.measured import Measured

__all__ = ["Executor"]


@runtime_checkable
class Executor(Protocol):
    """Runs one Program over arrays that its maker owns.

    What all methods share:

    - ``xs`` has one array per input, ``[n, *shape]`` of the Program's element type; ``y`` is ``[n, *label_shape]`` of
      the label type (int32 for class numbers); ``sample_weight`` is ``[n]`` of the Program's type, or None for all
      ones. All are C-contiguous, at any alignment.
    - ``sums`` is float64 ``[sums_size(program)]``: the sum of weight times loss over rows, the number of rows, then
      each metric's slice. Calls *add* to it.
    - A call that needs a loss or an optimizer which the Program does not have is a ValueError, as are arrays of a wrong
      shape or type.
    - An exception leaves parameters and slots as they were before the step that failed.
    - ``predict``, ``evaluate``, ``gradients`` and ``vjp`` may run in any number of threads; ``train`` and ``apply``
      alone.
    """

    program: Program
    params: Array
    state: Array
    slots: Array

    def predict(self, xs: Sequence[Array], outs: Sequence[Array] | None, batch_size: int) -> list[Array]:
        """Returns the outputs, ``[n, *shape]`` each: ``outs`` if given (written in place), else new arrays."""
        ...

    def train(
        self,
        xs: Sequence[Array],
        y: Array,
        sample_weight: Array | None,
        *,
        batch_size: int,
        shuffle: tuple[int, int] | None,
        first: int,
        last: int,
        learning_rate: float | NDArray[np.float64],
        iteration: int = 0,
        sums: Array,
    ) -> None:
        """Runs steps ``first .. last-1`` of one epoch.

        Step s takes positions ``s * batch_size`` up to ``min(n, (s + 1) * batch_size)`` of the epoch's order:
        ``permutation(seed, epoch, n)`` for ``shuffle = (seed, epoch)``, the order of the rows for None. The gradient is
        that of the sum of weight times loss, divided by the rows of the batch.

        Args:
            learning_rate: of all these steps, or one for each, float64 ``[last - first]``.
            iteration: how many steps the optimizer made before these.

        Raises:
            KeyboardInterrupt: between two steps, after Ctrl-C.
        """
        ...

    def train_epochs(
        self,
        xs: Sequence[Array],
        y: Array,
        sample_weight: Array | None,
        *,
        batch_size: int,
        shuffle: tuple[int, int] | None,
        epochs: int,
        learning_rate: float | NDArray[np.float64],
        iteration: int = 0,
        sums: Array,
    ) -> None:
        """Runs all steps of so many epochs, as ``train`` does one after another.

        Args:
            shuffle: (seed, epoch) of the first; the others follow it.
            learning_rate: of all steps, or one for each of all the epochs' steps.
            sums: float64 ``[epochs, sums_size]``: each epoch adds to a row of its own.
        """
        ...

    def evaluate(
        self, xs: Sequence[Array], y: Array, sample_weight: Array | None, *, batch_size: int, sums: Array
    ) -> None:
        """Adds loss and metrics of all rows to ``sums``; changes nothing else."""
        ...

    def gradients(self, xs: Sequence[Array], y: Array, sample_weight: Array | None) -> tuple[float, Array, list[Array]]:
        """Returns loss, gradient of the parameters ``[param_size]`` and of each input, of all rows as one batch."""
        ...

    def vjp(
        self, xs: Sequence[Array], dys: Sequence[Array], context: Context = INFERENCE, outs: Vjp | None = None
    ) -> Vjp:
        """Returns the outputs, and the gradients of ``sum(output * dy)`` by each input and by the parameters.

        Args:
            outs: arrays like those that are returned, to be written in place and returned; they overlap nothing that is
                read. None makes new ones.
        """
        ...

    def predictor(self, adapter: Adapter) -> Predictor:
        """Returns a predictor over a copy of the parameters as they are between two steps: waits for a ``train`` that
        runs in another thread. ValueError unless the Program has one input and one output.
        """
        ...

    def apply(self, gradient: Array, learning_rate: float, iteration: int = 0) -> None:
        """Lets the optimizer make one step with ``gradient`` ``[param_size]``, after ``iteration`` others."""
        ...

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
        """Times the parts of training steps, or without ``y`` of predictions, on whole batches of the rows.

        Runs what ``train`` and ``predict`` run, on a copy of params and slots: nothing of the executor changes.

        Args:
            batch_size: rows a step; all of them if there are fewer.
            seconds: about how long to take samples; at least three steps, after some that are not counted.
        """
        ...
