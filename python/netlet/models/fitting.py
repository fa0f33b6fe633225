"""The loop over epochs. Steps run below Python, as many in one call as callbacks and the progress bar allow."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Collection
from typing import Any

from netlet.callbacks.callback_list import CallbackList, Hook
from netlet.models.engine import Engine
from netlet.models.history import History
from netlet.models.progress import ProgressBar
from netlet.models.sources import Source

CHUNK_SECONDS = 0.05  # how long a call may run while a progress bar waits
ALL_STEPS = sys.maxsize

Validation = Callable[[CallbackList], dict[str, Any]]


class FitLoop:
    """One call of ``fit``.

    Args:
        model: has ``optimizer`` and ``stop_training``.
        engine: runs the steps.
        source: yields them.
        callbacks: the user's, wrapped.
        history: records the epochs.
        epochs: (initial_epoch, the number of the final epoch).
        verbose: 0, 1 or 2.
        chunk: steps between two calls of the batch hooks, where there are any.
        validation: evaluates and returns logs by name, or None.
        validation_freq: every how many epochs to validate, or the numbers of the epochs (from 1) after which to.
    """

    def __init__(
        self,
        model: Any,
        engine: Engine,
        source: Source,
        callbacks: CallbackList,
        history: History,
        *,
        epochs: tuple[int, int],
        verbose: int,
        chunk: int,
        validation: Validation | None,
        validation_freq: int | Collection[int],
    ) -> None:
        self.model = model
        self.engine = engine
        self.source = source
        self.callbacks = callbacks
        self.history = history
        self.first_epoch, self.epochs = epochs
        self.verbose = verbose
        self.chunk = chunk
        self.validation = validation
        self.validation_freq = validation_freq
        self.batch_begin: list[Hook] = []
        self.batch_end: list[Hook] = []
        if callbacks.wants_batches("train"):
            self.batch_begin = callbacks.train_batch_hooks("begin")
            self.batch_end = callbacks.train_batch_hooks("end")
        self._rate = 0.0  # steps per second, where they are run in chunks of time
        self._sums = engine.new_sums()

    def run(self) -> None:
        """Train until the last epoch, or until ``model.stop_training``, and tell the callbacks."""
        model, callbacks, history = self.model, self.callbacks, self.history
        model.stop_training = False
        callbacks.call("on_train_begin", None)
        epoch_begin, epoch_end = callbacks.hooks("on_epoch_begin"), callbacks.hooks("on_epoch_end")
        logs: dict[str, Any] = {}
        for epoch in range(self.first_epoch, self.epochs):
            for hook in epoch_begin:
                hook(epoch, {})
            if self.verbose:
                with ProgressBar(self.source.steps, epoch, self.epochs, self.verbose) as bar:
                    if not self._run_epoch(bar):
                        self._ran_dry(epoch)
                        break
                    logs = self._epoch_logs(epoch)
                    bar.finish(logs)
            else:
                if not self._run_epoch(None):
                    self._ran_dry(epoch)
                    break
                logs = self._epoch_logs(epoch)
            for hook in epoch_end:
                hook(epoch, logs)
            history.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        if self.first_epoch < self.epochs:
            self.engine.finish()
        callbacks.call("on_train_end", logs)

    def _ran_dry(self, epoch: int) -> None:
        """An epoch without a single step: an error at first, later the end of training."""
        if epoch == self.first_epoch:
            raise ValueError("x: the iterable yielded no batch")
        warnings.warn(f"the data ran out: training ends after epoch {epoch}", stacklevel=5)

    def _epoch_logs(self, epoch: int) -> dict[str, Any]:
        logs = self.engine.logs(self._sums)
        if self.validation is not None and self._validates(epoch):
            logs.update((f"val_{name}", value) for name, value in self.validation(self.callbacks).items())
            logs = dict(sorted(logs.items()))
        return logs

    def _validates(self, epoch: int) -> bool:
        freq = self.validation_freq
        return (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq

    def _run_epoch(self, bar: ProgressBar | None) -> int:
        """Run the steps of one epoch and return how many there were."""
        self.engine.restart(self._sums)
        self.source.begin_epoch()
        total = ALL_STEPS if self.source.steps is None else self.source.steps
        if self.batch_begin or self.batch_end:
            return self._run_with_hooks(total, bar)
        if self.verbose == 1 and bar is not None:
            return self._run_with_bar(total, bar)
        done = self._train(0, total)
        if bar is not None:
            bar.update(done)
        return done

    def _train(self, first: int, last: int) -> int:
        return self.source.train(self.engine, first, last, self.model.optimizer, self._sums)

    def _run_with_hooks(self, total: int, bar: ProgressBar | None) -> int:
        step = 0
        while step < total:
            last = min(step + self.chunk, total)
            for hook in self.batch_begin:
                hook(step, {})
            done = self._train(step, last)
            if not done:
                break
            step += done
            logs = self.engine.logs(self._sums)
            for hook in self.batch_end:
                hook(step - 1, logs)
            if bar is not None:
                bar.update(step, logs)
            if step < last or self.model.stop_training:
                break
        return step

    def _run_with_bar(self, total: int, bar: ProgressBar) -> int:
        """Steps in calls of about CHUNK_SECONDS, so that the bar moves."""
        step = 0
        while step < total:
            last = min(step + max(1, int(self._rate * CHUNK_SECONDS)), total)
            start = time.perf_counter()
            done = self._train(step, last)
            elapsed = time.perf_counter() - start
            step += done
            self._rate = done / elapsed if elapsed > 0 else self._rate
            bar.update(step, self.engine.logs(self._sums))
            if step < last:
                break
        return step
