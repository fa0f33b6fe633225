"""The loop over epochs. Steps run below Python, as many in one call as callbacks and the progress bar allow."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from netlet.callbacks.callback_list import CallbackList, Hook
from netlet.models.history import History
from netlet.models.progress import ProgressBar
from netlet.models.sources import ArraySource, Source

CHUNK_SECONDS = 0.05  # how long a call may run while a progress bar waits
PASSES_SECONDS = 0.001  # how long a call of several epochs may keep others from the model
ALL_STEPS = sys.maxsize

if TYPE_CHECKING:
    from netlet.models.engine import Engine
    from netlet.models.resuming import Resumed

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

    Attributes:
        epoch, step: where it is: the epoch (from 0), and how many of its steps are done.
        sums: of the epoch so far.
        resumed: set by a callback's ``on_train_begin`` to go on from a backup.
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
        self._savers = [callback for callback in callbacks.callbacks if hasattr(callback, "_save_backup")]
        self._rate = 0.0  # steps per second, where they are run in chunks of time
        self._passing: ArraySource | None = None  # the source, where nobody can tell one epoch from several
        watched = verbose or callbacks.callbacks or validation is not None or type(history) is not History
        if isinstance(source, ArraySource) and source.passes and engine.in_sums and not watched:
            self._passing = None if model.optimizer.asks_for_rate else source
        self._pass_seconds = math.inf  # of the last epoch, where that counts
        self.epoch, self.step = self.first_epoch, 0
        self.sums = engine.new_sums()
        self.resumed: Resumed | None = None

    def run(self) -> None:
        """Train until the last epoch, or until ``model.stop_training``, and tell the callbacks."""
        model, callbacks = self.model, self.callbacks
        model.stop_training = False
        model._loop = self
        try:
            callbacks.call("on_train_begin", None)
            if self.resumed is not None:
                self.resumed.apply(self)
            epoch_begin, epoch_end = callbacks.hooks("on_epoch_begin"), callbacks.hooks("on_epoch_end")
            logs: dict[str, Any] = {}
            while self.epoch < self.epochs:
                epoch = self.epoch
                if self._passing is not None and (passes := self._passes()) > 1:
                    logs = self._run_passes(self._passing, passes)
                    if model.stop_training:
                        break
                    continue
                start = time.perf_counter()
                for hook in epoch_begin:
                    hook(epoch, {})
                if self.resumed is not None:
                    self.resumed.begin_epoch(self)
                if self.verbose:
                    with callbacks.bar(self.source.steps, epoch, self.epochs, self.verbose) as bar:
                        done = self._run_epoch(bar)
                        if done:
                            logs = self._end_epoch(epoch, epoch_end)
                            bar.finish(logs)
                else:
                    done = self._run_epoch(None)
                    if done:
                        logs = self._end_epoch(epoch, epoch_end)
                if not done:
                    self._ran_dry(epoch)
                    break
                self.epoch, self.step = epoch + 1, 0
                self._pass_seconds = time.perf_counter() - start
                for saver in self._savers:
                    saver._save_backup(self)
                if model.stop_training:
                    break
            if model.optimizer._iterations:
                self.engine.finish()
            callbacks.call("on_train_end", logs)
        finally:
            model._loop = None

    def _passes(self) -> int:
        """How many epochs to run in one call."""
        return min(self.epochs - self.epoch, int(PASSES_SECONDS / max(self._pass_seconds, 1e-9)))

    def _run_passes(self, source: ArraySource, passes: int) -> dict[str, Any]:
        """Run so many epochs in one call; record those that are done, also when it fails."""
        sums = np.zeros((passes, len(self.sums)))
        start = time.perf_counter()
        try:
            source.train_passes(self.engine, passes, self.model.optimizer, sums)
        finally:
            whole = int(np.count_nonzero(sums[:, 1] == len(source.rows)))
            if whole:
                columns = self.engine.columns(sums[:whole].tolist())
                self.history._add(self.epoch, columns)
                self.epoch += whole
        self._pass_seconds = (time.perf_counter() - start) / passes
        return {name: values[-1] for name, values in columns.items()}

    def _end_epoch(self, epoch: int, epoch_end: list[Hook]) -> dict[str, Any]:
        """Validate, tell the callbacks and return the logs with what callbacks added to them."""
        self.source.end_epoch()
        logs = self._epoch_logs(epoch)
        try:
            for hook in epoch_end:
                hook(epoch, logs)
        except BaseException:
            self._save_despite(epoch, logs)
            raise
        self.history.on_epoch_end(epoch, logs)
        return logs

    def _save_despite(self, epoch: int, logs: dict[str, Any]) -> None:
        """Save what callbacks before the one that failed asked to save at the end of an epoch."""
        if any(saver._due for saver in self._savers):
            self.history.on_epoch_end(epoch, logs)
            self.epoch, self.step = epoch + 1, 0
            for saver in self._savers:
                saver._save_backup(self)

    def _ran_dry(self, epoch: int) -> None:
        """An epoch without a single step: an error at first, later the end of training."""
        if epoch == self.first_epoch:
            raise ValueError("x: the iterable yielded no batch")
        warnings.warn(f"the data ran out: training ends after epoch {epoch}", stacklevel=5)

    def _epoch_logs(self, epoch: int) -> dict[str, Any]:
        logs = self.engine.logs(self.sums)
        if self.validation is not None and self._validates(epoch):
            logs.update((f"val_{name}", value) for name, value in self.validation(self.callbacks).items())
            logs = dict(sorted(logs.items()))
        return logs

    def _validates(self, epoch: int) -> bool:
        freq = self.validation_freq
        return (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq

    def _run_epoch(self, bar: ProgressBar | None) -> int:
        """Run what is left of the epoch's steps and return how many are done."""
        if not self.step:
            self.engine.restart(self.sums)
            self.source.begin_epoch()
        total = ALL_STEPS if self.source.steps is None else self.source.steps
        if self.batch_begin or self.batch_end:
            self._run_with_hooks(total, bar)
        elif self.verbose == 1 and bar is not None:
            self._run_with_bar(total, bar)
        else:
            self._train(total)
            if bar is not None:
                bar.update(self.step)
        return self.step

    def _train(self, last: int) -> bool:
        """Run the steps before number ``last``; return whether the data lasted for all of them."""
        self.step += self.source.train(self.engine, self.step, last, self.model.optimizer, self.sums)
        return self.step == last

    def _run_with_hooks(self, total: int, bar: ProgressBar | None) -> None:
        while self.step < total:
            first = self.step
            for hook in self.batch_begin:
                hook(first, {})
            lasted = self._train(min(first + self.chunk, total))
            if self.step == first:
                break
            logs = self.engine.logs(self.sums)
            for hook in self.batch_end:
                hook(self.step - 1, logs)
            for saver in self._savers:
                saver._save_backup(self)
            if bar is not None:
                bar.update(self.step, logs)
            if not lasted or self.model.stop_training:
                break

    def _run_with_bar(self, total: int, bar: ProgressBar) -> None:
        """Steps in calls of about CHUNK_SECONDS, so that the bar moves."""
        while self.step < total:
            first = self.step
            start = time.perf_counter()
            lasted = self._train(min(first + max(1, int(self._rate * CHUNK_SECONDS)), total))
            elapsed = time.perf_counter() - start
            self._rate = (self.step - first) / elapsed if elapsed > 0 else self._rate
            bar.update(self.step, self.engine.logs(self.sums))
            if not lasted:
                break
