"""Adafactor: second moments of a matrix by its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.settings import Attrs, flag, not_negative


class Adafactor(Optimizer):
    """Adafactor (Shazeer & Stern 2018, https://arxiv.org/abs/1804.04235).

    At update t, with ``b = t^beta_2_decay``, a vector's ``v <- (1 - b) * v + b * (g^2 + epsilon_1)``; of a matrix (the
    last two axes) the means of this over its rows and its columns are kept, r and c, and ``v = r * c / mean(r)``. Then
    ``d = g / sqrt(v)`` and ``w <- w - rate * max(epsilon_2, rms(w)) * d / max(1, rms(d) / clip_threshold)``, with
    ``rate = min(learning_rate, 1 / sqrt(t))``.

    Args:
        learning_rate: default 0.001.
        beta_2_decay: not positive; default -0.8.
        epsilon_1: added to squares; default 1e-30.
        epsilon_2: the least size that a weight is taken to have; default 1e-3.
        clip_threshold: the most that rms(d) may be; default 1.
        relative_step: accepted for Keras' sake: the rate is at most 1 / sqrt(t) in any case; default True.
        **kwargs: what all optimizers take, see `Optimizer`.

    The state of a weight has its shape, of which the moments of rows and columns take the first elements.

    Raises: ValueError if an argument is out of its range.
    """

    op = "adafactor"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        if isinstance(beta_2_decay, (bool, str)) or not beta_2_decay <= 0:
            raise ValueError(f"Adafactor: beta_2_decay must not be positive, got {beta_2_decay!r}")
        self.beta_2_decay = float(beta_2_decay)
        self.epsilon_1 = not_negative("Adafactor", "epsilon_1", epsilon_1)
        self.epsilon_2 = not_negative("Adafactor", "epsilon_2", epsilon_2)
        self.clip_threshold = not_negative("Adafactor", "clip_threshold", clip_threshold)
        self.relative_step = flag("Adafactor", "relative_step", relative_step)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("row", "column")

    def slot_groups(self) -> list[tuple[str, ...]]:
        return [self.own_slot_names()]

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.rule_attrs(()), "relative_step": self.relative_step}
