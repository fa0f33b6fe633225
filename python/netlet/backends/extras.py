"""What a Program names and cannot hold: layers, losses, metrics, optimizers in Python, handed to its executor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from netlet.program.ops import LOSSES, OPS
from netlet.program.spec import Array, LossSpec, OpSpec

if TYPE_CHECKING:
    from netlet.program.program import Loss, Op

__all__ = ["NO_EXTRAS", "Extras", "Observer", "Penalty", "Step"]

#: A metric that is shown batches: (labels, predictions, sample weights or None). What it keeps it must copy.
Observer = Callable[[Array, Array, "Array | None"], None]

#: An optimizer's step: (the gradient ``[param_size]``, undefined afterwards; the learning rate; how many steps were
#: made before). What it raises must leave parameters and slots as they were.
Step = Callable[[Array, float, int], None]


class Penalty(Protocol):
    """A number that a weight adds to the loss, and its gradient: what netlet.regularizers has."""

    def __call__(self, w: Array) -> Any: ...

    def gradient(self, w: Array) -> Array: ...


class Extras(NamedTuple):
    """The objects behind the names ``custom`` and ``custom_sparse``, and what training does with weights besides.

    Attributes:
        loss: its ``value_and_gradient`` is that of the Program's loss; None if the Program's loss is one of the table.
        metrics: for each place in the Program's list of metrics that is ``custom``, who is shown the batches.
        penalties: for each place in its list of parameters that has one, what is added to the loss.
        constraints: for each place in its list of parameters that has one, what makes it into what it may be.
        step: the optimizer's; None if the Program's optimizer is one of the table.
        layers: for each name of a layer that an op ``custom`` has, what computes it.
    """

    loss: LossSpec | None = None
    metrics: Mapping[int, Observer] = {}
    penalties: Mapping[int, Penalty] = {}
    constraints: Mapping[int, Callable[[Array], Array]] = {}
    step: Step | None = None
    layers: Mapping[str, OpSpec] = {}

    def op_spec(self, op: Op) -> OpSpec:
        """Returns what computes ``op``."""
        if op.op == "custom":
            return self.layers.get(op.attrs["layer"], OPS["custom"])
        return OPS[op.op]

    def loss_spec(self, loss: Loss) -> LossSpec:
        """Returns what computes ``loss``."""
        return LOSSES[loss.op] if self.loss is None else self.loss

    def penalize(self, params: Sequence[Array], gradients: Sequence[Array] | None) -> float:
        """Returns the sum of the penalties, and adds their gradients to ``gradients`` if these are given."""
        total = 0.0
        for place, penalty in self.penalties.items():
            total += float(penalty(params[place]))
            if gradients is not None:
                gradients[place][...] += penalty.gradient(params[place])
        return total

    def constrain(self, params: Sequence[Array]) -> None:
        """Brings the parameters back to where their constraints want them."""
        for place, constraint in self.constraints.items():
            params[place][...] = constraint(params[place])


NO_EXTRAS = Extras()
