"""ScheduleFreeAdamW: Adam with an average of the iterates in the place of a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.settings import Attrs, fraction, not_negative
from netlet.optimizers.state import Array, array_of


class ScheduleFreeAdamW(Optimizer):
    """Schedule-free AdamW (Defazio et al. 2024, https://arxiv.org/abs/2405.15682).

    With Adam's v, at update t: ``z <- z - learning_rate * g / (sqrt(v / (1 - beta_2^t)) + epsilon)``, which begins at
    the weights; ``x <- x + (z - x) / t``, the mean of all z; and the weights are ``(1 - beta_1) * z + beta_1 * x``.
    Gradients are taken there. z is kept (as "momentum"), x follows from it and the weights.

    Args:
        learning_rate: default 0.0025.
        beta_1: the share of x in the weights, in [1e-6, 1]; default 0.9.
        beta_2: what v keeps at an update, in [0, 1]; default 0.999.
        epsilon: keeps the divisor from 0; default 1e-8.
        warmup_steps: how many updates the learning rate takes to rise from 0; default 0.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "schedule_free_adamw"

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        from netlet.program.ops.optimizers_schedule_free import LEAST_BETA_1

        owner = "ScheduleFreeAdamW"
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.beta_1 = fraction(owner, "beta_1", beta_1)
        if self.beta_1 < LEAST_BETA_1:
            raise ValueError(f"{owner}: beta_1 must lie in [{LEAST_BETA_1}, 1], got {beta_1!r}")
        self.beta_2 = fraction(owner, "beta_2", beta_2)
        self.epsilon = not_negative(owner, "epsilon", epsilon)
        if isinstance(warmup_steps, bool) or not isinstance(warmup_steps, int) or warmup_steps < 0:
            raise ValueError(f"{owner}: warmup_steps must be an integer of 0 or more, got {warmup_steps!r}")
        self.warmup_steps = warmup_steps

    def own_slot_names(self) -> tuple[str, ...]:
        return ("momentum", "velocity")

    def slot_groups(self) -> list[tuple[str, ...]]:
        return [self.own_slot_names()]

    def begin_slots(self, variables: Sequence[Any], data: Array, parts: Sequence[slice]) -> None:
        super().begin_slots(variables, data, parts)
        for variable, part in zip(variables, parts, strict=True):
            data[0, part] = array_of(variable).reshape(-1)

    def follow_weights(self) -> None:
        slots = self._slots
        if slots is not None:
            self.begin_slots(slots.variables, slots.data, slots.parts)

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "warmup_steps": self.warmup_steps,
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.rule_attrs(())}
