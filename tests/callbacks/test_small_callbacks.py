"""The callbacks of a few lines, and the list that calls them."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Sequential
from netlet.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ProgbarLogger,
    SwapEMAWeights,
    TerminateOnNaN,
)
from netlet.layers import Dense
from netlet.optimizers import SGD

pytestmark = pytest.mark.usefixtures("numpy_backend")


# LearningRateScheduler


def test_the_schedule_sets_each_epochs_rate(rows: Any, make_model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model = make_model()
    scheduler = LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    history = model.fit(*rows, epochs=3, verbose=0, callbacks=[scheduler])
    assert history.history["learning_rate"] == [0.025, 0.0125, 0.00625]
    assert capsys.readouterr().out.startswith(
        "\nEpoch 1: LearningRateScheduler setting learning rate to 0.025.\n\nEpoch 2"
    )


def test_the_rate_set_is_the_rate_used(backend: str, rows: Any, make_model: Any) -> None:
    weights = []
    for callbacks in ([LearningRateScheduler(lambda epoch: 0.0)], None):
        model = make_model()
        before = model.get_weights()
        model.fit(*rows, verbose=0, callbacks=callbacks)
        weights.append([bool((a == b).all()) for a, b in zip(before, model.get_weights(), strict=True)])
    assert weights == [[True] * 4, [False] * 4]


def test_a_schedule_may_know_the_epoch_alone_and_its_errors_are_its_own(rows: Any, make_model: Any) -> None:
    model = make_model()
    model.fit(*rows, epochs=2, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 1.0 / (2 + epoch))])
    assert model.optimizer.learning_rate == 1 / 3

    def broken(epoch: int, rate: float) -> float:
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        model.fit(*rows, verbose=0, callbacks=[LearningRateScheduler(broken)])
    with pytest.raises(ValueError, match="must return a float, got 1"):
        model.fit(*rows, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 1)])


# TerminateOnNaN


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_training_ends_after_the_batch_whose_loss_is_not_finite(
    bad: float, backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.ones((8, 1), np.float32)
    y = x.copy()
    y[5] = bad
    seen: list[int] = []
    model = Sequential([Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    batches = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    ended = LambdaCallback(on_train_end=lambda logs: seen.append(-1))
    history = model.fit(
        x, y, batch_size=2, epochs=3, shuffle=False, verbose=0, callbacks=[TerminateOnNaN(), batches, ended]
    )
    assert seen == [0, 1, 2, -1]
    assert history.epoch == [0]
    assert not math.isfinite(history.history["loss"][0])
    assert capsys.readouterr().out == "Batch 2: Invalid loss, terminating training\n"
    seen.clear()
    model.set_weights([np.zeros((1, 1)), np.zeros(1)])
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 2"):
        model.fit(x, y, batch_size=2, shuffle=False, verbose=0, callbacks=[TerminateOnNaN(True), batches, ended])
    assert seen == [0, 1]


# CSVLogger


def read(path: Path, separator: str = ",") -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def test_epochs_are_lines(rows: Any, make_model: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.tsv"
    model = make_model()
    history = model.fit(
        *rows, epochs=4, verbose=0, validation_split=0.2, validation_freq=3, callbacks=[CSVLogger(path, "\t")]
    )
    lines = read(path, "\t")
    assert list(lines[0]) == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert [line["epoch"] for line in lines] == ["0", "1", "2", "3"]
    assert [line["loss"] for line in lines] == [str(value) for value in history.history["loss"]]
    assert [line["val_loss"] for line in lines] == ["NA", "NA", str(history.history["val_loss"][0]), "NA"]


def test_a_file_is_appended_to_without_a_second_header(rows: Any, make_model: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    logger = CSVLogger(path, append=True)
    make_model().fit(*rows, epochs=2, verbose=0, callbacks=[logger])
    make_model().fit(*rows, epochs=2, verbose=0, callbacks=[logger])
    make_model().fit(*rows, epochs=1, verbose=0, callbacks=[CSVLogger(path, append=True)])
    assert [line["epoch"] for line in read(path)] == ["0", "1", "0", "1", "0"]
    make_model().fit(*rows, epochs=1, verbose=0, callbacks=[CSVLogger(path)])
    assert [line["epoch"] for line in read(path)] == ["0"]


def test_lines_are_there_when_training_is_killed(rows: Any, make_model: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines: list[int] = []
    after = LambdaCallback(on_epoch_end=lambda epoch, logs: lines.append(len(path.read_text().splitlines())))
    make_model().fit(*rows, epochs=2, verbose=0, callbacks=[CSVLogger(path), after])
    assert lines == [2, 3]


def test_arrays_are_quoted_lists(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"f1": np.array([0.5, 0.25]), "loss": np.array(2.0)})
    logger.on_train_end()
    assert read(tmp_path / "log.csv")[0]["f1"] == '"[0.5, 0.25]"'
    assert read(tmp_path / "log.csv")[0]["loss"] == "2.0"


# LambdaCallback


def test_functions_are_hooks_and_only_those_given(rows: Any, make_model: Any) -> None:
    seen: list[Any] = []
    made = LambdaCallback(
        on_train_begin=lambda logs: seen.append("train"),
        on_epoch_begin=lambda epoch, logs: seen.append(epoch),
        on_epoch_end=lambda epoch, logs: seen.append(sorted(logs)),
        on_train_end=lambda logs: seen.append("end"),
        on_test_begin=lambda logs: seen.append("test"),
        own="mine",
    )
    model = make_model()
    model.fit(*rows, verbose=0, callbacks=[made])
    assert seen == ["train", 0, ["accuracy", "loss"], "end"]
    model.evaluate(*rows, verbose=0, callbacks=[made])
    assert seen[4:] == ["test"]
    assert made.own == "mine"  # type: ignore[attr-defined]
    assert not CallbackList(made).wants_batches("train")
    assert CallbackList(LambdaCallback(on_train_batch_end=print)).wants_batches("train")


# Stopping


@pytest.mark.parametrize("when", ["on_train_batch_begin", "on_train_batch_end", "on_batch_end"])
def test_batch_hooks_can_stop_training(when: str, backend: str, rows: Any, make_model: Any) -> None:
    steps: list[int] = []

    class Stop(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            steps.append(batch)
            super().on_train_batch_end(batch, logs)

    stop = Stop()
    hook = getattr(stop, when)

    def stopping(batch: int, logs: Any = None) -> None:
        hook(batch, logs)
        if batch == 2:
            stop.model.stop_training = True

    setattr(stop, when, stopping)
    model = make_model()
    history = model.fit(*rows, batch_size=10, epochs=3, verbose=0, validation_split=0.2, callbacks=[stop])
    assert steps == [0, 1, 2]
    assert model.optimizer.iterations == 3
    assert history.epoch == [0]
    assert "val_loss" in history.history


def test_batch_hooks_can_stop_evaluation_and_prediction(rows: Any, make_model: Any) -> None:
    model = make_model()
    stop = LambdaCallback(
        on_test_batch_end=lambda batch, logs: setattr(model, "stop_evaluating", batch == 1),
        on_predict_batch_end=lambda batch, logs: setattr(model, "stop_predicting", batch == 1),
    )
    x, y = rows
    want = model.evaluate(x[:20], y[:20], batch_size=10, verbose=0)
    assert model.evaluate(x, y, batch_size=10, verbose=0, callbacks=[stop]) == want
    assert model.evaluate(x, y, batch_size=10, verbose=0, callbacks=[stop]) == want  # and it begins anew
    assert len(model.predict(x, batch_size=10, callbacks=[stop])) == 20
    assert len(model.predict(iter([x[:5]] * 5), callbacks=[stop])) == 10


# CallbackList


def test_a_loop_of_ones_own(rows: Any, make_model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = rows
    model = make_model()
    seen: list[str] = []
    mine = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(f"batch {batch}"))
    callbacks = CallbackList([[mine]], add_history=True, add_progbar=True, model=model, verbose=2, epochs=2, steps=2)
    callbacks.append(LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(f"epoch {epoch}")))
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        logs: dict[str, Any] = {}
        for batch in range(2):
            callbacks.on_train_batch_begin(batch)
            part = slice(25 * batch, 25 * batch + 25)
            logs = model.train_on_batch(x[part], y[part], return_dict=True)
            callbacks.on_train_batch_end(batch, logs)
        callbacks.on_epoch_end(epoch, logs)
    callbacks.on_train_end()
    assert seen == ["batch 0", "batch 1", "epoch 0", "batch 0", "batch 1", "epoch 1"]
    assert isinstance(model.history, History)
    assert len(model.history.history["loss"]) == 2
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "Epoch 1/2"
    assert out[1].startswith("2/2 - 0s - ")
    assert len(out) == 4


def test_a_list_in_a_list_is_flattened_and_one_history_is_enough(rows: Any, make_model: Any) -> None:
    history = History()
    made = CallbackList([CallbackList([history]), None], add_history=True)
    assert made.callbacks == [history]
    assert make_model().fit(*rows, verbose=0, callbacks=CallbackList([history])) is history
    with pytest.raises(TypeError, match="expected Callback instances, got 3"):
        CallbackList([3])


# Progress


def test_progbar_logger_changes_nothing(rows: Any, make_model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shapes = []
    for callbacks in (None, [ProgbarLogger()]):
        for verbose in (0, 1, 2):
            netlet.set_random_seed(1)
            make_model().fit(*rows, epochs=2, verbose=verbose, callbacks=callbacks)
            lines = capsys.readouterr().out.splitlines()
            shapes.append([line.split(" - ")[-2:] if " - " in line else line for line in lines])
    assert shapes[:3] == shapes[3:]
    assert [len(lines) for lines in shapes] == [0, 4, 4] * 2
    assert not CallbackList.of_run([ProgbarLogger()], make_model(), {}).wants_batches("train")


def test_what_callbacks_add_is_in_the_line(rows: Any, make_model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    make_model().fit(*rows, verbose=2, callbacks=[LearningRateScheduler(lambda epoch: 0.5)])
    assert capsys.readouterr().out.endswith(" - learning_rate: 0.5000\n")


# SwapEMAWeights


def averages_of(model: Sequential) -> list[np.ndarray]:
    optimizer: Any = model.optimizer
    return [average.numpy() for average in optimizer._model_variables_moving_average]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture
def averaging(rows: Any, make_model: Any) -> Sequential:
    """A model whose optimizer keeps a moving average, after some steps: not yet what the weights are."""
    model: Sequential = make_model(optimizer=SGD(0.5, use_ema=True, ema_momentum=0.9))
    for _ in range(5):
        model.train_on_batch(*rows)
    assert not same(averages_of(model), model.get_weights())
    return model


def test_averages_are_in_the_model_for_evaluation_and_prediction_alone(
    rows: Any, make_model: Any, averaging: Sequential
) -> None:
    weights, averages = averaging.get_weights(), averages_of(averaging)
    other = make_model()
    other.set_weights(averages)
    swap = SwapEMAWeights()
    assert np.array_equal(averaging.predict(rows[0], callbacks=[swap]), other.predict(rows[0]))
    assert averaging.evaluate(*rows, verbose=0, callbacks=[swap]) == other.evaluate(*rows, verbose=0)
    assert same(averaging.get_weights(), weights)
    assert same(averages_of(averaging), averages)


def test_validation_measures_what_fit_ends_with(rows: Any, make_model: Any) -> None:
    found = []
    for callbacks in ([SwapEMAWeights()], [SwapEMAWeights(True)], []):
        model = make_model(optimizer=SGD(0.5, use_ema=True, ema_momentum=0.9))
        history = model.fit(*rows, epochs=2, verbose=0, validation_data=rows, callbacks=callbacks)
        found.append(history.history["val_loss"][-1] == model.evaluate(*rows, verbose=0)[0])
    assert found == [True, True, False]


def test_averages_are_swapped_in_at_the_end_of_epochs(rows: Any, averaging: Sequential) -> None:
    seen: list[tuple[list[np.ndarray], list[np.ndarray]]] = []

    def look(*_: Any) -> None:
        seen.append((averaging.get_weights(), averages_of(averaging)))

    before, after = LambdaCallback(on_epoch_end=look), LambdaCallback(on_epoch_begin=look, on_epoch_end=look)
    averaging.fit(*rows, epochs=2, verbose=0, validation_split=0.2, callbacks=[before, SwapEMAWeights(True), after])
    _, trained, swapped, begun, _, last = seen
    assert same(swapped[0], trained[1])
    assert same(swapped[1], trained[0])
    assert same(begun[0], trained[0])
    assert same(last[0], last[1])  # what fit makes the weights
    assert same(averaging.get_weights(), last[0])


def test_an_optimizer_without_averages_is_refused(rows: Any, make_model: Any) -> None:
    with pytest.raises(ValueError, match="SwapEMAWeights must be used when `use_ema=True` is set"):
        make_model().evaluate(*rows, verbose=0, callbacks=[SwapEMAWeights()])


# Imports


def test_unused_callbacks_are_not_imported() -> None:
    code = (
        "import sys, netlet; from netlet.callbacks import Callback\n"
        "print([m for m in sorted(sys.modules) if m.startswith('netlet.callbacks')])\n"
        "import netlet.callbacks as c; [getattr(c, name) for name in c.__all__]; assert set(c.__all__) <= set(dir(c))\n"
        "print([m for m in ('rich', 'tensorboardX', 'tensorflow') if m in sys.modules])"
    )
    env = {"PYTHONPATH": ":".join([str(Path(netlet.__file__).parent.parent), *sys.path])}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    first, second = out.splitlines()
    assert first == str(["netlet.callbacks", "netlet.callbacks.callback", "netlet.callbacks.callback_list"])
    assert second == "[]"
