"""Callbacks that watch a metric: which way is better, when training ends, and when the learning rate falls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet import Sequential
from netlet.callbacks import Callback, EarlyStopping, MonitorCallback, ReduceLROnPlateau
from netlet.callbacks.monitor_callback import better_way
from netlet.layers import Dense
from netlet.metrics import Metric


class Scripted(Callback):
    """Puts given values into the logs, before the callbacks behind it see them."""

    def __init__(self, values: list[float | None], name: str = "val_loss") -> None:
        super().__init__()
        self.values, self.name = values, name

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.values[epoch] is not None:
            logs[self.name] = self.values[epoch]


@pytest.fixture
def fit(numpy_backend: None) -> Any:
    """A function that trains on nothing much while the logs say what they are told to; returns model and history."""

    def run(values: list[float | None], *callbacks: Callback, name: str = "val_loss", metrics: Any = None) -> Any:
        model = Sequential([Dense(1, input_shape=(1,))])
        model.compile("sgd", "mse", metrics=metrics)
        x = np.ones((4, 1), np.float32)
        history = model.fit(x, x, epochs=len(values), verbose=0, callbacks=[Scripted(values, name), *callbacks])
        return model, history

    return run


# Which way is better


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("out_loss", "min"),
        ("val_out_loss", "min"),
        ("accuracy", "max"),
        ("val_accuracy", "max"),
        ("val_out_accuracy", "max"),
        ("mse", "min"),
        ("val_mse", "min"),
        ("unknown", ""),
    ],
)
def test_the_direction_comes_from_the_metric(name: str, want: str, numpy_backend: None) -> None:
    model = Sequential([Dense(1, "sigmoid", input_shape=(1,))])
    model.compile("sgd", "mse", metrics=["accuracy", "mse"])
    assert better_way(name, model.metrics) == want


def test_a_metric_may_say_its_direction() -> None:
    class Own(Metric):
        _direction = "up"

    assert better_way("val_own", [Own(name="own")]) == "max"
    Own._direction = "down"
    assert better_way("own", [Own(name="own")]) == "min"


def test_an_unknown_mode_warns_and_is_auto() -> None:
    with pytest.warns(UserWarning, match="EarlyStopping mode 'upwards' is unknown, fallback to auto mode"):
        assert EarlyStopping(mode="upwards").mode == "auto"


def test_a_metric_of_unknown_direction_is_an_error(fit: Any) -> None:
    with pytest.raises(ValueError, match="EarlyStopping: monitor='height' does not tell"):
        fit([1.0, 2.0], EarlyStopping("height"), name="height")
    fit([1.0, 2.0], EarlyStopping("height", mode="max"), name="height")


def test_min_delta_is_what_an_improvement_must_exceed() -> None:
    up = MonitorCallback(mode="max", min_delta=-0.5)  # its sign does not matter
    up._set_monitor_op()
    assert up._is_improvement(0.75, 0)
    assert up._is_improvement(0.5, None)
    assert not up._is_improvement(0.5, 0)
    down = MonitorCallback(mode="min", min_delta=0.5)
    down._set_monitor_op()
    assert down._is_improvement(-0.75, 0)
    assert not down._is_improvement(-0.5, 0)


# EarlyStopping


@pytest.mark.parametrize(
    ("settings", "values", "epochs"),
    [
        ({}, [1, 2, 0, 0], 2),
        ({}, [1, 1, 0, 0], 2),  # equal is no improvement
        ({}, [3, 2, 1, 0], 4),
        ({"patience": 1}, [1, 2, 0, 1, 0], 2),
        ({"patience": 2}, [1, 2, 0.5, 1, 2, 0], 5),
        ({"mode": "max"}, [1, 2, 3, 2, 5], 4),
        ({"min_delta": 0.5}, [2, 1.6, 1.4, 0], 2),
        ({"min_delta": 0.5, "patience": 2}, [2, 1.6, 1.4, 1.3, 1.2, 0], 5),
        ({"baseline": 1.0, "patience": 2}, [3, 2, 1.5, 0.5], 4),  # better than before, if not than the baseline
        ({"baseline": 1.0, "patience": 2}, [3, 2, 2, 0.5], 3),
        ({"start_from_epoch": 2}, [1, 2, 3, 4, 5], 4),
        ({"start_from_epoch": 2, "patience": 2}, [1, 2, 3, 4, 5, 6], 5),
    ],
)
def test_training_ends_when_patience_does(fit: Any, settings: Any, values: list[float], epochs: int) -> None:
    stopper = EarlyStopping(**settings)
    _, history = fit(values, stopper)
    assert len(history.epoch) == epochs
    assert stopper.stopped_epoch == (epochs - 1 if epochs < len(values) else 0)


def test_the_first_epoch_never_ends_training(fit: Any) -> None:
    assert len(fit([float("nan"), float("nan"), 1.0], EarlyStopping())[1].epoch) == 2


class Weights(Callback):
    """Sets all weights to the number of the epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.rate, self.model.optimizer.learning_rate = self.model.optimizer.learning_rate, 0.0
        self.model.set_weights([np.full(w.shape, float(epoch)) for w in self.model.weights])


