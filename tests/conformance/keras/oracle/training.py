"""One training, written once: ``k`` is the module ``keras`` or the module ``netlet``."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from oracle.case import Case
from oracle.data import BATCH, EPOCHS, first_weights, fit_arguments, inputs, labels
from oracle.networks import NETWORKS

METRICS: dict[str, list[str]] = {
    "real": ["mae", "cosine_similarity"],
    "positive": ["mae", "mape"],
    "binary": ["accuracy"],
    "onehot": ["accuracy"],
    "classes": ["accuracy"],
}


class Trained(NamedTuple):
    """The weights after each epoch and after `fit`, by layer and number, and the History."""

    weights: list[dict[str, np.ndarray]]
    history: dict[str, list[float]]


def optimizer(k: Any, case: Case) -> Any:
    """Return the case's optimizer."""
    arguments = dict(case.optimizer_args)
    if isinstance(given := arguments.get("learning_rate"), dict):
        schedule = getattr(k.optimizers.schedules, given["schedule"])
        arguments["learning_rate"] = schedule(**{key: value for key, value in given.items() if key != "schedule"})
    if case.optimizer == "LossScaleOptimizer":
        own = {key: arguments.pop(key) for key in ("initial_scale", "dynamic_growth_steps") if key in arguments}
        return k.optimizers.LossScaleOptimizer(k.optimizers.SGD(**arguments), **own)
    if case.optimizer == "MultiOptimizer":
        kernels, biases = k.optimizers.Adam(**arguments), k.optimizers.SGD(**arguments)
        return k.optimizers.MultiOptimizer(k.optimizers.OptimizerMap(kernels, {".*bias": biases}))
    return getattr(k.optimizers, case.optimizer)(**arguments)


def weights_of(model: Any) -> dict[str, np.ndarray]:
    """Return copies of the model's weights."""
    return {f"{layer.name}/{i}": np.array(w) for layer in model.layers for i, w in enumerate(layer.get_weights())}


def compiled(k: Any, case: Case, dtype: str) -> Any:
    """Return the case's network, compiled, with its first weights."""
    model = NETWORKS[case.network].build(k, case, dtype)
    loss: Any = getattr(k.losses, case.loss)(**case.loss_args)
    metrics: Any = METRICS.get(case.target, [])
    more: dict[str, Any] = {}
    if NETWORKS[case.network].outputs:
        loss = {"first": loss, "second": k.losses.Huber(delta=0.5)}
        metrics = {"first": metrics, "second": ["mse"]}
        more["loss_weights"] = {"first": 0.75, "second": 2.0}
    if case.fitting and case.loss != "Circle":  # on PyTorch, Keras 3.15.1 masks the weights in place, metrics' as well
        more["weighted_metrics"] = list(metrics)[:1]
    model.compile(optimizer=optimizer(k, case), loss=loss, metrics=metrics, **more)
    for layer in model.layers:
        if layer.weights:
            first = [
                first_weights(case, layer.name, i, tuple(w.shape), w.name, dtype) for i, w in enumerate(layer.weights)
            ]
            layer.set_weights(first)
    return model


def train(k: Any, case: Case, dtype: str) -> Trained:
    """Train the case's network for 100 steps, the batches in the order of the rows."""
    model = compiled(k, case, dtype)
    found = inputs(case, dtype)
    x = found if len(found) > 1 else next(iter(found.values()))
    weights: list[dict[str, np.ndarray]] = []

    class Snapshots(k.callbacks.Callback):  # type: ignore[name-defined,misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            weights.append(weights_of(self.model))

    fitted = model.fit(
        x,
        labels(case, dtype),
        batch_size=BATCH,
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
        callbacks=[Snapshots()],
        **fit_arguments(case, dtype),
    )
    weights.append(weights_of(model))
    return Trained(weights, {key: [float(value) for value in values] for key, values in fitted.history.items()})
