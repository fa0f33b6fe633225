"""The area under a curve of two rates over all thresholds: ROC, precision-recall, or precision gain-recall gain."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlet.config import EPSILON
from netlet.errors import did_you_mean
from netlet.losses.functions import as_floats
from netlet.metrics.confusion import add_counts, divide
from netlet.metrics.metric import Metric
from netlet.metrics.thresholds import check_thresholds, confusion_at_thresholds, evenly_spaced
from netlet.metrics.weights import Floats


class AUCCurve(Enum):
    """The curves that `AUC` knows."""

    ROC = "ROC"
    PR = "PR"
    PRGAIN = "PRGAIN"

    @staticmethod
    def from_str(key: str) -> AUCCurve:
        """Return the curve called ``key``, in capitals or not; ValueError if there is none."""
        found: AUCCurve = _find(AUCCurve, key, "curve")
        return found


class AUCSummationMethod(Enum):
    """The heights of the columns that `AUC` adds up: between neighbours, the greater or the lesser of them."""

    INTERPOLATION = "interpolation"
    MAJORING = "majoring"
    MINORING = "minoring"

    @staticmethod
    def from_str(key: str) -> AUCSummationMethod:
        """Return the method called ``key``, capitalized or not; ValueError if there is none."""
        found: AUCSummationMethod = _find(AUCSummationMethod, key, "summation method")
        return found


def _find(kind: Any, key: Any, what: str) -> Any:
    if isinstance(key, kind):
        return key
    names = {form: member for member in kind for form in (member.value, member.value.lower(), member.value.title())}
    if not isinstance(key, str) or key not in names:
        known = [member.value for member in kind]
        raise ValueError(f'Invalid AUC {what} value: "{key}". Expected values are {known}.{did_you_mean(key, known)}')
    return names[key]


class AUC(Metric):
    """The area under a curve, by sums of columns between thresholds.

    ROC is the recall over the false positive rate; PR the precision over the recall, whose "interpolation" is that of
    Davis and Goadrich, 2006; PRGAIN the gains of both, of Flach and Kull, 2015. Thresholds are 0 - 1e-7, the ones in
    between, and 1 + 1e-7.

    Args:
        num_thresholds: how many thresholds, evenly spaced; an int of at least 2, default 200.
        curve: "ROC", "PR" or "PRGAIN"; default "ROC".
        summation_method: "interpolation" (of neighbouring heights, the default), "majoring" (the greater) or
            "minoring" (the lesser).
        name, dtype: as of `Metric`.
        thresholds: the thresholds in between, numbers in [0, 1], instead of ``num_thresholds``.
        multi_label: whether the columns of y_pred ``[B, L]`` have an area each, whose mean is the result.
        num_labels: L, only with ``multi_label``; None: known from the first batch.
        label_weights: ``[L]``; weights of the columns' areas with ``multi_label``, else of their predictions.
        from_logits: whether y_pred is taken before its sigmoid.

    Shapes: y_true and y_pred ``[...]`` of one shape, or class numbers ``[B]`` for ``[B, C]``; ``[B, L]`` with
        ``multi_label``.

    The result is a float, at most 1; larger is better. ROC and PR are at least 0, and ROC is 0.5 by chance. Labels are
    positive unless 0. Predictions count as cut to [0, 1] where the thresholds are evenly spaced.

    Source: Davis, Goadrich, "The relationship between precision-recall and ROC curves", 2006; Flach, Kull,
    "Precision-recall-gain curves: PR analysis done right", 2015; the thresholds: keras.metrics.AUC, Keras 3.15.

    Raises: ValueError if an argument or a shape is none of these, TypeError for what is not real numbers.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str | AUCCurve = "ROC",
        summation_method: str | AUCSummationMethod = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: ArrayLike | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.curve = AUCCurve.from_str(curve)  # type: ignore[arg-type]
        self.summation_method = AUCSummationMethod.from_str(summation_method)  # type: ignore[arg-type]
        self._init_from_thresholds = thresholds is not None
        if thresholds is not None:
            inner = sorted(check_thresholds(list(thresholds), self.name)) if len(thresholds) else []
        elif num_thresholds <= 1:
            raise ValueError(
                f"{self.name}: Argument `num_thresholds` must be an integer > 1. "
                f"Received: num_thresholds={num_thresholds}"
            )
        else:
            inner = (np.arange(1, num_thresholds - 1) / (num_thresholds - 1)).tolist()
        self.num_thresholds = len(inner) + 2
        self.thresholds = [-EPSILON, *inner, 1 + EPSILON]
        self._evenly = thresholds is None or evenly_spaced([0.0, *inner, 1.0])
        if num_labels and not multi_label:
            raise ValueError(f"{self.name}: `num_labels` is needed only when `multi_label` is True.")
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else np.asarray(label_weights, np.float64)
        self._from_logits = from_logits
        self._built = False
        if num_labels or not multi_label:
            self._build(num_labels)

    def _build(self, labels: int | None) -> None:
        shape = (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        for kind in ("true_positives", "false_positives", "true_negatives", "false_negatives"):
            setattr(self, kind, self.add_variable(shape=shape, initializer="zeros", name=kind))
        self._built = True

    def _make_state(self, shapes: Sequence[tuple[int, ...]]) -> None:
        if not self._built and shapes and len(shapes[0]) == 2:
            self._build(shapes[0][1])

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch; see `Metric.update_state`."""
        pred = as_floats(y_pred, f"{self.name}: y_pred")
        if self._from_logits:
            pred = _sigmoid(pred)
        counts = confusion_at_thresholds(
            y_true,
            pred,
            self.thresholds,
            sample_weight,
            multi_label=self.multi_label,
            label_weights=None if self.multi_label else self.label_weights,
            evenly=self._evenly,
            name=self.name,
        )
        if not self._built:
            self._build(pred.shape[1])
        add_counts(self, counts)

    def result(self) -> float:
        """Return the area since the last reset; 0 before the first batch."""
        if not self._built:
            return 0.0
        tp, fp, tn, fn = (np.asarray(variable) for variable in self.variables[:4])
        if self.curve is AUCCurve.PR and self.summation_method is AUCSummationMethod.INTERPOLATION:
            columns = _interpolated_precision_recall(tp, fp, fn)
        else:
            x, y = _POINTS[self.curve](tp, fp, tn, fn)
            columns = (x[:-1] - x[1:]) * _HEIGHTS[self.summation_method](y[:-1], y[1:])
        areas = columns.sum(axis=0)
        if not self.multi_label:
            return float(areas)
        if self.label_weights is None:
            return float(areas.mean())
        return float(divide((areas * self.label_weights).sum(), self.label_weights.sum()))

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve.value,
            "summation_method": self.summation_method.value,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self._from_logits,
        }
        if self._init_from_thresholds:
            config["thresholds"] = self.thresholds[1:-1]
        return {**super().get_config(), **config}


def _sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) in x's type, without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def _roc(tp: Floats, fp: Floats, tn: Floats, fn: Floats) -> tuple[Floats, Floats]:
    """False positive rate and recall at each threshold."""
    return divide(fp, fp + tn), divide(tp, tp + fn)


def _precision_recall(tp: Floats, fp: Floats, tn: Floats, fn: Floats) -> tuple[Floats, Floats]:
    """Recall and precision at each threshold."""
    return divide(tp, tp + fn), divide(tp, tp + fp)


def _gains(tp: Floats, fp: Floats, tn: Floats, fn: Floats) -> tuple[Floats, Floats]:
    """Recall gain, at least 0, and precision gain at each threshold."""
    odds = divide(tp + fn, tn + fp)
    recall_gain = np.where(tp == 0, 0.0, 1 - odds * divide(fn, tp))
    precision_gain = np.where(tp == 0, 1.0, 1 - odds * divide(fp, tp))
    return np.maximum(recall_gain, 0.0), precision_gain


def _interpolated_precision_recall(tp: Floats, fp: Floats, fn: Floats) -> Floats:
    """The area between neighbouring thresholds where positives and true positives grow in proportion.

    With p positives and tp = a + s p in between, the precision tp / p = a / p + s has the integral over tp of
    s (dtp + a log(p1 / p0)); over the recall, that is divided by the number of true labels.
    """
    p = tp + fp
    rise = tp[:-1] - tp[1:]
    slope = divide(rise, np.maximum(p[:-1] - p[1:], 0))
    start = tp[1:] - slope * p[1:]
    some = (p[:-1] > 0) & (p[1:] > 0)
    ratio = np.where(some, divide(p[:-1], np.maximum(p[1:], 0)), 1.0)
    column: Floats = divide(slope * (rise + start * np.log(ratio)), np.maximum(tp[1:] + fn[1:], 0))
    return column


_POINTS = {AUCCurve.ROC: _roc, AUCCurve.PR: _precision_recall, AUCCurve.PRGAIN: _gains}
_HEIGHTS: dict[AUCSummationMethod, Any] = {
    AUCSummationMethod.INTERPOLATION: lambda a, b: (a + b) / 2,
    AUCSummationMethod.MAJORING: np.maximum,
    AUCSummationMethod.MINORING: np.minimum,
}
