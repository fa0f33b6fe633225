"""`netlet.utils`: one-hot encoding, normalization, names, and a seed that reaches every generator."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np
import pytest

import netlet
from netlet.utils import clear_session, normalize, set_random_seed, to_categorical
from netlet.utils.naming import auto_name, to_snake_case
from netlet.utils.registry import serialize


def test_to_categorical() -> None:
    assert to_categorical([0, 2, 1]).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert to_categorical([[1], [0]], 3).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert to_categorical(np.zeros((2, 3)), 4).shape == (2, 3, 4)
    assert to_categorical([], 2).shape == (0, 2)
    assert to_categorical(1, 2).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 3], 3), r"class 3 at position 1 is outside \[0, 3\)"),
        (([-1, 1],), "class -1 at position 0"),
        (([],), "x is empty"),
    ],
)
def test_to_categorical_refuses(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_categorical(*arguments)


def test_normalize() -> None:
    assert normalize([[3.0, 4.0], [0.0, 0.0]]).tolist() == [[0.6, 0.8], [0.0, 0.0]]
    assert normalize([[1.0, 2.0], [3.0, 2.0]], axis=0, order=1).tolist() == [[0.25, 0.5], [0.75, 0.5]]


@pytest.mark.parametrize("setter", [netlet.set_random_seed, set_random_seed])
def test_one_seed_for_every_generator(setter: Any) -> None:
    draws = []
    for _ in range(2):
        setter(2**40 + 5)
        draws.append((python_random.random(), np.random.rand(), netlet.random.next_seed()))  # noqa: NPY002
    assert draws[0] == draws[1]
    netlet.random.set_random_seed(2**40 + 5)  # Netlet's alone
    assert netlet.random.next_seed() == draws[0][2]


@pytest.mark.parametrize(("seed", "error"), [("1", TypeError), (1.5, TypeError), (None, TypeError), (-1, ValueError)])
def test_bad_seeds_are_refused(seed: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="seed"):
        set_random_seed(seed)


def test_names() -> None:
    assert [to_snake_case(n) for n in ("Dense", "LeakyReLU", "F1Score", "MeanSquaredError")] == [
        "dense",
        "leaky_re_lu",
        "f1_score",
        "mean_squared_error",
    ]
    clear_session()
    assert [auto_name("MyLayer") for _ in range(3)] == ["my_layer", "my_layer_1", "my_layer_2"]
    clear_session()
    assert auto_name("MyLayer") == "my_layer"


def test_what_has_no_config_cannot_be_serialized() -> None:
    assert serialize(None) is None
    with pytest.raises(ValueError, match="cannot serialize 3"):
        serialize(3)


def test_the_public_names_of_keras_scripts() -> None:
    from netlet import Input, Sequential, load_model
    from netlet.callbacks import Callback, CallbackList, History
    from netlet.layers import Activation, Dense, Flatten, InputLayer, Reshape
    from netlet.models import Sequential as FromModels
    from netlet.models import load_model as from_models

    assert Sequential is FromModels
    assert load_model is from_models
    assert issubclass(History, Callback)
    assert all(callable(c) for c in (Input, CallbackList, Activation, Dense, Flatten, InputLayer, Reshape))
    for module in (netlet, netlet.models, netlet.callbacks):
        assert all(hasattr(module, name) for name in module.__all__)
        with pytest.raises(AttributeError, match="no attribute 'Sequentail'"):
            module.Sequentail  # noqa: B018
