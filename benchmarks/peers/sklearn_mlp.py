"""scikit-learn's MLP: one ``partial_fit`` trains one epoch of minibatch SGD; no penalty and no momentum."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.cases import ADAM, Case, InferenceCase, Network, TrainingCase
from benchmarks.data import Array, Data
from benchmarks.peers import Predict, Settings, cores, missing, networks_only


def available(settings: Settings) -> str | None:
    return missing("sklearn")


def unsupported(case: Case) -> str | None:
    if case.kind == "product":
        return networks_only(case)
    return "an MLP has a hidden layer" if len(case.layers) == 1 else None


def describe() -> dict[str, str]:
    import sklearn

    return {"version": sklearn.__version__, "threads": os.environ.get("OPENBLAS_NUM_THREADS", str(cores()))}


def _estimator(case: Network, weights: list[Array], batch: int, rate: float, solver: str = "sgd") -> Any:
    """An estimator that is fitted as far as its shapes go, with the given weights."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    settings = {
        "hidden_layer_sizes": case.widths[1:-1],
        "activation": case.layers[0].activation,
        "solver": solver,
        "alpha": 0.0,
        "batch_size": batch,
        "learning_rate_init": rate,
        "momentum": 0.0,
        "nesterovs_momentum": False,
        **ADAM._asdict(),
    }
    outputs = case.widths[-1]
    x = np.zeros((batch, case.widths[0]), np.float32)
    if case.layers[-1].activation == "softmax":
        estimator = MLPClassifier(**settings)
        estimator.partial_fit(x, np.zeros(batch, np.int32), classes=np.arange(outputs))
    else:
        estimator = MLPRegressor(**settings)
        estimator.partial_fit(x, np.zeros((batch, outputs) if outputs > 1 else batch, np.float32))
    for coef, kernel in zip(estimator.coefs_, weights[::2], strict=True):
        coef[...] = kernel  # in place: the optimizer holds these arrays
    for intercept, bias in zip(estimator.intercepts_, weights[1::2], strict=True):
        intercept[...] = bias
    if solver == "adam":
        del estimator._optimizer  # has seen the step that made the shapes: partial_fit makes a new one
    return estimator


class _Training:
    def __init__(self, case: TrainingCase, data: Data, weights: list[Array]) -> None:
        # Its squared loss is half the square, summed over the outputs. Adam's steps do not depend on such a factor.
        halved = case.loss == "mean_squared_error" and case.optimizer == "sgd"
        rate = case.learning_rate * (2 / case.widths[-1] if halved else 1)
        self._x = data.x
        self._y = data.y[:, 0] if data.y.ndim == 2 and data.y.shape[1] == 1 else data.y
        self._estimator = _estimator(case, weights, case.batch, rate, case.optimizer)

    def run(self, epochs: int, shuffle: bool) -> None:
        self._estimator.shuffle = shuffle
        for _ in range(epochs):
            self._estimator.partial_fit(self._x, self._y)

    def weights(self) -> list[Array]:
        pairs = zip(self._estimator.coefs_, self._estimator.intercepts_, strict=True)
        return [w for pair in pairs for w in pair]


def prepare_training(case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> _Training:
    return _Training(case, data, weights)


def prepare_inference(case: InferenceCase, weights: list[Array], settings: Settings) -> Predict:
    estimator = _estimator(case, weights, batch=1, rate=1.0)
    return estimator.predict_proba if case.output == "softmax" else estimator.predict  # type: ignore[no-any-return]
