"""``TerminateOnNaN``: ends training when the loss is no longer a finite number."""

from __future__ import annotations

import math

from netlet.callbacks.callback import Callback, Logs
from netlet.callbacks.messages import say


class TerminateOnNaN(Callback):
    """Ends training after the batch in which the loss became NaN or infinite.

    Args:
        raise_error: False (default) ends training in good order; True raises a RuntimeError in place of it, so that
            no ``on_train_end`` runs and, for one, a `BackupAndRestore` keeps its backup.

    The loss is the mean of the epoch so far. Source: keras.callbacks.TerminateOnNaN, Keras 3.15.

    Raises: RuntimeError as said.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. Terminating training immediately."
            )
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
