"""The plan: what the interpreter allocates and binds once for a purpose and a batch size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from netlet.program.spec import INFERENCE, Array, Context

__all__ = ["Call", "Plan"]

#: A bound call: everything it reads and writes is in it.
Call = Callable[[], None]


class Plan:
    """The buffers and bound calls for one purpose and one batch size. Only one thread may use it at a time.

    Attributes:
        values: the buffer of each value ``[size, *shape]``; None for one that this purpose does not compute.
        y, losses: labels and row losses; empty where there is no loss to compute.
        weight: the sample weights of the batch, once its loss is computed.
        context: what contextual ops are told; set before each run.
        sums: what one batch adds to the caller's sums.
        forward, backward: calls, in order.
        forward_ops, backward_ops: for each of them, the place in the Program's list of the op that it serves.
        loss: called with the weights, between forward and backward.
        metrics: calls that add to ``sums``.
        seeds: for vjp, the gradient buffer of each output.
        gradient: of the parameters, flat; unreached: the parameters that backward leaves out, so that it stays 0.
        input_gradients: of each input; None where nothing flows back to it.
    """

    def __init__(self, purpose: str, size: int) -> None:
        self.purpose = purpose
        self.size = size
        self.values: list[Array | None] = []
        self.inputs: list[Array] = []
        self.outputs: list[Array] = []
        self.y: Array = np.empty(0)
        self.losses: Array = np.empty(0)
        self.weight: Array | None = None
        self.context: Context = INFERENCE
        self.sums: NDArray[np.float64] = np.zeros(0)
        self.forward: list[Call] = []
        self.backward: list[Call] = []
        self.forward_ops: list[int] = []
        self.backward_ops: list[int] = []
        self.loss: Callable[[Array | None], None] | None = None
        self.metrics: list[Call] = []
        self.seeds: list[Array] = []
        self.gradient: Array = np.empty(0)
        self.unreached: list[int] = []
        self.input_gradients: list[Array | None] = []

    def run_forward(self) -> None:
        for call in self.forward:
            call()

    def run_backward(self) -> None:
        for call in self.backward:
            call()

    def run_loss(self, weight: Array | None) -> None:
        """Forward, loss and metrics: leaves what the batch adds to the sums in ``sums``."""
        for call in self.forward:
            call()
        self.add_loss(weight)
        for call in self.metrics:
            call()

    def add_loss(self, weight: Array | None) -> None:
        """The loss and its gradient, after forward: clears ``sums`` and leaves loss and rows there."""
        assert self.loss is not None
        self.weight = weight
        self.loss(weight)
        self.sums.fill(0.0)
        if weight is None:
            self.sums[0] = np.add.reduce(self.losses, dtype=np.float64)
        else:
            self.sums[0] = np.add.reduce(np.multiply(self.losses, weight, dtype=np.float64))
        self.sums[1] = self.size
