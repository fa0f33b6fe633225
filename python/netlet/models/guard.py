"""Keeps two threads from changing one model at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Guard:
    """A lock that says who holds it instead of waiting.

    Args:
        name: the model's, for the error.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.RLock()
        self._holder = ""

    @contextmanager
    def __call__(self, action: str) -> Iterator[None]:
        """Hold the lock during a ``with`` block; the thread that holds it may enter again, as callbacks do.

        Raises: RuntimeError naming both actions if another thread holds it.
        """
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(
                f"{self.name}: {action} cannot run while another thread runs {self._holder or 'training'} on this model"
            )
        before = self._holder
        self._holder = action
        try:
            yield
        finally:
            self._holder = before
            self._lock.release()
