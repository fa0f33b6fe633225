"""Optimizers: settings, names, configs. What they compute is tested with the program's ops and in ``fit``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet import optimizers
from netlet.optimizers import SGD


def test_defaults_are_keras() -> None:
    sgd = SGD()
    assert sgd.get_config() == {"name": "SGD", "learning_rate": 0.01, "momentum": 0.0, "nesterov": False}
    assert sgd.lower() == ("sgd", {"momentum": 0.0, "nesterov": False})
    assert sgd.slot_names() == ()
    assert SGD(momentum=0.5).slot_names() == ("momentum",)
    assert sgd.iterations == 0
    assert repr(sgd) == "SGD(learning_rate=0.01, momentum=0.0, nesterov=False)"


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
    assert type(sgd.learning_rate) is float
    sgd.learning_rate = 1
    assert sgd.learning_rate == 1.0


def test_neutral_keras_arguments_are_accepted() -> None:
    SGD(weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, loss_scale_factor=None)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.get("sdg"), ValueError, "unknown optimizer 'sdg'. Did you mean"),
        (lambda: optimizers.get("adam"), ValueError, "unknown optimizer 'adam'"),
        (lambda: optimizers.get(None), ValueError, "optimizer: expected a name"),
        (lambda: SGD(-0.1), ValueError, "learning_rate must be finite and not negative, got -0.1"),
        (lambda: SGD(float("nan")), ValueError, "learning_rate must be finite"),
        (lambda: SGD("fast"), TypeError, "learning_rate must be a number, got 'fast'"),
        (lambda: SGD(None), TypeError, "learning_rate must be a number, got None"),
        (lambda: SGD(True), TypeError, "learning_rate must be a number, got True"),
        (lambda: SGD(lambda step: 0.1), ValueError, "schedules are not supported yet"),
        (lambda: SGD(momentum=1.5), ValueError, r"momentum must lie in \[0, 1\], got 1.5"),
        (lambda: SGD(momentum="0.5"), ValueError, "momentum must lie in"),
        (lambda: SGD(nesterov=1), ValueError, "nesterov must be True or False"),
        (lambda: SGD(name=""), ValueError, "name must be a non-empty string"),
        (lambda: SGD(clipnorm=1.0), ValueError, "clipnorm=1.0 is not supported yet"),
        (lambda: SGD(decay=1.0), TypeError, "unexpected argument 'decay'"),
        (lambda: setattr(SGD(), "learning_rate", -1), ValueError, "not negative"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
