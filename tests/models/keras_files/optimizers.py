"""Trainings that one package begins and the other goes on with: ``k`` is the package, ``keras`` or ``netlet``.

Run by tests in Netlet's interpreter and by ``oracle.py`` in that of Keras, so it imports neither.
"""

from __future__ import annotations

from typing import Any

import cases
import numpy as np

COMMON = {"use_ema": True, "ema_momentum": 0.9, "gradient_accumulation_steps": 4, "weight_decay": 0.01}
SCHEDULE = {"initial_learning_rate": 0.02, "decay_steps": 5, "decay_rate": 0.9}
#: Class and arguments of an optimizer by the case's name.
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"learning_rate": 0.02}),
    "momentum": ("SGD", {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {"learning_rate": 0.01}),
    "amsgrad": ("Adam", {"learning_rate": 0.01, "amsgrad": True}),
    "adamw": ("AdamW", {"learning_rate": 0.01}),
    "adamax": ("Adamax", {"learning_rate": 0.01}),
    "nadam": ("Nadam", {"learning_rate": 0.01}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.005}),
    "rmsprop_all": ("RMSprop", {"learning_rate": 0.005, "momentum": 0.5, "centered": True}),
    "adagrad": ("Adagrad", {"learning_rate": 0.05}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}),
    "adafactor": ("Adafactor", {"learning_rate": 0.02}),
    "lion": ("Lion", {"learning_rate": 0.002}),
    "lamb": ("Lamb", {"learning_rate": 0.01}),
    "ftrl": ("Ftrl", {"learning_rate": 0.05, "l2_regularization_strength": 0.01}),
    "muon": ("Muon", {"learning_rate": 0.005}),
    "adam_common": ("Adam", {"learning_rate": 0.01, **COMMON}),
    "adafactor_common": ("Adafactor", {"learning_rate": 0.01, **COMMON}),
    "muon_common": ("Muon", {"learning_rate": 0.005, **COMMON}),
    "schedule_free": ("ScheduleFreeAdamW", {"learning_rate": 0.01, "warmup_steps": 5}),
    "schedule_free_common": ("ScheduleFreeAdamW", {"learning_rate": 0.01, **COMMON}),
    "scheduled": ("Adam", {"learning_rate": "schedule", "clipnorm": 1.0}),
}
ROWS, BATCH = 40, 4  # ten steps: an accumulation of four is left half done


def build(k: Any, name: str) -> Any:
    """Branches of unequal length, so that the order of weights is not that in which they were made; one is frozen."""
    L = k.layers
    a, b = k.Input((4,), name="a"), k.Input((3,), name="b")
    long = L.Dense(5, activation="tanh", name="late")(L.Dense(4, activation="tanh", name="early")(b))
    frozen = L.Dense(5, name="frozen", trainable=False)(a)
    short = L.LayerNormalization(name="norm")(L.Dense(5, name="short")(a))
    both = L.Activation("tanh", name="tanh")(L.Concatenate(name="both")([short, long, frozen]))
    h = L.BatchNormalization(momentum=0.9, name="batch")(both)  # of a sum it would take the shift away again
    model = k.Model({"b": b, "a": a}, L.Dense(2, name="out")(h), name="branches")
    cls, args = OPTIMIZERS[name]
    if args.get("learning_rate") == "schedule":
        args = {**args, "learning_rate": k.optimizers.schedules.ExponentialDecay(**SCHEDULE)}
    model.compile(optimizer=getattr(k.optimizers, cls)(**args), loss="mse", metrics=["mae"])
    cases.fill(model)
    return model


def go_on(model: Any) -> None:
    """Train for ten steps."""
    rng = np.random.default_rng(8)
    x = {"a": rng.standard_normal((ROWS, 4)).astype("float32"), "b": rng.standard_normal((ROWS, 3)).astype("float32")}
    y = np.tanh(x["a"][:, :2] + x["b"][:, 1:]).astype("float32")
    model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)


def weights(model: Any) -> dict[str, Any]:
    """Return the weights by layer and number."""
    return {f"{layer.name}.{i}": np.array(w) for layer in model.layers for i, w in enumerate(layer.get_weights())}
