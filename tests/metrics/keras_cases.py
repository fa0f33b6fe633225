"""What metrics are asked, of Keras once and of Netlet in every run: arguments, and data in three batches.

The answers of Keras lie in ``keras_values.json``. To ask it again, with Keras installed::

    KERAS_BACKEND=jax python tests/metrics/keras_cases.py
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

VALUES = Path(__file__).with_name("keras_values.json")
BATCHES = (slice(0, 16), slice(16, 32), slice(32, 40))
N, C, T = 40, 4, 5


class Case(NamedTuple):
    """A metric, its arguments, the kind of its data, and the kind of its weights."""

    metric: str
    arguments: dict[str, Any]
    data: str
    weights: str = "none"

    def __str__(self) -> str:
        arguments = ",".join(f"{k}={v}" for k, v in self.arguments.items())
        return f"{self.metric}({arguments})[{self.data}, {self.weights}]"


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def data(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions of a kind, 40 samples, float32 or int32."""
    f32 = np.float32
    one_hot = np.eye(C, dtype=f32)
    match kind:
        case "numbers":
            return rng.standard_normal((N, C)).astype(f32), rng.standard_normal((N, C)).astype(f32)
        case "positive":
            return rng.uniform(0.1, 3, (N, C)).astype(f32), rng.uniform(0.1, 3, (N, C)).astype(f32)
        case "sequence":
            return rng.standard_normal((N, T, C)).astype(f32), rng.standard_normal((N, T, C)).astype(f32)
        case "vector":
            return rng.integers(0, 2, N).astype(f32), rng.random(N, f32)
        case "column against vector":
            return rng.integers(0, 2, N).astype(f32), rng.random((N, 1), f32)
        case "labels":
            return rng.integers(0, 2, (N, C)).astype(f32), rng.random((N, C), f32)
        case "tied labels":
            return rng.integers(0, 2, (N, C)).astype(f32), (rng.integers(0, 5, (N, C)) / 4).astype(f32)
        case "logits":
            return rng.integers(0, 2, (N, C)).astype(f32), 2 * rng.standard_normal((N, C)).astype(f32)
        case "signs":
            return 2 * rng.integers(0, 2, (N, C)).astype(f32) - 1, rng.standard_normal((N, C)).astype(f32)
        case "distributions":
            return softmax(rng.standard_normal((N, C))).astype(f32), softmax(rng.standard_normal((N, C))).astype(f32)
        case "one-hot":
            return one_hot[rng.integers(0, C, N)], softmax(rng.standard_normal((N, C))).astype(f32)
        case "one-hot sequence":
            return one_hot[rng.integers(0, C, (N, T))], softmax(rng.standard_normal((N, T, C))).astype(f32)
        case "classes":
            return rng.integers(0, C, N), softmax(rng.standard_normal((N, C))).astype(f32)
        case "class column":
            return rng.integers(0, C, (N, 1)), softmax(rng.standard_normal((N, C))).astype(f32)
        case "class sequence":
            return rng.integers(0, C, (N, T)), softmax(rng.standard_normal((N, T, C))).astype(f32)
        case "sorted classes":
            return rng.integers(0, C, N), np.argsort(rng.random((N, C)), axis=1).astype(np.int32)
        case "two class numbers":
            return rng.integers(-1, C + 1, N), rng.integers(-1, C + 1, N)
        case "two class images":
            return rng.integers(0, C, (N, T)), rng.integers(0, C, (N, T))
    raise ValueError(kind)


def batches(case: Case) -> list[tuple[Any, Any, Any]]:
    """The batches (y_true, y_pred, sample_weight) of a case; the same in every run."""
    rng = np.random.default_rng(zlib.crc32(f"{case.data} {case.weights}".encode()))
    true, pred = data(case.data, rng)
    weight = {
        "none": lambda: None,
        "samples": lambda: rng.uniform(0.25, 2, N).astype(np.float32),
        "positions": lambda: rng.uniform(0.25, 2, (N, T)).astype(np.float32),
        "elements": lambda: rng.uniform(0.25, 2, pred.shape).astype(np.float32),
        "whole": lambda: rng.integers(0, 3, N),
    }[case.weights]()
    return [(true[part], pred[part], None if weight is None else weight[part]) for part in BATCHES]


EVEN = [0.0, 0.25, 0.5, 0.75, 1.0]
SOME = [0.9, 0.3, 0.3, 0.55]


