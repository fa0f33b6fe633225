"""Callbacks that read or set a learning rate, or swap in averages, reach the optimizers that another one holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet.callbacks import (
    BackupAndRestore,
    Callback,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
    SwapEMAWeights,
    TensorBoard,
)
from netlet.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, Optimizer, OptimizerMap
from netlet.optimizers.schedules import ExponentialDecay

WRAPPERS: Any = pytest.mark.parametrize("wrap", [lambda o: o, LossScaleOptimizer], ids=["bare", "scaled"])


def parts(**of_kernels: Any) -> list[Optimizer]:
    """The optimizer of kernels and that of biases."""
    return [Adam(0.02, name="kernels", **of_kernels), SGD(0.5, name="biases")]


def joined(kernels: Optimizer, biases: Optimizer) -> MultiOptimizer:
    return MultiOptimizer(OptimizerMap(kernels, {".*/bias": biases}))


def by_function(kernels: Optimizer, biases: Optimizer) -> MultiOptimizer:
    """Whose parts are not known before it has seen weights."""
    return MultiOptimizer(lambda variable: biases if "bias" in variable.path else kernels)


@WRAPPERS
@pytest.mark.parametrize("join", [joined, by_function])
def test_a_schedule_sets_the_rate_of_each_part(
    join: Any, wrap: Any, backend: str, rows: Any, make_model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    own = parts()
    model = make_model(optimizer=wrap(join(*own)))
    halve = LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    history = model.fit(*rows, epochs=2, verbose=0, callbacks=[halve]).history
    assert history["learning_rate_kernels"] == [0.01, 0.005]
    assert history["learning_rate_biases"] == [0.25, 0.125]
    assert "learning_rate" not in history
    assert [o.learning_rate for o in own] == [0.005, 0.125]
    lines = capsys.readouterr().out
    for part, rate in (("kernels", 0.01), ("biases", 0.25)):
        assert f"\nEpoch 1: LearningRateScheduler setting {part} learning rate to {rate}.\n" in lines


@WRAPPERS
def test_the_rates_set_are_the_rates_used(wrap: Any, backend: str, rows: Any, make_model: Any) -> None:
    model = make_model(optimizer=wrap(joined(*parts())))
    before = model.get_weights()
    model.fit(*rows, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, rate: 0.0 if rate == 0.5 else rate)])
    for i, (old, new) in enumerate(zip(before, model.get_weights(), strict=True)):
        assert np.array_equal(old, new) == (i % 2 == 1), "biases stay, kernels move"


def test_a_part_that_follows_a_schedule_is_named(rows: Any, make_model: Any, numpy_backend: None) -> None:
    follows = SGD(ExponentialDecay(0.1, 5, 0.5), name="follows")
    model = make_model(optimizer=joined(Adam(0.02), follows))
    history = model.fit(*rows, verbose=0, callbacks=[ReduceLROnPlateau("loss")]).history  # which only reads
    assert history["learning_rate_follows"] == [pytest.approx(follows.learning_rate)]
    with pytest.raises(TypeError, match="SGD: This optimizer was created with a `LearningRateSchedule`"):
        model.fit(*rows, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 0.5)])


class Stuck(Callback):
    """Puts a loss that gets no better into the logs, before the callbacks behind it see them."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["stuck_loss"] = 1.0


