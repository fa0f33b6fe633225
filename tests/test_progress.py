"""The progress bar: what is printed, where, and how often, with a clock and a stream made for it."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from netlet.models.progress import ProgressBar, format_remaining, format_step_time, format_value

BAR = "━" * 20


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal and counts what it is asked to write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


def on_screen(text: str) -> list[str]:
    """The lines that a terminal would show: colours removed, carriage returns carried out."""
    shown = []
    for line in re.sub(r"\x1b\[[0-9;]*m", "", text).split("\n"):
        cells = ""
        for part in line.split("\r"):
            cells = part + cells[len(part) :]
        shown.append(cells.rstrip())
    return shown


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)


def run_epoch(bar: ProgressBar, clock: Clock, steps: int, seconds: float) -> None:
    for step in range(1, steps + 1):
        clock.now += seconds
        bar.update(step, {"accuracy": step / steps, "loss": 1.0 / step})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.02514, "4.0251"),
        (0.0, "0.0000e+00"),
        (1e-3, "1.0000e-03"),
        (1.0001e-3, "0.0010"),
        (-2e-4, "-2.0000e-04"),
        (-3.5, "-3.5000"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (np.float32(0.25), "0.2500"),
        (np.array([0.5, 1.0]), "0.7500"),
    ],
)
def test_value_is_scientific_where_it_is_small(value, text):
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.4e-6, "2us/step"),
        (7.4e-4, "740us/step"),
        (9.999e-4, "1ms/step"),
        (4e-3, "4ms/step"),
        (0.9999, "1s/step"),
        (12.2, "12s/step"),
        (0.0, "0s/step"),
    ],
)
def test_step_time_picks_its_unit(seconds, text):
    assert format_step_time(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.9, "0s"), (59.0, "59s"), (65.0, "1:05"), (7207.0, "2:00:07")])
def test_remaining_time_is_a_clock_beyond_a_minute(seconds, text):
    assert format_remaining(seconds) == text


def test_file_gets_one_line_per_epoch_and_no_control_characters(clock):
    out = io.StringIO()
    for epoch in range(2):
        bar = ProgressBar(3, epoch, 2, 1, out, clock=clock)
        run_epoch(bar, clock, 3, 0.004)
        bar.finish({"accuracy": 0.0, "loss": 4.0251, "val_loss": 3.5})
    line = f"3/3 {BAR} 0s 4ms/step - accuracy: 0.0000e+00 - loss: 4.0251 - val_loss: 3.5000\n"
    assert out.getvalue() == f"Epoch 1/2\n{line}Epoch 2/2\n{line}"


def test_single_epoch_has_no_heading(clock):
    out = io.StringIO()
    ProgressBar(1, 0, 1, 1, out, clock=clock).finish({"loss": 1.0})
    assert out.getvalue() == f"1/1 {BAR} 0s 0s/step - loss: 1.0000\n"


def test_verbose_two_is_one_line(clock):
    out = Terminal()
    bar = ProgressBar(3, 0, 2, 2, out, clock=clock)
    run_epoch(bar, clock, 3, 0.003)
    assert out.getvalue() == "Epoch 1/2\n"
    bar.finish({"accuracy": 0.5, "loss": 2.0})
    assert out.getvalue() == "Epoch 1/2\n3/3 - 0s - 3ms/step - accuracy: 0.5000 - loss: 2.0000\n"


def test_verbose_zero_is_silent(clock):
    out = Terminal()
    with ProgressBar(3, 0, 2, 0, out, clock=clock) as bar:
        run_epoch(bar, clock, 3, 1.0)
        bar.finish({"loss": 1.0})
    assert out.writes == 0


def test_auto_is_the_bar(clock):
    out = io.StringIO()
    ProgressBar(2, 0, 1, "auto", out, clock=clock).finish()
    assert out.getvalue() == f"2/2 {BAR} 0s 0s/step\n"


def test_terminal_shows_eta_while_running_and_elapsed_time_at_the_end(clock):
    out = Terminal()
    bar = ProgressBar(100, 0, 1, 1, out, clock=clock)
    run_epoch(bar, clock, 50, 2.0)
    assert on_screen(out.getvalue()) == [" 50/100 " + "━" * 20 + " 1:40 2s/step - accuracy: 1.0000 - loss: 0.0200"]
    clock.now += 100.0
    bar.update(100, {"loss": 0.5})
    bar.finish({"loss": 0.25})
    assert on_screen(out.getvalue()) == [f"100/100 {BAR} 200s 2s/step - loss: 0.2500", ""]


def test_terminal_bar_is_coloured_as_keras_does(clock):
    out = Terminal()
    bar = ProgressBar(4, 0, 1, 1, out, clock=clock)
    clock.now += 1.0
    bar.update(1)
    done, rest = "━" * 5, "━" * 15
    assert out.getvalue() == f"\r\x1b[1m1/4\x1b[0m \x1b[32m{done}\x1b[0m\x1b[37m{rest}\x1b[0m \x1b[1m3s\x1b[0m 1s/step"


def test_no_color_is_respected_and_the_bar_still_tells(clock, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    bar = ProgressBar(4, 0, 1, 1, out, clock=clock)
    clock.now += 1.0
    bar.update(1)
    assert out.getvalue() == "\r1/4 " + "━" * 5 + "─" * 15 + " 3s 1s/step"


def test_dumb_terminal_is_not_redrawn(clock, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    bar = ProgressBar(4, 0, 1, 1, out, clock=clock)
    run_epoch(bar, clock, 4, 1.0)
    assert out.getvalue() == ""
    bar.finish()
    assert out.getvalue() == f"4/4 {BAR} 4s 1s/step\n"


def test_redraws_are_at_least_50_ms_apart(clock):
    out = Terminal()
    bar = ProgressBar(10_000, 0, 1, 1, out, clock=clock)
    for step in range(1, 10_001):  # one second of steps
        clock.now += 1e-4
        bar.update(step, {"loss": 1.0})
    assert 15 <= out.writes <= 21


def test_shorter_line_leaves_nothing_of_the_longer_one(clock):
    out = Terminal()
    bar = ProgressBar(2, 0, 1, 1, out, clock=clock)
    clock.now += 1.0
    bar.update(1, {"a_metric_with_a_long_name": 1.0})
    clock.now += 1.0
    bar.update(2, {"loss": 1.0})
    assert on_screen(out.getvalue()) == [f"2/2 {BAR} 0s 1s/step - loss: 1.0000"]


def test_running_line_never_wraps_and_the_last_line_is_whole(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    bar = ProgressBar(2, 0, 1, 1, out, clock=clock)
    clock.now += 1.0
    bar.update(1, {"first": 1.0, "second": 2.0})
    assert [len(line) for line in on_screen(out.getvalue())] == [39]
    bar.finish({"first": 1.0, "second": 2.0})
    assert on_screen(out.getvalue())[0].endswith("first: 1.0000 - second: 2.0000")


def test_first_call_does_not_spoil_the_eta(clock):
    out = Terminal()
    bar = ProgressBar(11, 0, 1, 1, out, clock=clock)
    clock.now += 60.0  # a compiler ran
    bar.update(1)
    clock.now += 1.0
    bar.update(2)
    assert on_screen(out.getvalue())[0].endswith(" 9s 1s/step")


def test_time_per_step_leaves_validation_out(clock):
    out = io.StringIO()
    bar = ProgressBar(10, 0, 1, 1, out, clock=clock)
    run_epoch(bar, clock, 10, 1.0)
    clock.now += 20.0  # validation
    bar.finish({"val_loss": 1.0})
    assert out.getvalue() == f"10/10 {BAR} 30s 1s/step - val_loss: 1.0000\n"


def test_unknown_number_of_steps(clock):
    out = Terminal()
    bar = ProgressBar(None, 0, 1, 1, out, clock=clock)
    run_epoch(bar, clock, 7, 1.0)
    assert on_screen(out.getvalue()) == ["      7/Unknown 7s 1s/step - accuracy: 1.0000 - loss: 0.1429"]
    bar.finish({"loss": 0.5})
    assert on_screen(out.getvalue()) == [f"7/7 {BAR} 7s 1s/step - loss: 0.5000", ""]


def test_interrupted_line_is_ended(clock):
    out = Terminal()
    with pytest.raises(KeyboardInterrupt), ProgressBar(4, 0, 1, 1, out, clock=clock) as bar:
        bar.update(1)
        raise KeyboardInterrupt
    out.write("next")
    assert on_screen(out.getvalue())[1:] == ["next"]


def test_close_after_finish_prints_nothing_more(clock):
    out = Terminal()
    bar = ProgressBar(1, 0, 1, 1, out, clock=clock)
    bar.update(1)
    bar.finish({"loss": 1.0})
    before = out.getvalue()
    bar.close()
    bar.finish({"loss": 2.0})
    bar.update(1, {"loss": 3.0})
    assert out.getvalue() == before


def test_encoding_without_the_bar_character(clock):
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    ProgressBar(2, 0, 1, 1, out, clock=clock).finish()
    assert raw.getvalue() == b"2/2 ==================== 0s 0s/step\n"


def test_stdout_is_looked_up_when_the_bar_is_made(capsys):
    ProgressBar(1).finish({"loss": 1.0})
    assert capsys.readouterr().out.endswith("/step - loss: 1.0000\n")


def test_process_without_stdout(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    with ProgressBar(1, 0, 2) as bar:
        bar.update(1)
        bar.finish({"loss": 1.0})


@pytest.mark.parametrize("verbose", [3, -1, "loud", None])
def test_bad_verbose_is_refused(verbose):
    with pytest.raises(ValueError, match="verbose: expected 0, 1, 2"):
        ProgressBar(1, verbose=verbose)
