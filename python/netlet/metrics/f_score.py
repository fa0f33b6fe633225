"""F-scores: means of precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlet.config import EPSILON
from netlet.errors import did_you_mean
from netlet.losses.functions import as_floats
from netlet.metrics.metric import Metric, Sums
from netlet.metrics.weights import broadcast_weight

AVERAGES = ("micro", "macro", "weighted")
_ZERO = 1e-9  # with no threshold, a class is predicted if it is the largest and not 0


class FBetaScore(Metric):
    """The harmonic mean of precision and recall, in which recall weighs beta times as much; per class or averaged.

    ``(1 + beta^2) precision recall / (beta^2 precision + recall)``. As Keras does, 1e-7 is added to the denominators,
    so that a class without predictions and labels scores 0.

    Args:
        average: None: an array, one score per class; "micro": of the counts of all classes together; "macro": the mean
            of the classes; "weighted": their mean weighted by how often they occur.
        beta: a positive float; default 1.0.
        threshold: predictions above it are positive, a float in (0, 1]; None: the most likely class is.
        name: default "fbeta_score".
        dtype: as of `Metric`.

    Shapes: y_true and y_pred ``[B, ..., C]``; class numbers ``[B, ...]`` for y_true become one-hot.

    The result is in [0, 1]; larger is better. Source: van Rijsbergen, "Information retrieval", 1979, chapter 7; the
    averages and the 1e-7: keras.metrics.FBetaScore, Keras 3.15.

    Raises: ValueError if an argument or a shape is none of these.
    """

    op = "confusion"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average is not None and average not in AVERAGES:
            raise ValueError(
                f"{self.name}: Invalid `average` argument value. Expected one of: {{None, 'micro', 'macro', "
                f"'weighted'}}. Received: average={average}{did_you_mean(average, AVERAGES)}"
            )
        _check_float("beta", beta)
        if beta <= 0.0:
            raise ValueError(f"Invalid `beta` argument value. It should be > 0. Received: beta={beta}")
        if threshold is not None:
            _check_float("threshold", threshold)
            if not 0.0 < threshold <= 1.0:
                raise ValueError(
                    f"Invalid `threshold` argument value. It should verify 0 < threshold <= 1. "
                    f"Received: threshold={threshold}"
                )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._counts: tuple[Any, ...] = ()

    def _build(self, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> None:
        shapes = f"Received input shapes: y_pred.shape={y_pred_shape} and y_true.shape={y_true_shape}."
        wanted = "FBetaScore expects 2D inputs with shape (batch_size, output_dim)"
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
            raise ValueError(f"{wanted}. {shapes}")
        classes = y_pred_shape[-1]
        if classes is None or y_true_shape[-1] is None:
            raise ValueError(f"{wanted}, with output_dim fully defined (not None). {shapes}")
        shape = () if self.average == "micro" else (classes,)
        names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
        self._counts = tuple(self.add_variable(shape=shape, initializer="zeros", name=name) for name in names)
        self.true_positives, self.false_positives, self.false_negatives, self.intermediate_weights = self._counts

    def _make_state(self, shapes: Sequence[tuple[int, ...]]) -> None:
        if not self._counts and shapes:
            columns = shapes[0][0] if shapes[0] else 1
            self._build((1, columns), (1, columns))

    def attrs(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "per_class": self.average != "micro"}

    def value(self, sums: Sequence[float] | Sums) -> Any:
        hit, wrong, missed, _ = np.asarray(sums, np.float64).reshape(4, -1)
        return self._score(hit, wrong, missed, hit + missed)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch; see `Metric.update_state`. Labels between 0 and 1 count in part."""
        pred = as_floats(y_pred, f"{self.name}: y_pred")
        true = as_floats(y_true, f"{self.name}: y_true")
        if true.ndim == pred.ndim - 1 and pred.shape[-1] > 1 and true.shape == pred.shape[:-1]:
            true = (true[..., None] == np.arange(pred.shape[-1])).astype(pred.dtype)
        if true.shape != pred.shape:
            raise ValueError(f"{self.name}: y_true has shape {true.shape}, expected {pred.shape} as y_pred has")
        weight = np.ones((1, 1)) if sample_weight is None else broadcast_weight(sample_weight, pred.shape, self.name)
        if pred.ndim > 2:  # every position is a row
            if sample_weight is not None:
                weight = np.broadcast_to(weight, pred.shape).reshape(-1, pred.shape[-1])
            true, pred = true.reshape(-1, pred.shape[-1]), pred.reshape(-1, pred.shape[-1])
        if not self._counts:
            self._build(true.shape, pred.shape)
        expected = self.true_positives.shape
        if expected and pred.shape[1:] != expected:
            raise ValueError(f"{self.name}: batch has {pred.shape[1]} classes, expected {expected[0]}")
        if self.threshold is None:
            positive = (pred == pred.max(axis=-1, keepdims=True)) & (np.abs(pred) > _ZERO)
        else:
            positive = pred > self.threshold
        shares = true * weight  # float64
        added = (shares * positive, (weight - shares) * positive, shares * ~positive, shares)
        for variable, share in zip(self._counts, added, strict=True):
            variable.assign_add(share.sum(axis=0 if expected else None))

    def result(self) -> Any:
        """Return the score since the last reset, or an array with one per class; 0 before the first batch."""
        if not self._counts:
            return self.value([0.0] * 4)
        return self._score(*(np.atleast_1d(np.asarray(count)) for count in self._counts))

    def _score(self, hit: Any, wrong: Any, missed: Any, support: Any) -> Any:
        precision = hit / (hit + wrong + EPSILON)
        recall = hit / (hit + missed + EPSILON)
        square = self.beta**2
        scores = (1 + square) * (precision * recall / (square * precision + recall + EPSILON))
        if self.average is None:
            return scores
        if self.average == "weighted":
            return float((scores * support).sum() / (support.sum() + EPSILON))
        return float(scores.mean())

    def get_config(self) -> dict[str, Any]:
        config = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **config}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, per class or averaged.

    Args: as of `FBetaScore`, without beta; name, default "f1_score".

    Result, shapes and errors as of `FBetaScore`.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config


def _check_float(name: str, value: Any) -> None:
    if not isinstance(value, float):
        raise ValueError(
            f"Invalid `{name}` argument value. It should be a Python float. "
            f"Received: {name}={value} of type '{type(value)}'"
        )
