"""``BackupAndRestore``: training that goes on after a crash as if nothing had happened."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from netlet.callbacks.callback import Callback, Logs
from netlet.errors import ModelFormatError

LATEST, PREVIOUS = "latest.backup.safetensors", "previous.backup.safetensors"


class BackupAndRestore(Callback):
    """Saves the state of training, so that the same ``fit`` in a new process goes on where an earlier one was killed.

    The resumed training gives the bits of one that was never interrupted, also from the middle of an epoch: saved are
    the weights and the model's state, the optimizer's, the random numbers, the order of the rows and the place in it,
    the metrics of the epoch so far, the `History`, and what other callbacks remember (`Callback.get_state`). The file
    is replaced in one step and flushed: a crash while saving leaves the one before. When ``fit`` ends, it is deleted.
    An epoch is saved when all callbacks were told of its end. If one that stands behind this one raises an error then,
    the epoch is saved all the same, and will not be told of again.

    It is up to you to call ``fit`` again, with the same data and arguments. A generator or another iterable has to
    yield the same batches again; those that were used are drawn once more and dropped. NumPy's and Python's own random
    generators are not saved.

    Args:
        backup_dir: a folder for the files; it is made. One folder for one training.
        save_freq: "epoch", the default, saves at the end of each epoch, a number after so many batches.
        double_checkpoint: keep the backup before the last, too, in case the last cannot be read; default False.
        delete_checkpoint: whether to delete the files when training ends; default True.

    Raises: ValueError if ``backup_dir`` is empty or ``save_freq`` is something else. When training begins:
        ModelFormatError if the backup is broken or of another model, ValueError if the data are others, RuntimeError
        outside of ``fit``. Then, and when it saves, OSError.

    Example::

        model.fit(x, y, epochs=100, callbacks=[BackupAndRestore("run7", save_freq=1000)])
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        integer = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not integer:
            raise ValueError(
                f"Invalid value for argument `save_freq`: {save_freq!r}. Expected 'epoch' or a number of batches"
            )
        self.backup_dir: str = os.fsdecode(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._weights_path = os.path.join(self.backup_dir, LATEST)
        self._prev_weights_path = os.path.join(self.backup_dir, PREVIOUS)
        self._training_metadata_path = self._weights_path  # one file holds everything
        self._prev_training_metadata_path = self._prev_weights_path
        self._batches_seen_since_last_saving = 0
        self._last_batch_seen = 0
        self._current_epoch = 0
        self._due = False
        if save_freq == "epoch":
            self._idle(BackupAndRestore, "on_train_batch_end")

    def on_train_begin(self, logs: Logs = None) -> None:
        from netlet.models.resuming import Resumed

        self._batches_seen_since_last_saving = 0
        self._due = False
        loop = self.model._loop
        if loop is None:
            raise RuntimeError("BackupAndRestore works in fit() alone")
        error: Exception | None = None
        for path in (self._weights_path, self._prev_weights_path):
            try:
                with open(path, "rb") as file:
                    data = file.read()
            except FileNotFoundError:
                continue
            try:
                loop.resumed = Resumed(loop, data)
            except ModelFormatError as broken:
                error = error or broken
                continue
            self._current_epoch = loop.resumed.epoch
            self._last_batch_seen = max(loop.resumed.step - 1, 0)
            return
        if error is not None:
            raise error

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            return
        last = self._last_batch_seen
        self._batches_seen_since_last_saving += batch + 1 if batch <= last else batch - last
        self._last_batch_seen = batch
        if self._batches_seen_since_last_saving >= int(self.save_freq):
            self._batches_seen_since_last_saving = 0
            self._due = True

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._current_epoch = epoch + 1
        self._last_batch_seen = 0
        self._due = self._due or self.save_freq == "epoch"

    def _save_backup(self, loop: Any) -> None:
        """Save, if that is due. Called when all callbacks have had their say on a batch or an epoch."""
        if not self._due:
            return
        from netlet.models.files import write_atomically
        from netlet.models.resuming import snapshot

        self._due = False
        data = snapshot(loop)
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._weights_path):
            os.replace(self._weights_path, self._prev_weights_path)
        write_atomically(self._weights_path, data)

    def on_train_end(self, logs: Logs = None) -> None:
        if not self.delete_checkpoint:
            return
        for path in (self._weights_path, self._prev_weights_path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        with contextlib.suppress(OSError):  # it holds something else, or was never made
            os.rmdir(self.backup_dir)
