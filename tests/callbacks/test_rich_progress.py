"""RichProgress draws a line an epoch, costs no batches and leaves the terminal in order."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from netlet.callbacks import Callback, CallbackList, RichProgress

pytestmark = pytest.mark.usefixtures("numpy_backend")


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=160, force_terminal=True, color_system=None)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class Scripted(Callback):
    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["loss"] = self.values[epoch]


@pytest.mark.parametrize("verbose", [0, 1])
def test_each_epoch_is_a_line_in_place_of_the_bar(
    verbose: int, console: Console, rows: Any, make_model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    callbacks = [RichProgress(console), Scripted([2.0, 1.0, 3.0])]
    make_model().fit(*rows, batch_size=10, epochs=3, verbose=verbose, validation_split=0.2, callbacks=callbacks)
    final = [line for line in text(console).replace("\r", "\n").splitlines() if "4/4" in line and "loss" in line]
    for epoch in (1, 2, 3):
        assert any(f"Epoch {epoch}/3" in line for line in final)
    assert "loss 2.0000  " in text(console)
    assert "loss 1.0000↓" in text(console)
    assert "loss 3.0000↑" in text(console)
    assert "val_loss" in text(console)
    assert capsys.readouterr().out == ""


def test_better_is_green_and_worse_is_red(console: Console, rows: Any, make_model: Any) -> None:
    console = Console(file=io.StringIO(), width=160, force_terminal=True, color_system="standard")
    model = make_model(metrics=None)
    model.fit(*rows, epochs=4, callbacks=[RichProgress(console), Scripted([3.0, 2.0, 4.0, 3.5])])
    drawn = text(console)
    assert "\x1b[1;32m2.0000↓" in drawn
    assert "\x1b[31m4.0000↑" in drawn
    assert "\x1b[32m3.5000↓" in drawn


def test_it_asks_for_no_batches(console: Console, make_model: Any) -> None:
    assert not CallbackList.of_run([RichProgress(console)], make_model(), {}).wants_batches("train")


def test_evaluation_and_prediction_are_drawn(console: Console, rows: Any, make_model: Any) -> None:
    model = make_model()
    model.evaluate(*rows, batch_size=10, verbose=0, callbacks=[RichProgress(console)])
    model.predict(rows[0], batch_size=5, callbacks=[RichProgress(console)])
    assert "5/5" in text(console)
    assert "10/10" in text(console)


def test_the_cursor_comes_back_when_training_fails(console: Console, rows: Any, make_model: Any) -> None:
    class Fail(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        make_model().fit(*rows, callbacks=[RichProgress(console), Fail()])
    assert text(console).count("\x1b[?25l") == text(console).count("\x1b[?25h") == 1


def test_data_of_unknown_length_are_counted(console: Console, rows: Any, make_model: Any) -> None:
    x, y = rows
    make_model().fit(((x, y) for _ in range(3)), callbacks=[RichProgress(console)])
    assert "3/?" in text(console) or "3/3" in text(console)
