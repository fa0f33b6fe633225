"""`ActivityRegularization`: a penalty on what passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet.layers.layer import Layer
from netlet.regularizers import L1L2

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class ActivityRegularization(Layer):
    """Lets everything pass, and adds ``(l1 * sum(|x|) + l2 * sum(x^2)) / rows`` to the loss.

    Source: keras.layers.ActivityRegularization, Keras 3.15.

    Args:
        l1: factor of the absolute values; default 0.
        l2: factor of the squares; default 0.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y of the same shape; rows is B.

    Raises: ValueError if a factor is not a finite number >= 0.
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        penalty = L1L2(l1, l2)
        super().__init__(activity_regularizer=penalty, **kwargs)
        self.l1, self.l2 = penalty.l1, penalty.l2

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return builder.activation(x, "linear", name=self.name)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["activity_regularizer"]  # which is what l1 and l2 say
        return {**config, "l1": self.l1, "l2": self.l2}
