"""What callbacks that watch a metric share: which way is better, and whether a value is better than another."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from netlet.callbacks.callback import Callback

#: Metrics by class, where a metric does not say itself (``_direction``) which way is better.
_UP = """
    Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy
    SparseTopKCategoricalAccuracy Precision Recall AUC SensitivityAtSpecificity SpecificityAtSensitivity
    PrecisionAtRecall RecallAtPrecision TruePositives TrueNegatives FBetaScore F1Score IoU BinaryIoU MeanIoU OneHotIoU
    OneHotMeanIoU CosineSimilarity R2Score PearsonCorrelation ConcordanceCorrelation
"""
_DOWN = """
    MeanSquaredError RootMeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError
    LogCoshError Hinge SquaredHinge CategoricalHinge KLDivergence Poisson BinaryCrossentropy CategoricalCrossentropy
    SparseCategoricalCrossentropy FalsePositives FalseNegatives
"""
UP, DOWN = frozenset(_UP.split()), frozenset(_DOWN.split())


def better_way(name: str, metrics: Iterable[Any]) -> str:
    """Return "min" or "max", whichever is better for the log called ``name``; "" if that is not known.

    Args:
        name: as in the logs: ``loss``, a metric's name, each also after ``val_`` or ``<output>_``.
        metrics: the model's.
    """
    name = name.removeprefix("val_")
    if name == "loss" or name.endswith("_loss"):
        return "min"
    for metric in metrics:
        if name == metric.name or name.endswith(f"_{metric.name}"):
            kind = type(metric).__name__
            direction = getattr(metric, "_direction", None)
            if direction or kind in UP or kind in DOWN:
                return "max" if direction == "up" or (not direction and kind in UP) else "min"
    return ""


class MonitorCallback(Callback):
    """Base of the callbacks that act on whether a metric got better.

    Args:
        monitor: the metric's name in the logs; default "val_loss".
        mode: "min" or "max" says which way is better; "auto" takes it from the metric. Anything else warns and is
            "auto".
        baseline: the value to beat at first; None: the first value is the best.
        min_delta: a change of less than this (its absolute value counts) is no improvement.

    Attributes:
        best: the best value so far, or None.
        monitor_op: ``np.less`` or ``np.greater`` once the direction is known, else None.

    Raises: ValueError at the end of the first epoch if mode is "auto" and nobody knows the metric's direction.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode {mode!r} is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best: Any = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    def _set_monitor_op(self) -> None:
        """Find out which way is better. The metrics are known once the model has been built."""
        mode = self.mode
        if mode == "auto":
            mode = better_way(self.monitor, getattr(self.model, "metrics", None) or ())
            if not mode:
                raise ValueError(
                    f"{type(self).__name__}: monitor={self.monitor!r} does not tell whether more or less of it is "
                    "better; pass mode='max' or mode='min'"
                )
        self.monitor_op = np.less if mode == "min" else np.greater
        if self.monitor_op is np.less:
            self.min_delta *= -1

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        """Return whether ``value`` is better than ``reference`` by at least ``min_delta``; always, if that is None."""
        if reference is None:
            return True
        assert self.monitor_op is not None
        return bool(self.monitor_op(value - self.min_delta, reference))
