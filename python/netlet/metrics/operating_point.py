"""The best of one rate where another is at least so good: sensitivity at specificity, precision at recall, ..."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlet.metrics.confusion import add_counts, check_class_id, divide
from netlet.metrics.metric import Metric
from netlet.metrics.thresholds import confusion_at_thresholds


class _OperatingPoint(Metric):
    """The largest of one rate among the thresholds at which another is at least ``value``; 0 if there is none."""

    #: The name of the constructor's first argument, the rate that has to be reached.
    _reach = ""

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0 <= value <= 1:
            raise ValueError(
                f"{self.name}: Argument `{self._reach}` must be in the range [0, 1]. Received: {self._reach}={value}"
            )
        if num_thresholds <= 0:
            raise ValueError(
                f"{self.name}: Argument `num_thresholds` must be an integer > 0. "
                f"Received: num_thresholds={num_thresholds}"
            )
        self.limit = value
        self.num_thresholds = num_thresholds
        self.class_id = check_class_id(class_id, self.name)
        self.thresholds = [0.5] if num_thresholds == 1 else (np.arange(num_thresholds) / (num_thresholds - 1)).tolist()
        for kind in ("true_positives", "false_positives", "true_negatives", "false_negatives"):
            setattr(self, kind, self.add_variable(shape=(num_thresholds,), initializer="zeros", name=kind))

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch; see `Metric.update_state`."""
        counts = confusion_at_thresholds(
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            class_id=self.class_id,
            evenly=self.num_thresholds > 1,
            name=self.name,
        )
        add_counts(self, counts)

    def result(self) -> float:
        """Return the best rate since the last reset."""
        reached, rate = (divide(*parts) for parts in self._rates(*(np.asarray(v) for v in self.variables[:4])))
        return float(np.max(rate[reached >= self.limit], initial=0.0))

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """Numerator and denominator of the rate to be reached and of the one that counts."""
        raise NotImplementedError(f"{type(self).__name__} does not define _rates()")

    def get_config(self) -> dict[str, Any]:
        config = {self._reach: self.limit, "num_thresholds": self.num_thresholds, "class_id": self.class_id}
        return {**super().get_config(), **config}


class SensitivityAtSpecificity(_OperatingPoint):
    """The best sensitivity, tp / (tp + fn), of the thresholds at which the specificity, tn / (tn + fp), is reached.

    Args:
        specificity: what is to be reached, in [0, 1].
        num_thresholds: how many thresholds from 0 to 1 are tried; default 200. One is 0.5.
        class_id: count this class only; None counts all together.
        name, dtype: as of `Metric`.

    The result is a float in [0, 1]; larger is better; 0 if no threshold reaches it.

    Shapes: as of `TruePositives`; with ``class_id``, y_pred ``[B, ..., C]``. Source: keras.metrics, Keras 3.15.

    Raises: ValueError if an argument is out of range or, with a batch, ``class_id`` is not below C.
    """

    _reach = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        return (tn, tn + fp), (tp, tp + fn)


class SpecificityAtSensitivity(_OperatingPoint):
    """The best specificity, tn / (tn + fp), of the thresholds at which the sensitivity, tp / (tp + fn), is reached.

    Args: sensitivity, in [0, 1]; the others as of `SensitivityAtSpecificity`.

    Result, shapes and errors as of `SensitivityAtSpecificity`.
    """

    _reach = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        return (tp, tp + fn), (tn, tn + fp)


class PrecisionAtRecall(_OperatingPoint):
    """The best precision, tp / (tp + fp), of the thresholds at which the recall, tp / (tp + fn), is reached.

    Args: recall, in [0, 1]; the others as of `SensitivityAtSpecificity`.

    Result, shapes and errors as of `SensitivityAtSpecificity`.
    """

    _reach = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        return (tp, tp + fn), (tp, tp + fp)


class RecallAtPrecision(_OperatingPoint):
    """The best recall, tp / (tp + fn), of the thresholds at which the precision, tp / (tp + fp), is reached.

    Args: precision, in [0, 1]; the others as of `SensitivityAtSpecificity`.

    Result, shapes and errors as of `SensitivityAtSpecificity`.
    """

    _reach = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        return (tp, tp + fp), (tp, tp + fn)