def _cases() -> list[Case]:
    cases: list[Case] = []

    def add(metric: str, kinds: str, weights: str = "none samples", **arguments: Any) -> None:
        cases.extend(Case(metric, arguments, kind, w) for kind in kinds.split("|") for w in weights.split())

    for metric in ("MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError", "LogCoshError"):
        add(metric, "numbers|sequence|column against vector")
        add(metric, "sequence", "positions")
    add("RootMeanSquaredError", "sequence", "elements")
    add("MeanAbsolutePercentageError", "positive")
    add("MeanSquaredLogarithmicError", "positive")
    add("CosineSimilarity", "numbers|sequence")
    add("CosineSimilarity", "sequence", axis=1)
    for aggregation in (None, "uniform_average", "variance_weighted_average"):
        for regressors in (0, 3):
            add("R2Score", "numbers", class_aggregation=aggregation, num_regressors=regressors)
    for metric in ("PearsonCorrelation", "ConcordanceCorrelation"):
        add(metric, "numbers|sequence")
        add(metric, "sequence", axis=1)
    add("Hinge", "signs|labels")
    add("SquaredHinge", "signs|labels")
    add("CategoricalHinge", "one-hot")
    add("KLDivergence", "distributions")
    add("Poisson", "positive")
    for smoothing in (0, 0.2):
        add("BinaryCrossentropy", "labels", label_smoothing=smoothing)
        add("BinaryCrossentropy", "logits", from_logits=True, label_smoothing=smoothing)
        add("CategoricalCrossentropy", "one-hot|one-hot sequence", label_smoothing=smoothing)
        add("CategoricalCrossentropy", "logits", from_logits=True, label_smoothing=smoothing)
    add("SparseCategoricalCrossentropy", "classes|class column|class sequence")
    add("SparseCategoricalCrossentropy", "class sequence", "none positions", ignore_class=1)
    add("Accuracy", "two class numbers|two class images")
    add("BinaryAccuracy", "vector|column against vector|labels|tied labels")
    add("BinaryAccuracy", "labels", "elements", threshold=0.25)
    add("CategoricalAccuracy", "one-hot|one-hot sequence")
    add("SparseCategoricalAccuracy", "classes|class column|class sequence")
    add("SparseCategoricalAccuracy", "class sequence", "positions")
    for k in (1, 2, 3):
        add("TopKCategoricalAccuracy", "one-hot|one-hot sequence", k=k)
        add("SparseTopKCategoricalAccuracy", "classes|class sequence", k=k)
        add("SparseTopKCategoricalAccuracy", "sorted classes", k=k, from_sorted_ids=True)
    for metric in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives", "Precision", "Recall"):
        add(metric, "vector|labels|tied labels|column against vector")
        add(metric, "labels|tied labels", "elements", thresholds=0.25)
        add(metric, "vector|tied labels", thresholds=EVEN)
        add(metric, "labels|tied labels", "samples elements", thresholds=SOME)
    for metric in ("Precision", "Recall"):
        add(metric, "labels|one-hot", class_id=2)
        add(metric, "labels|tied labels", "none samples elements", top_k=2)
        add(metric, "labels", thresholds=0.5, top_k=2)
        add(metric, "labels", thresholds=SOME, top_k=3, class_id=1)
    for rate in (0.3, 0.7, 1.0):
        for metric, name in (
            ("SensitivityAtSpecificity", "specificity"),
            ("SpecificityAtSensitivity", "sensitivity"),
            ("PrecisionAtRecall", "recall"),
            ("RecallAtPrecision", "precision"),
        ):
            # a rate of 1 with fractions as weights hangs on how sums of float32 were rounded
            add(metric, "vector|labels", "none samples" if rate < 1 else "none whole", **{name: rate})
            add(metric, "labels", "none whole", num_thresholds=1, **{name: rate})
            add(metric, "labels", "none whole", num_thresholds=11, class_id=3, **{name: rate})
    for curve in ("ROC", "PR", "PRGAIN"):
        for method in ("interpolation", "majoring", "minoring"):
            add("AUC", "vector|labels|tied labels", curve=curve, summation_method=method)
            add("AUC", "tied labels", num_thresholds=5, curve=curve, summation_method=method)
            add("AUC", "labels", thresholds=SOME, curve=curve, summation_method=method)
            add("AUC", "labels", multi_label=True, curve=curve, summation_method=method)
            weights = {"label_weights": [0.5, 1.0, 2.0, 0.25]}
            add("AUC", "labels", multi_label=True, num_labels=C, curve=curve, summation_method=method, **weights)
            add("AUC", "labels", curve=curve, summation_method=method, **weights)
    add("AUC", "labels", "elements")
    add("AUC", "logits", from_logits=True)
    for average in (None, "micro", "macro", "weighted"):
        for threshold in (None, 0.5):
            add("F1Score", "labels|one-hot|tied labels", average=average, threshold=threshold)
            add("FBetaScore", "labels|tied labels", average=average, threshold=threshold, beta=2.0)
    for metric, arguments in (("IoU", {"target_class_ids": [0, 2]}), ("MeanIoU", {})):
        add(metric, "two class numbers|two class images", "none", num_classes=C, **arguments)
        add(metric, "two class numbers", "whole", num_classes=C, ignore_class=1, **arguments)
        add(metric, "two class numbers", "samples", num_classes=C, dtype="float32", **arguments)
        add(f"OneHot{metric}", "one-hot", "none whole", num_classes=C, **arguments)
        add(f"OneHot{metric}", "one-hot sequence", "none", num_classes=C, ignore_class=0, **arguments)
    add("BinaryIoU", "vector|labels|tied labels", "none")
    add("BinaryIoU", "vector", "whole", threshold=0.75, target_class_ids=[1])
    for metric in ("Mean", "Sum"):
        add(metric, "numbers|sequence|vector")
        add(metric, "sequence", "positions elements")
    return cases


CASES = _cases()


def ask(metric: Any, case: Case) -> Any:
    """The value of a metric, Keras' or Netlet's, after the batches of a case."""
    for true, pred, weight in batches(case):
        if case.metric in ("Mean", "Sum"):
            metric.update_state(pred, sample_weight=weight)
        else:
            metric.update_state(true, pred, sample_weight=weight)
    return np.asarray(metric.result(), np.float64).tolist()


if __name__ == "__main__":
    import keras

    answers = {str(case): ask(getattr(keras.metrics, case.metric)(**case.arguments), case) for case in CASES}
    VALUES.write_text(json.dumps({"keras": keras.__version__, **answers}, indent=0) + "\n")
