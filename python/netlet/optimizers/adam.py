"""Adam, and AdamW, its form with weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.settings import Attrs, flag, fraction, not_negative


class Moments(Optimizer):
    """Base of the optimizers with averages of the gradient, ``m``, and of its square, ``v``."""

    def __init__(self, learning_rate: Any, beta_1: float, beta_2: float, epsilon: float, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        owner = type(self).__name__
        self.beta_1 = fraction(owner, "beta_1", beta_1)
        self.beta_2 = fraction(owner, "beta_2", beta_2)
        self.epsilon = not_negative(owner, "epsilon", epsilon)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("momentum", "velocity")

    def slot_groups(self) -> list[tuple[str, ...]]:
        return [self.own_slot_names()]

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.rule_attrs(())}


class Adam(Moments):
    """Adam (Kingma & Ba 2014, https://arxiv.org/abs/1412.6980).

    At update t: ``m <- m + (g - m) * (1 - beta_1)``, ``v <- v + (g^2 - v) * (1 - beta_2)``,
    ``w <- w - learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)``.

    Args:
        learning_rate: default 0.001.
        beta_1: what m keeps at an update, in [0, 1]; default 0.9.
        beta_2: what v keeps at an update, in [0, 1]; default 0.999.
        epsilon: keeps the divisor from 0; default 1e-7.
        amsgrad: divide by the root of the largest v so far (Reddi et al. 2018); default False.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "adam"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay, **kwargs)
        self.amsgrad = flag(type(self).__name__, "amsgrad", amsgrad)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("momentum", "velocity", "velocity_hat") if self.amsgrad else ("momentum", "velocity")

    def slot_groups(self) -> list[tuple[str, ...]]:
        return [("momentum", "velocity"), *([("velocity_hat",)] if self.amsgrad else [])]

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {**super().rule_attrs(variables), "amsgrad": self.amsgrad}


class AdamW(Adam):
    """Adam whose weights decay apart from their gradient (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101).

    ``w <- w - learning_rate * weight_decay * w`` before each of Adam's updates.

    Args:
        learning_rate: default 0.001.
        weight_decay: default 0.004.
        beta_1, beta_2, epsilon, amsgrad, **kwargs: as of `Adam`.

    Raises: ValueError if an argument is out of its range, or ``weight_decay`` is None.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None (that is Adam)")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, **kwargs)
