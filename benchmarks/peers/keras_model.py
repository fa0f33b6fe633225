"""Keras 3 on the backend that KERAS_BACKEND names: ``compile``, ``fit`` and ``predict`` of a Sequential.

``best`` runs a whole epoch in one execution (and lets XLA compile it) and predicts with ``predict_on_batch``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases import ADAM, Case, InferenceCase, Network, TrainingCase
from benchmarks.data import Array, Data
from benchmarks.peers import Predict, Settings, cores, missing, networks_only


def available(settings: Settings) -> str | None:
    return missing("keras", settings["backend"])


def unsupported(case: Case) -> str | None:
    return networks_only(case)


def describe() -> dict[str, str]:
    import importlib

    import keras

    backend = importlib.import_module(keras.backend.backend())
    threads = backend.get_num_threads() if keras.backend.backend() == "torch" else cores()
    version = f"{keras.__version__} on {keras.backend.backend()} {backend.__version__}"
    return {"version": version, "threads": str(threads)}


def _model(case: Network, weights: list[Array], logits: bool) -> Any:
    import keras

    model = keras.Sequential([keras.Input((case.widths[0],))])
    for layer in case.layers:
        linear = logits and layer.activation == "softmax"
        model.add(keras.layers.Dense(layer.outputs, activation=None if linear else layer.activation))
    model.set_weights(weights)
    return model


class _Training:
    def __init__(self, case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> None:
        import keras

        self._case = case
        self._data = data
        self._model = _model(case, weights, logits=True)
        if case.loss == "softmax_cross_entropy":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        else:
            loss = keras.losses.MeanSquaredError()
        best = {"steps_per_execution": case.steps, "jit_compile": True} if settings.get("best") else {}
        adam = case.optimizer == "adam"
        optimizer = (
            keras.optimizers.Adam(case.learning_rate, *ADAM) if adam else keras.optimizers.SGD(case.learning_rate)
        )
        self._model.compile(optimizer=optimizer, loss=loss, **best)

    def run(self, epochs: int, shuffle: bool) -> None:
        self._model.fit(
            self._data.x, self._data.y, batch_size=self._case.batch, epochs=epochs, shuffle=shuffle, verbose=0
        )

    def weights(self) -> list[Array]:
        return list(self._model.get_weights())


def prepare_training(case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> _Training:
    return _Training(case, data, weights, settings)


def prepare_inference(case: InferenceCase, weights: list[Array], settings: Settings) -> Predict:
    model = _model(case, weights, logits=False)
    if settings.get("best"):
        return lambda x: np.asarray(model.predict_on_batch(x))
    return lambda x: np.asarray(model.predict(x, batch_size=case.batch, verbose=0))
