"""Stochastic gradient descent, with momentum and Nesterov's form of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.settings import Attrs, flag


class SGD(Optimizer):
    """Gradient descent: ``w <- w - learning_rate * g``.

    With momentum, ``v <- momentum * v - learning_rate * g`` and ``w <- w + v``; with ``nesterov`` as well,
    ``w <- w + momentum * v - learning_rate * g``.

    Args:
        learning_rate: default 0.01.
        momentum: in [0, 1]; default 0.
        nesterov: look ahead along the momentum; default False.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "sgd"

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        if isinstance(momentum, (bool, str)) or not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1]. SGD got {momentum!r}")
        self.momentum = float(momentum)
        self.nesterov = flag("SGD", "nesterov", nesterov)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("momentum",) if self.momentum else ()

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {"momentum": self.momentum, "nesterov": self.nesterov}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
