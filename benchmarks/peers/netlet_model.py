"""Netlet through its public API, as a user of Keras writes it: ``compile``, ``fit`` and ``predict`` of a Sequential.

The backend is the one that NETLET_BACKEND names, so that nothing but the environment differs between the entries.
``predictor`` calls the model's frozen snapshot instead of ``predict``. Products are a Program of one dense op.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.cases import ADAM, Case, InferenceCase, Network, ProductCase, TrainingCase
from benchmarks.data import Array, Data, Factors, inference_rows, training_data
from benchmarks.peers import Multiply, Predict, Settings, cores, missing


def available(settings: Settings) -> str | None:
    if reason := missing("netlet"):
        return reason
    from netlet import Sequential
    from netlet.backends import target_reason

    if settings.get("predictor") and not hasattr(Sequential, "predictor"):
        return "this version's Sequential has no predictor()"
    return target_reason(settings["target"])


def unsupported(case: Case) -> str | None:
    return None


def describe() -> dict[str, str]:
    from netlet.runtime import runtime_info

    info = runtime_info()
    backend, threads = info["backend"], info["threads"]
    if backend == "native":
        return {
            "version": f"{info['version']} native:{info['isa']['in_use']}",
            "threads": str(threads["environment"] or threads["default"]),
        }
    # The other backends have no threads of their own but those of NumPy's BLAS.
    return {"version": f"{info['version']} {backend}", "threads": os.environ.get("OPENBLAS_NUM_THREADS", str(cores()))}


def _model(case: Network, weights: list[Array]) -> Any:
    from netlet import Input, Sequential
    from netlet.layers import Dense

    model = Sequential([Input((case.widths[0],))])
    for layer in case.layers:
        model.add(Dense(layer.outputs, activation=layer.activation))
    model.set_weights(weights)
    return model


class _Training:
    def __init__(self, case: TrainingCase, data: Data, weights: list[Array]) -> None:
        from netlet import optimizers

        entropy = case.loss == "softmax_cross_entropy"
        self._case = case
        self._data = data
        self._model = _model(case, weights)
        self._model.compile(
            optimizer=optimizers.Adam(case.learning_rate, *ADAM)
            if case.optimizer == "adam"
            else optimizers.SGD(case.learning_rate),
            loss="sparse_categorical_crossentropy" if entropy else "mean_squared_error",
        )

    def run(self, epochs: int, shuffle: bool) -> None:
        self._model.fit(
            self._data.x, self._data.y, batch_size=self._case.batch, epochs=epochs, shuffle=shuffle, verbose=0
        )

    def weights(self) -> list[Array]:
        return [np.array(w) for w in self._model.get_weights()]


def profile(case: Network, weights: list[Array], seconds: float) -> Any:
    """What ``model.profile`` says of a step of the case, or a call, in about so many seconds."""
    if isinstance(case, InferenceCase):
        return _model(case, weights).profile(inference_rows(case), batch_size=case.batch, seconds=seconds)
    data = training_data(case)
    training = _Training(case, data, weights)
    return training._model.profile(data.x, data.y, batch_size=case.batch, seconds=seconds)


def prepare_training(case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> _Training:
    return _Training(case, data, weights)


def prepare_inference(case: InferenceCase, weights: list[Array], settings: Settings) -> Predict:
    model = _model(case, weights)
    if settings.get("predictor"):
        return model.predictor()  # type: ignore[no-any-return]
    return lambda x: model.predict(x, batch_size=case.batch, verbose=0)


def prepare_product(case: ProductCase, factors: Factors, settings: Settings) -> Multiply:
    from netlet.backends import make_executor
    from netlet.program import Op, Param, Program, Value
    from netlet.program.spec import INFERENCE

    program = Program(
        dtype="float32",
        values=(Value("x", (case.k,)), Value("y", (case.n,))),
        params=(Param("kernel", (case.k, case.n), 0),),
        inputs=(0,),
        outputs=(1,),
        ops=(Op("dense", (0,), 1, (0,), {"activation": "linear"}),),
    )
    nothing = np.empty(0, np.float32)
    slots = np.empty((0, program.param_size), np.float32)
    executor = make_executor(program, factors.kernel.ravel(), nothing, slots)
    xs, dys, ys = [factors.x], [factors.dy], [np.empty((case.m, case.n), np.float32)]

    def forward() -> list[Array]:
        return executor.predict(xs, ys, case.m)

    dkernel = np.empty((case.k, case.n), np.float32)
    outs = ys, [np.empty((case.m, case.k), np.float32)], dkernel.reshape(-1)

    def gradients() -> list[Array]:
        (y,), (dx,), _ = executor.vjp(xs, dys, INFERENCE, outs)
        return [y, dx, dkernel]

    return forward if case.direction == "forward" else gradients
