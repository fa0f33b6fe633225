"""``ModelCheckpoint``: saves the model while it trains."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from netlet.callbacks.callback import Logs
from netlet.callbacks.messages import say
from netlet.callbacks.monitor_callback import MonitorCallback


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after each epoch or after so many batches.

    A file is replaced in one step: a crash leaves the old or the new one.

    Args:
        filepath: where to save, as ``model.save`` and ``save_weights`` take it. Fields such as ``{epoch:02d}``,
            ``{val_loss:.2f}`` and, with a number as ``save_freq``, ``{batch}`` are filled from the epoch (from 1), the
            batch (from 1) and the logs. Its folder is made.
        monitor: the metric's name in the logs; default "val_loss".
        verbose: 1 says what is saved; default 0.
        save_best_only: save only when the metric has improved; where it is missing, save with a warning. Default False.
        save_weights_only: save the weights alone, to be loaded with ``model.load_weights``; default False.
        mode: "min", "max" or "auto", as of `MonitorCallback`.
        save_freq: "epoch", the default, or after how many batches to save.
        initial_value_threshold: the value to beat at first, in the metric's unit; default None.

    Raises: ValueError for another ``save_freq``, or a ``filepath`` that names a format which cannot be written. In
        training, KeyError if the logs lack a field of ``filepath``; ValueError if mode is "auto" and the metric's
        direction is not known; OSError.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        from netlet.models.saving import check_suffix

        self.filepath: str = os.fsdecode(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(f"Unrecognized save_freq: {save_freq!r}. Expected 'epoch' or a number of batches")
        check_suffix(self.filepath, "ModelCheckpoint", weights=save_weights_only)
        self._current_epoch = 0
        self._batches_seen_since_last_saving = 0
        self._last_batch_seen: int | None = None
        if save_freq == "epoch":
            self._idle(ModelCheckpoint, "on_train_batch_end")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._current_epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            return
        last = self._last_batch_seen
        self._batches_seen_since_last_saving += batch + 1 if last is None or batch <= last else batch - last
        self._last_batch_seen = batch
        if self._batches_seen_since_last_saving >= int(self.save_freq):
            self._batches_seen_since_last_saving = 0
            self._save(self._current_epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        if not self._wanted(epoch, logs, path):
            return
        if folder := os.path.dirname(path):
            os.makedirs(folder, exist_ok=True)
        if os.path.isdir(path):
            raise OSError(f"ModelCheckpoint: filepath {path!r} is a directory; name a file")
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        fields = {} if batch is None else {"batch": batch + 1}
        try:
            return self.filepath.format(**{**fields, "epoch": epoch + 1, **logs})
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} has a field {error} that the logs lack; "
                f"they have: {', '.join(logs)}"
            ) from None

    def _wanted(self, epoch: int, logs: dict[str, Any], path: str) -> bool:
        """Return whether this model is to be saved, and say so."""
        if not self.save_best_only:
            self._tell(f"\nEpoch {epoch + 1}: saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=4)
            return True
        if np.ndim(current) > 0:
            warnings.warn(
                f"Can save best model only when `monitor` is a scalar value. Received: {current}. "
                "Falling back to `save_best_only=False`.",
                stacklevel=4,
            )
            return True
        if self.monitor_op is None:  # the first epoch is not over, and batches are asked for
            self._set_monitor_op()
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._tell(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {best}")
            return False
        self._tell(f"\nEpoch {epoch + 1}: {self.monitor} improved from {best} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def _tell(self, text: str) -> None:
        if self.verbose > 0:
            say(text)

    def get_state(self) -> dict[str, Any]:
        return {
            "best": self.best,
            "batches_since": self._batches_seen_since_last_saving,
            "last_batch": self._last_batch_seen,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        self.best = state["best"]
        self._batches_seen_since_last_saving = state["batches_since"]
        self._last_batch_seen = state["last_batch"]