@WRAPPERS
def test_all_rates_fall_on_a_plateau(
    wrap: Any, backend: str, rows: Any, make_model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_model(optimizer=wrap(joined(*parts())))
    plateau = ReduceLROnPlateau("stuck_loss", factor=0.5, patience=1, min_lr=0.01, cooldown=1, verbose=1, mode="min")
    history = model.fit(*rows, epochs=5, verbose=0, callbacks=[Stuck(), plateau]).history
    assert history["learning_rate_kernels"] == [0.02, 0.02, 0.01, 0.01, 0.01]
    assert history["learning_rate_biases"] == [0.5, 0.5, 0.25, 0.125, 0.0625]
    lines = capsys.readouterr().out.split("\n\n")
    assert len(lines) == 5, "that of kernels falls once"
    assert "Epoch 2: ReduceLROnPlateau reducing kernels learning rate to 0.01." in "\n".join(lines)


@WRAPPERS
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the package that writes
def test_tensorboard_writes_each_rate(
    wrap: Any, rows: Any, make_model: Any, tmp_path: Path, numpy_backend: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed: pip install 'netlet[tensorboard]'")
    from tensorboardX import SummaryWriter

    seen: dict[str, float] = {}
    monkeypatch.setattr(SummaryWriter, "add_scalar", lambda self, tag, value, step: seen.update({tag: value}))
    make_model(optimizer=wrap(joined(*parts()))).fit(*rows, verbose=0, callbacks=[TensorBoard(tmp_path)])
    rates = {tag: value for tag, value in seen.items() if "learning_rate" in tag}
    assert rates == {"epoch_learning_rate_kernels": 0.02, "epoch_learning_rate_biases": 0.5}


# Averages


def averages_of(optimizer: Optimizer) -> list[np.ndarray]:
    return [average.numpy() for average in optimizer._model_variables_moving_average]


@WRAPPERS
def test_averages_of_some_weights_are_in_the_model_for_evaluation_alone(
    wrap: Any, backend: str, rows: Any, make_model: Any
) -> None:
    own = parts(use_ema=True, ema_momentum=0.9)
    model = make_model(optimizer=wrap(joined(*own)))
    for _ in range(5):
        model.train_on_batch(*rows)
    weights, averages = model.get_weights(), averages_of(own[0])
    other = make_model()
    other.set_weights([averages[0], weights[1], averages[1], weights[3]])
    swap = SwapEMAWeights()
    assert np.array_equal(model.predict(rows[0], callbacks=[swap]), other.predict(rows[0]))
    assert model.evaluate(*rows, verbose=0, callbacks=[swap]) == other.evaluate(*rows, verbose=0)
    for before, after in zip([*weights, *averages], [*model.get_weights(), *averages_of(own[0])], strict=True):
        np.testing.assert_array_equal(before, after)


@WRAPPERS
def test_the_last_epoch_ends_with_the_averages(wrap: Any, backend: str, rows: Any, make_model: Any) -> None:
    own = parts(use_ema=True, ema_momentum=0.9)
    model = make_model(optimizer=wrap(joined(*own)))
    seen: list[Any] = []
    look = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((model.get_weights(), averages_of(own[0]))))
    model.fit(*rows, epochs=2, verbose=0, callbacks=[look, SwapEMAWeights(True)])
    trained, averages = seen[-1]
    want = [averages[0], trained[1], averages[1], trained[3]]
    for got, expected in zip(model.get_weights(), want, strict=True):
        np.testing.assert_array_equal(got, expected)


@WRAPPERS
def test_parts_without_averages_are_refused(wrap: Any, rows: Any, make_model: Any, numpy_backend: None) -> None:
    model = make_model(optimizer=wrap(joined(*parts())))
    with pytest.raises(
        ValueError, match=r"SwapEMAWeights must be used when .* on one of the MultiOptimizer's optimizers"
    ):
        model.evaluate(*rows, verbose=0, callbacks=[SwapEMAWeights()])


# Backups


def test_rates_that_were_set_come_back_with_a_backup(backend: str, rows: Any, make_model: Any, tmp_path: Path) -> None:
    halve = LearningRateScheduler(lambda epoch, rate: rate / 2)

    def run(epochs: int, *callbacks: Callback) -> Any:
        model = make_model(optimizer=joined(*parts()))
        model.set_weights([np.full(w.shape, 0.1 * i) for i, w in enumerate(model.get_weights())])
        return model, model.fit(*rows, epochs=epochs, verbose=0, shuffle=False, callbacks=[*callbacks, halve])

    class Interrupt(Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                raise KeyboardInterrupt

    whole, history = run(4)
    with pytest.raises(KeyboardInterrupt):
        run(4, BackupAndRestore(tmp_path), Interrupt())
    again, _ = run(4, BackupAndRestore(tmp_path))
    assert history.history["learning_rate_biases"] == [0.25, 0.125, 0.0625, 0.03125]
    for one, other in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [o.learning_rate for o in again.optimizer.optimizers] == [
        o.learning_rate for o in whole.optimizer.optimizers
    ]
