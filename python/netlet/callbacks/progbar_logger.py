"""``ProgbarLogger``: the progress bar as a callback."""

from __future__ import annotations

from typing import Any

from netlet.callbacks.callback import Callback, Logs
from netlet.models.progress import ProgressBar


class ProgbarLogger(Callback):
    """Prints the progress bar that ``fit``, ``evaluate`` and ``predict`` print by themselves.

    It is for training loops of one's own, which call its hooks (see `CallbackList`). Given to ``fit`` it changes
    nothing: ``verbose`` says what is printed. A subclass whose `make_bar` returns another bar changes how it looks.
    """

    #: Whether the bar is drawn even where ``verbose`` asks for none.
    always = False

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self.progbar: ProgressBar | None = None
        self._called_in_fit = False

    def make_bar(self, steps: int | None, epoch: int, epochs: int, verbose: int) -> ProgressBar:
        """Return a new bar.

        Args:
            steps: of the epoch; None where that is not known.
            epoch, epochs: which epoch (from 0) of how many.
            verbose: 0, 1 or 2.
        """
        return ProgressBar(steps, epoch, epochs, verbose)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" or self.always else verbose
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs: Logs = None) -> None:
        self._called_in_fit = True  # validations are silent

    def on_train_end(self, logs: Logs = None) -> None:
        self._called_in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._open(epoch, self.epochs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._update(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        if not self._called_in_fit:
            self._open(0, 1)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._called_in_fit:
            self._update(batch, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._called_in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._open(0, 1)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._update(batch, None)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._finish(None)

    def _open(self, epoch: int, epochs: int) -> None:
        self.seen = 0
        self.progbar = self.make_bar(self.target, epoch, epochs, self.verbose)

    def _update(self, batch: int, logs: Logs) -> None:
        self.seen = batch + 1
        if self.progbar is not None:
            self.progbar.update(self.seen, logs)

    def _finish(self, logs: Logs) -> None:
        if self.progbar is not None:
            self.progbar.finish(logs)
            self.progbar.close()
        self.progbar = None
