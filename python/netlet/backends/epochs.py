"""Whole epochs, one after another, for executors whose steps are called from Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netlet.backends.checks import check_batch_size, check_epochs, check_rates, check_sums
from netlet.program.spec import Array

if TYPE_CHECKING:
    from netlet.backends.executor import Executor

__all__ = ["EpochByEpoch"]


class EpochByEpoch:
    """Gives an executor ``train_epochs`` by calling its ``train``."""

    def train_epochs(
        self: Executor,
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
        """See :meth:`netlet.backends.Executor.train_epochs`."""
        check_batch_size(batch_size)
        steps = -(-len(xs[0]) // batch_size)
        check_epochs(epochs)
        check_sums(self.program, sums, epochs)
        each = np.ndim(check_rates(learning_rate, iteration, epochs * steps)) > 0
        for epoch in range(epochs):
            before = epoch * steps
            self.train(
                xs,
                y,
                sample_weight,
                batch_size=batch_size,
                shuffle=None if shuffle is None else (shuffle[0], shuffle[1] + epoch),
                first=0,
                last=steps,
                learning_rate=learning_rate[before : before + steps] if each else learning_rate,  # type: ignore[index]
                iteration=iteration + before,
                sums=sums[epoch],
            )
