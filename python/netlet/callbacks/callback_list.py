"""Calls a list of callbacks at once, and knows which hooks anybody listens to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from netlet.callbacks.callback import Callback

Hook = Callable[..., Any]

# Hooks that stand for each other: Callback.on_train_batch_end calls on_batch_end.
_BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class CallbackList:
    """A list of callbacks that is called as one.

    Args:
        callbacks: None, one callback, or a list of them (lists within are flattened). Any object that has some of
            `Callback`'s methods will do.
        model: handed to their ``set_model``.
        params: handed to their ``set_params``.

    Raises: TypeError if an element has none of a callback's methods.
    """

    def __init__(self, callbacks: Any, model: Any, params: dict[str, Any]) -> None:
        self.callbacks = list(_flatten(callbacks))
        for callback in self.callbacks:
            if isinstance(callback, type) or not any(hasattr(callback, name) for name in _HOOKS):
                raise TypeError(f"callbacks: expected Callback instances, got {callback!r}")
        for callback in self.callbacks:
            if hasattr(callback, "set_params"):
                callback.set_params(params)
            if hasattr(callback, "set_model"):
                callback.set_model(model)

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

    def call(self, hook: str, *args: Any) -> None:
        """Call ``hook`` of every callback that has it."""
        for callback in self.callbacks:
            method = getattr(callback, hook, None)
            if method is not None:
                method(*args)


def _flatten(callbacks: Any) -> Iterable[Any]:
    if callbacks is None:
        return
    if isinstance(callbacks, (list, tuple)):
        for callback in callbacks:
            yield from _flatten(callback)
    else:
        yield callbacks


def _overrides(callback: Any, name: str) -> bool:
    method = getattr(callback, name, None)
    if method is None:
        return False
    base = getattr(Callback, name, None)
    return getattr(method, "__func__", method) is not base


_HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
