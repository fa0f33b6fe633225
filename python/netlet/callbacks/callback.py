"""The base class of callbacks: hooks that ``fit``, ``evaluate`` and ``predict`` call while they run."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any] | None


class Callback:
    """Base of callbacks. Override the hooks that you need; the others cost nothing.

    The batch hooks are called only if a subclass overrides one of them: otherwise ``fit`` runs a whole epoch in one
    call. ``logs`` holds floats under the metrics' names; at the end of an epoch also the validation's, as ``val_...``.

    Attributes:
        model: the model in training.
        params: ``{"verbose": int, "epochs": int, "steps": int or None}``.
    """

    #: Hooks that are overridden and yet do nothing with the present settings; nobody is to wait for them.
    _idle_hooks: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._model: Any = None
        self.params: dict[str, Any] | None = None

    @property
    def model(self) -> Any:
        """The model in training; None outside of it."""
        return getattr(self, "_model", None)  # a subclass may not have called our constructor

    def set_model(self, model: Any) -> None:
        """Called once before training begins."""
        self._model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called once before training begins."""
        self.params = params

    def _idle(self, owner: type[Callback], *hooks: str) -> None:
        """Declare that ``owner``'s versions of ``hooks`` do nothing: a subclass may still override them."""
        mine = frozenset(hook for hook in hooks if getattr(type(self), hook) is getattr(owner, hook))
        self._idle_hooks = self._idle_hooks | mine

    def get_state(self) -> dict[str, Any] | None:
        """Return what the callback must know to go on in a resumed run; None if it remembers nothing.

        `BackupAndRestore` saves it: None, booleans, numbers, strings and arrays, and lists and dicts of them.
        """
        return None

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned. Called after ``on_train_begin``."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called when ``fit`` begins."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called when ``fit`` has ended, with the logs of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called before each epoch; epochs count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after each epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each training step; steps count from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each training step, with the averages of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Old name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Old name of `on_train_batch_end`."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Called when ``evaluate`` or a validation begins."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Called when ``evaluate`` or a validation has ended."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of ``evaluate`` or a validation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of ``evaluate`` or a validation, with the averages so far."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called when ``predict`` begins."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called when ``predict`` has ended."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of ``predict``."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of ``predict``, with ``{"outputs": predictions}``."""
