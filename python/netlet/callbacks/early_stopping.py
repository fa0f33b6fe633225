"""``EarlyStopping``: ends training when a metric no longer gets better."""

from __future__ import annotations

import warnings
from typing import Any

from netlet.callbacks.callback import Logs
from netlet.callbacks.messages import say
from netlet.callbacks.monitor_callback import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Ends training when a metric has not improved for some epochs.

    Args:
        monitor: the metric's name in the logs; default "val_loss". Where it is missing, a warning says so and nothing
            happens.
        min_delta: a change of less than this is no improvement; default 0.
        patience: how many epochs without improvement to wait; default 0. The first epoch never ends training.
        verbose: 1 says when training is ended, and which weights are restored; default 0.
        mode: "min", "max" or "auto", as of `MonitorCallback`.
        baseline: an epoch that is not better than this counts as one without improvement; default None.
        restore_best_weights: whether the model gets back the weights of the best epoch when training ends, whatever
            ended it, and also where no epoch was better than the baseline; default False.
        start_from_epoch: epochs before this one (from 0) are not looked at; default 0.

    Attributes:
        wait: epochs without improvement so far.
        stopped_epoch: the number of the epoch after which training was ended; 0 if it was not.
        best, best_epoch, best_weights: the best value, its epoch, and its weights if they are to be restored.

    min_delta and baseline are in the metric's unit. Source: keras.callbacks.EarlyStopping, Keras 3.15.

    Raises: ValueError at the end of the first epoch if mode is "auto" and the metric's direction is not known.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs) -> Any:
        """Return the metric's value, or None with a warning."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"Early stopping conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}",
                stacklevel=2,
            )
        return value

    def get_state(self) -> dict[str, Any]:
        return {
            "wait": self.wait,
            "stopped_epoch": self.stopped_epoch,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        for name in self.get_state():
            setattr(self, name, state[name])
