"""``ReduceLROnPlateau``: a smaller learning rate when a metric no longer gets better."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from netlet.callbacks.callback import Logs
from netlet.callbacks.inner_optimizers import holds_several, inner_optimizers, learning_rates
from netlet.callbacks.messages import say
from netlet.callbacks.monitor_callback import MonitorCallback


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by a factor when a metric has not improved for some epochs.

    The logs, and so the `History`, get ``learning_rate``: what it was in the epoch. Of a `MultiOptimizer`, the rates of
    all its optimizers are reduced, and the logs get ``learning_rate_<name of the optimizer>``.

    Args:
        monitor: the metric's name in the logs; default "val_loss". Where it is missing, a warning says so.
        factor: below 1; default 0.1.
        patience: how many epochs without improvement to wait; default 10.
        verbose: 1 says when the learning rate is reduced; default 0.
        mode: "min", "max" or "auto", as of `MonitorCallback`.
        min_delta: a change of less than this is no improvement; default 1e-4.
        cooldown: epochs after a reduction in which none are counted; default 0.
        min_lr: the learning rate is not made smaller than this; default 0.

    Source: keras.callbacks.ReduceLROnPlateau, Keras 3.15.

    Raises: ValueError if ``factor`` is 1 or more, TypeError for an argument that is none of these. At the end of an
        epoch, ValueError if mode is "auto" and the metric's direction is not known, TypeError if an optimizer follows a
        schedule.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor}")
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau: unexpected argument {next(iter(kwargs))!r}")
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self._reset()

    def _reset(self) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        logs = {} if logs is None else logs
        logs.update(learning_rates(self.model.optimizer))
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Learning rate reduction is conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _reduce(self, epoch: int) -> bool:
        """Make each learning rate smaller; return whether one was not at its least already."""
        reduced = False
        for optimizer in inner_optimizers(self.model.optimizer):
            old = float(optimizer.learning_rate)
            if old <= np.float32(self.min_lr):
                continue
            new = max(old * self.factor, self.min_lr)
            optimizer.learning_rate = new
            reduced = True
            if self.verbose > 0:
                whose = f"{optimizer.name} " if holds_several(self.model.optimizer) else ""
                say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing {whose}learning rate to {new}.")
        return reduced

    def in_cooldown(self) -> bool:
        """Return whether the last reduction was less than ``cooldown`` epochs ago."""
        return self.cooldown_counter > 0

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best, "cooldown_counter": self.cooldown_counter, "wait": self.wait}

    def set_state(self, state: dict[str, Any]) -> None:
        for name in self.get_state():
            setattr(self, name, state[name])
