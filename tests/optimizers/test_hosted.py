"""Optimizers whose steps ``fit`` makes in Python, on every backend: one's own, and those that hold others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Model, Sequential, load_model, optimizers
from netlet.callbacks import BackupAndRestore, Callback
from netlet.constraints import MaxNorm, NonNeg
from netlet.layers import Dense
from netlet.optimizers import SGD, Adam, Ftrl, LossScaleOptimizer, MultiOptimizer, Optimizer, OptimizerMap
from netlet.optimizers.schedules import ExponentialDecay
from netlet.regularizers import L2

_RNG = np.random.default_rng(0)
X = _RNG.standard_normal((60, 5)).astype(np.float32)
Y = np.tanh(X @ _RNG.standard_normal((5, 2)).astype(np.float32))
# float32: a few dozen steps of some ten roundings each, of numbers of about 1; the order of operations differs.
TOLERANCE = 2e-5

COMMON: list[dict[str, Any]] = [
    {},
    {"clipnorm": 0.1},
    {"global_clipnorm": 0.1},
    {"clipvalue": 0.02},
    {"weight_decay": 0.05},
    {"use_ema": True, "ema_momentum": 0.8},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    {"gradient_accumulation_steps": 3},
    {"loss_scale_factor": 8.0},
    {"learning_rate": ExponentialDecay(0.1, 5, 0.5)},
]


class Momentum(Optimizer):
    """SGD with a momentum of 0.9, as somebody would write it."""

    def __init__(self, learning_rate: Any = 0.05, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self.velocities[self._get_variable_index(variable)]
        self.assign(velocity, 0.9 * velocity - learning_rate * gradient)
        self.assign_add(variable, velocity)


class Signs(Adam):
    """A rule of one's own in the place of a known one's."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        self.assign_sub(variable, learning_rate * np.sign(gradient))


def small_model(optimizer: Any, **first: Any) -> Sequential:
    netlet.set_random_seed(3)
    model = Sequential([Dense(4, "tanh", input_shape=(5,), name="hidden", **first), Dense(2, name="last")])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def trained(optimizer: Any, epochs: int = 3, **first: Any) -> tuple[list[np.ndarray], dict[str, list[float]]]:
    model = small_model(optimizer, **first)
    history = model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0)
    return model.get_weights(), history.history


