"""One training, written once: ``library`` is the module ``keras`` or the module ``netlet``."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from oracle.case import Case
from oracle.data import BATCH, EPOCHS, HIDDEN, OUTPUTS, data, first_weights


class Trained(NamedTuple):
    """The weights after each epoch and after `fit`, and the History."""

    weights: list[list[np.ndarray]]
    history: dict[str, list[float]]


def _optimizer(library: Any, case: Case) -> Any:
    arguments = dict(case.optimizer_args)
    if arguments.get("learning_rate") == "schedule":
        schedule = library.optimizers.schedules.ExponentialDecay
        arguments["learning_rate"] = schedule(0.05, decay_steps=10, decay_rate=0.9)
    if case.optimizer == "LossScaleOptimizer":
        own = {key: arguments.pop(key) for key in ("initial_scale", "dynamic_growth_steps") if key in arguments}
        return library.optimizers.LossScaleOptimizer(library.optimizers.SGD(**arguments), **own)
    if case.optimizer == "MultiOptimizer":
        kernels, biases = library.optimizers.Adam(**arguments), library.optimizers.SGD(**arguments)
        return library.optimizers.MultiOptimizer(library.optimizers.OptimizerMap(kernels, {".*bias": biases}))
    return getattr(library.optimizers, case.optimizer)(**arguments)


def train(library: Any, case: Case) -> Trained:
    """Train the case's network for 100 steps, the batches in the order of the rows."""
    x, y = data(case)
    model = library.Sequential(
        [
            library.Input(x.shape[1:], dtype=case.dtype),
            library.layers.Dense(HIDDEN, activation=case.activation, dtype=case.dtype),
            library.layers.Dense(OUTPUTS, activation=case.output, dtype=case.dtype),
        ]
    )
    metrics = {"real": ["mae"], "positive": ["mae"], "binary": ["accuracy"], "onehot": ["accuracy"]}
    model.compile(
        optimizer=_optimizer(library, case),
        loss=getattr(library.losses, case.loss)(**case.loss_args),
        metrics=metrics.get(case.target, []),
    )
    model.set_weights(first_weights(case))
    weights: list[list[np.ndarray]] = []

    class Snapshots(library.callbacks.Callback):  # type: ignore[name-defined,misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            weights.append([np.array(weight) for weight in self.model.get_weights()])

    fitted = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=[Snapshots()])
    weights.append([np.array(weight) for weight in model.get_weights()])
    return Trained(weights, {key: [float(value) for value in values] for key, values in fitted.history.items()})
