"""Muon: momentum made orthogonal."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from netlet.optimizers.optimizer import Optimizer
from netlet.optimizers.settings import Attrs, flag, fraction, not_negative
from netlet.optimizers.state import Array, array_of, name_of
from netlet.program.ops.optimizers_matrix import orthogonalized


class Muon(Optimizer):
    """Muon for matrices, Adam for all other weights (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon).

    ``m <- g + momentum * m``; the step is ``g + momentum * m`` (``m`` without ``nesterov``) with its singular values
    brought near 1, by ``ns_steps`` times ``x <- a x + (b s + c s s) x`` with ``s = x x'``, times the learning rate.
    With ``rms_rate`` it is also multiplied by that and by the root of the longer side (https://arxiv.org/abs/2502.16982).

    Args:
        learning_rate: default 0.001.
        adam_beta_1, adam_beta_2, epsilon: of Adam; default 0.9, 0.999, 1e-7.
        adam_weight_decay: of the weights that Adam moves; default 0.004.
        weight_decay: of the others; default 0.004.
        exclude_layers: regular expressions; Adam moves the weights in whose paths one of them is found.
        exclude_embeddings: whether Adam moves weights with "embedding" in their paths; default True.
        muon_a, muon_b, muon_c: of the iteration; default 3.4445, -4.775, 2.0315.
        adam_lr_ratio: Adam's learning rate by Muon's; default 1.
        momentum: in [0, 1]; default 0.95.
        ns_steps: of the iteration; default 5.
        nesterov: look ahead along the momentum; default True.
        rms_rate: default 0.2; None for none.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "muon"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        *args: Any,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay, *args, **kwargs)
        self.adam_beta_1 = fraction("Muon", "adam_beta_1", adam_beta_1)
        self.adam_beta_2 = fraction("Muon", "adam_beta_2", adam_beta_2)
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = not_negative("Muon", "epsilon", epsilon)
        self.exclude_layers = list(exclude_layers or ())
        self.exclude_embeddings = flag("Muon", "exclude_embeddings", exclude_embeddings)
        self.muon_a, self.muon_b, self.muon_c = float(muon_a), float(muon_b), float(muon_c)
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = fraction("Muon", "momentum", momentum)
        if isinstance(ns_steps, bool) or not isinstance(ns_steps, int) or ns_steps < 0:
            raise ValueError(f"Muon: ns_steps must be an integer of 0 or more, got {ns_steps!r}")
        self.ns_steps = ns_steps
        self.nesterov = flag("Muon", "nesterov", nesterov)
        self.rms_rate = None if rms_rate is None else not_negative("Muon", "rms_rate", rms_rate)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("momentum", "velocity")

    def slot_groups(self) -> list[tuple[str, ...]]:
        return [self.own_slot_names()]

    def _should_use_adamw(self, variable: Any) -> bool:
        """Whether Adam moves a weight."""
        path = name_of(variable, 0)[1]
        return (
            array_of(variable).ndim != 2
            or (self.exclude_embeddings and "embedding" in path.lower())
            or any(re.search(keyword, path) for keyword in self.exclude_layers)
        )

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Array:
        """Return the matrix ``x`` with its singular values brought near 1 by ``steps`` of the iteration."""
        array = array_of(x)
        if array.ndim != 2:
            raise ValueError(f"Muon: expected a matrix, got shape {array.shape}")
        return orthogonalized(array, steps, self.muon_a, self.muon_b, self.muon_c)

    def lr_adjust(self, x: Any) -> Any:
        """Return a step of the shape of a weight as ``rms_rate`` scales it."""
        if self.rms_rate is None:
            return x
        return x * (math.sqrt(max(array_of(x).shape)) * self.rms_rate)

    def _decay_of(self, variable: Any) -> float:
        return (self.adam_weight_decay if self._should_use_adamw(variable) else self.weight_decay) or 0.0

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        return {
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "adam_weight_decay": self.adam_weight_decay,
            "epsilon": self.epsilon,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "rms_rate": self.rms_rate,
            "adam_params": [i for i, variable in enumerate(variables) if self._should_use_adamw(variable)],
        }

    def get_config(self) -> dict[str, Any]:
        own = {name: value for name, value in self.rule_attrs(()).items() if name != "adam_params"}
        layers = {"exclude_layers": self.exclude_layers, "exclude_embeddings": self.exclude_embeddings}
        return {**super().get_config(), **own, **layers}
