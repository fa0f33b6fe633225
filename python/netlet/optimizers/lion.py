"""Lion: steps by the sign of an average of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.settings import Attrs, fraction


class Lion(Optimizer):
    """Lion (Chen et al. 2023, https://arxiv.org/abs/2302.06675).

    ``w <- w - learning_rate * sign(beta_1 * m + (1 - beta_1) * g)``, then ``m <- beta_2 * m + (1 - beta_2) * g``.

    Args:
        learning_rate: default 0.001.
        beta_1: the share of m in the direction, in (0, 1]; default 0.9.
        beta_2: what m keeps at an update, in [0, 1]; default 0.99.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "lion"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        if isinstance(beta_1, (bool, str)) or not 0 < beta_1 <= 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to SignSGD. "
                f"Received: beta_1={beta_1}."
            )
        self.beta_1 = float(beta_1)
        self.beta_2 = fraction("Lion", "beta_2", beta_2)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("momentum",)

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {"beta_1": self.beta_1, "beta_2": self.beta_2}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.rule_attrs(())}
