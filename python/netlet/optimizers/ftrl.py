"""Ftrl: follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.settings import Attrs, not_negative


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al. 2013, "Ad click prediction: a view from the trenches").

    With ``p = -learning_rate_power`` and ``s' = s + g^2``:
    ``z <- z + g + 2 * l2_shrinkage * w - (s'^p - s^p) / learning_rate * w``,
    ``w <- (clip(z, -l1, l1) - z) / (s'^p / learning_rate + 2 * (l2 + beta / (2 * learning_rate)))``, ``s <- s'``.

    Args:
        learning_rate: default 0.001.
        learning_rate_power: not positive; 0 keeps the rate; default -0.5.
        initial_accumulator_value: of s, not negative; default 0.1.
        l1_regularization_strength: not negative; makes weights exactly 0; default 0.
        l2_regularization_strength: not negative; default 0.
        l2_shrinkage_regularization_strength: not negative: of weights added to the gradient; default 0.
        beta: as in the paper; default 0.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "ftrl"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        positive = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        for name, value in positive.items():
            if isinstance(value, (bool, str)) or not value >= 0:
                raise ValueError(f"`{name}` needs to be positive or zero. Received: {name}={value}.")
        if isinstance(learning_rate_power, (bool, str)) or not learning_rate_power <= 0:
            received = f"Received: learning_rate_power={learning_rate_power}."
            raise ValueError(f"`learning_rate_power` needs to be negative or zero. {received}")
        self.learning_rate_power = float(learning_rate_power)
        self.initial_accumulator_value = float(initial_accumulator_value)
        self.l1_regularization_strength = float(l1_regularization_strength)
        self.l2_regularization_strength = float(l2_regularization_strength)
        self.l2_shrinkage_regularization_strength = float(l2_shrinkage_regularization_strength)
        self.beta = not_negative("Ftrl", "beta", beta)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("accumulator", "linear")

    def slot_groups(self) -> list[tuple[str, ...]]:
        return [self.own_slot_names()]

    def initial_slots(self) -> dict[str, float]:
        return {"accumulator": self.initial_accumulator_value}

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {
            "learning_rate_power": self.learning_rate_power,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }

    def get_config(self) -> dict[str, Any]:
        start = {"initial_accumulator_value": self.initial_accumulator_value}
        return {**super().get_config(), **start, **self.rule_attrs(())}
