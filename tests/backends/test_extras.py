"""What executors do with Python objects: losses, metrics, penalties; and with ops that only the reference knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet import Input, Sequential, set_random_seed
from netlet.backends import available_backends, make_executor
from netlet.backends.extras import Extras
from netlet.errors import ModelFormatError
from netlet.layers import BatchNormalization, Dense, Dropout
from netlet.metrics import Metric
from netlet.program import LOSSES, ProgramBuilder, sums_size

ROWS = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float32)
LABELS = ROWS[:, :3].copy()


def program() -> Any:
    builder = ProgramBuilder("float32")
    x = builder.input((5,))
    hidden = builder.dense(x, builder.param("k", (5, 7)), builder.param("b", (7,)), activation="relu")
    return builder.finish(builder.dense(hidden, builder.param("k2", (7, 3)), builder.param("b2", (3,))))


def executor(made: Any, target: str, extras: Extras | None = None) -> tuple[Any, np.ndarray]:
    params = np.random.default_rng(1).standard_normal(made.param_size).astype(np.float32) * 0.3
    slots = np.zeros((made.num_slots, made.param_size), np.float32)
    more = {} if extras is None else {"extras": extras}
    return make_executor(made, params, np.zeros(0, np.float32), slots, target=target, **more), params


def train(made: Any, sums: np.ndarray, batch: int = 16) -> None:
    made.train([ROWS], LABELS, None, batch_size=batch, shuffle=(1, 0), first=0, last=2, learning_rate=0.1, sums=sums)


@pytest.mark.parametrize("target", available_backends())
def test_a_custom_loss_and_metric_see_what_the_known_ones_see(target: str) -> None:
    known = program().with_training(loss="mean_squared_error", optimizer="sgd", metrics=["mean_absolute_error"])
    custom = program().with_training(loss="custom", optimizer="sgd", metrics=["mean_absolute_error", "custom"])
    seen: list[float] = []

    def observe(y: np.ndarray, x: np.ndarray, weight: np.ndarray | None) -> None:
        assert weight is None
        seen.append(float(np.abs(x - y).mean(axis=1).sum()))

    found = []
    for made, extras in ((known, None), (custom, Extras(LOSSES["mean_squared_error"], {1: observe}))):
        running, params = executor(made, target, extras)
        sums = np.zeros(sums_size(made))
        train(running, sums)
        found.append((params, sums))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-5)
    assert len(seen) == 2
    assert sum(seen) == pytest.approx(found[1][1][2], rel=1e-5)


@pytest.mark.parametrize("target", available_backends())
def test_an_exception_in_python_leaves_the_step_undone(target: str) -> None:
    made = program().with_training(loss="custom", optimizer="sgd", metrics=["custom"])

    def fail(*_: Any) -> None:
        raise RuntimeError("boom")

    running, params = executor(made, target, Extras(LOSSES["mean_squared_error"], {0: fail}))
    before = params.copy()
    for _ in range(2):  # it can be called again
        with pytest.raises(RuntimeError, match="boom"):
            train(running, np.zeros(2))
    np.testing.assert_array_equal(params, before)
    assert running.predict([ROWS], None, 8)[0].shape == (40, 3)


@pytest.mark.parametrize("batch", [16, 40])
@pytest.mark.parametrize("target", available_backends())
def test_a_custom_optimizer_is_handed_the_whole_gradient_of_each_step(target: str, batch: int) -> None:
    known = program().with_training(loss="mean_squared_error", optimizer="sgd")
    custom = program().with_training(loss="mean_squared_error", optimizer=("custom", {"slots": 2}))
    want, got = (np.random.default_rng(1).standard_normal(known.param_size).astype(np.float32) * 0.3 for _ in range(2))
    steps = []

    def step(gradient: np.ndarray, learning_rate: float, iteration: int) -> None:
        steps.append((learning_rate, iteration))
        slots[:] += gradient
        got[:] -= np.float32(learning_rate) * gradient

    slots = np.zeros((2, known.param_size), np.float32)
    nothing = np.zeros(0, np.float32)
    mine = make_executor(custom, got, nothing, slots, target=target, extras=Extras(step=step))
    theirs = make_executor(known, want, nothing, np.zeros((0, known.param_size), np.float32), target=target)
    rates = np.array([0.1, 0.2, 0.3])[: -(-40 // batch)]
    for running in (theirs, mine):
        running.train(
            [ROWS], LABELS, None, batch_size=batch, shuffle=(1, 0), first=0, last=len(rates), learning_rate=rates,
            iteration=5, sums=np.zeros(2),
        )  # fmt: skip
    # float32: a product and a sum for each of three updates, fused or not
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)
    assert steps == [(rate, 5 + i) for i, rate in enumerate(rates)]
    gradient = np.ones(known.param_size, np.float32)
    before, seen = got.copy(), slots.copy()
    mine.apply(gradient, 0.5, 9)
    np.testing.assert_array_equal(got, before - np.float32(0.5))
    np.testing.assert_array_equal(slots, seen + 1)
    np.testing.assert_array_equal(gradient, 1)
    assert steps[-1] == (0.5, 9)


def test_the_engine_refuses_a_custom_optimizer_without_a_host() -> None:
    native = pytest.importorskip("netlet._native")
    text = program().with_training(loss="mean_squared_error", optimizer=("custom", {"slots": 0})).to_json().encode()
    with pytest.raises(ModelFormatError, match="optimizer: custom, and there is no host to run it"):
        arenas = np.zeros(66, np.float32), np.zeros(0, np.float32), np.zeros((0, 66), np.float32)
        native.ExecutorF32(text, *arenas, isa=None, num_threads=1)


def test_extras_that_do_not_fit_the_program_are_refused() -> None:
    made = program().with_training(loss="custom", optimizer="sgd")
    with pytest.raises(ValueError, match="expected a loss"):
        executor(made, "numpy")
    made_here = program().with_training(loss="mean_squared_error", optimizer=("custom", {"slots": 0}))
    for other, step in ((made_here, None), (program(), lambda *_: None)):
        with pytest.raises(ValueError, match="expected a step if and only if the Program's optimizer is custom"):
            executor(other, "numpy", Extras(step=step))
    with pytest.raises(ValueError, match="expected metrics for the places"):
        executor(made, "numpy", Extras(LOSSES["mean_squared_error"], {0: lambda *_: None}))


def test_a_predictor_of_called_back_ops_is_frozen(backend: str) -> None:
    set_random_seed(1)
    model = Sequential([Input((5,)), Dense(8, "relu"), BatchNormalization(), Dropout(0.5), Dense(3)])
    model.compile(optimizer="sgd", loss="mse")
    predict = model.predictor()
    before = predict(ROWS)
    np.testing.assert_array_equal(before, model.predict(ROWS))
    model.fit(ROWS, LABELS, verbose=0)
    np.testing.assert_array_equal(predict(ROWS), before)
    assert not np.array_equal(model.predict(ROWS), before)


class Count(Metric):
    """How many batches it was shown."""

    def __init__(self) -> None:
        super().__init__(name="count")
        self.batches = 0

    def update_state(self, *_: Any, **__: Any) -> None:
        self.batches += 1

    def result(self) -> float:
        return float(self.batches)


def test_a_profile_shows_metrics_nothing_and_moves_no_average(backend: str) -> None:
    model = Sequential([Input((5,)), Dense(8, "relu"), BatchNormalization(), Dense(3)])
    count = Count()
    model.compile(optimizer="sgd", loss="mse", metrics=[count])
    model.fit(ROWS, LABELS, verbose=0)
    shown, weights = count.batches, model.get_weights()
    model.profile(ROWS, LABELS, seconds=0.05)
    assert count.batches == shown
    for a, b in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