class StopAfter(Callback):
    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.last = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training = self.model.stop_training or epoch == self.last


@pytest.mark.parametrize(
    ("settings", "values", "others", "best"),
    [
        ({"patience": 2}, [3, 1, 2, 3, 4], [], 1),
        ({"patience": 9}, [3, 1, 2, 3, 4], [], 1),  # all epochs were done
        ({"patience": 9}, [3, 1, 2, 3, 4], [2], 1),  # another callback ended it
        ({"patience": 5, "baseline": 0.5}, [0.9, 0.8, 0.7, 0.71, 0.72, 0.73], [], 2),  # none beats the baseline
        ({"patience": 9, "start_from_epoch": 3}, [0, 1, 2, 5, 4, 6], [], 4),
    ],
)
def test_the_best_weights_are_restored_whatever_ended_training(
    fit: Any, settings: Any, values: list[float], others: list[int], best: int
) -> None:
    stopper = EarlyStopping(restore_best_weights=True, **settings)
    model, _ = fit(values, Weights(), stopper, *map(StopAfter, others))
    assert stopper.best_epoch == best
    assert [w.max() for w in model.get_weights()] == [best, best]


def test_without_restoring_the_last_weights_stay(fit: Any) -> None:
    model, _ = fit([1, 2, 3], Weights(), EarlyStopping(patience=5))
    assert model.get_weights()[0].max() == 2


def test_a_missing_metric_warns_and_ends_nothing(fit: Any) -> None:
    with pytest.warns(UserWarning, match="conditioned on metric `val_loss` which is not available.*are: loss"):
        _, history = fit([None, None, None], EarlyStopping())
    assert len(history.epoch) == 3


def test_early_stopping_says_what_it_does(fit: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fit([1, 2, 3], EarlyStopping(verbose=1, restore_best_weights=True))
    assert capsys.readouterr().out == (
        "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"
    )


def test_callbacks_forget_the_run_before(fit: Any) -> None:
    stopper, plateau = EarlyStopping(patience=1), ReduceLROnPlateau(patience=1)
    for _ in range(2):
        model, history = fit([1, 2, 3, 4], stopper, plateau)
        assert len(history.epoch) == 2
        assert model.optimizer.learning_rate == pytest.approx(0.001)


# ReduceLROnPlateau


@pytest.mark.parametrize(
    ("settings", "values", "rates"),
    [
        ({"patience": 1}, [1, 2, 0, 1], [1, 1, 0.1, 0.1]),
        ({"patience": 2}, [1, 2, 2, 2, 2, 2], [1, 1, 1, 0.1, 0.1, 0.01]),
        ({"patience": 1, "factor": 0.5}, [1, 1, 1], [1, 1, 0.5]),
        ({"patience": 1, "cooldown": 2}, [1, 2, 2, 2, 2, 2], [1, 1, 0.1, 0.1, 0.01, 0.01]),
        ({"patience": 1, "min_lr": 0.003}, [1, 2, 2, 2], [1, 1, 0.3, 0.3]),
        ({"patience": 1, "min_delta": 0.5}, [2, 1.6, 1.0], [1, 1, 0.1]),
        ({"patience": 1, "mode": "max"}, [1, 2, 1, 1], [1, 1, 1, 0.1]),
        ({"patience": 0}, [1, 2, 3], [1, 1, 0.1]),
    ],
)
def test_the_learning_rate_falls_on_a_plateau(fit: Any, settings: Any, values: Any, rates: list[float]) -> None:
    _, history = fit(values, ReduceLROnPlateau(**settings))
    assert history.history["learning_rate"] == pytest.approx([0.01 * rate for rate in rates], rel=1e-12)


def test_a_plateau_is_told(fit: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fit([1, 2], ReduceLROnPlateau(patience=1, factor=0.5, verbose=1))
    assert capsys.readouterr().out == "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.005.\n"


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"factor must be below 1, got 1\.0"):
        ReduceLROnPlateau(factor=1.0)
    with pytest.raises(TypeError, match="unexpected argument 'epsilon'"):
        ReduceLROnPlateau(epsilon=1)


def test_a_plateau_without_its_metric_warns(fit: Any) -> None:
    with pytest.warns(UserWarning, match="conditioned on metric `val_loss` which is not available"):
        model, _ = fit([None, None], ReduceLROnPlateau(patience=0))
    assert model.optimizer.learning_rate == 0.01
