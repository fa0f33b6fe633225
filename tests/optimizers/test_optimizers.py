"""Optimizers: settings, names, configs. What they compute is tested with the program's ops and in ``fit``."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

from netlet import optimizers
from netlet.optimizers import SGD, Adam
from netlet.optimizers.schedules import ExponentialDecay
from netlet.program import OPTIMIZERS
from netlet.utils.naming import reset_names

BASE = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
DEFAULTS: dict[str, dict[str, Any]] = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    "Adam": {**ADAM, "amsgrad": False},
    "AdamW": {**ADAM, "amsgrad": False, "weight_decay": 0.004},
    "Adamax": ADAM,
    "Nadam": ADAM,
    "Lamb": ADAM,
    "Lion": {"beta_1": 0.9, "beta_2": 0.99},
    "RMSprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    "Adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "Adadelta": {"rho": 0.95, "epsilon": 1e-7},
    "Ftrl": {
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.1,
        "l1_regularization_strength": 0.0,
        "l2_regularization_strength": 0.0,
        "l2_shrinkage_regularization_strength": 0.0,
        "beta": 0.0,
    },
    "Adafactor": {
        "beta_2_decay": -0.8,
        "epsilon_1": 1e-30,
        "epsilon_2": 0.001,
        "clip_threshold": 1.0,
        "relative_step": True,
    },
    "ScheduleFreeAdamW": {**ADAM, "learning_rate": 0.0025, "epsilon": 1e-8, "warmup_steps": 0},
    "Muon": {
        "adam_beta_1": 0.9,
        "adam_beta_2": 0.999,
        "adam_weight_decay": 0.004,
        "epsilon": 1e-7,
        "weight_decay": 0.004,
        "exclude_layers": [],
        "exclude_embeddings": True,
        "muon_a": 3.4445,
        "muon_b": -4.775,
        "muon_c": 2.0315,
        "adam_lr_ratio": 1,
        "momentum": 0.95,
        "ns_steps": 5,
        "nesterov": True,
        "rms_rate": 0.2,
    },
}
ALL = sorted(DEFAULTS)


@pytest.mark.parametrize("name", ALL)
def test_defaults_are_keras(name: str) -> None:
    made = getattr(optimizers, name)(name="mine")
    assert made.get_config() == {"name": "mine", "learning_rate": 0.001, **BASE, **DEFAULTS[name]}
    assert made.iterations == 0
    assert type(optimizers.get(name.lower())) is type(made)
    again = optimizers.deserialize(optimizers.serialize(made))
    assert type(again) is type(made) and again.get_config() == made.get_config()


def test_every_optimizer_is_tested_here() -> None:
    assert {cls.__name__ for cls in optimizers.REGISTRY.objects.values() if cls.op} == set(ALL)


def test_names_are_numbered_as_in_keras() -> None:
    reset_names()
    names = [make().name for make in (Adam, Adam, SGD, SGD, optimizers.AdamW, optimizers.RMSprop)]
    assert names == ["adam", "adam_1", "sgd", "sgd_1", "adam_w", "rm_sprop"]


def test_sgd_is_lowered_to_its_op() -> None:
    sgd = SGD()
    assert sgd.lower() == ("sgd", {"momentum": 0.0, "nesterov": False, "no_decay": [], "frozen": []})
    assert sgd.slot_names() == ()
    assert SGD(momentum=0.5).slot_names() == ("momentum",)
    assert repr(SGD(weight_decay=0.1)) == "SGD(learning_rate=0.01, weight_decay=0.1, momentum=0.0, nesterov=False)"


@pytest.mark.parametrize("name", ALL)
def test_slots_are_those_of_the_program(name: str) -> None:
    cls = getattr(optimizers, name)
    settings: list[dict[str, Any]] = [{}, {"use_ema": True}, {"use_ema": True, "gradient_accumulation_steps": 4}]
    if "amsgrad" in DEFAULTS[name]:
        settings.append({"amsgrad": True})
    if name == "RMSprop":
        settings += [{"momentum": 0.5}, {"centered": True}, {"centered": True, "momentum": 0.5}]
    for given in settings:
        made = cls(**given)
        op, attrs = made.lower()
        assert OPTIMIZERS[op].slots(OPTIMIZERS[op].normalize(attrs)) == len(made.slot_names())
        assert sorted(n for group in made.slot_groups() for n in group) == sorted(made.own_slot_names())


@pytest.mark.parametrize("name", ["sgd", "SGD", "Sgd", SGD, {"class_name": "SGD", "config": {}}, SGD()])
def test_every_name_finds_its_optimizer(name: Any) -> None:
    assert type(optimizers.get(name)) is SGD


def test_configs_make_the_same_optimizer() -> None:
    sgd = SGD(0.1, 0.9, True, name="mine")
    again = optimizers.deserialize(optimizers.serialize(sgd))
    assert again.get_config() == sgd.get_config()


def test_learning_rate_may_be_any_number() -> None:
    sgd = SGD(np.float32(0.5))
    assert sgd.learning_rate == 0.5
    assert isinstance(sgd.learning_rate, float)
    sgd.learning_rate = 1
    assert sgd.learning_rate == 1.0


def test_the_learning_rate_serves_as_the_variable_that_it_is_in_keras() -> None:
    sgd = SGD(0.1)
    sgd.learning_rate *= 0.1
    rate = sgd.learning_rate
    assert float(rate) == 0.1 * 0.1 != 0.01
    assert rate.value == rate.numpy() == 0.01  # in single precision
    assert (rate.value.dtype, rate.dtype, rate.shape) == (np.float32, "float32", ())
    assert rate.assign(0.5) == sgd.learning_rate == 0.5
    assert rate == 0.1 * 0.1  # as it was when it was asked for
    with pytest.raises(ValueError, match="learning_rate must be finite and not negative"):
        rate.assign(-1)
    for copied in (copy.deepcopy(rate), pickle.loads(pickle.dumps(rate))):
        assert type(copied) is float
        assert copied == rate
    assert json.dumps({"rate": sgd.learning_rate}) == '{"rate": 0.5}'


def test_neutral_keras_arguments_are_accepted() -> None:
    SGD(weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, loss_scale_factor=None)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.get("sdg"), ValueError, "unknown optimizer 'sdg'. Did you mean"),
        (lambda: optimizers.get("adamm"), ValueError, "unknown optimizer 'adamm'. Did you mean 'adam'"),
        (lambda: optimizers.get(3), ValueError, "optimizer: expected a name"),
        (lambda: SGD(-0.1), ValueError, "learning_rate must be finite and not negative, got -0.1"),
        (lambda: SGD(float("nan")), ValueError, "learning_rate must be finite"),
        (lambda: SGD("fast"), TypeError, "learning_rate must be a number, got 'fast'"),
        (lambda: SGD(None), TypeError, "learning_rate must be a number, got None"),
        (lambda: SGD(True), TypeError, "learning_rate must be a number, got True"),
        (lambda: SGD(momentum=1.5), ValueError, r"`momentum` must be a float between \[0, 1\]. SGD got 1.5"),
        (lambda: SGD(momentum="0.5"), ValueError, "must be a float between"),
        (lambda: SGD(nesterov=1), ValueError, "nesterov must be True or False"),
        (lambda: SGD(name=""), ValueError, "name must be a non-empty string"),
        (lambda: SGD(clipnorm=1.0, clipvalue=1.0), ValueError, "SGD got clipnorm=1.0, clipvalue=1.0"),
        (lambda: SGD(clipnorm="1"), ValueError, "SGD: clipnorm must be a number or None"),
        (lambda: SGD(weight_decay=float("inf")), ValueError, "SGD: weight_decay must be finite"),
        (lambda: SGD(use_ema=1), ValueError, "use_ema must be True or False"),
        (lambda: SGD(use_ema=True, ema_momentum=2), ValueError, r"ema_momentum must lie in \[0, 1\], got 2"),
        (lambda: SGD(use_ema=True, ema_overwrite_frequency=0), ValueError, "must be an integer of 1 or more"),
        (lambda: SGD(gradient_accumulation_steps=1), ValueError, "must be an integer of 2 or more"),
        (lambda: SGD(speed=1.0), TypeError, "unexpected argument 'speed'"),
        (lambda: Adam(beta_1=1.5), ValueError, r"Adam: beta_1 must lie in \[0, 1\]"),
        (lambda: Adam(epsilon=-1), ValueError, "Adam: epsilon must be finite and not negative"),
        (lambda: Adam(amsgrad=1), ValueError, "Adam: amsgrad must be True or False"),
        (lambda: optimizers.AdamW(weight_decay=None), ValueError, "`weight_decay` must be a float"),
        (lambda: optimizers.Lion(beta_1=0), ValueError, "`beta_1` must be in"),
        (
            lambda: optimizers.Ftrl(learning_rate_power=0.1),
            ValueError,
            "needs to be negative or zero. Received: learning_rate_power=0.1",
        ),
        (lambda: optimizers.Adafactor(beta_2_decay=0.1), ValueError, "beta_2_decay must not be positive"),
        (lambda: optimizers.Muon(ns_steps=1.5), ValueError, "ns_steps must be an integer"),
        (lambda: optimizers.ScheduleFreeAdamW(beta_1=0.0), ValueError, r"beta_1 must lie in \[1e-06, 1\], got 0.0"),
        (
            lambda: optimizers.ScheduleFreeAdamW(warmup_steps=-1),
            ValueError,
            "warmup_steps must be an integer of 0 or more",
        ),
        (lambda: optimizers.Muon(rms_rate=-0.1), ValueError, "Muon: rms_rate must be finite and not negative"),
        (lambda: setattr(SGD(), "learning_rate", -1), ValueError, "not negative"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_schedule_says_the_rate_of_each_step() -> None:
    schedule = ExponentialDecay(0.1, 10, 0.5)
    adam = Adam(schedule)
    assert adam.learning_rate == 0.1
    np.testing.assert_array_equal(adam.rates(5), schedule.rates(0, 5))
    adam.iterations = 10
    assert adam.learning_rate == pytest.approx(0.05)
    np.testing.assert_array_equal(adam.rates(5), schedule.rates(10, 15))
    with pytest.raises(TypeError, match="This optimizer was created with a `LearningRateSchedule`, which decides: Exp"):
        adam.learning_rate = 0.1
    adam.learning_rate = ExponentialDecay(0.2, 10, 0.5)
    assert adam.learning_rate == pytest.approx(0.1)
    again = optimizers.deserialize(optimizers.serialize(adam))
    assert again.get_config() == adam.get_config()
    assert again.learning_rate == 0.2


def test_a_schedule_counts_steps_and_not_updates() -> None:
    sgd = SGD(ExponentialDecay(0.1, 10, 0.5), gradient_accumulation_steps=2)
    sgd.iterations = 5
    assert sgd.learning_rate == pytest.approx(0.05)


def test_a_function_is_asked_for_the_rate() -> None:
    rates = iter([0.1, 0.2])
    sgd = SGD(lambda: next(rates))
    assert sgd.rates(7) == 0.1
    assert sgd.learning_rate == 0.2


def test_decay_is_gone_and_said_to_be() -> None:
    with pytest.warns(UserWarning, match="decay is not an argument any more"):
        assert SGD(decay=1.0).learning_rate == 0.01
