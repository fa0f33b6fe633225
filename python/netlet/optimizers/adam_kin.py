"""Adamax, Nadam and Lamb: what was made of Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from netlet.optimizers.adam import Moments
from netlet.optimizers.state import StateVariable
from netlet.program.ops.optimizers_adam import nadam_product


class Adamax(Moments):
    """Adam with the largest gradient of late in the place of the root (Kingma & Ba 2014, section 7.1).

    ``m <- m + (g - m) * (1 - beta_1)``, ``u <- max(beta_2 * u, |g|)``,
    ``w <- w - learning_rate / (1 - beta_1^t) * m / (u + epsilon)``.

    Args:
        learning_rate: default 0.001.
        beta_1: what m keeps at an update, in [0, 1]; default 0.9.
        beta_2: what u keeps at an update, in [0, 1]; default 0.999.
        epsilon: keeps the divisor from 0; default 1e-7.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "adamax"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay, **kwargs)

    def own_slot_names(self) -> tuple[str, ...]:
        return ("momentum", "norm")


class Nadam(Moments):
    """Adam with Nesterov's look ahead (Dozat 2015, http://cs229.stanford.edu/proj2015/054_report.pdf).

    With Adam's m and v, ``u_t = beta_1 * (1 - 0.96^t / 2)`` and ``p_t`` the product of all u up to it,
    ``w <- w - learning_rate * (u_(t+1) * m / (1 - p_(t+1)) + (1 - u_t) * g / (1 - p_t)) / (sqrt(v') + epsilon)``,
    where ``v' = v / (1 - beta_2^t)``.

    Args:
        learning_rate: default 0.001.
        beta_1: what m keeps at an update, in [0, 1]; default 0.9.
        beta_2: what v keeps at an update, in [0, 1]; default 0.999.
        epsilon: keeps the divisor from 0; default 1e-7.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "nadam"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay, **kwargs)

    @property
    def _u_product(self) -> StateVariable:
        """The product of all u so far. It follows from the number of updates, and is not kept."""
        dtype = "float32" if self._slots is None else self._slots.data.dtype
        return StateVariable(np.array(nadam_product(self.beta_1, self.iterations), dtype), "u_product", self.name)


class Lamb(Moments):
    """Adam's direction, by steps in proportion to each weight's norm (You et al. 2019, https://arxiv.org/abs/1904.00962).

    With Adam's m and v and ``d = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)``,
    ``w <- w - learning_rate * norm(w) / norm(d) * d`` for each weight; without the norms where one of them is 0.

    Args:
        learning_rate: default 0.001.
        beta_1: what m keeps at an update, in [0, 1]; default 0.9.
        beta_2: what v keeps at an update, in [0, 1]; default 0.999.
        epsilon: keeps the divisor from 0; default 1e-7.
        **kwargs: what all optimizers take, see `Optimizer`.

    Raises: ValueError if an argument is out of its range.
    """

    op = "lamb"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay, **kwargs)
