"""Schedules along half a wave of the cosine: once, with a warm-up before it, or again and again.

Source: Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netlet.optimizers.schedules.schedule import Formula, Rates, positive


class CosineDecay(Formula):
    """From ``initial_learning_rate`` to ``alpha`` times that: ``(1 + cos(pi * step / decay_steps)) / 2`` of it is left.

    With a ``warmup_target``, the rate first rises in a straight line to the target, within ``warmup_steps``, and the
    descent begins there.

    Args:
        initial_learning_rate: the rate of step 0.
        decay_steps: the length of the descent; positive.
        alpha: what is left at the end, as a fraction of the rate that the descent begins with; default 0.
        name: default "CosineDecay".
        warmup_target: default None, no warm-up.
        warmup_steps: the length of the warm-up; default 0.

    Steps and rates as of `LearningRateSchedule`. Source: Loshchilov, Hutter, "SGDR: stochastic gradient descent with
    warm restarts", 2017, section 3; the warm-up: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1
    hour", 2017, section 2.2.

    Raises: ValueError if ``decay_steps`` is not positive.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "CosineDecay: decay_steps")
        self.alpha, self.name, self.warmup_target, self.warmup_steps = alpha, name, warmup_target, warmup_steps

    def formula(self, step: Rates) -> Rates:
        first, alpha = float(self.initial_learning_rate), float(self.alpha)
        warmup = 0.0 if self.warmup_target is None else float(self.warmup_steps)
        top = first if self.warmup_target is None else float(self.warmup_target)
        fraction = np.minimum((step - warmup) / float(self.decay_steps), 1.0)
        rates: Rates = top * ((1.0 - alpha) * 0.5 * (1.0 + np.cos(np.pi * fraction)) + alpha)
        if warmup > 0:
            rates = np.where(step < warmup, (top - first) * (step / warmup) + first, rates)
        return rates

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(Formula):
    """Descents as of `CosineDecay`, one after the other, each longer and from another height than the one before.

    Args:
        initial_learning_rate: the rate of step 0.
        first_decay_steps: the length of the first descent; positive.
        t_mul: a descent's length over that of the one before; default 2, positive. Below 1 all descents together take
            ``first_decay_steps / (1 - t_mul)``, and the rate stays at its lowest from there.
        m_mul: a descent's height over that of the one before; default 1.
        alpha: what is left at the end of a descent, as a fraction of ``initial_learning_rate``; default 0.
        name: default "SGDRDecay".

    Source: Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, section 3; its arguments:
    keras.optimizers.schedules, Keras 3.15.

    Raises: ValueError if ``first_decay_steps`` or ``t_mul`` is not positive.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = positive(first_decay_steps, "CosineDecayRestarts: first_decay_steps")
        self.t_mul = positive(t_mul, "CosineDecayRestarts: t_mul")
        self.m_mul, self.alpha, self.name = m_mul, alpha, name

    def _locate(self, step: Rates) -> tuple[Rates, Rates]:
        """Which descent each step is in, and what fraction of it is over."""
        passed, t_mul = step / float(self.first_decay_steps), float(self.t_mul)
        if t_mul == 1:
            descent = np.floor(passed)
            return descent, passed - descent

        def start(descent: Rates) -> Rates:  # of a descent, in lengths of the first: 1 + t + ... + t^(descent - 1)
            starts: Rates = (t_mul**descent - 1.0) / (t_mul - 1.0)
            return starts

        left = 1.0 + passed * (t_mul - 1.0)  # t^descent at a start
        over = left <= 0
        descent = np.floor(np.log(np.where(over, 1.0, left)) / np.log(t_mul))
        descent += passed >= start(descent + 1)  # where rounding has put a start into the descent before
        descent -= passed < start(descent)
        return descent, np.where(over, 1.0, (passed - start(descent)) / t_mul**descent)

    def formula(self, step: Rates) -> Rates:
        descent, fraction = self._locate(step)
        alpha = float(self.alpha)
        height = 0.5 * float(self.m_mul) ** descent
        rates: Rates = float(self.initial_learning_rate) * (
            (1.0 - alpha) * height * (1.0 + np.cos(np.pi * fraction)) + alpha
        )
        return rates

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
