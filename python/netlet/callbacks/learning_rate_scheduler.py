"""``LearningRateScheduler``: the learning rate of each epoch from a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from netlet.callbacks.callback import Callback, Logs
from netlet.callbacks.inner_optimizers import holds_several, inner_optimizers, learning_rates
from netlet.callbacks.messages import say


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch to what a function says.

    The logs, and so the `History`, get ``learning_rate``. Of a `MultiOptimizer`, the function is asked for the learning
    rate of each of its optimizers, and the logs get ``learning_rate_<name of the optimizer>``.

    Args:
        schedule: called with the number of the epoch (from 0) and the present learning rate, or with the epoch alone if
            it takes no more; returns the new learning rate, a float.
        verbose: 1 says what the learning rate is set to; default 0.

    Raises: ValueError in training if the function does not return a float (an int is none), or one that is negative or
        not finite, or the optimizer has no learning rate; TypeError if it follows a schedule.
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        several = holds_several(self.model.optimizer)
        for optimizer in inner_optimizers(self.model.optimizer):
            if not hasattr(optimizer, "learning_rate"):
                raise ValueError('LearningRateScheduler: the optimizer must have a "learning_rate" attribute')
            arguments = (epoch, float(optimizer.learning_rate))
            rate = self.schedule(*(arguments if _takes_two(self.schedule) else arguments[:1]))
            if not isinstance(rate, (float, np.float32, np.float64)):
                raise ValueError(f"LearningRateScheduler: the schedule must return a float, got {rate!r}")
            optimizer.learning_rate = rate
            if self.verbose > 0:
                whose = f"{optimizer.name} " if several else ""
                say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting {whose}learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs.update(learning_rates(self.model.optimizer))


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether ``function`` can be called with two arguments; a builtin that does not tell is taken to."""
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:
        return True
    return True
