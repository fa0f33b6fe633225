"""Calls a list of callbacks at once, and knows which hooks anybody listens to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from netlet.callbacks.callback import Callback, Logs

if TYPE_CHECKING:
    from netlet.models.history import History
    from netlet.models.progress import ProgressBar

Hook = Callable[..., Any]

# Hooks that stand for each other: Callback.on_train_batch_end calls on_batch_end.
_BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class CallbackList(Callback):
    """A list of callbacks that is called as one; for training loops of one's own.

    Args:
        callbacks: None, one callback, or a list of them (lists and CallbackLists within are flattened). Any object that
            has some of `Callback`'s methods will do.
        add_history: whether to add a `History` if there is none; it becomes ``model.history``.
        add_progbar: whether to add a `ProgbarLogger` if there is none.
        model: handed to their ``set_model``, unless None.
        **params: handed to their ``set_params``, if any.

    Attributes:
        callbacks: the list.

    Raises: TypeError if an element has none of a callback's methods.

    Example::

        callbacks = CallbackList(EarlyStopping("loss"), model=model, add_history=True)
        callbacks.on_train_begin()
        for epoch in range(10):
            callbacks.on_epoch_begin(epoch)
            for i, (x, y) in enumerate(batches):
                callbacks.on_train_batch_begin(i)
                logs = model.train_on_batch(x, y, return_dict=True)
                callbacks.on_train_batch_end(i, logs)
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        callbacks.on_train_end(logs)
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Any] = list(_flatten(callbacks))
        for callback in self.callbacks:
            if isinstance(callback, type) or not any(hasattr(callback, name) for name in _HOOKS):
                raise TypeError(f"callbacks: expected Callback instances, got {callback!r}")
        self._bar_maker: Any = None
        self._history: History | None = None
        if add_history:
            from netlet.models.history import History

            self._history = self.find(History)
            if self._history is None:
                self._history = History()
                self.callbacks.append(self._history)
        if add_progbar:
            from netlet.callbacks.progbar_logger import ProgbarLogger

            if self.find(ProgbarLogger) is None:
                self.callbacks.append(ProgbarLogger())
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    @staticmethod
    def of_run(callbacks: Any, model: Any, params: dict[str, Any]) -> CallbackList:
        """Return the list for one call of ``fit``, ``evaluate`` or ``predict``, which draws the progress bar itself.

        A callback with a ``make_bar``, such as `ProgbarLogger`, leaves the list and is asked for the bar.
        """
        made = CallbackList(callbacks, model=model, **params)
        for callback in made.callbacks:
            if hasattr(callback, "make_bar"):
                made._bar_maker = callback
        if made._bar_maker is not None:
            made.callbacks = [callback for callback in made.callbacks if not hasattr(callback, "make_bar")]
        return made

    def verbosity(self, verbose: int) -> int:
        """Return ``verbose``, or at least 1 if the list has a bar that is drawn in any case."""
        return max(1, verbose) if getattr(self._bar_maker, "always", False) else verbose

    def bar(self, steps: int | None, epoch: int, epochs: int, verbose: int) -> ProgressBar:
        """Return a new progress bar: the callbacks' own, if one makes bars, else the usual one."""
        from netlet.models.progress import ProgressBar

        if verbose and self._bar_maker is not None:
            bar: ProgressBar = self._bar_maker.make_bar(steps, epoch, epochs, verbose)
            return bar
        return ProgressBar(steps, epoch, epochs, verbose)

    def append(self, callback: Any) -> None:
        """Add a callback at the end."""
        self.callbacks.append(callback)

    def find(self, kind: type[Any]) -> Any:
        """Return the last callback of a class, or None."""
        return next((callback for callback in reversed(self.callbacks) if isinstance(callback, kind)), None)

    def take(self, kind: type[Any]) -> Any:
        """Return the last callback of a class, or None, and take it and others of the class out of the list."""
        found = self.find(kind)
        self.callbacks = [callback for callback in self.callbacks if not isinstance(callback, kind)]
        return found

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        self.call("set_model", model)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        if params:
            self.call("set_params", params)

    # Who listens

    def hooks(self, name: str) -> list[Hook]:
        """Return the bound methods called ``name`` that do something: those a subclass of `Callback` overrides."""
        return [getattr(callback, name) for callback in self.callbacks if _overrides(callback, name)]

    def wants_batches(self, mode: str) -> bool:
        """Return whether any callback has a batch hook of ``mode``: "train", "test" or "predict"."""
        return any(_overrides(callback, name) for callback in self.callbacks for name in _BATCH_HOOKS[mode])

    def train_batch_hooks(self, when: str) -> list[Hook]:
        """Return the training batch hooks for ``when``, "begin" or "end", of the callbacks that override one.

        A callback that only has the old name, ``on_batch_end``, is reached through `Callback.on_train_batch_end`.
        """
        new, old = f"on_train_batch_{when}", f"on_batch_{when}"
        found = []
        for callback in self.callbacks:
            if _overrides(callback, new) or (_overrides(callback, old) and hasattr(callback, new)):
                found.append(getattr(callback, new))
            elif _overrides(callback, old):
                found.append(getattr(callback, old))
        return found

    # Calling all

    def call(self, hook: str, *args: Any) -> None:
        """Call ``hook`` of every callback that has it."""
        for callback in self.callbacks:
            method = getattr(callback, hook, None)
            if method is not None:
                method(*args)

    def on_train_begin(self, logs: Logs = None) -> None:
        self.call("on_train_begin", logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self.call("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.call("on_epoch_begin", epoch, {} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.call("on_epoch_end", epoch, {} if logs is None else logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.call("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.call("on_train_batch_end", batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.call("on_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.call("on_batch_end", batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        self.call("on_test_begin", logs)

    def on_test_end(self, logs: Logs = None) -> None:
        self.call("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.call("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.call("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self.call("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        self.call("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.call("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.call("on_predict_batch_end", batch, logs)


def _flatten(callbacks: Any) -> Iterable[Any]:
    if callbacks is None:
        return
    if isinstance(callbacks, CallbackList):
        callbacks = callbacks.callbacks
    if isinstance(callbacks, (list, tuple)):
        for callback in callbacks:
            yield from _flatten(callback)
    else:
        yield callbacks


def _overrides(callback: Any, name: str) -> bool:
    method = getattr(callback, name, None)
    if method is None or name in getattr(callback, "_idle_hooks", ()):
        return False
    base = getattr(Callback, name, None)
    return getattr(method, "__func__", method) is not base


_HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
