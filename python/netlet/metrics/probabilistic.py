"""Metrics of predicted probabilities and rates: cross-entropies, Kullback-Leibler divergence, Poisson."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlet.losses import functions as losses
from netlet.metrics.reduction import FunctionMetric
from netlet.metrics.weights import broadcast_weight


class KLDivergence(FunctionMetric):
    """The mean Kullback-Leibler divergence of the predicted distributions from those of the labels.

    In nats; smaller is better, 0 for the same. Shapes, source and errors of a batch: `losses.kl_divergence`.

    Args: name, default "kl_divergence"; dtype as of `Metric`.
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(FunctionMetric):
    """The mean negative log likelihood of counts under predicted Poisson rates.

    In nats, but for ``log(y_true!)``, so it may be negative; smaller is better. Shapes and errors of a batch:
    `losses.poisson`.

    Args: name, default "poisson"; dtype as of `Metric`.
    """

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class BinaryCrossentropy(FunctionMetric):
    """The mean cross-entropy of yes-or-no labels.

    In nats, at least 0; smaller is better. Shapes and errors of a batch: `losses.binary_crossentropy`.

    Args:
        name: default "binary_crossentropy".
        dtype: as of `Metric`.
        from_logits: whether y_pred is taken before its sigmoid; default False.
        label_smoothing: how far labels are moved to 0.5, from 0 (not at all, the default) to 1.
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(FunctionMetric):
    """The mean cross-entropy of one-hot labels.

    In nats, at least 0; smaller is better. Shapes and errors of a batch: `losses.categorical_crossentropy`.

    Args:
        name: default "categorical_crossentropy".
        dtype: as of `Metric`.
        from_logits: whether y_pred is taken before its softmax; default False.
        label_smoothing: how far labels are moved to the uniform distribution, from 0 (the default) to 1.
        axis: of the classes; default -1.
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(FunctionMetric):
    """The mean cross-entropy of class numbers.

    In nats, at least 0; smaller is better. Shapes and errors of a batch: `losses.sparse_categorical_crossentropy`.

    Args:
        name: default "sparse_categorical_crossentropy".
        dtype: as of `Metric`.
        from_logits: whether y_pred is taken before its softmax; default False.
        ignore_class: a class number whose positions have a cross-entropy of 0, and no weight where there are sample
            weights, as in Keras; None, the default: no class is left out.
        axis: of the classes; default -1.
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def update_state(  # type: ignore[override]
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch; weights broadcast to the class numbers from the first axis on."""
        if sample_weight is not None and self.ignore_class is not None:
            labels = np.asarray(y_true)
            if labels.ndim == np.ndim(y_pred):
                labels = labels[..., 0]
            weight = broadcast_weight(sample_weight, labels.shape, self.name)
            sample_weight = np.where(labels == self.ignore_class, 0.0, weight)
        super().update_state(y_true, y_pred, sample_weight)
