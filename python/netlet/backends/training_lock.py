"""Keeps those who copy an executor's parameters from seeing half of an update."""

from __future__ import annotations

import os
import threading

__all__ = ["TrainingLock"]


class TrainingLock:
    """A lock that ``train`` holds, and whoever must read the parameters between two steps.

    A forked child begins with a new one: the thread that held it in the parent is not there. A thread that comes back
    while it holds the lock (by a signal's handler) gets a RuntimeError, as it would wait for itself.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._lock, self._owner, self._process = threading.Lock(), 0, os.getpid()

    def __enter__(self) -> None:
        if self._process != os.getpid():
            self._begin()
        if self._owner == threading.get_ident():
            raise RuntimeError("executor: called from within its own training (by a signal handler?)")
        self._lock.acquire()
        self._owner = threading.get_ident()

    def __exit__(self, *exception: object) -> None:
        self._owner = 0
        self._lock.release()