def assert_same(one: Any, other: Any) -> None:
    for a, b in zip(one[0], other[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=TOLERANCE)
    assert one[1].keys() == other[1].keys()
    for name, values in one[1].items():
        np.testing.assert_allclose(values, other[1][name], rtol=1e-4)


def assert_same_bits(one: Any, other: Any) -> None:
    for a, b in zip(
        (*one.weights, *one.optimizer.variables), (*other.weights, *other.optimizer.variables), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize("settings", COMMON, ids=str)
def test_an_optimizer_of_ones_own_trains_as_the_known_one(settings: dict[str, Any], backend: str) -> None:
    settings = {"learning_rate": 0.05, **settings}
    assert_same(trained(Momentum(**settings)), trained(SGD(momentum=0.9, **settings)))


def test_penalties_and_constraints_meet_it_too(backend: str) -> None:
    rules = {"kernel_regularizer": L2(0.1), "kernel_constraint": MaxNorm(0.5), "bias_constraint": NonNeg()}
    mine, known = trained(Momentum(), **rules), trained(SGD(0.05, 0.9), **rules)
    assert_same(mine, known)
    assert (mine[0][1] >= 0).all() and np.linalg.norm(mine[0][0], axis=0).max() <= 0.5 + 1e-6


def test_an_overridden_rule_is_the_one_that_runs(backend: str) -> None:
    model = small_model(Signs(0.25))
    before = model.get_weights()
    model.train_on_batch(X, Y)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(np.abs(new - old), 0.25, rtol=1e-5)


def test_frozen_layers_stay(backend: str) -> None:
    model = small_model(Momentum())
    model.layers[0].trainable = False
    model.compile(Momentum(), "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    for i, (old, new) in enumerate(zip(before, model.get_weights(), strict=True)):
        assert np.array_equal(old, new) == (i < 2)


def test_its_state_is_live_and_counted(backend: str) -> None:
    mine = Momentum(0.05)
    model = small_model(mine)
    model.fit(X, Y, batch_size=20, epochs=2, verbose=0)
    assert mine.iterations == 6
    known = SGD(0.05, 0.9)
    small_model(known).fit(X, Y, batch_size=20, epochs=2, verbose=0)
    for a, b in zip(mine.velocities, known.variables[2:], strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=0, atol=TOLERANCE)
    assert [v.path for v in mine.variables[2:4]] == [f"{mine.name}/hidden_{n}_velocity" for n in ("kernel", "bias")]


def test_what_it_raises_leaves_all_as_it_was(backend: str) -> None:
    class Failing(Momentum):
        steps = 0

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate)
            self.steps += 1
            if self.steps == 3 * 4 + 2:  # in the midst of the fourth step
                raise RuntimeError("boom")

    failing, mine = Failing(), Momentum()
    model = small_model(failing)
    with pytest.raises(RuntimeError, match="boom"):
        model.fit(X, Y, batch_size=8, verbose=0)
    other = small_model(mine)
    other.fit(X, Y, batch_size=8, verbose=0, callbacks=[StopAfter(3)])
    assert failing.iterations == mine.iterations == 3
    for a, b in zip([*model.weights, *failing.velocities], [*other.weights, *mine.velocities], strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    model.fit(X, Y, batch_size=8, verbose=0)  # it can go on


class StopAfter(Callback):
    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.stop_training = batch + 1 == self.steps


def test_a_functional_model_in_float64(backend: str) -> None:
    def run(optimizer: Any) -> Any:
        netlet.set_random_seed(3)
        inputs = netlet.Input((5,), dtype="float64")
        model = Model(inputs, Dense(2, dtype="float64")(inputs))
        model.compile(optimizer, "mse")
        history = model.fit(X.astype(np.float64), Y.astype(np.float64), epochs=2, verbose=0)
        return model.get_weights(), history.history

    mine, known = run(Momentum()), run(SGD(0.05, 0.9))
    assert mine[0][0].dtype == np.float64
    for a, b in zip(mine[0], known[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_profile_moves_nothing(backend: str) -> None:
    mine = Momentum()
    model = small_model(mine)
    model.fit(X, Y, verbose=0)
    before = [v.numpy() for v in (*model.weights, *mine.variables)]
    assert model.profile(X, Y, seconds=0.02).rows
    assert model.predictor()(X[:1]).shape == (1, 2)
    for old, v in zip(before, (*model.weights, *mine.variables), strict=True):
        np.testing.assert_array_equal(old, v.numpy())


def test_a_model_that_somebody_elses_class_trains_is_saved(tmp_path: Path) -> None:
    model = small_model(Momentum())
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors", compile=False)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_one_that_moves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"compile: Optimizer does not define update_step\(\)"):
        small_model(Optimizer(0.1))


def test_one_that_was_built_for_another_model_is_refused(backend: str) -> None:
    mine = Momentum(name="mine")
    small_model(mine).fit(X, Y, verbose=0)
    other = small_model(mine)
    before = other.get_weights()
    with pytest.raises(ValueError, match="mine: it was built for other weights; make a new one"):
        other.fit(X, Y, verbose=0)
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# Optimizers that hold others


@pytest.mark.parametrize("settings", [s for s in COMMON if "loss_scale_factor" not in s], ids=str)
def test_a_scale_for_the_loss_changes_nothing_in_range(settings: dict[str, Any], backend: str) -> None:
    settings = {"learning_rate": 0.05, **settings}
    scaled = LossScaleOptimizer(Adam(**settings), initial_scale=2.0**10, dynamic_growth_steps=4)
    assert_same(trained(scaled), trained(Adam(**settings)))
    assert scaled.scale_loss(1.0) == 2.0**16  # 24 steps
    assert int(scaled.iterations) == 24 // settings.get("gradient_accumulation_steps", 1)


def test_a_scale_that_is_too_large_is_halved_and_the_step_left_out(backend: str) -> None:
    scaled = LossScaleOptimizer(SGD(0.05), initial_scale=2.0**127)
    model = small_model(scaled)
    before = model.get_weights()
    x, y = X[:8] * 10, Y[:8] * 100  # gradients above 2
    assert model.train_on_batch(x, y)[0] > 2
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert scaled.scale_loss(1.0) == 2.0**126 and int(scaled.iterations) == 0


def mixed(**of_kernels: Any) -> MultiOptimizer:
    """Ftrl, whose state begins with other numbers, for biases; Adam for kernels."""
    return MultiOptimizer(
        OptimizerMap(Adam(0.02, **of_kernels), {".*/bias": Ftrl(0.05, initial_accumulator_value=0.3)})
    )


def test_each_optimizer_moves_its_weights(backend: str) -> None:
    """Against steps that the two optimizers make by themselves, from gradients of the same model."""
    both = mixed(clipnorm=0.05)
    model = small_model(both)
    adam, ftrl = Adam(0.02, clipnorm=0.05), Ftrl(0.05, initial_accumulator_value=0.3)
    kernels, biases = ([np.array(w) for w in model.get_weights()[i::2]] for i in (0, 1))
    sizes = np.cumsum([w.size for w in model.weights])[:-1]
    executor = model._engine_for(model.input_shape).executor
    for _ in range(10):
        _, flat, _ = executor.gradients([X], Y, None)
        gradients = [g.reshape(w.shape) for g, w in zip(np.split(flat, sizes), model.weights, strict=True)]
        adam.apply(gradients[0::2], kernels)
        ftrl.apply(gradients[1::2], biases)
        model.train_on_batch(X, Y)
    for mine, got in zip([*kernels, *biases], [*model.weights[0::2], *model.weights[1::2]], strict=True):
        np.testing.assert_allclose(mine, got.numpy(), rtol=0, atol=TOLERANCE)
    assert both.iterations == 10 and [o.iterations for o in both.optimizers] == [10, 10]


@pytest.mark.parametrize("make", [mixed, lambda: LossScaleOptimizer(mixed()), lambda: LossScaleOptimizer(SGD(0.05))])
def test_a_saved_model_goes_on_bit_for_bit(make: Any, tmp_path: Path, backend: str) -> None:
    model = small_model(make())
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors")
    assert again.optimizer is not None and model.optimizer is not None
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for one in (model, again):
        one.fit(X, Y, epochs=2, verbose=0)
    for a, b in zip(
        (*model.weights, *model.optimizer.variables), (*again.weights, *again.optimizer.variables), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize("make", [Momentum, mixed, lambda: LossScaleOptimizer(Adam(0.02), dynamic_growth_steps=3)])
def test_an_interrupted_fit_goes_on_bit_for_bit(make: Any, tmp_path: Path, backend: str) -> None:
    whole = small_model(make())
    whole.fit(X, Y, batch_size=8, epochs=3, verbose=0)

    class Interrupt(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 4 and self.model.optimizer._iterations > 8:
                raise KeyboardInterrupt

    backup = BackupAndRestore(tmp_path / "backup", save_freq=2)
    with pytest.raises(KeyboardInterrupt):
        small_model(make()).fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[backup, Interrupt()])
    again = small_model(make())
    again.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[BackupAndRestore(tmp_path / "backup", save_freq=2)])
    assert whole.optimizer is not None and again.optimizer is not None
    for a, b in zip(
        (*whole.weights, *whole.optimizer.variables), (*again.weights, *again.optimizer.variables), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_a_function_chooses_once(backend: str) -> None:
    both = MultiOptimizer(lambda variable: SGD(0.05) if "bias" in variable.path else Adam(0.02))
    model = small_model(both)
    model.fit(X, Y, epochs=2, verbose=0)
    assert [type(o).__name__ for o in both.optimizers] == ["Adam", "SGD", "Adam", "SGD"]
    assert {o.iterations for o in both.optimizers} == {4}


def test_averages_of_some_weights_become_them(backend: str) -> None:
    settings = {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.5}
    averaged, plain = SGD(**settings), SGD(0.05)
    got, _ = trained(MultiOptimizer(OptimizerMap(plain, {"last/.*": averaged})))
    want, _ = trained(SGD(0.05))
    for i in (0, 1):
        np.testing.assert_allclose(got[i], want[i], rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(got[2], averaged._model_variables_moving_average[0].numpy())
    assert np.abs(got[2] - want[2]).max() > 1e-4


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: OptimizerMap("sgd"), TypeError, "default_optimizer must be an Optimizer, got 'sgd'"),
        (lambda: OptimizerMap(SGD(), [SGD()]), TypeError, "optimizer_map must be a dict or None"),
        (
            lambda: OptimizerMap(SGD(), {"a.*": SGD(), ".*b": Adam()})["ab"],
            ValueError,
            "'ab' is matched by several keys",
        ),
        (lambda: OptimizerMap(SGD(), {"a": SGD()}).__setitem__("a", SGD()), ValueError, "'a' is there already"),
        (lambda: OptimizerMap(SGD()).__setitem__(1, SGD()), ValueError, "a key must be a string, got 1"),
        (lambda: OptimizerMap(SGD()).__setitem__("a", 1), ValueError, "'a': expected an Optimizer, got 1"),
        (lambda: mixed().learning_rate, AttributeError, "each of its `optimizers` has its own"),
        (lambda: setattr(mixed(), "learning_rate", 0.1), AttributeError, "set that of each"),
        (lambda: MultiOptimizer(3).build([np.zeros(2)]), ValueError, "must be an OptimizerMap or a function, got 3"),
        (lambda: MultiOptimizer(lambda v: "sgd").build([np.zeros(2)]), ValueError, "expected an Optimizer, got 'sgd'"),
        (lambda: MultiOptimizer(lambda v: mixed()).build([np.zeros(2)]), ValueError, "MultiOptimizer cannot be used"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_bad_gradient_moves_no_weight() -> None:
    both = MultiOptimizer(OptimizerMap(SGD(1.0), {"variable_1": Adam()}))
    weights = [np.ones(2, np.float32), np.ones(3, np.float32)]
    both.build(weights)
    with pytest.raises(ValueError, match=r"has shape \(3,\), its gradient \(2,\)"):
        both.apply([np.ones(2), np.ones(2)], weights)
    np.testing.assert_array_equal(weights[0], np.ones(2))
    assert both.iterations == 0


def test_one_optimizer_of_two_keys_stays_one() -> None:
    shared = Adam(0.1)
    both = MultiOptimizer(OptimizerMap(SGD(), {"a/.*": shared, "b/.*": shared}))
    again = optimizers.deserialize(optimizers.serialize(both))
    assert isinstance(again, MultiOptimizer)
    assert [type(o).__name__ for o in again.optimizers] == ["Adam", "SGD"]
    assert again.get_config() == both.get_config()
