"""RMSprop, Adagrad and Adadelta: the gradient over the root of gathered squares of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.settings import Attrs, flag, fraction, not_negative


class RMSprop(Optimizer):
    """RMSprop (Hinton 2012, lecture 6e of "Neural Networks for Machine Learning").

    ``v <- rho * v + (1 - rho) * g^2``, ``w <- w - learning_rate * g / sqrt(v + epsilon)``. With ``centered``, the
    square of ``a <- rho * a + (1 - rho) * g`` is taken from v; with momentum, steps gather in
    ``p <- momentum * p + step`` and ``w <- w - p``.

    Args:
        learning_rate: default 0.001.
        rho: what v keeps at an update, in [0, 1]; default 0.9.
        momentum: in [0, 1]; default 0.
        epsilon: keeps the divisor from 0; default 1e-7.
        centered: divide by the deviation of the gradient and not by its size; default False.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "rmsprop"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.rho = fraction("RMSprop", "rho", rho)
        self.momentum = fraction("RMSprop", "momentum", momentum)
        self.epsilon = not_negative("RMSprop", "epsilon", epsilon)
        self.centered = flag("RMSprop", "centered", centered)

    def own_slot_names(self) -> tuple[str, ...]:
        names: tuple[str, ...] = ("velocity",)
        if self.momentum:
            names += ("momentum",)
        return (*names, "average_gradient") if self.centered else names

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.rule_attrs(())}


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan & Singer 2011): weights that moved much move less.

    ``s <- s + g^2``, ``w <- w - learning_rate * g / sqrt(s + epsilon)``.

    Args:
        learning_rate: default 0.001.
        initial_accumulator_value: of s, not negative; default 0.1.
        epsilon: keeps the divisor from 0; default 1e-7.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "adagrad"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        start = initial_accumulator_value
        self.initial_accumulator_value = not_negative("Adagrad", "initial_accumulator_value", start)
        self.epsilon = not_negative("Adagrad", "epsilon", epsilon)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("accumulator",)

    def initial_slots(self) -> dict[str, float]:
        return {"accumulator": self.initial_accumulator_value}

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {"epsilon": self.epsilon}

    def get_config(self) -> dict[str, Any]:
        start = {"initial_accumulator_value": self.initial_accumulator_value}
        return {**super().get_config(), **start, "epsilon": self.epsilon}


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012, https://arxiv.org/abs/1212.5701): steps of the size of those before.

    ``s <- rho * s + (1 - rho) * g^2``, ``d = sqrt(t + epsilon) * g / sqrt(s + epsilon)``,
    ``t <- rho * t + (1 - rho) * d^2``, ``w <- w - learning_rate * d``.

    Args:
        learning_rate: default 0.001; 1 is what the paper has.
        rho: what s and t keep at an update, in [0, 1]; default 0.95.
        epsilon: keeps divisor and steps from 0; default 1e-7.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "adadelta"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.rho = fraction("Adadelta", "rho", rho)
        self.epsilon = not_negative("Adadelta", "epsilon", epsilon)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("accumulated_grad", "accumulated_delta_var")

    def slot_groups(self) -> list[tuple[str, ...]]:
        return [self.own_slot_names()]

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {"rho": self.rho, "epsilon": self.epsilon}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.rule_attrs(())}
