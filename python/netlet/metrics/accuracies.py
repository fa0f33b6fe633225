"""Accuracies: how often a prediction is right. Arguments not named are those of `Metric`."""

from __future__ import annotations

from typing import Any

from netlet.metrics import functions
from netlet.metrics.reduction import FunctionMetric


class Accuracy(FunctionMetric):
    """How often predictions equal labels.

    A share in [0, 1]; larger is better. Shapes and errors of a batch: `accuracy`.

    Args: name, default "accuracy"; dtype.
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(functions.accuracy, name, dtype)


class BinaryAccuracy(FunctionMetric):
    """How often ``y_pred > threshold`` equals y_true.

    A share in [0, 1]; larger is better. Shapes and errors of a batch: `binary_accuracy`.

    Args: name, default "binary_accuracy"; dtype; threshold, a number, default 0.5.

    Raises: ValueError if threshold is not a number.
    """

    op = "binary_accuracy"

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
            raise ValueError(f"{name or 'BinaryAccuracy'}: threshold must be a number, got {threshold!r}")
        super().__init__(functions.binary_accuracy, name, dtype, threshold=float(threshold))
        self.threshold = float(threshold)


class CategoricalAccuracy(FunctionMetric):
    """How often the most likely class is that of a one-hot label.

    A share in [0, 1]; larger is better. Shapes and errors of a batch: `categorical_accuracy`.

    Args: name, default "categorical_accuracy"; dtype.
    """

    op = "categorical_accuracy"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(functions.categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(FunctionMetric):
    """How often the most likely class is that of a class number.

    A share in [0, 1]; larger is better. Shapes and errors of a batch: `sparse_categorical_accuracy`.

    Args: name, default "sparse_categorical_accuracy"; dtype.
    """

    op = "sparse_categorical_accuracy"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(functions.sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(FunctionMetric):
    """How often the class of a one-hot label is among the k most likely.

    A share in [0, 1]; larger is better. Shapes and errors of a batch: `top_k_categorical_accuracy`.

    Args: k, default 5; name, default "top_k_categorical_accuracy"; dtype.
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(functions.top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(FunctionMetric):
    """How often a class number is among the k most likely.

    A share in [0, 1]; larger is better. Shapes and errors of a batch: `sparse_top_k_categorical_accuracy`.

    Args:
        k: default 5.
        name: default "sparse_top_k_categorical_accuracy".
        from_sorted_ids: whether y_pred holds class numbers, the likeliest first; default False.
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(functions.sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k = k
        self.from_sorted_ids = from_sorted_ids
