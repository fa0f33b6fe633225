"""Learning-rate schedules: their formulas, at one step and at many, their configs."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from netlet.optimizers import schedules
from netlet.optimizers.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
    PolynomialDecay,
)


def half_wave(fraction: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * fraction))


def restarts(step: float, length: float, t_mul: float, m_mul: float) -> float:
    height = 1.0
    while step >= length:
        step, length, height = step - length, length * t_mul, height * m_mul
    return height * half_wave(step / length)


# A schedule and its formula, one step at a time.
CASES: list[tuple[LearningRateSchedule, Any]] = [
    (ExponentialDecay(0.1, 10, 0.9), lambda s: 0.1 * 0.9 ** (s / 10)),
    (ExponentialDecay(0.1, 10, 0.9, staircase=True), lambda s: 0.1 * 0.9 ** (s // 10)),
    (InverseTimeDecay(0.1, 10, 0.5), lambda s: 0.1 / (1 + 0.5 * s / 10)),
    (InverseTimeDecay(0.1, 10, 0.5, staircase=True), lambda s: 0.1 / (1 + 0.5 * (s // 10))),
    (PiecewiseConstantDecay([3, 7], [1, 0.5, 0.25]), lambda s: 1 if s <= 3 else 0.5 if s <= 7 else 0.25),
    (PiecewiseConstantDecay([], [0.5]), lambda s: 0.5),
    (PolynomialDecay(0.1, 20), lambda s: 0.0999 * (1 - min(s, 20) / 20) + 0.0001),
    (PolynomialDecay(0.1, 20, 0.01, 0.5), lambda s: 0.09 * (1 - min(s, 20) / 20) ** 0.5 + 0.01),
    (
        PolynomialDecay(0.1, 20, 0.0, 2.0, cycle=True),
        lambda s: 0.1 * (1 - s / (20 * max(1, math.ceil(s / 20)))) ** 2,
    ),
    (CosineDecay(0.1, 20, 0.2), lambda s: 0.1 * (0.8 * half_wave(min(s / 20, 1)) + 0.2)),
    (
        CosineDecay(0.1, 20, warmup_target=0.5, warmup_steps=8),
        lambda s: 0.1 + 0.4 * s / 8 if s < 8 else 0.5 * half_wave(min((s - 8) / 20, 1)),
    ),
    (CosineDecay(0.1, 20, warmup_target=0.5), lambda s: 0.5 * half_wave(min(s / 20, 1))),
    (CosineDecayRestarts(0.1, 5), lambda s: 0.1 * restarts(s, 5, 2, 1)),
    (CosineDecayRestarts(0.1, 5, 3.0, 0.5, 0.1), lambda s: 0.1 * (0.9 * restarts(s, 5, 3, 0.5) + 0.1)),
    (CosineDecayRestarts(0.1, 5, 1.0, 0.5), lambda s: 0.1 * restarts(s, 5, 1, 0.5)),
    (CosineDecayRestarts(0.1, 8, 0.5), lambda s: 0.1 * restarts(s, 8, 0.5, 1) if s < 15 else 0.0),
]
STEPS = range(60)


@pytest.mark.parametrize(("schedule", "formula"), CASES, ids=lambda v: repr(v)[:50])
def test_a_schedule_is_its_formula(schedule: LearningRateSchedule, formula: Any) -> None:
    # the last descents of t_mul = 0.5 end within one step of each other, at 16
    steps = [step for step in STEPS if "t_mul=0.5" not in repr(schedule) or step < 15 or step >= 16]
    want = [formula(step) for step in steps]
    got = [schedule(step) for step in steps]
    assert all(type(rate) is float for rate in got)
    # cos near its zero at the end of a descent is absolute in its error
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-16)
    assert schedule(np.int64(3)) == schedule(3) == schedule(np.array(3))
    many = schedule(np.array(steps).reshape(-1, 1))
    assert many.tolist() == [[rate] for rate in got]


@pytest.mark.parametrize("schedule", [case[0] for case in CASES], ids=lambda v: repr(v)[:50])
def test_rates_are_the_same_as_one_by_one(schedule: LearningRateSchedule) -> None:
    rates = schedule.rates(7, 43)
    assert (rates.dtype, rates.shape) == (np.float64, (36,))
    assert rates.tolist() == [schedule(step) for step in range(7, 43)]
    assert schedule.rates(5, 5).shape == (0,)


@pytest.mark.parametrize("t_mul", [1.5, 2.0, 3.0, 10.0])
def test_every_descent_begins_at_the_top(t_mul: float) -> None:
    """The number of the descent is a logarithm, which rounding may put just below a whole number."""
    schedule = CosineDecayRestarts(1.0, 1000, t_mul)
    start, length = 0.0, 1000.0
    for _ in range(12):
        assert schedule(start) == pytest.approx(1.0, abs=1e-12)
        start, length = start + length, length * t_mul


@pytest.mark.parametrize("schedule", [case[0] for case in CASES], ids=lambda v: repr(v)[:50])
def test_a_config_makes_it_anew(schedule: LearningRateSchedule) -> None:
    config = json.loads(json.dumps(schedules.serialize(schedule)))
    again = schedules.deserialize(config)
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    assert again.rates(0, 50).tolist() == schedule.rates(0, 50).tolist()


class Halving(LearningRateSchedule):
    def __call__(self, step: Any) -> Any:
        return 0.5**step


class Delayed(ExponentialDecay):
    def __call__(self, step: Any) -> Any:
        return super().__call__(max(step - 5, 0))


def test_a_schedule_of_ones_own() -> None:
    assert Halving().rates(1, 4).tolist() == [0.5, 0.25, 0.125]
    assert repr(Halving()) == "Halving()"
    assert Delayed(1.0, 1, 0.5).rates(4, 8).tolist() == [1.0, 1.0, 0.5, 0.25]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ExponentialDecay(0.1, 0, 0.9), ValueError, "ExponentialDecay: decay_steps must be greater than 0"),
        (lambda: InverseTimeDecay(0.1, -1, 0.9), ValueError, "InverseTimeDecay: decay_steps .* got -1"),
        (lambda: PolynomialDecay(0.1, 0), ValueError, "PolynomialDecay: decay_steps"),
        (lambda: CosineDecay(0.1, float("nan")), ValueError, "CosineDecay: decay_steps .* got nan"),
        (lambda: CosineDecayRestarts(0.1, 0), ValueError, "first_decay_steps"),
        (lambda: CosineDecayRestarts(0.1, 1, 0.0), ValueError, "t_mul"),
        (lambda: PiecewiseConstantDecay([1], [1]), ValueError, "one more value than boundaries, got 1 values"),
        (lambda: PiecewiseConstantDecay([2, 1], [1, 2, 3]), ValueError, "boundaries must ascend"),
        (lambda: LearningRateSchedule()(1), NotImplementedError, "LearningRateSchedule does not define __call__"),
        (lambda: Halving().get_config(), NotImplementedError, "Halving does not define get_config"),
        (lambda: schedules.deserialize({"class_name": "CosineDecays"}), ValueError, "Did you mean 'CosineDecay'"),
        (lambda: schedules.deserialize("CosineDecay"), ValueError, "expected a dict with 'class_name'"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
