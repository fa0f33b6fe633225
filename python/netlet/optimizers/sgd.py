"""Stochastic gradient descent, with momentum and Nesterov's form of it."""

from __future__ import annotations

from typing import Any

from netlet.optimizers.optimizer import Attrs, Optimizer


class SGD(Optimizer):
    """Gradient descent: ``w <- w - learning_rate * g``.

    With momentum, ``v <- momentum * v - learning_rate * g`` and ``w <- w + v``; with ``nesterov`` as well,
    ``w <- w + momentum * v - learning_rate * g``.

    Args:
        learning_rate: default 0.01.
        momentum: in [0, 1]; default 0.
        nesterov: look ahead along the momentum; default False.
        name: default "SGD".
        **kwargs: Keras' further arguments (weight_decay, clipnorm, ...) are accepted at their neutral values.

    Raises: ValueError if an argument is out of its range or not supported yet.
    """

    op = "sgd"

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str = "SGD",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kwargs)
        if isinstance(momentum, (bool, str)) or not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must lie in [0, 1], got {momentum!r}")
        if not isinstance(nesterov, bool):
            raise ValueError(f"SGD: nesterov must be True or False, got {nesterov!r}")
        self.momentum = float(momentum)
        self.nesterov = nesterov

    def slot_names(self) -> tuple[str, ...]:
        return ("momentum",) if self.momentum else ()

    def lower(self) -> tuple[str, Attrs]:
        return self.op, {"momentum": self.momentum, "nesterov": self.nesterov}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
