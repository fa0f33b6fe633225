"""What a Program names and cannot hold: losses and metrics that are Python objects, handed to its executor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from netlet.program.ops import LOSSES
from netlet.program.spec import Array, LossSpec

if TYPE_CHECKING:
    from netlet.program.program import Loss

__all__ = ["NO_EXTRAS", "Extras", "Observer"]

#: A metric that is shown batches: (labels, predictions, sample weights or None). What it keeps it must copy.
Observer = Callable[[Array, Array, "Array | None"], None]


class Extras(NamedTuple):
    """The objects behind the names ``custom`` and ``custom_sparse``.

    Attributes:
        loss: its ``value_and_gradient`` is that of the Program's loss; None if the Program's loss is one of the table.
        metrics: for each place in the Program's list of metrics that is ``custom``, who is shown the batches.
    """

    loss: LossSpec | None = None
    metrics: Mapping[int, Observer] = {}

    def loss_spec(self, loss: Loss) -> LossSpec:
        """Returns what computes ``loss``."""
        return LOSSES[loss.op] if self.loss is None else self.loss


NO_EXTRAS = Extras()
